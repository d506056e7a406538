"""Category: the answer chooses the right one of a list of codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from ..text import contains_phrase, normal


def chosen(answer: str, codes: tuple[str, ...]) -> str | None:
    """The one code that the answer names; None when it names none or several.

    A code inside a longer code that is also named ("billing" in "billing-refund") is not counted.
    """
    whole = normal(answer)
    for code in codes:
        if normal(code) == whole:
            return code
    named = [c for c in codes if contains_phrase(answer, c)]
    named = [c for c in named if not any(c != d and normal(c) in normal(d) for d in named)]
    return named[0] if len(named) == 1 else None


@dataclass(frozen=True)
class Category(Metric):
    """1 when the answer names the right code and no other."""

    name: ClassVar[str] = "category"

    whole_answer: bool = field(default=False, metadata={"help": "measures.field.category.whole_answer.help"})
    """Accept only an answer that is nothing but the code."""

    def score(self, case: Case) -> Measured:
        """Read the chosen code and compare."""
        expected = case.expected
        if not expected.category:
            return Measured(None, "not_applicable_category")
        codes = tuple(dict.fromkeys((expected.category, *expected.categories)))
        if self.whole_answer:
            named = next((c for c in codes if normal(c) == normal(case.answer_text)), None)
        else:
            named = chosen(case.answer_text, codes)
        right = named == expected.category
        reason = "category_right" if right else "category_none" if named is None else "category_wrong"
        return yes_no(right, reason, expected=expected.category, given=named or "")
