"""Questions that point at something nobody sees (これ, それ, "it"): neither weights nor retrieval can resolve them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out, shortened
from core.datasets.japanese import morphemes, written_out
from core.datasets.rows import Row

__all__ = ["VagueReferences", "points_nowhere"]

_POINTING = re.compile(r"[こそあ](?:れ|こ|の|ちら)")
_POINTERS = frozenset(("これ", "それ", "あれ", "ここ", "そこ", "あそこ", "こちら", "あちら", "この", "その", "あの"))
_FIXED = re.compile(
    r"(?:この|その)(?:他|ほか|外の|度(?!合)|たび|間(?!取)|程|まま|節|頃|ごろ|辺|上で)|ここ(?:数|最近|しばらく|[\d一二三十]|ろ)"
    r"|(?:これ|それ|ここ|そこ)ら?まで|これから|それ(?:では|でも|とも|なら|から)|あの[、,]"
)
"""Phrases with a pointing word that point at nothing: その他, この度, ここ数年, これから."""
_CODE = re.compile(r"[A-Za-z]{2,}|[ァ-ヴー]{2,} ?\d|「[^」]+」")

_EXPLETIVE = re.compile(
    r"\b(?:is|was|be|isn't|will) it (?:\w+ )?(?:possible|safe|ok|okay|fine|necessary|allowed|required|legal|illegal"
    r"|worth|true|better|best|easy|hard|difficult|important|permitted|mandatory|normal|common|advisable|recommended|free"
    r"|cheaper|enough|that|who|customary|usual|compulsory|acceptable)\b"
    r"|\b(?:is|was) it to\b|\bit (?:takes?|costs?|took|cost) (?:\w+ ){0,3}to\b|\bwhat time is it\b"
    r"|\bthis (?:year|month|week|morning|afternoon|evening|time|season|summer|winter|spring|autumn|quarter)\b",
    re.IGNORECASE,
)
"""“Is it safe to …” and “this year” point at nothing."""
_ENGLISH = re.compile(
    r"^(?:and |so |but |then |also )?(?:please )?"
    r"(?:(?:how|what|when|where|why|who|which|is|are|does|do|did|can|could|will|would|has|may|should|must|tell|show)\b"
    r"(?P<before>[^.?!]{0,60}?))?\b(?P<word>its?|this|that one|these|those|they|them|he|she)\b",
    re.IGNORECASE,
)
_ANTECEDENT = re.compile(r"\b(?:the|a|an|my|your|our|each|every|any|one)\s+\w{3,}", re.IGNORECASE)
_PROPER = re.compile(r"(?<=\s)(?!I\b)[A-Z]\w*|\b\w*\d\w*")
_PLURAL = re.compile(r"\b(?!does\b|its\b|this\b|always\b)[a-z]{3,}s\b")


@dataclass(frozen=True)
class VagueReferences(Check):
    """Finds first questions of a conversation whose pointing word comes before anything that it could mean."""

    name: ClassVar[str] = "vague_references"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        found: list[int] = []
        taught: list[int] = []
        sample = ""
        for position, row in data.rows():
            if not _follows(row) and points_nowhere(row.question):
                found.append(position)
                taught += [position] if row.split == "train" else []
                sample = sample or shortened(row.question)
        return [self.finding("pointing", "info", found, left_out(taught), sample=sample)] if found else []


def _follows(row: Row) -> bool:
    """Tell whether an earlier turn may say what is meant."""
    return sum(1 for message in row.messages if message["role"] == "user") > 1


def points_nowhere(question: str) -> bool:
    """Tell whether a question points at something that it does not name."""
    text = question.strip()
    if _POINTING.search(text):
        return _points_in_japanese(text)
    found = _ENGLISH.match(_EXPLETIVE.sub("", text))
    if found is None:
        return False
    before = found["before"] or ""
    several = found["word"].lower() in ("they", "them", "these", "those") and _PLURAL.search(before)
    return not (several or _PROPER.search(before) or _ANTECEDENT.search(found.group()))


def _points_in_japanese(text: str) -> bool:
    """Tell whether the first pointing word comes before anything is named that it could mean."""
    whole = written_out(text)
    for place, word in morphemes(text):
        kind, detail, more = word.part_of_speech()[:3]
        if kind in ("代名詞", "連体詞", "感動詞") and word.surface() in _POINTERS:
            if not _FIXED.match(whole, place):
                return not _CODE.search(whole, place)
        elif kind == "名詞" and detail in ("普通名詞", "固有名詞") and more != "副詞可能":
            return False
    return False
