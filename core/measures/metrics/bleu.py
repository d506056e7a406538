"""BLEU: shared runs of up to four words (Japanese: characters), short answers penalised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from ..case import Case, Measured, Metric
from ..text import tokens

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU


@lru_cache(maxsize=1)
def _scorer() -> BLEU:
    # imported late: the app lists metrics without computing any
    from sacrebleu.metrics.bleu import BLEU

    # what is scored is tokenised already; single sentences need the shorter orders where four words do not occur
    return BLEU(tokenize="none", effective_order=True, smooth_method="exp")


@dataclass(frozen=True)
class Bleu(Metric):
    """Sentence BLEU (Papineni 2002; smoothing as in Chen and Cherry 2014), by sacrebleu, from 0 to 1.

    Words are the tokens of `token_f1`, so that Japanese is scored by characters and not as one word.
    """

    name: ClassVar[str] = "bleu"
    binary: ClassVar[bool] = False

    def score(self, case: Case) -> Measured:
        """Compare with the reference; case, width and punctuation do not count."""
        wanted = tokens(case.reference)
        if not wanted:
            return Measured(None, "not_applicable_reference")
        answer = " ".join(tokens(case.answer_text))
        score = _scorer().sentence_score(answer, [" ".join(wanted)]).score / 100
        return Measured(min(1.0, score), "overlap_runs")  # rounding can leave a little more than all
