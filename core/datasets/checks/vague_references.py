"""Questions that point at something nobody sees (これ, それ, "it"): neither weights nor retrieval can resolve them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.rows import Row

__all__ = ["VagueReferences", "points_nowhere"]

_JAPANESE = re.compile(
    r"^(?:では|じゃあ|で)?[、,]?\s*(?:これ|それ|あれ|ここ|そこ|あそこ|こちら|そちら|この|その|あの)(?!ら?まで)"
)
_ENGLISH = re.compile(
    r"^(?:and |so |but |then )?"
    r"(?:(?:how|what|when|where|why|who|which|is|are|does|do|did|can|could|will|would|has|may)\b[^.?!]{0,40}?)?"
    r"\b(?:it(?! (?:takes?|costs?|possible|to|you|me|true|for)\b)|its|this|that one|these|those|they|them|he|she)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[ァ-ヴ][ァ-ヴー]{2,}|[一-龯]{2,}|\b[A-Z][a-z]+\b(?<!What)(?<!How)|\d")
_ANTECEDENT = re.compile(r"\b(?:the|a|an|my|your|our)\s+\w{3,}", re.IGNORECASE)


@dataclass(frozen=True)
class VagueReferences(Check):
    """Finds first questions of a conversation that begin with a pointing word and name nothing before it."""

    name: ClassVar[str] = "vague_references"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        found: list[int] = []
        sample = ""
        for position, row in data.rows():
            if not _follows(row) and points_nowhere(row.question):
                found.append(position)
                sample = sample or shortened(row.question)
        return [self.finding("pointing", "info", found, sample=sample)] if found else []


def _follows(row: Row) -> bool:
    """Tell whether an earlier turn may say what is meant."""
    return sum(1 for message in row.messages if message["role"] == "user") > 1


def points_nowhere(question: str) -> bool:
    """Tell whether a question points at something that it does not name."""
    text = question.strip()
    if found := _JAPANESE.match(text):
        return not _NAMED.search(text[: found.start()])
    found = _ENGLISH.match(text)
    if found is None:
        return False
    before = text[: found.end()]
    words = before.split()
    named = any(word[:1].isupper() for word in words[1:]) or _ANTECEDENT.search(before) is not None
    return not named
