"""Length: the answer is about as long as its reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Measured, Metric
from ..text import tokens


@dataclass(frozen=True)
class Length(Metric):
    """1 for an answer about as long as its reference; half as long, or twice as long, scores about half.

    Shorter length over longer length in the tokens of `token_f1` (words; Japanese: characters), raised by the
    tolerance and cut at 1. Too long and too short weigh the same, so that the mean over questions tells how far
    answers are off; the reason of each score tells in which direction.
    """

    name: ClassVar[str] = "length"
    binary: ClassVar[bool] = False

    tolerance: float = field(default=0.25, metadata={"help": "measures.field.length.tolerance.help"})
    """Share by which an answer may be longer, or the reference longer than it, and still score 1."""

    def score(self, case: Case) -> Measured:
        """Count both texts; spaces, punctuation and citations count nothing."""
        wanted, given = len(tokens(case.reference)), len(tokens(case.answer_text))
        if not wanted:
            return Measured(None, "not_applicable_reference")
        share = min(wanted, given) / max(wanted, given)
        value = min(1.0, share * (1 + self.tolerance))
        reason = "length_right" if value == 1 else "length_over" if given > wanted else "length_under"
        return Measured(value, reason, {"given": given, "wanted": wanted})
