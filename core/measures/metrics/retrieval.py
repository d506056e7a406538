"""Retrieval: the passage that holds the answer was in the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from .citation import holds_gold


@dataclass(frozen=True)
class Retrieval(Metric):
    """1 when a passage with the answer was shown, whatever the answer made of it (hit rate at k).

    Measured where passages were shown and the place of the answer is known.
    """

    name: ClassVar[str] = "retrieval"

    def score(self, case: Case) -> Measured:
        """Look for a gold passage among those shown."""
        if not case.passages:
            return Measured(None, "not_applicable_passages")
        if not any(g.get("quote") for g in case.gold):
            return Measured(None, "not_applicable_place")
        place = next((n for n, p in enumerate(case.passages, 1) if holds_gold(p, case)), None)
        if place is None:
            return yes_no(False, "passage_missing", shown=len(case.passages))
        return yes_no(True, "passage_shown", place=place)
