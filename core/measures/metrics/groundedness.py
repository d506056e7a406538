"""Groundedness: each claim of the answer stands in the passages that were read, by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.prompting import Passage, claim_prompt

from ..case import Case, Measured
from ..judged import JudgedMetric, claims, supported


@dataclass(frozen=True)
class Groundedness(JudgedMetric):
    """Share of the answer's sentences that the judge finds in the passages that were in the prompt.

    Measured only where passages were shown and the answer claims something. It says nothing about whether the
    passages are right, or the right ones.
    """

    name: ClassVar[str] = "groundedness"

    def asks(self, case: Case) -> list[list[dict[str, str]]]:
        """One question a claim, each with all passages."""
        shown = [Passage(title=p.document, text=p.text) for p in case.passages if p.text.strip()]
        if not shown:
            return []
        return [claim_prompt(case.language, claim, shown) for claim in claims(case.answer_text)]

    def combine(self, replies: Sequence[str]) -> Measured:
        """Share of yes."""
        return supported(replies)
