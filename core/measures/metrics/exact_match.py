"""Exact match: the answer is the reference or the value, up to spelling conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from ..text import normal


@dataclass(frozen=True)
class ExactMatch(Metric):
    """1 when the whole answer equals the reference, the value or one of its alternatives.

    Compared after NFKC, case folding, collapsing spaces and removing citations and outer
    punctuation (the normalisation of SQuAD's exact match, without dropping articles, which
    Japanese does not have).
    """

    name: ClassVar[str] = "exact_match"

    def score(self, case: Case) -> Measured:
        """Compare with every accepted form."""
        accepted = [normal(t) for t in (case.reference, *case.expected.values) if t]
        if not accepted:
            return Measured(None, "not_applicable_reference")
        return yes_no(normal(case.answer_text) in accepted)
