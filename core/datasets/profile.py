"""What the rows of a version are like in figures: how long their texts are, and in which languages.

Counted while the rows are written, so that no page reads a million of them for it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from core.datasets.japanese import script_language

__all__ = ["LANGUAGES_SEEN", "PARTS", "Bar", "Profile"]

PARTS = ("question", "answer")
LANGUAGES_SEEN = ("ja", "en", "crossed", "unclear")
"""What a row can be: Japanese; text in Latin letters; asked in one and answered in the other; too short to tell."""

_BARS = 20
Bar = tuple[int, int | None, int]
"""Shortest and longest text of a bar in characters (None: or more), and how many there are."""


@dataclass(slots=True)
class Profile:
    """Lengths and languages of rows, in memory that does not grow with them."""

    lengths: dict[str, Counter[int]] = field(default_factory=lambda: {part: Counter() for part in PARTS})
    """For each part, texts by characters: exact below 100, from there two leading digits (1,234 counts as 1,200)."""
    longest: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    """Characters of the longest text of each part."""
    languages: Counter[str] = field(default_factory=Counter)
    """Rows by language, as in `LANGUAGES_SEEN`."""

    def add(self, question: str, answer: str) -> None:
        """Count one row."""
        for part, text in zip(PARTS, (question, answer), strict=True):
            length = len(text)
            self.lengths[part][_rounded(length)] += 1
            self.longest[part] = max(self.longest[part], length)
        self.languages[_language(question, answer)] += 1

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self.languages.total()

    def half_within(self, part: str) -> int:
        """Return a number of characters that at least half of the texts do not exceed: the median, rounded up."""
        return self._within(part, 0.5)

    def bars(self, part: str) -> list[Bar]:
        """Return a histogram of about twenty bars of one width; the few longest texts share an open one at the end."""
        most = max(1, self._within(part, 0.99))
        width = _round_width(most / _BARS)
        count = -(-(most + 1) // width)
        found = [0] * (count + 1)
        for length, texts in self.lengths[part].items():
            found[min(length // width, count)] += texts
        bars: list[Bar] = [(n * width, (n + 1) * width - 1, texts) for n, texts in enumerate(found[:-1])]
        return [*bars, (count * width, None, found[-1])] if found[-1] else bars

    def _within(self, part: str, share: float) -> int:
        counts, seen = self.lengths[part], 0
        for length in sorted(counts):
            seen += counts[length]
            if seen >= share * counts.total():
                return min(length + _step(length) - 1, self.longest[part])
        return 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        lengths = {part: {str(length): n for length, n in sorted(self.lengths[part].items())} for part in PARTS}
        return {"lengths": lengths, "longest": self.longest, "languages": dict(self.languages)}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Profile:
        """Rebuild a profile from `as_dict`."""
        lengths = {part: Counter({int(length): n for length, n in kept["lengths"][part].items()}) for part in PARTS}
        return cls(lengths, dict(kept["longest"]), Counter(kept["languages"]))


def _step(length: int) -> int:
    """Return how far apart the lengths lie that are told apart here."""
    return 1 if length < 100 else int(10 ** (len(str(length)) - 2))


def _rounded(length: int) -> int:
    return length if length < 100 else length - length % _step(length)


def _round_width(wanted: float) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 …: borders that people read easily, and that `_rounded` keeps apart."""
    power = int(10 ** math.floor(math.log10(max(1.0, wanted))))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted)


def _language(question: str, answer: str) -> str:
    asked, answered = script_language(question), script_language(answer)
    if asked and answered and asked != answered:
        return "crossed"
    return answered or asked or script_language(f"{question} {answer}") or "unclear"
