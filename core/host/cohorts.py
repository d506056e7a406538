"""Which of the waiting rows have their prompts read together, and what they need not read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.host.attention import PromptStates, Seat
from core.host.forward import Known
from core.host.rows import Row

__all__ = ["Read", "Together", "begin_alike", "next_together"]

_WORTH_SHARING = 16
"""Tokens of a common beginning from which copying them is quicker than reading them again."""

_SHARE_OF_PROMPT = 10
"""How many times as long as their common beginning prompts may be: rows that begin with known tokens are read with a
mask, and in long prompts that costs more than a few tokens that need not be read."""

_WORTH_KEEPING_ONCE = 256
"""Tokens of a common beginning from which attending to it for all rows at once is quicker than row by row."""

_MOST_TOKENS = 1024
"""Prompt tokens from which reading more at once gains nothing: the processor is busy with them."""

_FILLING = 1.25
"""How many times as long as the shortest the longest prompt may be of those that are read together."""


@dataclass(frozen=True)
class Read:
    """A prompt that was read, by which weights, and what came of it."""

    model: str
    salt: str
    prompt: list[int]
    states: PromptStates

    @classmethod
    def by(cls, row: Row) -> Read | None:
        """Return what a row has just read, if others may share it."""
        if row.cache_salt is None or not isinstance(row.place, Seat) or len(row.prompt) <= _WORTH_SHARING:
            return None
        return cls(row.model, row.cache_salt, row.prompt, row.place.states())

    def shared_with(self, row: Row) -> int:
        """Return how many first tokens of a row's prompt this is; 0 if not enough to be worth it."""
        if (self.model, self.salt) != (row.model, row.cache_salt):
            return 0
        return _common(self.prompt, row.prompt)

    def known(self, shared: int) -> Known:
        """Return its first tokens, for others."""
        return Known(self.states, shared, shared >= _WORTH_KEEPING_ONCE)


@dataclass(frozen=True)
class Together:
    """Rows whose prompts are read together."""

    rows: list[Row]
    shared: int = 0
    """First tokens of each prompt that are known."""
    last: Read | None = None
    """From what they are known."""

    @property
    def capacity(self) -> int:
        """Positions of each row: as many as any of them can need."""
        return max(row.positions for row in self.rows)

    @property
    def positions(self) -> int:
        """Positions of all rows."""
        return len(self.rows) * self.capacity

    @property
    def tokens(self) -> int:
        """How many tokens are read, those included that fill shorter prompts up."""
        return len(self.rows) * (max(len(row.prompt) for row in self.rows) - self.shared)

    def with_(self, row: Row, shared: int) -> Together:
        """Return these rows and one more that begins with so many known tokens."""
        return replace(self, rows=[*self.rows, row], shared=min(shared, self.shared))

    def known(self) -> Known | None:
        """Return what need not be read again."""
        return self.last.known(self.shared) if self.last and self.shared else None

    def worthwhile(self) -> bool:
        """Tell whether they are of about one length, and not too many tokens."""
        lengths = [len(row.prompt) - self.shared for row in self.rows]
        return self.tokens <= _MOST_TOKENS and max(lengths) <= _FILLING * min(lengths)


def begin_alike(one: Row, other: Row) -> bool:
    """Tell whether two rows may share the beginning of their prompts, and gain by it."""
    if one.cache_salt is None or (one.model, one.cache_salt) != (other.model, other.cache_salt):
        return False
    return _common(one.prompt, other.prompt) > 0


def next_together(rows: Sequence[Row], last: Read | None, fits: Callable[[int], bool], most: int) -> Together | None:
    """Choose those to be read with the first row; None if that one does not fit.

    Args:
        rows: Counted rows in the order of their coming.
        last: What was read last; rows that begin with it go together, the others without it.
        fits: Whether so many positions have room.
        most: How many rows at most.
    """
    first, *others = rows
    shared = last.shared_with(first) if last else 0
    chosen = Together([first], shared, last)
    if not fits(chosen.positions):
        return None
    if not shared and any(begin_alike(first, row) for row in others[:1]):
        return chosen  # the others then begin with what this one has read
    for row in sorted(others, key=lambda row: abs(len(row.prompt) - len(first.prompt))):
        known = last.shared_with(row) if last and shared else 0
        larger = chosen.with_(row, known)
        if len(chosen.rows) < most and bool(known) == bool(shared) and larger.worthwhile() and fits(larger.positions):
            chosen = larger
    return chosen


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two prompts have in common at the beginning, but for the last one; 0 if not worth it."""
    most, shared = min(len(one), len(other)) - 1, 0
    for size in (256, 64, 16, 4, 1):
        while shared + size <= most and one[shared : shared + size] == other[shared : shared + size]:
            shared += size
    return shared if shared >= max(_WORTH_SHARING, len(other) // _SHARE_OF_PROMPT) else 0
