"""Abstention: says "I don't know" exactly when there is no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from ..text import abstains


@dataclass(frozen=True)
class Abstention(Metric):
    """1 when the answer abstains although it should, or answers although it could; 0 in the two other cases."""

    name: ClassVar[str] = "abstention"

    def score(self, case: Case) -> Measured:
        """Compare what happened with what was expected."""
        declined, should = abstains(case.answer_text), case.expected.kind == "abstain"
        if should:
            return yes_no(declined, "declined_rightly" if declined else "answered_without_source")
        if declined and abstains(case.reference):
            return yes_no(True, "answered")  # the reference is worded so: "the price does not include tax"
        return yes_no(not declined, "declined_needlessly" if declined else "answered")
