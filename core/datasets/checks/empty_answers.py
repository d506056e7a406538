"""Answers that say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding

__all__ = ["EmptyAnswers"]

_NOTHING = frozenset(
    {"", "-", "ー", "―", "n/a", "na", "none", "null", "nan", "なし", "未記入", "tbd", "未定", "?", "？"}
)


@dataclass(frozen=True)
class EmptyAnswers(Check):
    """Finds rows without an answer, or with a mark in its place; questions to be declined may lack one."""

    name: ClassVar[str] = "empty_answers"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        train: list[int] = []
        others: list[int] = []
        for position, row in data.rows():
            if row.answer.strip().casefold() in _NOTHING and not row.expects.get("abstain") and not row.value:
                (train if row.split == "train" else others).append(position)
        findings = []
        if train:
            findings.append(self.finding("train", "error", train, {"drop": train}))
        if others:
            findings.append(self.finding("test", "warning", others))
        return findings
