"""Answer relevance: the answer is about what was asked, by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.prompting import scale_prompt

from ..case import Case, Measured
from ..judged import JudgedMetric, graded

_RUBRIC = {
    "en": "The answer deals with what the question asks, leaves nothing of it out and adds nothing else. Whether it "
    "is true does not matter here. Saying that one does not know deals with the question.",
    "ja": "質問が尋ねていることに答えており、漏れも余計な話もない。内容が本当かどうかは問わない。"
    "分からないと伝えることも、質問への答えとみなす。",
}


@dataclass(frozen=True)
class Relevance(JudgedMetric):
    """How far the answer deals with the question, graded 1 to 5 by the judge; true or not."""

    name: ClassVar[str] = "relevance"

    def asks(self, case: Case) -> list[list[dict[str, str]]]:
        """One question an answer."""
        if not case.answer_text.strip():
            return []
        return [scale_prompt(case.language, _RUBRIC[case.language], case.question, case.answer_text)]

    def combine(self, replies: Sequence[str]) -> Measured:
        """The grade."""
        return graded(replies)
