"""What a reader yields and what a dataset holds: raw rows, examples, and problems with their exact place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.identity import content_hash

__all__ = ["REJECTED", "SPLITS", "Problem", "RawRow", "Row", "rejected_answer"]

SPLITS = ("train", "validation", "test")

REJECTED = "rejected"
"""Tag of the answer that people turned down; with the reference answer it makes a preference pair."""


def rejected_answer(tags: Mapping[str, Any]) -> str:
    """Return the rejected answer among a row's tags, "" if there is none."""
    found = tags.get(REJECTED)
    return found if isinstance(found, str) and found.strip() else ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one row cannot be taken over as it is."""

    row: int
    """Row number as the person sees it: the line of JSONL, the spreadsheet row of CSV and Excel, else from 1."""
    column: str
    """Column or path inside the row, such as ``messages[2].content``; empty for the whole row."""
    code: str
    """Sentence ``datasets.problem.<code>``."""
    found: str
    """What stands there, shortened."""
    expected: str
    """What would be right: a catalogue key under ``datasets.expected.``."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(slots=True)
class RawRow:
    """One row as the file has it."""

    number: int
    """See `Problem.row`."""
    values: dict[str, Any]
    """Column to value, JSON types only; of a row with a bad cell, the cells as far as they could be read."""
    problem: Problem | None = None
    """Set when the row is broken, or one of its cells."""


@dataclass(slots=True)
class Row:
    """One row as a dataset keeps it; see the table ``examples`` for the meaning of the fields."""

    question: str
    answer: str = ""
    key: str = ""
    split: str = ""
    slice: str = ""
    value: str | None = None
    expects: dict[str, Any] = field(default_factory=dict)
    gold: list[dict[str, str]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Return the fields as columns of ``examples``."""
        return {name: getattr(self, name) for name in self.__slots__}

    def hash(self) -> str:
        """Return the hash of the row's content, its split included."""
        return content_hash(self.columns())
