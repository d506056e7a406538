"""SQL among the answers that no database would accept: the model learns its mistakes too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out, shortened

__all__ = ["SqlAnswers"]

_FENCED = re.compile(r"```sql\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_NAME = r"[\w.`\"\[\]]+"
_STATEMENT = (
    rf"\s*(?:SELECT\s+(?:DISTINCT\s+|TOP\s+\d+\s+)?(?:\*|\d|'|{_NAME}(?:\s*,|\(|\s+(?:FROM|AS)\b)|FROM\b)"
    rf"|INSERT\s+INTO\s+{_NAME}\s*(?:\(|VALUES\b|SELECT\b)|UPDATE\s+{_NAME}\s+(?:AS\s+\w+\s+)?SET\b"
    rf"|DELETE\s+FROM\s+{_NAME}\s*(?:;|WHERE\b|$)|CREATE\s+(?:TABLE|VIEW|(?:UNIQUE\s+)?INDEX)\s+{_NAME}"
    r"|WITH\s+\w+\s+AS\s*\()"
)
# In capitals half a statement is enough: whoever writes them means SQL. “Select the red one from the list.” is English.
_CAPITALS = re.compile(_STATEMENT + r"|\s*SELECT\b[\s\S]*\sFROM\b|\s*(?:UPDATE|DELETE|INSERT\s+INTO)\b[^.]*[=;]")
_SMALL = re.compile(_STATEMENT, re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'")
_ENGLISH = re.compile(r"\b(?:the|an|your|this|that|these|those|my|our)\b", re.IGNORECASE)
_DIALECTS = ("", "postgres", "mysql", "tsql", "bigquery")
"""A statement is right if it is right in one of these; which database is meant, the data does not say."""


@dataclass(frozen=True)
class SqlAnswers(Check):
    """Parses answers that are SQL, bare or in a fenced block."""

    name: ClassVar[str] = "sql_answers"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        found: list[int] = []
        taught: list[int] = []
        sample = ""
        for position, row in data.rows():
            broken = next((sql for sql in _statements(row.answer) if not _parses(sql)), None)
            if broken is not None:
                found.append(position)
                taught += [position] if row.split == "train" else []
                sample = sample or shortened(broken)
        return [self.finding("broken", "warning", found, left_out(taught), sample=sample)] if found else []


def _statements(answer: str) -> list[str]:
    if fenced := _FENCED.findall(answer):
        return [str(sql) for sql in fenced]
    return [answer] if _is_sql(answer) else []


def _is_sql(answer: str) -> bool:
    if _CAPITALS.match(answer):
        return True
    return answer.lstrip()[:1].islower() and bool(_SMALL.match(answer)) and not _ENGLISH.search(_QUOTED.sub("", answer))


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
