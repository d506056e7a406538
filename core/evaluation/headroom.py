"""What better search or training could still gain, judged from answers that need no training at all.

The wrong answers of the best untuned approach are compared with what the plain model answers when it is handed the
right passages. Where those would have been enough, better search could fix the answer; where they were in the prompt
already, or the training data holds the answer too, so could tuning. Where they would not, the model lacks a skill, a
form or a habit, and tuning might. What cannot be told counts for both, so that both shares are upper bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.measures import proportion_interval

from .report import Headroom

UNTUNED = ("base", "few_shot", "many_shot", "rag", "whole_context")
"""Presets that need no training."""

CEILING = "oracle_context"
"""The plain model with the gold passages."""

_TAUGHT = frozenset({"taught", "both"})
"""Coverage of questions whose answer stands in the training data as it is now."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of one approach by question, shape ``(questions,)`` each."""

    preset: str
    right: NDArray[np.float64]
    """Share of right answers, failed ones being wrong; NaN where nothing was measured."""
    shown: NDArray[np.float64]
    """Whether the gold passages stood in the prompt; NaN where no place is known, or nothing was retrieved."""
    weights: str = ""
    """Which model answered."""


def headroom(
    measured: Mapping[str, Measured], coverage: Sequence[str | None], absent: Sequence[bool]
) -> Headroom | None:
    """Return what is left to gain, or None without an untuned approach and the plain model with gold passages.

    Args:
        measured: By approach id.
        coverage: Where each question's answer stands, if that was worked out.
        absent: Whether declining is the right answer.
    """
    ceiling = next((i for i, approach in measured.items() if approach.preset == CEILING), None)
    if ceiling is None:
        return None
    # another model's answers say nothing about what this one would do with the right passages
    same = {i: approach for i, approach in measured.items() if approach.weights == measured[ceiling].weights}
    untuned = [i for i, approach in same.items() if approach.preset in UNTUNED]
    if not untuned:
        return None
    known = ~np.isnan(np.stack([measured[i].right for i in (*untuned, ceiling)])).any(axis=0)
    if not known.any():
        return None
    # level ones: the last, which reads documents
    best = max(reversed(untuned), key=lambda i: float(measured[i].right[known].mean()))
    counts = dict.fromkeys(("right", "retrieval", "either", "tuning", "neither"), 0)
    for place in map(int, np.flatnonzero(known)):
        if measured[best].right[place] >= 0.5:
            counts["right"] += 1
            continue
        had_gold = bool(measured[ceiling].shown[place] >= 0.5)
        with_gold = bool(measured[ceiling].right[place] >= 0.5) if had_gold or absent[place] else None
        read_it = bool(measured[best].shown[place] >= 0.5)
        counts[_gain(with_gold, read_it, coverage[place], absent[place])] += 1
    n = int(known.sum())
    shares = {name: proportion_interval(count, n) for name, count in counts.items()}
    return Headroom(
        reference=best,
        ceiling=ceiling,
        n=n,
        **shares,
        tuning_at_most=proportion_interval(counts["tuning"] + counts["either"], n),
        retrieval_at_most=proportion_interval(counts["retrieval"] + counts["either"], n),
    )


def _gain(with_gold: bool | None, read_it: bool, covered: str | None, absent: bool) -> str:
    """Return what could mend a wrong answer, a field of `Headroom`; what cannot be told apart counts for both.

    Args:
        with_gold: Whether the plain model is right with the gold passages; None where nobody knows them.
        read_it: Whether the wrong answer's own prompt held them: then reading was the trouble as well.
        covered: Where the answer stands, if that was worked out.
        absent: Whether declining is the right answer.
    """
    if covered == "neither" and not absent and not with_gold:
        return "neither"  # nothing that could be read or learned holds the answer
    if with_gold is None:
        return "tuning" if covered == "taught" else "either"
    if not with_gold:
        return "tuning"
    return "either" if read_it or absent or covered is None or covered in _TAUGHT else "retrieval"
