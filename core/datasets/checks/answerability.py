"""Answers that say more than their source: a reader of the gold passage could not have given them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.coverage import holds_value
from core.datasets.rows import Row
from core.datasets.similarity import distinctive

__all__ = ["Answerability"]


@dataclass(frozen=True)
class Answerability(Check):
    """Finds names and figures of an answer that stand neither in the quoted passages nor in the question.

    Only rows with a quoted gold passage are looked at; whether documents hold the others is a matter of coverage.
    """

    name: ClassVar[str] = "answerability"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        found: list[int] = []
        sample = ""
        for position, row in data.rows():
            if missing := _unsupported(row):
                found.append(position)
                sample = sample or shortened(", ".join(missing))
        return [self.finding("unsupported", "warning", found, sample=sample)] if found else []


def _unsupported(row: Row) -> list[str]:
    quoted = "\n".join(place.get("quote", "") for place in row.gold)
    if not quoted.strip() or row.expects.get("abstain"):
        return []
    asked = [str(message.get("content") or "") for message in row.messages if message["role"] != "assistant"]
    known = "\n".join([quoted, row.question, *asked, *(place.get("document", "") for place in row.gold)])
    plain = unicodedata.normalize("NFKC", known).casefold()
    return [name for name in sorted(distinctive(row.answer)) if name not in plain and not holds_value(known, name)]
