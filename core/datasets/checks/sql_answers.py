"""SQL among the answers that no database would accept: the model learns its mistakes too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened

__all__ = ["SqlAnswers"]

_FENCED = re.compile(r"```sql\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
# In capitals only: “Select the red one from the list.” is an English sentence.
_BARE = re.compile(r"\s*(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE\s+(?:TABLE|VIEW|INDEX)|WITH\s+\w+\s+AS)\b")
_DIALECTS = ("", "postgres", "mysql", "tsql", "bigquery")
"""A statement is right if it is right in one of these; which database is meant, the data does not say."""


@dataclass(frozen=True)
class SqlAnswers(Check):
    """Parses answers that are SQL, bare or in a fenced block."""

    name: ClassVar[str] = "sql_answers"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        found: list[int] = []
        sample = ""
        for position, row in data.rows():
            broken = next((sql for sql in _statements(row.answer) if not _parses(sql)), None)
            if broken is not None:
                found.append(position)
                sample = sample or shortened(broken)
        return [self.finding("broken", "warning", found, sample=sample)] if found else []


def _statements(answer: str) -> list[str]:
    if fenced := _FENCED.findall(answer):
        return [str(sql) for sql in fenced]
    return [answer] if _BARE.match(answer) else []


def _parses(sql: str) -> bool:
    from sqlglot import parse  # half a second to load, and most data holds no SQL
    from sqlglot.errors import SqlglotError

    for dialect in _DIALECTS:
        try:
            if any(parse(sql, read=dialect or None)):
                return True
        except (SqlglotError, RecursionError):
            continue
    return False
