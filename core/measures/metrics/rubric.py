"""Rubric: how far the answer keeps what the team wrote down in words, by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from core.prompting import scale_prompt

from ..case import Case, Measured
from ..judged import JudgedMetric, graded

USUAL = {
    "en": "The answer says what the reference answer says, as briefly and politely as one would to a customer.",
    "ja": "参照回答と同じ内容を、お客様に伝えるように簡潔で丁寧に述べている。",
}
"""What a good answer is, where the team did not say."""


@dataclass(frozen=True)
class Rubric(JudgedMetric):
    """The judge's grade from 1 to 5 by a rubric in words, beside the reference answer."""

    name: ClassVar[str] = "rubric"

    text: str = field(default="", metadata={"help": "measures.field.rubric.text.help"})
    """What a good answer is; empty: `USUAL`."""

    def asks(self, case: Case) -> list[list[dict[str, str]]]:
        """One question an answer."""
        if not case.answer_text.strip():
            return []
        wanted = self.text.strip() or USUAL[case.language]
        return [scale_prompt(case.language, wanted, case.question, case.answer_text, case.reference)]

    def combine(self, replies: Sequence[str]) -> Measured:
        """The grade."""
        return graded(replies)
