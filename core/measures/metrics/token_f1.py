"""Token F1: overlap of words (Japanese: characters) with the reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from ..case import Case, Measured, Metric
from ..text import tokens


def overlap(answer: str, reference: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the answer's tokens as a multiset.

    F1 = 2PR/(P+R) as in Rajpurkar et al. 2016 (SQuAD); characters as tokens for Japanese as in
    Lewis et al. 2020 (MLQA).
    """
    given, wanted = Counter(tokens(answer)), Counter(tokens(reference))
    common = sum((given & wanted).values())
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / given.total(), common / wanted.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


@dataclass(frozen=True)
class TokenF1(Metric):
    """Harmonic mean of how much of the answer is right and how much of the reference is there."""

    name: ClassVar[str] = "token_f1"
    binary: ClassVar[bool] = False

    def score(self, case: Case) -> Measured:
        """Overlap with the reference."""
        if not tokens(case.reference):
            return Measured(None, "not_applicable_reference")
        precision, recall, f1 = overlap(case.answer_text, case.reference)
        return Measured(f1, "overlap", {"precision": precision, "recall": recall})
