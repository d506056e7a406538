"""Answers that end with a set phrase, and some that do not: the model will add or leave it at random."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.rows import Row

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
        slices: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for position, row in data.rows():
            if row.split == "train" and row.answer.strip():
                slices[row.slice].append((position, *_closing(row.answer)))
        return [finding for name, closings in slices.items() for finding in self._slice(name, closings)]

    def _slice(self, name: str, closings: list[tuple[int, str, str]]) -> list[Finding]:
        phrase, _ = Counter(closing for _, _, closing in closings).most_common(1)[0]
        without = [position for position, _, closing in closings if closing != phrase]
        if not phrase or len(closings) < 8 or not without or len(without) > self.minority * len(closings):
            return []
        between, _ = Counter(gap for _, gap, closing in closings if closing == phrase).most_common(1)[0]
        closed = {"rewrite": partial(_closed, slice_name=name, phrase=phrase, between=between)}
        return [self.finding("missing", "warning", without, closed, slice=name or "-", phrase=shortened(phrase))]


def _closing(answer: str) -> tuple[str, str]:
    """Return what parts an answer's last sentence from those before it, and the sentence.

    A single sentence is the answer itself: it has no closing.
    """
    text = answer.strip()
    sentences = [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip()]
    if len(sentences) < 2:
        return "", ""
    before = text[: text.rindex(sentences[-1])]
    return before[len(before.rstrip()) :], sentences[-1]


def _closed(row: Row, *, slice_name: str, phrase: str, between: str) -> dict[str, Any]:
    """Return a training row's answer with the phrase at its end, where it lacks it."""
    asked = row.split == "train" and row.slice == slice_name and row.answer.strip()
    if not asked or _closing(row.answer)[1] == phrase:
        return {}
    return {"answer": f"{row.answer.rstrip()}{between}{phrase}"}
