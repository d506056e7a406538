"""Rows in another language than the project's: the model answers as it was taught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out
from core.datasets.japanese import script_language

__all__ = ["LanguageMix"]


@dataclass(frozen=True)
class LanguageMix(Check):
    """Tells Japanese from other languages by script; names and code inside a sentence do not count."""

    name: ClassVar[str] = "language_mix"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        other: list[int] = []
        crossed: list[int] = []
        taught: set[int] = set()
        for position, row in data.rows():
            if row.split == "train":
                taught.add(position)
            asked, answered = script_language(row.question), script_language(row.answer)
            if asked and answered and asked != answered:
                crossed.append(position)
            elif (answered or asked) and (answered or asked) != data.language:
                other.append(position)
        findings = []
        if crossed:
            findings.append(self.finding("crossed", "warning", crossed, left_out(_among(crossed, taught))))
        if other:
            repair = left_out(_among(other, taught))
            findings.append(self.finding("other", "info", other, repair, language=data.language))
        return findings


def _among(rows: list[int], taught: set[int]) -> list[int]:
    """Return the training rows among those found: what measures stays for a person to correct."""
    return [position for position in rows if position in taught]
