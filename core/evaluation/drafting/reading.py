"""Read drafts out of a reply: JSON, whole or cut off, or lines that begin with Q, A or their Japanese words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from core.errors import storable

_FIELDS = {
    "question": ("question", "q", "質問", "問い", "問", "質問文"),
    "answer": ("answer", "a", "回答", "答え", "答", "解答"),
    "quote": ("quote", "evidence", "source", "引用", "根拠", "出典"),
}
_NAMED = {name: field for field, names in _FIELDS.items() for name in names}

_LABEL = re.compile(
    r"^[\W\d]*(?P<name>" + "|".join(sorted(map(re.escape, _NAMED), key=len, reverse=True)) + r")"
    r"\s*\(?\d{0,3}\)?\W{0,3}?[:：.．、)】]\W{0,3}?\s*(?P<text>.*)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\s*(?:[-*・]|\(?\d{1,3}[.)．、:：])\s*(?P<text>.+)$")
_ASKS = re.compile(r"[?？]\s*[\"”」』]?\s*$|[かの]。?[」』]?\s*$")


def read_drafts(reply: str) -> list[dict[str, str]]:
    """Return ``{"question", "answer", "quote"}`` of every draft in a reply; empty if there is none to be read.

    A draft may lack its answer or quote, or its question: such are returned with an empty text, for a person to see.
    """
    found = [each for value in _values(reply) for each in _objects(value)]
    return found or _labelled(reply) or _listed(reply)


def _values(reply: str) -> Iterator[Any]:
    """Yield the JSON values in a text; of a list that is cut off, the whole objects."""
    decoder, place = json.JSONDecoder(strict=False), 0
    while (start := _bracket(reply, place)) is not None:
        try:
            value, place = decoder.raw_decode(reply, start)
        except (ValueError, RecursionError):
            place = start + 1
        else:
            yield value


def _bracket(text: str, place: int) -> int | None:
    found = re.compile(r"[\[{]").search(text, place)
    return found.start() if found else None


def _objects(value: Any) -> Iterator[dict[str, str]]:
    """Yield the drafts in a JSON value: an object of one, lists of them, or an object that holds a list."""
    if isinstance(value, str):
        if value.strip():
            yield _draft({"question": value})
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)
    elif isinstance(value, dict):
        named = {_NAMED.get(str(name).strip().casefold(), ""): each for name, each in value.items()}
        if "question" in named or "answer" in named:
            yield _draft(named)
            return
        for each in value.values():
            if isinstance(each, (list, dict)):
                yield from _objects(each)


def _draft(named: dict[str, Any]) -> dict[str, str]:
    return {field: _text(named.get(field)) for field in _FIELDS}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value)).strip()
    return "" if value is None or isinstance(value, dict) else storable(str(value)).strip()


def _labelled(reply: str) -> list[dict[str, str]]:
    """Read ``Q: … / A: …`` lines; what follows a line without a label of its own belongs to it."""
    found: list[dict[str, str]] = []
    field = ""
    for line in reply.splitlines():
        if match := _LABEL.match(line):
            field = _NAMED[match["name"].casefold()]
            if field == "question" or not found:
                found.append(dict.fromkeys(_FIELDS, ""))
            found[-1][field] = _bare(match["text"])
        elif field and line.strip() and not line.strip().startswith("```"):
            found[-1][field] = f"{found[-1][field]}\n{_bare(line)}".strip()
        elif not line.strip():
            field = ""
    return found


def _listed(reply: str) -> list[dict[str, str]]:
    """Read a numbered or dotted list of questions, as models give for rewordings."""
    lines = [match["text"] for line in reply.splitlines() if (match := _NUMBERED.match(line))]
    return [_draft({"question": _bare(line)}) for line in lines if _ASKS.search(_bare(line))]


def _bare(text: str) -> str:
    return text.strip().strip("*_`").strip()
