"""Cells as they come out of files, turned into what a row holds, or into a problem that names its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.datasets.rows import REJECTED, Row

__all__ = [
    "RowProblem",
    "apply_extras",
    "gold_of",
    "jsonable",
    "needed",
    "parsed",
    "split_of",
    "text_of",
    "turns_or_text",
]

_SPLIT_NAMES = {
    "train": "train", "training": "train", "学習": "train", "訓練": "train", "学習用": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation", "検証": "validation",
    "検証用": "validation", "test": "test", "eval": "test", "テスト": "test", "評価": "test", "評価用": "test",
}  # fmt: skip


_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class RowProblem(Exception):
    """A row that cannot be taken over; turned into a `Problem` where its number is known."""

    def __init__(self, column: str, code: str, found: Any, expected: str) -> None:
        """Keep place, kind, what was found (shortened) and what was expected."""
        super().__init__(code)
        self.column = column
        self.code = code
        self.found = _shown(found)
        self.expected = expected


def _shown(value: Any, limit: int = 80) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def text_of(value: Any, column: str) -> str:
    """Return a cell as text; whole floats lose their ".0", an empty cell is "".

    Raises:
        RowProblem: ``not_text`` for lists and objects; ``bad_character`` for a lone surrogate or NUL.
    """
    if value is None or isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if not isinstance(value, str):
        raise RowProblem(column, "not_text", value, "text")
    if _NO_TEXT.search(value):
        raise RowProblem(column, "bad_character", value.encode("unicode_escape").decode(), "text")
    return value


def needed(value: Any, column: str) -> str:
    """Return a cell that must hold text.

    Raises:
        RowProblem: ``empty`` if it is missing or white space.
    """
    text = text_of(value, column)
    if not text.strip():
        raise RowProblem(column, "empty", text, "text")
    return text


def split_of(value: Any, column: str = "split") -> str:
    """Return ``train``, ``validation``, ``test`` or "" from what people call them.

    Raises:
        RowProblem: ``unknown_split``.
    """
    name = text_of(value, column).strip().lower()
    if not name:
        return ""
    if name not in _SPLIT_NAMES:
        raise RowProblem(column, "unknown_split", name, "split")
    return _SPLIT_NAMES[name]


def jsonable(value: Any) -> Any:
    """Return extra columns in JSON types; dates become text, NaN becomes null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def apply_extras(row: Row, extras: Mapping[str, Any]) -> Row:
    """Fill id, slice, split, value, expects and gold of `row` from `extras`; the rest becomes tags.

    Raises:
        RowProblem: with the column, what was found and what was expected.
    """
    rest = dict(extras)
    if rejected := _rejected_of(rest.pop(REJECTED, None)):
        row.tags[REJECTED] = rejected
    row.key = text_of(rest.pop("id", None), "id")[:100] or row.key
    row.slice = text_of(rest.pop("slice", None), "slice").strip()[:60] or row.slice
    row.split = split_of(rest.pop("split", None)) or row.split
    if (value := rest.pop("value", None)) is not None:
        row.value = text_of(value, "value")
    expects = rest.pop("expects", None)
    if expects is not None and not isinstance(expects, Mapping):
        raise RowProblem("expects", "not_object", expects, "object")
    row.expects = dict(jsonable(expects or row.expects))
    row.gold = gold_of(rest.pop("gold", None)) or row.gold
    row.tags.update({str(key): jsonable(value) for key, value in rest.items() if value is not None})
    return row


def _rejected_of(value: Any) -> str:
    """Return the answer that people turned down, "" if there is none; of a chat, its last answer."""
    value = turns_or_text(value)
    if isinstance(value, list):
        answers = [turn.get("content") for turn in value if turn.get("role") == "assistant"]
        if not answers:
            raise RowProblem(REJECTED, "no_answer", value, "assistant_message")
        value = answers[-1]
    text = text_of(value, REJECTED)
    return text if text.strip() else ""


def turns_or_text(value: Any) -> Any:
    """Return the messages that a cell holds, also where they were written as text; any other cell as it is.

    An answer may be JSON itself, so only a list of messages is read.
    """
    found = parsed(value)
    is_chat = isinstance(found, list) and bool(found) and all(isinstance(turn, Mapping) for turn in found)
    return found if is_chat else value


def gold_of(value: Any) -> list[dict[str, str]]:
    """Return gold passages as ``{"document", "quote"}``; names alone are accepted as documents.

    Raises:
        RowProblem: ``bad_gold``.
    """
    if value is None or value == "":
        return []
    passages = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            passages.append({"document": item, "quote": ""})
        elif isinstance(item, Mapping) and isinstance(item.get("document"), str):
            passages.append({"document": item["document"], "quote": text_of(item.get("quote"), "gold.quote")})
        else:
            raise RowProblem("gold", "bad_gold", item, "gold")
    return passages


def parsed(value: Any) -> Any:
    """Read a cell that holds JSON as text, as CSV and Excel exports do."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
