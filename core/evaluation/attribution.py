"""Why wrong answers are wrong, as far as stored facts tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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


def causes(answers: Iterable[tuple[int, str, Mapping[str, Any]]]) -> dict[int, str]:
    """Return the cause by question; with repetitions that of its first wrong answer, and none if all are right.

    Args:
        answers: Place of the question, status of the answer, and its facts as `cause` reads them.
    """
    found: dict[int, str] = {}
    for question, status, facts in answers:
        if question not in found and (why := cause(status, facts)) is not None:
            found[question] = why
    return found
