"""Answers that keep no common form: a tuned model learns the mixture."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out
from core.datasets.rows import Row

__all__ = ["AnswerFormat"]

_POLITE = re.compile(r"(?:です|ます|ません|ました|ください|でしょう)[。!！」]?\s*(?:\[\d+\])?\s*$")
_PLAIN = re.compile(r"(?:である|だ|する|ない|できる|いる|ある)[。」]\s*(?:\[\d+\])?\s*$")

_BEGINS_JSON = re.compile(r"""\s*(?:\{\s*["'][^"'\n]{1,80}["']\s*:|\[\s*(?:\{\s*["']|\[\s*\[))""")
"""An object or a list of them; “[1] says …” and “{name} is …” are sentences."""


@dataclass(frozen=True)
class AnswerFormat(Check):
    """Looks within each slice of the training rows for JSON among prose, other keys, polite among plain Japanese."""

    name: ClassVar[str] = "answer_format"

    minority: float = 0.35
    """A form that fewer than this share of a slice's answers keep stands out; a more even mixture may be meant."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        slices: dict[tuple[str, str], list[tuple[int, Row]]] = defaultdict(list)
        missing: list[int] = []
        for position, row in data.rows():
            if row.split == "train":
                slices[(row.slice, _system(row))].append((position, row))
            keys = row.expects.get("json_keys")
            if (
                isinstance(keys, list)
                and row.answer.strip()
                and not set(map(str, keys)) <= set(_keys(row.answer) or ())
            ):
                missing.append(position)
        findings = [finding for (name, _), rows in slices.items() for finding in self._slice(name, rows)]
        if missing:
            findings.append(self.finding("expected_keys", "error", missing))
        return findings

    def _slice(self, name: str, rows: list[tuple[int, Row]]) -> list[Finding]:
        forms = [(position, _form(row.answer)) for position, row in rows if row.answer.strip()]
        broken = [position for position, form in forms if form[0] == "broken_json"]
        forms = [(position, form) for position, form in forms if form[0] != "broken_json"]
        findings = (
            [self.finding("broken_json", "warning", broken, left_out(broken), slice=name or "-")] if broken else []
        )
        findings += self._odd(name, "kind", [(p, form[0]) for p, form in forms])
        findings += self._odd(name, "json_keys", [(p, form[1]) for p, form in forms if form[0] == "json"])
        findings += self._odd(name, "politeness", [(p, form[1]) for p, form in forms if form[0] == "text" and form[1]])
        return findings

    def _odd(self, name: str, code: str, forms: list[tuple[int, str]]) -> list[Finding]:
        counts = Counter(form for _, form in forms)
        if len(counts) < 2 or len(forms) < 8:
            return []
        usual, times = counts.most_common(1)[0]
        odd = [position for position, form in forms if form != usual]
        if len(odd) > self.minority * len(forms):
            return []
        other = next(form for _, form in forms if form != usual)
        found = {"slice": name or "-", "usual": usual, "other": other, "share": times}
        return [self.finding(code, "warning", odd, left_out(odd), **found)]


def _system(row: Row) -> str:
    first = row.messages[0] if row.messages else {}
    return str(first.get("content", "")) if first.get("role") in ("system", "developer") else ""


def _keys(answer: str) -> tuple[str, ...] | None:
    try:
        value: Any = json.loads(answer.strip().removeprefix("```json").removesuffix("```"))
    except (ValueError, RecursionError):  # brackets nested a hundred thousand deep
        return None
    return tuple(sorted(value)) if isinstance(value, dict) else None


def _is_json(answer: str) -> bool:
    try:
        json.loads(answer.strip())
    except (ValueError, RecursionError):
        return False
    return True


def _form(answer: str) -> tuple[str, str]:
    """Return the kind of an answer and its finer form: the keys of JSON, polite or plain for Japanese."""
    if (keys := _keys(answer)) is not None:
        return "json", ", ".join(keys)
    if _BEGINS_JSON.match(answer) and not _is_json(answer):
        return "broken_json", ""
    if _POLITE.search(answer):
        return "text", "polite"
    return "text", "plain" if _PLAIN.search(answer) else ""
