"""The changed circumstances themselves: other words for a question, and general tasks of no project."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.measures import Case, Language
from core.store import tables as tb

_FRAMES = {
    "en": ("Hello, may I ask you something? {}", "{} Thank you in advance.", "Quick question - {}"),
    "ja": ("すみません、教えてください。{}", "{}よろしくお願いします。", "ちょっと伺いたいのですが、{}"),
}
_END_MARKS = re.compile(r"[?!.。\uff1f\uff01]+$")
_TYPED = 3
"""Every so manieth question is written as people type in a hurry: lower case, without marks at the end."""


def reworded(example: tb.Example, language: str) -> str:
    """Return the question in other words: the row's own `paraphrases` first, else in another frame.

    The frames change what stands around a question and how it is typed, never what it asks for. Real paraphrases are
    the team's to write, in a column `paraphrases`.
    """
    own = example.tags.get("paraphrases")
    given = [str(text) for text in own if str(text).strip()] if isinstance(own, list) else [own] if own else []
    if given:
        return str(given[0])
    lot = hashlib.sha256(example.id.encode()).digest()[0]
    question = example.question.strip()
    typed = _END_MARKS.sub("", question)
    typed = typed.casefold() if language == "en" else typed
    if lot % _TYPED == 0 and typed != question:
        return typed
    frames = _FRAMES["ja" if language == "ja" else "en"]
    return frames[lot % len(frames)].format(question)


@lru_cache(maxsize=1)
def _abilities() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(
        Path(__file__).with_name("abilities.json").read_text(encoding="utf-8")
    )
    return found


def abilities(language: str) -> dict[str, dict[str, Any]]:
    """Return general tasks of a language by id: `question`, and the `value` that a right answer states.

    They ask for following an instruction, copying, counting, sums, opposites and well-known facts: what a base model
    may be able to do before it is tuned, and unable to afterwards.
    """
    code = "ja" if language == "ja" else "en"
    return {f"ability-{code}-{place:02d}": task for place, task in enumerate(_abilities()[code])}


def ability_case(task: dict[str, Any], text: str, language: Language) -> Case:
    """What the metric sees of an answer to a general task."""
    value = str(task["value"])
    return Case(question=str(task["question"]), answer_text=text, language=language, reference=value, value=value)
