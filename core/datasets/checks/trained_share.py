"""How much of what training computes is learned: a long prompt before a short answer costs time and teaches little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding
from core.datasets.rows import Row
from core.errors import KurabeError
from core.prompting import ChatTemplate, Message

__all__ = ["TrainedShare"]


@dataclass(frozen=True)
class TrainedShare(Check):
    """Counts the learned tokens of training rows as the trainer masks them; without a tokenizer it says nothing."""

    name: ClassVar[str] = "trained_share"

    least: float = 0.1
    """Share of learned tokens below which the rows together are hardly worth their computing time."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        if data.template is None:
            return []
        trained = total = 0
        low: list[int] = []
        for position, row in data.rows():
            if row.split != "train" or (counted := _counted(data.template, row)) is None:
                continue
            trained, total = trained + counted[0], total + counted[1]
            if counted[0] < self.least * counted[1]:
                low.append(position)
        if not total or trained >= self.least * total:
            return []
        return [self.finding("low", "info", low, share=round(100 * trained / total, 1), tokens=total)]


def _counted(template: ChatTemplate, row: Row) -> tuple[int, int] | None:
    """Return learned and all tokens of a row, or None if it has nothing to learn: other checks say so."""
    messages: list[Message] = [
        {"role": str(message["role"]), "content": str(message.get("content") or "")} for message in row.messages
    ] or [{"role": "user", "content": row.question}, {"role": "assistant", "content": row.answer}]
    try:
        found = template.training_row(messages)
    except KurabeError:
        return None
    return found.trained, len(found)
