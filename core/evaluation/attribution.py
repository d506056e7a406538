"""Why wrong answers are wrong, as far as stored facts tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .report import Attribution

_SKILL = frozenset(
    {
        "json_broken",
        "json_keys_missing",
        "json_against_schema",
        "json_no_object",
        "category_none",
        "category_wrong",
        "phrase_missing",
        "phrase_forbidden",
        "too_long",
        "empty_answer",
    }
)
"""Reasons that better documents would not mend."""


def cause(status: str, facts: Mapping[str, Any]) -> str | None:
    """The cause of one wrong answer, a field of `Attribution`; None for right and unscored answers.

    Order matters: what was not answered, what was made up, form and skill, then what search brought.
    """
    if status == "failed":
        return "failed"
    value = facts["value"]
    if value is None or value >= 0.5:
        return None
    if facts["absent"]:
        return "invented" if facts["reason"] == "answered_without_source" else "format"
    if facts["reason"] in _SKILL:
        return "format"
    if facts["shown"] is not None:
        return "had_not_used" if facts["shown"] else "retrieval_missed"
    return "declined" if facts["reason"] == "declined_needlessly" else "unknown"


def attribute(answers: Iterable[tuple[int, str, Mapping[str, Any]]]) -> Attribution:
    """Count causes; with repetitions a question counts once, by its first wrong answer.

    Args:
        answers: Place of the question, status of the answer, and its facts as `cause` reads them.
    """
    causes: Counter[str] = Counter()
    seen: set[int] = set()
    for question, status, facts in answers:
        found = cause(status, facts)
        if found is not None and question not in seen:
            seen.add(question)
            causes[found] += 1
    return Attribution(**causes)
