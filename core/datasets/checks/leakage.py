"""Test wordings that training has seen: then the test measures memory of wordings, not of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.similarity import NEAR_LIMIT, exact_key, near_pairs

__all__ = ["Leakage"]


@dataclass(frozen=True)
class Leakage(Check):
    """Finds test and validation questions in the same or nearly the same words as training ones.

    A fact that training taught, asked in other words, is no leak: that is what the test is for.
    """

    name: ClassVar[str] = "leakage"

    threshold: float = 0.7
    """Share of common character n-grams (Jaccard) from which two questions are nearly the same."""

    limit: int = NEAR_LIMIT
    """Questions up to which near wordings are looked for."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        questions = [(position, row.split, row.question) for position, row in data.rows()]
        taught = {exact_key(text): position for position, split, text in questions if split == "train"}
        findings = []
        for held in ("validation", "test"):
            rows = [p for p, split, text in questions if split == held and exact_key(text) in taught]
            if rows:
                severity = "error" if held == "test" else "warning"
                findings.append(self.finding(f"exact_{held}", severity, rows, {"drop": rows}))  # type: ignore[arg-type]  # literals
        return findings + self._near(questions)

    def _near(self, questions: list[tuple[int, str, str]]) -> list[Finding]:
        if len(questions) > self.limit:
            return [self.finding("not_examined", "info", [], limit=self.limit, count=len(questions))]
        pairs = [
            (left, right)
            for left, right, _ in near_pairs([text for _, _, text in questions], self.threshold)
            if {questions[left][1], questions[right][1]} in ({"train", "test"}, {"train", "validation"})
        ]
        if not pairs:
            return []
        rows = sorted({questions[i][0] for pair in pairs for i in pair if questions[i][1] != "train"})
        left, right = (shortened(questions[index][2]) for index in pairs[0])
        return [self.finding("near", "warning", rows, {"drop": rows}, left=left, right=right)]
