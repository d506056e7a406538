"""Whether an answer keeps the format that was asked for, whatever it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from core.starter.reading import Question

_CITATION = re.compile(r"\s*\[\d+\]")


def _keys(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return list(found) if isinstance(found, dict) else None


def _shape(text: str) -> tuple[int, bool, bool, bool]:
    """Lines, whether they are list items, whether there is a citation, whether a sentence ends."""
    lines = text.splitlines() or [""]
    bare = _CITATION.sub("", text).rstrip()
    return (
        len(lines),
        all(x.startswith(("- ", "・")) for x in lines),
        bool(_CITATION.search(text)),
        bare[-1:] in ".。!！",
    )


def _same_edges(size: int) -> Callable[[str, str], bool]:
    def check(text: str, reference: str) -> bool:
        return text[:size] == reference[:size] or text[-size:] == reference[-size:]

    return check


def _json(text: str, reference: str) -> bool:
    keys = _keys(text)
    return keys is not None and keys == _keys(reference)


def _label(text: str, reference: str) -> bool:
    return "\n" not in text and abs(len(text) - len(reference)) <= 12


def _tag(text: str, reference: str) -> bool:
    found = re.fullmatch(r"<(.+?)>.*</\1>", text, re.DOTALL)
    return found is not None and reference.startswith(f"<{found.group(1)}>")


def _fields(text: str, reference: str) -> bool:
    return [x.split(":")[0].split(":")[0] for x in text.splitlines()] == [
        x.split(":")[0].split(":")[0] for x in reference.splitlines()
    ]


def _bold(text: str, reference: str) -> bool:
    return text.count("**") == reference.count("**")


# Formats that are more than a shape: how a text is compared with the reference.
_CHECKS: dict[str, Callable[[str, str], bool]] = {
    "json": _json,
    "label": _label,
    "tag": _tag,
    "fields": _fields,
    "bold": _bold,
}
# Formats that show in fixed words at the start or the end.
for _name, _size in (("polite", 5), ("tone", 3), ("closing", 3), ("prefix", 3)):
    _CHECKS[_name] = _same_edges(_size)


def kept(asked: Question, text: str) -> bool:
    """Compare the answer's form with the reference's: JSON keys in order, or shape and fixed words."""
    check = _CHECKS.get(asked.conversation.format)
    if check is not None:
        return check(text, asked.reference)
    return _shape(text) == _shape(asked.reference)
