"""The same question with different answers: whatever the model learns, one of them will be wrong."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, Severity, shortened
from core.datasets.rows import Row
from core.datasets.similarity import exact_key, plain_key, similarity
from core.datasets.words import same_subject, words_of

__all__ = ["Contradictions"]


_NUMBER = re.compile(r"\d+(?:[.:]\d+)*%?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FREE = re.compile(r"無料|無償|\bfree(?: of charge)?\b|\bno charge\b")
"""A price too: nothing."""
_YES = re.compile(r"\s*(?:yes\b|はい|ええ[、,。])", re.IGNORECASE)
_NO = re.compile(r"\s*(?:no\b(?! (?:more|later|less|fewer|earlier|longer) than)|いいえ|いえ[、,。])", re.IGNORECASE)
_NOT = re.compile(
    r"\bnot\b|n't\b|n’t\b|\bcannot\b|\bnever\b|\bno longer\b|ません|(?<![少危])ない(?!合)|不可|できかね|致しかね"
)
_NOTHING = 0.1
_BRIEF = 3
"""Words of meaning up to which an answer names a thing and nothing else."""


@dataclass(frozen=True)
class Contradictions(Check):
    """Finds questions that are asked in the same words and situation and answered differently."""

    name: ClassVar[str] = "contradictions"

    threshold: float = 0.5
    """Share of common n-grams: below it answers have little in common, above it another word in one is a contradiction.
    """

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        answers: dict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)
        for position, row in data.rows():
            if row.answer.strip():
                answers[row.split, _situation(row)].setdefault(exact_key(row.answer), (position, row.answer))
        clashes: list[list[tuple[int, str]]] = []
        different: list[list[tuple[int, str]]] = []
        for found in answers.values():
            said = list(found.values())
            pairs = list(combinations((text for _, text in said[:_COMPARED]), 2))
            if any(self._clash(first, other) for first, other in pairs):
                clashes.append(said)
            elif any(self._differ(first, other) for first, other in pairs):
                different.append(said)
        findings = [self._finding("answers", "error", clashes)] if clashes else []
        return findings + ([self._finding("different", "info", different)] if different else [])

    def _finding(self, code: str, severity: Severity, clashes: list[list[tuple[int, str]]]) -> Finding:
        rows = [position for clash in clashes for position, _ in clash]
        first, second = (shortened(text) for _, text in clashes[0][:2])
        return self.finding(code, severity, rows, questions=len(clashes), first=first, second=second)

    def _clash(self, first: str, other: str) -> bool:
        """Tell whether two answers cannot both be right: other figures, yes and no, another thing in the same words."""
        here, there = _figures(first), _figures(other)
        if here and there and not (here <= there or there <= here):
            return True
        if _opposed(first, other, similarity(first, other)):
            return True
        if bool(here) != bool(there):
            return False  # a figure here, where to ask there: both may be right
        words, others = words_of(first), words_of(other)
        if same_subject(words, others):
            return False
        brief = len(words) <= _BRIEF and len(others) <= _BRIEF
        return brief or similarity(first, other) >= self.threshold

    def _differ(self, first: str, other: str) -> bool:
        """Tell whether two answers have next to nothing in common; one that says more holds the other."""
        here, there = plain_key(first), plain_key(other)
        if here in there or there in here:
            return False
        alike = similarity(first, other)
        return alike < _NOTHING or (alike < self.threshold and not same_subject(words_of(first), words_of(other)))


_COMPARED = 10
"""Answers to one question that are compared with each other; of more, these show that there are several."""


def _figures(text: str) -> frozenset[str]:
    plain = _FREE.sub(" 0 ", unicodedata.normalize("NFKC", text).casefold())
    return frozenset(_NUMBER.findall(_THOUSANDS.sub("", plain)))


def _opposed(first: str, other: str, alike: float) -> bool:
    said = [True if _YES.match(text) else False if _NO.match(text) else None for text in (first, other)]
    if None not in said:
        return said[0] != said[1]
    odd = len(_NOT.findall(first.casefold())) % 2 != len(_NOT.findall(other.casefold())) % 2
    return odd and (alike >= 0.35 or words_of(first) == words_of(other))


def _situation(row: Row) -> str:
    """Return everything before the answer: another system prompt or another turn may call for another answer."""
    before = [message["content"] for message in row.messages if message["role"] != "assistant"] or [row.question]
    return "\n".join(exact_key(text) for text in before)
