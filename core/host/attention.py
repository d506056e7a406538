"""Attention over rows of different lengths without padding, so that a row answers as it would alone.

Each row keeps its own key-value buffer of exactly the size it can need. A prompt is read alone (one row, no padding,
the causal kernel). When answers are written, all linear layers run over the whole batch, and only attention visits
the rows one by one, each over its own true length. Nothing is masked, nothing is shifted, and a row that joins or
leaves does not touch the others. A long beginning that rows have in common is kept once and attended to by all of
them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
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


_States = tuple[torch.Tensor, torch.Tensor]
"""Keys and values, each ``(1, heads, positions, size)``."""

_FAR = 256
"""Positions behind a kept beginning from which keeping a longer one is worth it."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """Keys and values of the first positions of several rows, kept once."""

    layers: tuple[_States, ...]
    length: int


class RowLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]  # transformers' base is untyped
    """Keys and values of one row in one layer: a beginning shared with others, if any, and a buffer of its own."""

    is_sliding = False

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers' base is untyped
        self.capacity = capacity
        self.length = 0
        """Filled positions of the own buffer, which never moves."""
        self.shared: _States | None = None
        self.offset = 0
        """Positions of the shared beginning."""

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate ``(1, heads, own positions, size)`` for each of both, once their sizes are known."""
        heads, own = key_states.shape[1], self.capacity - self.offset
        self.keys = key_states.new_empty((1, heads, own, key_states.shape[-1]))
        self.values = value_states.new_empty((1, heads, own, value_states.shape[-1]))
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> _States:
        """Append states of shape ``(1, heads, new, size)`` and return all so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None and self.values is not None
        start, self.length = self.length, self.length + key_states.shape[2]
        self.keys[:, :, start : self.length] = key_states
        self.values[:, :, start : self.length] = value_states
        return self.span(0, self.get_seq_length())

    def own(self, start: int = 0) -> _States:
        """Return what the own buffer holds, from a position of it on."""
        assert self.keys is not None and self.values is not None
        return self.keys[:, :, start : self.length], self.values[:, :, start : self.length]

    def span(self, start: int, stop: int) -> _States:
        """Return the positions from `start` to `stop`; copied only where they lie in both parts."""
        keys, values = self.own()
        if start >= self.offset or self.shared is None:
            part = slice(start - self.offset, stop - self.offset)
            return keys[:, :, part], values[:, :, part]
        shared_keys, shared_values = (states[:, :, start:stop] for states in self.shared)
        if stop <= self.offset:
            return shared_keys, shared_values
        rest = slice(0, stop - self.offset)
        return torch.cat([shared_keys, keys[:, :, rest]], 2), torch.cat([shared_values, values[:, :, rest]], 2)

    def begin_with(self, states: _States) -> None:
        """Share a beginning; before anything is appended."""
        self.shared, self.offset = states, states[0].shape[2]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return key length and offset for transformers' masks."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Return how many positions are filled."""
        return self.offset + self.length

    def get_max_length(self) -> int:
        """Return how many positions there are."""
        return self.capacity


class PromptRead(Exception):  # not an error: it ends a forward pass early
    """Raised when the last layer has its keys and values: all that is left would be thrown away."""


class RowCache(Cache):
    """Keys and values of one row in all layers."""

    def __init__(self, layers: int, capacity: int) -> None:
        self.rows: list[RowLayer] = [RowLayer(capacity) for _ in range(layers)]
        self.beginning: Beginning | None = None
        """What it shares with other rows."""
        self.reading = False
        """While a prompt is read, nobody wants what comes after the last layer's keys and values."""
        super().__init__(layers=list(self.rows))

    def begin_like(self, other: RowCache, positions: int, *, once: bool) -> None:
        """Take over what another row read of a common beginning: kept once for both, or copied."""
        done = 0
        if once:
            self.beginning = other.common(positions)
            done = self.beginning.length
            for layer, states in zip(self.rows, self.beginning.layers, strict=True):
                layer.begin_with(states)
        for layer, known in zip(self.rows, other.rows, strict=True):
            layer.update(*known.span(done, positions))

    def common(self, positions: int) -> Beginning:
        """Return a beginning of at most that many positions: the one already shared, if it is about as long."""
        kept = self.beginning
        if kept is not None and 0 <= positions - kept.length < _FAR:
            return kept
        return Beginning(tuple(layer.span(0, positions) for layer in self.rows), positions)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> _States:
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
        self.lengths = [cache.rows[0].get_seq_length() for cache in caches]
        self.layer = 0
        self.alike: dict[Beginning, list[int]] = {}
        """The rows that share a beginning, by their place in the batch."""
        for index, cache in enumerate(caches):
            if cache.beginning is not None:
                self.alike.setdefault(cache.beginning, []).append(index)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> _States:
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
    layers = [cache.rows[step.layer] for cache in step.caches]
    # Query heads that share a key head become its query positions, so that keys are not repeated.
    rows = query.reshape(len(layers), layers[0].own()[0].shape[1], -1, query.shape[-1])
    outputs = torch.cat(
        [
            _own(row, layer, scaling, sliding_window)
            for row, layer in zip(rows.unsqueeze(1).unbind(0), layers, strict=True)
        ]
    )
    for beginning, members in step.alike.items():
        _add_beginning(outputs, rows, beginning.layers[step.layer], members, [layers[i] for i in members], scaling)
    return outputs.reshape(len(layers), 1, query.shape[1], -1), None


def _own(row: torch.Tensor, layer: RowLayer, scaling: float | None, window: int | None) -> torch.Tensor:
    """Attend to a row's own buffer: all there is, where it shares no beginning."""
    start = 0 if window is None else max(0, layer.length - window)
    keys, values = layer.own(start)
    return functional.scaled_dot_product_attention(row, keys, values, scale=scaling)


def _add_beginning(
    outputs: torch.Tensor,
    rows: torch.Tensor,
    states: _States,
    members: list[int],
    layers: list[RowLayer],
    scaling: float | None,
) -> None:
    """Mix attention to a shared beginning into the outputs of those that share it.

    Softmax over two parts is the mean of each part's softmax, weighted by its share of the exponentials (as in
    FlashAttention, Dao et al. 2022, section 3.1). `rows` and `outputs` have shape ``(rows, key heads, queries, size)``.
    """
    keys, values = states
    scale = rows.shape[-1] ** -0.5 if scaling is None else scaling
    chosen = rows[members] * scale
    count, heads, queries, size = chosen.shape
    flat = chosen.transpose(0, 1).reshape(heads, count * queries, size)
    scores = (flat @ keys[0].transpose(1, 2)).float()
    mass = scores.logsumexp(-1, keepdim=True)
    early = (torch.exp(scores - mass).to(values.dtype) @ values[0]).reshape(heads, count, queries, -1).transpose(0, 1)
    own = [
        (row @ layer.own()[0][0].transpose(1, 2)).float().logsumexp(-1)
        for row, layer in zip(chosen, layers, strict=True)
    ]
    share = torch.sigmoid(mass.reshape(heads, count, queries).transpose(0, 1) - torch.stack(own)).unsqueeze(-1)
    outputs[members] = torch.lerp(outputs[members].float(), early.float(), share).to(outputs.dtype)


def register() -> None:
    """Make the attention known to transformers under `NAME`; doing it twice changes nothing."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
