"""ROUGE-L: the longest sequence of words (Japanese: characters) that answer and reference share in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..case import Case, Measured, Metric
from ..text import tokens


def longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for place, other in enumerate(second, 1):
            above = row[place]
            row[place] = before + 1 if word == other else max(above, row[place - 1])
            before = above
    return row[-1]


@dataclass(frozen=True)
class RougeL(Metric):
    """F1 of the longest common subsequence (Lin 2004, with beta = 1), over the tokens of `token_f1`, from 0 to 1."""

    name: ClassVar[str] = "rouge_l"
    binary: ClassVar[bool] = False

    def score(self, case: Case) -> Measured:
        """Compare with the reference; case, width and punctuation do not count."""
        wanted, given = tokens(case.reference), tokens(case.answer_text)
        if not wanted:
            return Measured(None, "not_applicable_reference")
        shared = longest_common(given, wanted)
        precision, recall = shared / max(1, len(given)), shared / len(wanted)
        f1 = 2 * precision * recall / (precision + recall) if shared else 0.0
        return Measured(f1, "overlap", {"precision": precision, "recall": recall})
