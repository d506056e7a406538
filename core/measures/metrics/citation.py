"""Citation: the passages that the answer names hold the answer."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from core.errors import KurabeError

from ..case import Case, Measured, Metric, ShownPassage
from ..text import abstains, citations


def holds_gold(passage: ShownPassage, case: Case) -> bool:
    """Whether the passage is a gold chunk, or contains a gold quote word for word (spaces aside).

    Raises:
        KurabeError: `approaches.source_removed` when its text was deleted since.
    """
    if passage.chunk_id and passage.chunk_id in case.gold_chunks:
        return True
    if passage.removed:
        raise KurabeError("approaches.source_removed", removed=1, total=len(case.passages))
    text = _squeezed(passage.text)
    return any(q and q in text for q in (_squeezed(str(g.get("quote") or "")) for g in case.gold))


@lru_cache(maxsize=1024)
def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True)
class Citation(Metric):
    """Share of the cited passages that hold the answer; 0 when none is cited.

    Measured only where passages were shown, the place of the answer is known and stood among
    them, and the answer is prose: otherwise there is nothing right to cite.
    """

    name: ClassVar[str] = "citation"
    binary: ClassVar[bool] = False

    def score(self, case: Case) -> Measured:
        """Check each number in brackets against the passage it names."""
        if case.expected.kind not in ("value", "text"):
            return Measured(None, "not_applicable_prose")
        if not case.passages:
            return Measured(None, "not_applicable_passages")
        if not any(holds_gold(p, case) for p in case.passages):
            return Measured(None, "not_applicable_gold")
        cited = citations(case.answer_text)
        if not cited:
            return Measured(0.0, "declined_needlessly" if abstains(case.answer_text) else "nothing_cited")
        right = [n for n in cited if 1 <= n <= len(case.passages) and holds_gold(case.passages[n - 1], case)]
        params = {"cited": ", ".join(map(str, cited)), "right": len(right), "total": len(cited)}
        return Measured(len(right) / len(cited), "cited", params)
