"""Cells as they come out of files, turned into what a row holds, or into a problem that names its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.datasets.rows import REJECTED, Row

__all__ = [
    "RowProblem",
    "apply_extras",
    "gold_of",
    "jsonable",
    "keep_tag",
    "needed",
    "parsed",
    "shown",
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
        self.column = shown(column, 200)
        self.code = code
        self.found = shown(found)
        self.expected = expected


def shown(value: Any, limit: int = 80) -> str:
    """Return the beginning of what was found, in characters that can be stored and printed."""
    if isinstance(value, str):
        text = value[:limit] if len(value) > limit else value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)[: limit + 1]
    text = _NO_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return (
        text if len(text) <= limit and (not isinstance(value, str) or len(value) <= limit) else text[: limit - 1] + "…"
    )


def text_of(value: Any, column: str) -> str:
    """Return a cell as text; whole floats lose their ".0", an empty cell is "".

    Raises:
        RowProblem: ``not_text`` for lists and objects; ``bad_character`` for a lone surrogate or NUL;
            ``not_a_number`` for infinity.
    """
    if isinstance(value, str):
        if _NO_TEXT.search(value):
            raise RowProblem(column, "bad_character", value, "text")
        return value
    if value is None or isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, float) and math.isinf(value):
        raise RowProblem(column, "not_a_number", str(value), "json_number")
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, datetime):  # a spreadsheet keeps days as midnights
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    raise RowProblem(column, "not_text", value, "text")


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


def jsonable(value: Any, column: str) -> Any:
    """Return extra columns in JSON types; dates and infinity become text, NaN becomes null.

    Raises:
        RowProblem: ``bad_character`` for a lone surrogate or NUL, ``too_deep`` for nesting that cannot be stored.
    """
    try:
        return _jsonable(value, column)
    except RecursionError as error:
        raise RowProblem(column, "too_deep", "[[…", "object") from error


def _jsonable(value: Any, column: str) -> Any:
    if isinstance(value, str):
        return text_of(value, column)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {text_of(str(key), column): _jsonable(item, column) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item, column) for item in value]
    return text_of(str(value), column)


def apply_extras(row: Row, extras: Mapping[str, Any]) -> Row:
    """Fill id, slice, split, value, expects and gold of `row` from `extras`; the rest becomes tags.

    Raises:
        RowProblem: with the column, what was found and what was expected.
    """
    rest = dict(extras)
    turned_down = rest.pop(REJECTED, None)
    if rejected := _rejected_of(turned_down):
        row.tags[REJECTED] = rejected
    if said := _beside_rejected(turned_down, rejected, row):
        keep_tag(row, f"{REJECTED}_messages", said)
    row.key = _shortened(rest.pop("id", None), "id", 100, row) or row.key
    row.slice = _shortened(rest.pop("slice", None), "slice", 60, row) or row.slice
    row.split = split_of(rest.pop("split", None)) or row.split
    if (value := rest.pop("value", None)) is not None:
        row.value = text_of(value, "value")
    expects = rest.pop("expects", None)
    if expects is not None and not isinstance(expects, Mapping):
        raise RowProblem("expects", "not_object", expects, "object")
    row.expects = dict(jsonable(expects or row.expects, "expects"))
    gold = rest.pop("gold", None)
    given = gold_of(gold)
    row.gold = given + [passage for passage in row.gold if passage not in given]
    if more := _beside_gold(gold):
        row.tags["gold"] = more
    for key, found in rest.items():
        if found is not None:
            keep_tag(row, text_of(str(key), str(key)), jsonable(found, str(key)))
    return row


def keep_tag(row: Row, name: str, value: Any) -> None:
    """Keep a value among a row's tags; beside one of the same name, if that says something else."""
    number, free = 2, name
    while free in row.tags and row.tags[free] != value:
        number, free = number + 1, f"{name} ({number})"
    row.tags[free] = value


def _shortened(value: Any, column: str, limit: int, row: Row) -> str:
    """Return what a short field holds of a cell; a longer one is among the tags in full."""
    text = text_of(value, column).strip() if column == "slice" else text_of(value, column)
    if len(text) > limit:
        keep_tag(row, column, text)
    return text[:limit]


def _beside_gold(gold: Any) -> list[Any]:
    """Return gold passages as they were given, if they say more than document and quote."""
    items = gold if isinstance(gold, list) else [gold]
    more = any(isinstance(item, Mapping) and item.keys() - {"document", "quote"} for item in items)
    return [jsonable(item, "gold") for item in items] if more else []


def _beside_rejected(turned_down: Any, rejected: str, row: Row) -> list[Any]:
    """Return a turned-down chat, if it says more than the row's own chat and the answer at its end."""
    turns = turns_or_text(turned_down)
    if not isinstance(turns, list):
        return []
    last = {"role": "assistant", "content": rejected}
    known = [*row.messages, {"role": "user", "content": row.question}, last]
    return [jsonable(turn, REJECTED) for turn in turns] if any(turn not in known for turn in turns) else []


def _rejected_of(value: Any) -> str:
    """Return the answer that people turned down, "" if there is none; of a chat, its last answer."""
    value = turns_or_text(value)
    if isinstance(value, list):
        turns = [turn for turn in value if isinstance(turn, Mapping)]
        answers = [turn.get("content") for turn in turns if turn.get("role") == "assistant"]
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
    """Return gold passages as ``{"document", "quote"}``; names alone are accepted as documents, blanks name none.

    Raises:
        RowProblem: ``bad_gold``.
    """
    passages = []
    for item in value if isinstance(value, list) else [value]:
        if item is None or isinstance(item, str) and not item.strip():
            continue
        if isinstance(item, str):
            passages.append({"document": text_of(item, "gold"), "quote": ""})
        elif isinstance(item, Mapping) and isinstance(item.get("document"), str):
            passages.append(
                {
                    "document": text_of(item["document"], "gold.document"),
                    "quote": text_of(item.get("quote"), "gold.quote"),
                }
            )
        else:
            raise RowProblem("gold", "bad_gold", item, "gold")
    return passages


def parsed(value: Any) -> Any:
    """Read a cell that holds JSON as text, as CSV and Excel exports do."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
