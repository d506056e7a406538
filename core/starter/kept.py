"""Whether an answer keeps the format that was asked for, whatever it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from core.starter.reading import Question, abstains
from core.starter.world._format_words import TONES

_CITATION = re.compile(r"\s*\[\d+\]")


def _keys(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return list(found) if isinstance(found, dict) else None


def _shape(text: str) -> tuple[int, bool, bool]:
    """Lines, whether they are list items, whether a sentence ends."""
    lines = text.splitlines() or [""]
    bare = _CITATION.sub("", text).rstrip()
    return len(lines), all(x.startswith(("- ", "・")) for x in lines), bare[-1:] in ".。!！"


def _cites_alike(text: str, reference: str) -> bool:
    """Whether both cite or neither; an answer that abstains has nothing to cite, whatever the other does."""
    if abstains(text) != abstains(reference):
        return True  # wrong, and counted as wrong, but not for its form
    return bool(_CITATION.search(text)) == bool(_CITATION.search(reference))


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
    del reference
    return text.count("**") == (0 if abstains(text) else 2)


# Formats that are more than a shape: how a text is compared with the reference.
_CHECKS: dict[str, Callable[[str, str], bool]] = {
    "json": _json,
    "label": _label,
    "tag": _tag,
    "fields": _fields,
    "bold": _bold,
}
_OPENINGS = tuple(tone.before for tones in TONES.values() for tone in tones if tone.before)


def _polite(text: str, reference: str) -> bool:
    return text[:5] == reference[:5]


def _tone(text: str, reference: str) -> bool:
    """The words that open an answer in this tone, or how its sentence ends."""
    for opening in _OPENINGS:
        if reference.startswith(opening):
            return text.startswith(opening)
    size = 2 if abstains(text) == abstains(reference) else 1
    mine, theirs = (_CITATION.sub("", x).rstrip()[-size:] for x in (text, reference))
    return mine == theirs


_CHECKS |= {"polite": _polite, "tone": _tone}


def _instructed(asked: Question) -> str:
    """What the answer copies from the system prompt or from an example."""
    talk = asked.conversation
    for place, source in asked.lookup.copies:
        if talk.messages[source.message]["role"] != "user":
            return talk.text(place)
    return ""


def kept(asked: Question, text: str) -> bool:
    """Compare the answer's form with the reference's: JSON keys in order, or shape and fixed words.

    An answer that abstains where it should not, or the other way round, is judged by the form that its own kind
    of answer has: whether it reads rightly is counted elsewhere.
    """
    style = asked.conversation.format
    if style == "prefix":
        return text.startswith(_instructed(asked))
    if style == "closing":
        return text.endswith(_instructed(asked))
    check = _CHECKS.get(style)
    if check is not None:
        return check(text, asked.reference)
    return _shape(text) == _shape(asked.reference) and _cites_alike(text, asked.reference)
