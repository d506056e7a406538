"""Attention over rows of different lengths, so that a row answers as it would alone.

Rows whose prompts were read together form a cohort: one key-value buffer, in which each row fills its own line from
the left. A new token is written at the end of its row's own line, and what stands behind that end is never looked at:
no row is shifted, and none depends on how long another one is. When answers are written, all linear layers run over
the rows of all cohorts at once, and attention visits cohort by cohort. What rows that leave give free is taken by the
last ones of their cohort. A long beginning that rows have in common is kept once and attended to by all at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

__all__ = ["NAME", "Cohort", "PromptRead", "PromptStates", "Seat", "StepCache", "register"]

NAME = "kurabe_rows"
"""Name under which the attention is registered with transformers."""

_UNSUPPORTED = ("softcap", "s_aux", "position_bias")
"""Arguments of attention kinds that this one does not compute; a model that passes one is served row by row."""

_step: ContextVar[StepCache | None] = ContextVar("kurabe_step", default=None)


_States = tuple[torch.Tensor, torch.Tensor]
"""Keys and values, each ``(rows, heads, positions, size)``."""

_FAR = 256
"""Positions behind a kept beginning from which keeping a longer one is worth it."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """Keys and values of the first positions of several rows, kept once; shapes ``(1, heads, length, size)``."""

    layers: tuple[_States, ...]
    length: int


@dataclass(frozen=True, eq=False)
class PromptStates:
    """What was read of one prompt, for others that begin alike."""

    own: tuple[_States, ...]
    """Each layer's states behind the kept beginning, if there is one."""
    kept: Beginning | None = None

    def span(self, layer: int, start: int, stop: int) -> _States:
        """Return one layer's positions from `start` to `stop`; copied only where they lie in both parts."""
        offset = 0 if self.kept is None else self.kept.length
        own = tuple(states[:, :, max(0, start - offset) : max(0, stop - offset)] for states in self.own[layer])
        if self.kept is None or start >= offset:
            return own[0], own[1]
        early = tuple(states[:, :, start:stop] for states in self.kept.layers[layer])
        return torch.cat([early[0], own[0]], 2), torch.cat([early[1], own[1]], 2)

    def beginning(self, positions: int) -> Beginning:
        """Return a beginning of at most that many positions: the one already kept, if it is about as long."""
        if self.kept is not None and 0 <= positions - self.kept.length < _FAR:
            return self.kept
        return Beginning(tuple(self.span(layer, 0, positions) for layer in range(len(self.own))), positions)


class CohortLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]  # transformers' base is untyped
    """Keys and values of a cohort in one layer: a beginning that its rows share, if any, and a line for each row."""

    is_sliding = False

    def __init__(self, rows: int, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers' base is untyped
        self.rows, self.capacity = rows, capacity
        self.length = 0
        """Positions up to which all lines hold numbers; behind it is whatever the memory held."""
        self.shared: _States | None = None
        self.offset = 0
        """Positions of the shared beginning."""

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate ``(rows, heads, own positions, size)`` for each of both, once their sizes are known."""
        heads, own = key_states.shape[1], self.capacity - self.offset
        self.keys = key_states.new_empty((self.rows, heads, own, key_states.shape[-1]))
        self.values = value_states.new_empty((self.rows, heads, own, value_states.shape[-1]))
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> _States:
        """Append states of shape ``(rows or 1, heads, new, size)`` to every line, and return all so far."""
        keys, values = self.lines(key_states, value_states)
        start, self.length = self.length, self.length + key_states.shape[2]
        keys[:, :, start : self.length] = key_states
        values[:, :, start : self.length] = value_states
        keys, values = keys[:, :, : self.length], values[:, :, : self.length]
        if self.shared is None:
            return keys, values
        early = [states.expand(self.rows, -1, -1, -1) for states in self.shared]
        return torch.cat([early[0], keys], 2), torch.cat([early[1], values], 2)

    def lines(self, key_states: torch.Tensor, value_states: torch.Tensor) -> _States:
        """Return the whole buffers, made for states like these if there are none yet."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None and self.values is not None
        return self.keys, self.values

    def reach(self, stop: int) -> None:
        """Put zeros where lines hold nothing yet: what is left out of attention still has to be a number."""
        if self.length < stop and self.keys is not None and self.values is not None:
            self.keys[:, :, self.length : stop] = 0
            self.values[:, :, self.length : stop] = 0
            self.length = stop

    def begin_with(self, states: _States) -> None:
        """Share a beginning; before anything is appended."""
        self.shared, self.offset = states, states[0].shape[2]

    def move(self, source: int, target: int) -> None:
        """Put one row's line in the place of another's."""
        for states in (self.keys, self.values):
            if states is not None:
                states[target, :, : self.length] = states[source, :, : self.length]

    def keep(self, slots: list[int]) -> None:
        """Keep some lines, in this order, and give back the memory of all others."""
        self.rows = len(slots)
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self._kept(self.keys, slots), self._kept(self.values, slots)

    def _kept(self, states: torch.Tensor, slots: list[int]) -> torch.Tensor:
        kept = states.new_empty((len(slots), *states.shape[1:]))
        kept[:, :, : self.length] = states[slots, :, : self.length]
        return kept

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


@dataclass(eq=False, slots=True)
class Seat:
    """One row's place in a cohort."""

    cohort: Cohort
    slot: int
    """Its line; changes when others leave."""

    @property
    def length(self) -> int:
        """How many positions it has filled, the beginning included."""
        return self.cohort.offset + self.cohort.ends[self.slot]

    def states(self) -> PromptStates:
        """Return a copy of what the row has read."""
        cohort, line = self.cohort, slice(self.slot, self.slot + 1)
        end = cohort.ends[self.slot]
        own = []
        for part in cohort.parts:
            assert part.keys is not None and part.values is not None
            own.append((part.keys[line, :, :end].clone(), part.values[line, :, :end].clone()))
        return PromptStates(tuple(own), cohort.beginning)


class Cohort(Cache):
    """Keys and values of rows whose prompts were read together, in all layers."""

    def __init__(self, layers: int, capacity: int, rows: int = 1) -> None:
        self.parts = [CohortLayer(rows, capacity) for _ in range(layers)]
        self.capacity = capacity
        self.seats = [Seat(self, slot) for slot in range(rows)]
        self.ends = [0] * rows
        """How far each row has filled its line."""
        self.beginning: Beginning | None = None
        """What its rows share with each other and maybe with other cohorts."""
        self.reading = False
        """While prompts are read, nobody wants what comes after the last layer's keys and values."""
        super().__init__(layers=list(self.parts))

    @property
    def offset(self) -> int:
        """Positions of the beginning that is kept once."""
        return self.parts[0].offset

    def begin_like(self, known: PromptStates, positions: int, *, once: bool) -> None:
        """Take over what was read of a common beginning: kept once for all, or copied."""
        done = 0
        if once:
            self.beginning = known.beginning(positions)
            done = self.beginning.length
            for part, states in zip(self.parts, self.beginning.layers, strict=True):
                part.begin_with(states)
        for layer, part in enumerate(self.parts):
            part.update(*known.span(layer, done, positions))

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> _States:
        """Append one layer's states to every row and return all so far.

        Raises:
            PromptRead: at the last layer, while prompts are read.
        """
        states = self.parts[layer_idx].update(key_states, value_states)
        if self.reading and layer_idx == len(self.parts) - 1:
            raise PromptRead
        return states

    @torch.inference_mode()
    def leave(self, seats: Collection[Seat]) -> int:
        """Free rows' places; return how many positions of memory are given back: none, or more than theirs."""
        stay = [seat for seat in self.seats if seat not in seats]
        ends = {seat: self.ends[seat.slot] for seat in stay}
        lines = self.parts[0].rows
        shrink = 2 * len(stay) <= lines
        if shrink:
            for part in self.parts:
                part.keep([seat.slot for seat in stay])
            for slot, seat in enumerate(stay):
                seat.slot = slot
        else:
            self._close_up(stay)
        self.seats = sorted(stay, key=lambda seat: seat.slot)
        self.ends = [ends[seat] for seat in self.seats]
        return (lines - len(stay)) * self.capacity if shrink else 0

    def _close_up(self, stay: Sequence[Seat]) -> None:
        """Move rows from the last lines to those that have become free."""
        free = {*range(len(stay))} - {seat.slot for seat in stay}
        for seat in stay:
            if seat.slot >= len(stay):
                slot = free.pop()
                for part in self.parts:
                    part.move(seat.slot, slot)
                seat.slot = slot


@dataclass
class _Present:
    """The rows of one cohort that take part in a step."""

    cohort: Cohort
    seats: list[tuple[int, Seat]]
    """Each with its place in the batch, in the order of the lines."""
    device: torch.device
    masks: dict[tuple[int, int | None], torch.Tensor | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = torch.tensor([place for place, _ in self.seats], device=self.device)
        self.slots = torch.tensor([seat.slot for _, seat in self.seats], device=self.device)
        self.stops = [self.cohort.ends[seat.slot] + 1 for _, seat in self.seats]
        """Where each line ends once the new token is in it."""
        self.ends = torch.tensor(self.stops, device=self.device) - 1
        self.whole = len(self.seats) == len(self.cohort.seats)

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write the new token of each row at the end of its line."""
        part = self.cohort.parts[layer]
        kept_keys, kept_values = part.lines(keys, values)
        part.reach(max(self.stops))
        kept_keys[self.slots, :, self.ends] = keys[self.places, :, 0]
        kept_values[self.slots, :, self.ends] = values[self.places, :, 0]

    def lines(self, layer: int, start: int) -> _States:
        """Return the rows' lines from a position on, to the end of the longest."""
        part, stop = self.cohort.parts[layer], max(self.stops)
        assert part.keys is not None and part.values is not None
        chosen: Any = slice(len(self.seats)) if self.whole else self.slots
        return part.keys[chosen, :, start:stop], part.values[chosen, :, start:stop]

    def first(self, window: int | None) -> int:
        """Return the first position that any row looks at."""
        return 0 if window is None else max(0, min(self.stops) - window)

    def mask(self, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        """Return what is added to the scores: minus infinity where a row must not look; None if all may look at all."""
        start = self.first(window)
        key = (start, window)
        if key not in self.masks:
            self.masks[key] = None if len(set(self.stops)) == 1 else self._mask(start, window, dtype)
        return self.masks[key]

    def _mask(self, start: int, window: int | None, dtype: torch.dtype) -> torch.Tensor:
        at = torch.arange(start, max(self.stops), device=self.device)
        stops = self.ends.unsqueeze(1) + 1
        outside = at >= stops
        if window is not None:
            outside |= at < stops - window
        mask = torch.zeros(outside.shape, dtype=dtype, device=self.device)
        return mask.masked_fill_(outside, float("-inf"))[:, None, None, :]


class StepCache(Cache):
    """The places of several rows in one decoding step, in which each row adds one position."""

    def __init__(self, seats: Sequence[Seat], device: torch.device) -> None:
        super().__init__(layers=[])
        self.lengths = [seat.length for seat in seats]
        self.layer = 0
        cohorts: dict[Cohort, list[tuple[int, Seat]]] = {}
        for place, seat in enumerate(seats):
            cohorts.setdefault(seat.cohort, []).append((place, seat))
        self.present = [
            _Present(cohort, sorted(found, key=lambda entry: entry[1].slot), device)
            for cohort, found in cohorts.items()
        ]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> _States:
        """Put each row's new key and value at the end of its own line; attention reads the lines itself."""
        self.layer = layer_idx
        for present in self.present:
            present.append(layer_idx, key_states, value_states)
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return the longest row's length; positions are passed explicitly."""
        return max(self.lengths)

    def __enter__(self) -> StepCache:
        self._token = _step.set(self)
        return self

    def __exit__(self, failed: object, *ignored: object) -> None:
        _step.reset(self._token)
        if failed is None:
            for present in self.present:
                for _, seat in present.seats:
                    present.cohort.ends[seat.slot] += 1


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
    """Attend as ``sdpa`` does; inside a `StepCache`, cohort by cohort over each row's own line.

    `query` has shape ``(rows, heads, 1, size)``; the result ``(rows, 1, heads, size)``.
    """
    step = _step.get()
    if step is None:
        kwargs["sliding_window"] = sliding_window
        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
        return out, None
    if unsupported := [name for name in _UNSUPPORTED if kwargs.get(name) is not None]:
        raise NotImplementedError(f"attention with {unsupported[0]}")
    # Query heads that share a key head become its query positions, so that keys are not repeated.
    rows = query.reshape(query.shape[0], key.shape[1], -1, query.shape[-1])
    outputs = query.new_empty((*rows.shape[:3], value.shape[-1]))
    for present in step.present:
        outputs[present.places] = _attend_cohort(rows[present.places], present, step.layer, scaling, sliding_window)
    return outputs.reshape(query.shape[0], 1, query.shape[1], -1), None


def _attend_cohort(
    rows: torch.Tensor, present: _Present, layer: int, scaling: float | None, window: int | None
) -> torch.Tensor:
    """Attend to the lines of one cohort and its shared beginning; shapes ``(rows, key heads, queries, size)``."""
    keys, values = present.lines(layer, present.first(window))
    mask = present.mask(window, rows.dtype)
    shared = present.cohort.parts[layer].shared
    if shared is None:
        return functional.scaled_dot_product_attention(rows, keys, values, attn_mask=mask, scale=scaling)
    rows = rows * (rows.shape[-1] ** -0.5 if scaling is None else scaling)
    own = rows @ keys.transpose(2, 3)
    early = _fold(rows) @ shared[0][0].transpose(1, 2)
    scores = torch.cat([_unfold(early, len(rows)), own if mask is None else own + mask], -1).softmax(-1)
    split = early.shape[-1]
    from_early = _fold(scores[..., :split]) @ shared[1][0]
    return _unfold(from_early, len(rows)) + scores[..., split:] @ values


def _fold(rows: torch.Tensor) -> torch.Tensor:
    """Lay the rows of a batch side by side for each head: ``(rows, heads, n, size)`` to ``(heads, rows * n, size)``."""
    return rows.transpose(0, 1).reshape(rows.shape[1], -1, rows.shape[-1])


def _unfold(folded: torch.Tensor, rows: int) -> torch.Tensor:
    """Undo `_fold`."""
    return folded.reshape(folded.shape[0], rows, -1, folded.shape[-1]).transpose(0, 1)


def register() -> None:
    """Make the attention known to transformers under `NAME`; doing it twice changes nothing."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
