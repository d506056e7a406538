"""chrF: overlap of character n-grams with the reference, right for languages without spaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from ..case import Case, Measured, Metric
from ..text import without_citations

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


@lru_cache(maxsize=4)
def _scorer(order: int) -> CHRF:
    # imported late: the app lists metrics without computing any
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(char_order=order, word_order=0, beta=2)


@dataclass(frozen=True)
class ChrF(Metric):
    """Character n-gram F-score with recall weighted twice (Popović 2015), by sacrebleu, from 0 to 1."""

    name: ClassVar[str] = "chrf"
    binary: ClassVar[bool] = False

    order: int = field(default=6, metadata={"help": "measures.field.chrf.order.help"})
    """Longest n-gram, in characters; 6 is the published setting."""

    def score(self, case: Case) -> Measured:
        """Sentence-level chrF2 against the reference; white space does not count."""
        if not case.reference.strip():
            return Measured(None, "not_applicable_reference")
        answer, reference = without_citations(case.answer_text), without_citations(case.reference)
        return Measured(_scorer(self.order).sentence_score(answer, [reference]).score / 100, "overlap_chars")
