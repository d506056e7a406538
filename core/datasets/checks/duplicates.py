"""The same row twice, or nearly: it is learned more than the others and counts more in the test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.similarity import NEAR_LIMIT, exact_key, near_pairs

__all__ = ["Duplicates"]


@dataclass(frozen=True)
class Duplicates(Check):
    """Finds repeated rows within a split; the same answer to another question is no repetition."""

    name: ClassVar[str] = "duplicates"

    threshold: float = 0.7
    """Share of common character n-grams (Jaccard) from which two questions are nearly the same."""

    limit: int = NEAR_LIMIT
    """Questions of a split up to which near repetitions are looked for."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        seen: dict[tuple[str, str, str], int] = {}
        repeated: list[int] = []
        first_questions: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for position, row in data.rows():
            key = (row.split, exact_key(row.question), exact_key(row.answer))
            if key in seen:
                repeated.append(position)
                continue
            seen[key] = position
            first_questions[row.split].append((position, row.question, key[2]))
        findings = []
        if repeated:
            findings.append(self.finding("exact", "warning", repeated, {"drop": repeated}))
        for split, questions in first_questions.items():
            findings += self._near(split, questions)
        return findings

    def _near(self, split: str, questions: list[tuple[int, str, str]]) -> list[Finding]:
        if len(questions) > self.limit:
            return [self.finding("not_examined", "info", [], split=split, limit=self.limit, count=len(questions))]
        found = near_pairs([question for _, question, _ in questions], self.threshold)
        same = [(left, right) for left, right, _ in found if questions[left][2] == questions[right][2]]
        if not same:
            return []
        rows = sorted({questions[index][0] for pair in same for index in pair})
        left, right = (shortened(questions[index][1]) for index in same[0])
        later = {"drop": sorted({questions[later][0] for _, later in same})}
        return [self.finding("near", "info", rows, later, split=split, pairs=len(same), left=left, right=right)]
