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

from core.host.attention import NAME, Cohort, PromptRead, PromptStates, Seat, StepCache, register

__all__ = ["Forward", "Known", "Place", "Prefix"]

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
    """What was read of a prompt that begins with the same tokens."""

    states: PromptStates
    shared: int
    """How many tokens, less than any of the prompts has."""
    once: bool = False
    """Whether the beginning is kept once for all rows; else it is copied."""


Place = Seat | Cache
"""Where a row's keys and values are: a seat among others, or a cache of its own."""


@dataclass
class Forward:
    """A causal language model behind two calls: read prompts, and write one more token for each of some rows."""

    model: PreTrainedModel
    together: bool = False
    """Whether rows step as one batch; found out by `prove`."""

    def __post_init__(self) -> None:
        config = self.model.config.get_text_config()
        self.layers = int(config.num_hidden_layers)
        self.windowed = getattr(config, "sliding_window", None) is not None
        self.device = self.model.device

    def read(
        self,
        prompts: Sequence[Sequence[int]],
        capacity: int,
        prefix: Prefix | None = None,
        known: Known | None = None,
    ) -> list[Place]:
        """Read prompts up to their last tokens, and return each one's place, with `capacity` positions.

        The last token is the row's first input of `step`, whose logits then are those of the first new token. What is
        `known` of the same beginning, with the same prefix, is taken over. Prompts of about one length go together
        best: shorter ones are filled up on the right, where no token of them looks.
        """
        if not self.together:
            return [self._read_alone(ids, prefix) for ids in prompts]
        return list(self._read_together(prompts, capacity, prefix, known))

    @torch.inference_mode()
    def _read_alone(self, ids: Sequence[int], prefix: Prefix | None) -> Cache:
        cache = DynamicCache(config=self.model.config)
        inputs = self._inputs([ids[:-1]], cache, prefix)
        if inputs is not None:
            self.model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return cache

    @torch.inference_mode()
    def _read_together(
        self, prompts: Sequence[Sequence[int]], capacity: int, prefix: Prefix | None, known: Known | None
    ) -> list[Seat]:
        cohort = Cohort(self.layers, capacity, len(prompts))
        begins = 0
        if known is not None:
            positions = known.shared + (prefix.length if prefix else 0)
            # in 16 bit the two parts' scores would round differently from one attention over both
            exact = self.model.dtype == torch.float32
            cohort.begin_like(known.states, positions, once=known.once and exact and not self.windowed)
            begins, prefix = known.shared, None
        read = [ids[begins:-1] for ids in prompts]
        before = cohort.parts[0].length + (prefix.length if prefix else 0)
        inputs = self._inputs(read, cohort, prefix)
        if inputs is not None:
            cohort.reading = True
            with suppress(PromptRead):
                self.model(**inputs, past_key_values=cohort, use_cache=True, logits_to_keep=1)
            cohort.reading = False
        cohort.ends = [before + len(ids) for ids in read]
        return list(cohort.seats)

    def _inputs(self, prompts: Sequence[Sequence[int]], cache: Cache, prefix: Prefix | None) -> dict[str, Any] | None:
        """Return what the model is given to read, with `prefix` before it; None if that is nothing."""
        longest = max(map(len, prompts))
        tokens = torch.tensor([[*ids, *[0] * (longest - len(ids))] for ids in prompts], dtype=torch.long)
        inputs: dict[str, Any] = {"input_ids": tokens.to(self.device)}
        if prefix is not None and prefix.vectors is not None:
            embedded = self.model.get_input_embeddings()(inputs["input_ids"])
            before = prefix.vectors.to(embedded.dtype).expand(len(prompts), -1, -1)
            return {"inputs_embeds": torch.cat([before, embedded], dim=1)}
        if prefix is not None:
            for layer, (keys, values) in enumerate(prefix.states):
                cache.update(keys.to(self.model.dtype), values.to(self.model.dtype), layer)
        return inputs if longest else None

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], places: Sequence[Place]) -> torch.Tensor:
        """Append one token to each row and return the next tokens' logits ``(rows, vocabulary)``."""
        if self.together:
            return self._step_together(tokens, [place for place in places if isinstance(place, Seat)])
        caches = [place for place in places if isinstance(place, Cache)]
        return torch.stack([self._step_alone(token, cache) for token, cache in zip(tokens, caches, strict=True)])

    def _step_together(self, tokens: Sequence[int], seats: Sequence[Seat]) -> torch.Tensor:
        with StepCache(seats, self.device) as step:
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
        places = self.read(_PROBES, max(map(len, _PROBES)) + 2)
        if isinstance(places[1], Seat):
            known = Known(places[1].states(), 3, once=True)
            [places[1]] = self.read([_PROBES[1]], len(_PROBES[1]) + 2, known=known)
        first = self.step([ids[-1] for ids in _PROBES], places)
        return torch.stack([first, self.step([8, 4, 9], places)])
