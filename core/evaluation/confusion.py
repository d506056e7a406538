"""Which category an approach named where another was right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confusion:
    """Answers by the category that was right and the one that was named."""

    expected: tuple[str, ...]
    """Categories that were right somewhere, in the order of their names."""
    given: tuple[str, ...]
    """The same categories, then others that were named; last "" for answers that named none, or several."""
    counts: tuple[tuple[int, ...], ...]
    """Answers, one row for each of `expected`, one column for each of `given`."""

    @property
    def right(self) -> int:
        """Answers that named the right category."""
        return sum(row[self.given.index(name)] for name, row in zip(self.expected, self.counts, strict=True))

    @property
    def total(self) -> int:
        """All answers that should name a category."""
        return sum(map(sum, self.counts))

    @property
    def worst(self) -> tuple[str, str, int] | None:
        """The most frequent mistake: right category, named category, how often; None without any."""
        mistakes = [
            (count, wanted, named)
            for wanted, row in zip(self.expected, self.counts, strict=True)
            for named, count in zip(self.given, row, strict=True)
            if count and named != wanted
        ]
        if not mistakes:
            return None
        count, wanted, named = max(mistakes, key=lambda mistake: mistake[0])
        return wanted, named, count


def confusion_of(pairs: Counter[tuple[str, str]]) -> Confusion | None:
    """Return the matrix of counted pairs of right and named category; None without any."""
    if not pairs:
        return None
    expected = tuple(sorted({name for name, _ in pairs}))
    others = sorted({name for _, name in pairs if name and name not in expected})
    given = (*expected, *others, "")
    return Confusion(expected, given, tuple(tuple(pairs[row, column] for column in given) for row in expected))
