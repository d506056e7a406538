"""Reading prompts and taking decoding steps with one set of weights, together where that is proven right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache

from core.host.attention import NAME, PromptRead, RowCache, StepCache, register

__all__ = ["Forward", "Known", "Prefix"]

logger = logging.getLogger(__name__)

_PROBES = ((5, 11, 7), (9, 3, 8, 6, 4, 10, 12), (13,))
"""Token ids, below any vocabulary's size, on which stepping together is compared with stepping alone."""


@dataclass(frozen=True)
class Prefix:
    """What prompt and prefix tuning learned to put before a prompt: input vectors, or each layer's keys and values."""

    vectors: torch.Tensor | None = None
    """Shape ``(1, n, hidden)``."""
    states: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()
    """One pair ``(1, heads, n, size)`` for each layer."""

    @property
    def length(self) -> int:
        """How many positions it takes."""
        return int(self.vectors.shape[1] if self.vectors is not None else self.states[0][0].shape[2])


@dataclass(frozen=True)
class Known:
    """Another row whose prompt begins with the same tokens."""

    cache: RowCache
    shared: int
    """How many tokens, less than the prompt has."""
    once: bool = False
    """Whether the beginning is kept once for both rows; else it is copied."""


@dataclass
class Forward:
    """A causal language model behind two calls: read a prompt, and write one more token for each of some rows."""

    model: PreTrainedModel
    together: bool = False
    """Whether rows step as one batch; found out by `prove`."""

    def __post_init__(self) -> None:
        config = self.model.config.get_text_config()
        self.layers = int(config.num_hidden_layers)
        self.windowed = getattr(config, "sliding_window", None) is not None
        self.device = self.model.device

    @torch.inference_mode()
    def read(
        self, ids: Sequence[int], capacity: int, prefix: Prefix | None = None, known: Known | None = None
    ) -> Cache:
        """Read a prompt up to its last token, and return its cache for `capacity` positions.

        The last token is the row's first input of `step`, whose logits then are those of the first new token. What
        `known` read of the same beginning, with the same prefix, is taken over.
        """
        cache: Cache = RowCache(self.layers, capacity) if self.together else DynamicCache(config=self.model.config)
        if known is not None and isinstance(cache, RowCache):
            positions = known.shared + (prefix.length if prefix else 0)
            # in 16 bit the two parts' shares would round differently from one attention over both
            exact = self.model.dtype == torch.float32
            cache.begin_like(known.cache, positions, once=known.once and exact and not self.windowed)
            ids, prefix = ids[known.shared :], None
        tokens = torch.tensor([list(ids[:-1])], dtype=torch.long, device=self.device)
        inputs: dict[str, Any] = {"input_ids": tokens}
        positions = tokens.shape[1]
        if prefix is not None and prefix.vectors is not None:
            embedded = self.model.get_input_embeddings()(tokens)
            inputs = {"inputs_embeds": torch.cat([prefix.vectors.to(embedded.dtype), embedded], dim=1)}
            positions += prefix.length
        elif prefix is not None:
            for layer, (keys, values) in enumerate(prefix.states):
                cache.update(keys.to(self.model.dtype), values.to(self.model.dtype), layer)
        if positions:
            self._read(inputs, cache)
        return cache

    def _read(self, inputs: dict[str, Any], cache: Cache) -> None:
        if not isinstance(cache, RowCache):
            self.model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            return
        cache.reading = True
        with suppress(PromptRead):
            self.model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache.reading = False

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """Append one token to each row and return the next tokens' logits ``(rows, vocabulary)``."""
        if self.together:
            return self._step_together(tokens, [cache for cache in caches if isinstance(cache, RowCache)])
        return torch.stack([self._step_alone(token, cache) for token, cache in zip(tokens, caches, strict=True)])

    def _step_together(self, tokens: Sequence[int], caches: Sequence[RowCache]) -> torch.Tensor:
        with StepCache(caches) as step:
            out = self.model(
                input_ids=torch.tensor(tokens, device=self.device).unsqueeze(1),
                position_ids=torch.tensor(step.lengths, device=self.device).unsqueeze(1),
                # Four dimensions: transformers hands it on as it is, and builds no mask that nobody would read.
                attention_mask=torch.ones((1, 1, 1, 1), dtype=torch.bool, device=self.device),
                past_key_values=step,
                use_cache=True,
            )
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def _step_alone(self, token: int, cache: Cache) -> torch.Tensor:
        out = self.model(input_ids=torch.tensor([[token]], device=self.device), past_key_values=cache, use_cache=True)
        logits: torch.Tensor = out.logits[0, -1]
        return logits

    @torch.inference_mode()
    def probe(self) -> torch.Tensor:
        """Return logits of a fixed text: equal before and after whatever must not change these weights."""
        ids = [index % 97 + 4 for index in range(24)]
        logits: torch.Tensor = self.model(input_ids=torch.tensor([ids], device=self.device)).logits
        return logits.clone()

    def prove(self) -> bool:
        """Find out whether rows of this model may step together, by comparing with rows that step alone.

        Architectures differ in what their attention needs. One that does not go through the shared interface, or
        that needs more than it is given here, is served correctly row by row.
        """
        own = self.model.config._attn_implementation
        expected = self._two_steps()
        try:
            register()
            self.model.set_attn_implementation(NAME)
            self.together = True
            found = self._two_steps()
            tolerance = 1e-3 if found.dtype == torch.float32 else 0.05
            self.together = bool(torch.allclose(found.float(), expected.float(), rtol=tolerance, atol=tolerance * 10))
        except (AttributeError, AssertionError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
            logger.info("rows of %s step alone", type(self.model).__name__, exc_info=True)
            self.together = False
        if not self.together:
            self.model.set_attn_implementation(own)
        return self.together

    def _two_steps(self) -> torch.Tensor:
        caches = [self.read(ids, len(ids) + 2) for ids in _PROBES]
        if isinstance(caches[1], RowCache):
            caches[1] = self.read(_PROBES[1], len(_PROBES[1]) + 2, known=Known(caches[1], 3, once=True))
        first = self.step([ids[-1] for ids in _PROBES], caches)
        return torch.stack([first, self.step([8, 4, 9], caches)])
