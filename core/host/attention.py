"""Attention over rows of different lengths without padding, so that a row answers as it would alone.

Each row keeps its own key-value buffer of exactly the size it can need. A prompt is read alone (one row, no padding,
the causal kernel). When answers are written, all linear layers run over the whole batch, and only attention visits
the rows one by one, each over its own true length. Nothing is masked, nothing is shifted, and a row that joins or
leaves does not touch the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

__all__ = ["NAME", "PromptRead", "RowCache", "StepCache", "register"]

NAME = "kurabe_rows"
"""Name under which the attention is registered with transformers."""

_UNSUPPORTED = ("softcap", "s_aux", "position_bias")
"""Arguments of attention kinds that this one does not compute; a model that passes one is served row by row."""

_step: ContextVar[StepCache | None] = ContextVar("kurabe_step", default=None)


class RowLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]  # transformers' base is untyped
    """Keys and values of one row in one layer, in a buffer that never moves."""

    is_sliding = False

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers' base is untyped
        self.capacity = capacity
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate ``(1, heads, capacity, size)`` for each of both, once their sizes are known."""
        heads = key_states.shape[1]
        self.keys = key_states.new_empty((1, heads, self.capacity, key_states.shape[-1]))
        self.values = value_states.new_empty((1, heads, self.capacity, value_states.shape[-1]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of shape ``(1, heads, new, size)`` and return all so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None and self.values is not None
        start, self.length = self.length, self.length + key_states.shape[2]
        self.keys[:, :, start : self.length] = key_states
        self.values[:, :, start : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def copy_from(self, other: RowLayer, positions: int) -> None:
        """Take over the first positions of another row that began with the same tokens."""
        assert other.keys is not None and other.values is not None
        self.lazy_initialization(other.keys, other.values)
        self.update(other.keys[:, :, :positions], other.values[:, :, :positions])

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return key length and offset for transformers' masks."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Return how many positions are filled."""
        return self.length

    def get_max_length(self) -> int:
        """Return how many positions there are."""
        return self.capacity


class PromptRead(Exception):  # not an error: it ends a forward pass early
    """Raised when the last layer has its keys and values: all that is left would be thrown away."""


class RowCache(Cache):
    """Keys and values of one row in all layers."""

    def __init__(self, layers: int, capacity: int) -> None:
        self.rows: list[RowLayer] = [RowLayer(capacity) for _ in range(layers)]
        self.reading = False
        """While a prompt is read, nobody wants what comes after the last layer's keys and values."""
        super().__init__(layers=list(self.rows))

    def begin_like(self, other: RowCache, positions: int) -> None:
        """Take over what another row read of a common beginning."""
        for layer, known in zip(self.rows, other.rows, strict=True):
            layer.copy_from(known, positions)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append one layer's states and return all so far.

        Raises:
            PromptRead: at the last layer, while a prompt is read.
        """
        states = self.rows[layer_idx].update(key_states, value_states)
        if self.reading and layer_idx == len(self.rows) - 1:
            raise PromptRead
        return states


class StepCache(Cache):
    """The caches of several rows for one decoding step, in which each row adds one position."""

    def __init__(self, caches: Sequence[RowCache]) -> None:
        super().__init__(layers=[])
        self.caches = caches
        self.lengths = [cache.rows[0].length for cache in caches]
        self.layer = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put each row's new key and value at the end of its own buffer; attention reads the buffers itself."""
        self.layer = layer_idx
        keys, values = key_states.unbind(0), value_states.unbind(0)
        for index, cache in enumerate(self.caches):
            layer = cache.rows[layer_idx]
            if not layer.is_initialized:
                layer.lazy_initialization(key_states, value_states)
            assert layer.keys is not None and layer.values is not None
            at = layer.length
            layer.keys[0, :, at : at + 1] = keys[index]
            layer.values[0, :, at : at + 1] = values[index]
            layer.length = at + 1
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return the longest row's length; positions are passed explicitly."""
        return max(self.lengths)

    def __enter__(self) -> StepCache:
        self._token = _step.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _step.reset(self._token)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend as ``sdpa`` does; inside a `StepCache`, row by row over each row's own buffer.

    `query` has shape ``(rows, heads, 1, size)``; the result ``(rows, 1, heads, size)``.
    """
    step = _step.get()
    if step is None:
        kwargs["sliding_window"] = sliding_window
        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
        return out, None
    if unsupported := [name for name in _UNSUPPORTED if kwargs.get(name) is not None]:
        raise NotImplementedError(f"attention with {unsupported[0]}")
    outputs = []
    for row, cache in zip(query.unbind(0), step.caches, strict=True):
        layer = cache.rows[step.layer]
        assert layer.keys is not None and layer.values is not None
        start = 0 if sliding_window is None else max(0, layer.length - sliding_window)
        keys, values = layer.keys[:, :, start : layer.length], layer.values[:, :, start : layer.length]
        # Query heads that share a key head become its query positions, so that keys are not repeated.
        packed = row.reshape(1, keys.shape[1], -1, row.shape[-1])
        outputs.append(functional.scaled_dot_product_attention(packed, keys, values, scale=scaling))
    heads = query.shape[1]
    return torch.cat(outputs).reshape(len(outputs), 1, heads, -1), None


def register() -> None:
    """Make the attention known to transformers under `NAME`; doing it twice changes nothing."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
