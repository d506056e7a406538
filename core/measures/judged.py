"""Metrics that a judge model measures: what it is asked, how its replies are read, and what they add up to.

Such a metric calls nobody. It words its questions, and scores a case that carries the replies.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from .case import Case, Measured, Metric
from .text import abstains, without_citations, without_reasoning

Choice = Literal["first", "second", "tie"]

_LINE = re.compile(r"(?:VERDICT|判定|評価|結論)\s*:?\s*\**\s*([^\s*.。]+)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[。！？])\s*|(?<=[.!?])\s+(?=[A-Z0-9\"'(])|\n+")
_BULLET = re.compile(r"^\s*(?:[-*•・]|\d+[.)])\s+")


def verdict_in(reply: str) -> str:
    """Return the judge's last word: what follows its last VERDICT, else the whole reply if it is one word; else ""."""
    text = unicodedata.normalize("NFKC", without_reasoning(reply)).strip()
    found = _LINE.findall(text)
    if found:
        return str(found[-1]).strip("\"'「」()[]<>").upper()
    word = text.strip(" \n.。!\"'*「」()[]")
    return word.upper() if word and not re.search(r"\s", word) else ""


def read_yes_no(reply: str) -> bool | None:
    """Return whether a judge said yes; None when its reply cannot be read."""
    return {"YES": True, "はい": True, "NO": False, "いいえ": False}.get(verdict_in(reply))


def read_scale(reply: str) -> int | None:
    """Return a judge's grade from 1 to 5; None when its reply cannot be read."""
    match = re.fullmatch(r"([1-5])(?:/5|点)?", verdict_in(reply))
    return int(match.group(1)) if match else None


def read_choice(reply: str) -> Choice | None:
    """Return which of two answers a judge chose, by their order in its prompt; None when its reply cannot be read."""
    known: dict[str, Choice] = {"A": "first", "B": "second", "TIE": "tie", "引き分け": "tie"}
    return known.get(verdict_in(reply))


def claims(text: str) -> list[str]:
    """Return the sentences of an answer that claim something, without markers of sources and of lists."""
    if text.lstrip().startswith(("{", "[")) and text.rstrip().endswith(("}", "]")):
        return [text.strip()]  # an object is one claim: its fields make no sense alone
    parts = [_BULLET.sub("", part).strip() for part in _SENTENCE.split(without_citations(text)) if part]
    return [part for part in parts if re.search(r"\w", part) and not abstains(part)]


@dataclass(frozen=True)
class JudgedMetric(Metric):
    """A metric whose values come from a judge; `Case.replies` holds what it replied."""

    judged: ClassVar[bool] = True
    binary: ClassVar[bool] = False

    @abstractmethod
    def asks(self, case: Case) -> list[list[dict[str, str]]]:
        """The chats to put to the judge, in order; empty where there is nothing to judge."""

    @abstractmethod
    def combine(self, replies: Sequence[str]) -> Measured:
        """What the replies to `asks` add up to; as many, in the same order."""

    def score(self, case: Case) -> Measured:
        """Read the replies; without any the metric does not apply, and a missing one is a visible failure."""
        wanted = len(self.asks(case))
        replies = case.replies.get(self.name)
        if not wanted:
            return Measured(None, "not_applicable_judged")
        if replies is None:
            return Measured(None, "not_applicable_judge")
        known = [reply for reply in replies if reply is not None]
        if len(known) < wanted:
            return Measured(None, "judge_failed", {"missing": wanted - len(known), "total": wanted})
        return self.combine(known)


def graded(replies: Sequence[str]) -> Measured:
    """A grade from 1 to 5 as a value from 0 to 1."""
    grade = read_scale(replies[0])
    if grade is None:
        return Measured(None, "judge_unreadable", {"unreadable": 1, "total": 1})
    return Measured((grade - 1) / 4, "judge_grade", {"grade": grade})


def supported(replies: Sequence[str]) -> Measured:
    """The share of claims that the judge found in the material; unreadable replies are no verdict on any claim."""
    said = [read_yes_no(reply) for reply in replies]
    params: dict[str, Any] = {"total": len(said)}
    if None in said:
        return Measured(None, "judge_unreadable", {**params, "unreadable": said.count(None)})
    yes = sum(1 for one in said if one)
    return Measured(yes / len(said), "claims_supported", {**params, "supported": yes})
