"""Answers that end with a set phrase, and some that do not: the model will add or leave it at random."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened

__all__ = ["ClosingPhrases"]

_SENTENCE = re.compile(r"(?<=[。！？!?])\s*|(?<=\.)\s+|\n+")


@dataclass(frozen=True)
class ClosingPhrases(Check):
    """Looks within each slice of the training rows for a last sentence that most answers share and some lack."""

    name: ClassVar[str] = "closing_phrases"

    minority: float = 0.35
    """Answers without the phrase stand out where fewer than this share lack it."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        slices: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for position, row in data.rows():
            if row.split == "train" and row.answer.strip():
                slices[row.slice].append((position, _closing(row.answer)))
        return [finding for name, closings in slices.items() for finding in self._slice(name, closings)]

    def _slice(self, name: str, closings: list[tuple[int, str]]) -> list[Finding]:
        phrase, _ = Counter(closing for _, closing in closings).most_common(1)[0]
        without = [position for position, closing in closings if closing != phrase]
        if not phrase or len(closings) < 8 or not without or len(without) > self.minority * len(closings):
            return []
        return [self.finding("missing", "warning", without, slice=name or "-", phrase=shortened(phrase))]


def _closing(answer: str) -> str:
    """Return the last sentence of an answer that has several; a single sentence is the answer itself."""
    sentences = [sentence.strip() for sentence in _SENTENCE.split(answer.strip()) if sentence.strip()]
    return sentences[-1] if len(sentences) > 1 else ""
