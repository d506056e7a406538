"""The same question with different answers: whatever the model learns, one of them will be wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.rows import Row
from core.datasets.similarity import distinctive, plain_key, similarity

__all__ = ["Contradictions"]


@dataclass(frozen=True)
class Contradictions(Check):
    """Finds questions that are asked in the same words and situation and answered differently."""

    name: ClassVar[str] = "contradictions"

    threshold: float = 0.5
    """Answers with fewer n-grams in common contradict each other, and so do answers with other numbers."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        answers: dict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)
        for position, row in data.rows():
            if row.answer.strip():
                key = (row.split, _situation(row))
                answers[key].setdefault(plain_key(row.answer) or row.answer, (position, row.answer))
        clashes = [list(found.values()) for found in answers.values() if self._clash([t for _, t in found.values()])]
        if not clashes:
            return []
        rows = [position for clash in clashes for position, _ in clash]
        first, second = (shortened(text) for _, text in clashes[0][:2])
        return [self.finding("answers", "error", rows, questions=len(clashes), first=first, second=second)]

    def _clash(self, texts: list[str]) -> bool:
        if len(texts) < 2:
            return False
        first = texts[0]
        return any(
            distinctive(first) != distinctive(other) or similarity(first, other) < self.threshold for other in texts[1:]
        )


def _situation(row: Row) -> str:
    """Return everything before the answer: another system prompt or another turn may call for another answer."""
    before = [message["content"] for message in row.messages if message["role"] != "assistant"] or [row.question]
    return "\n".join(plain_key(text) or text for text in before)
