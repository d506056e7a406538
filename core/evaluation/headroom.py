"""What better search or training could still gain, judged from answers that need no training at all.

The wrong answers of the best untuned approach are compared with what the plain model answers when it is handed the
right passages. Where those would have been enough, better search could fix the answer. Where they would not, the
model lacks a skill, a form or a habit, and tuning might. The shares are upper bounds: nobody can gain more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def headroom(
    presets: Mapping[str, str],
    values: Mapping[str, NDArray[np.float64]],
    coverage: Sequence[str | None],
    absent: Sequence[bool],
) -> Headroom | None:
    """Return what is left to gain, or None without an untuned approach and the plain model with gold passages.

    Args:
        presets: Preset by approach id.
        values: Share of right answers by approach id and question, shape ``(questions,)``; NaN where unmeasured.
        coverage: Where each question's answer stands, if that was worked out.
        absent: Whether declining is the right answer.
    """
    ceiling = next((i for i, preset in presets.items() if preset == CEILING), None)
    untuned = [i for i, preset in presets.items() if preset in UNTUNED]
    if ceiling is None or not untuned:
        return None
    known = ~np.isnan(np.stack([values[i] for i in (*untuned, ceiling)])).any(axis=0)
    if not known.any():
        return None
    best = max(untuned, key=lambda i: float(values[i][known].mean()))
    counts = dict.fromkeys(("right", "retrieval", "either", "tuning", "neither"), 0)
    for place in map(int, np.flatnonzero(known)):
        right, with_gold = values[best][place] >= 0.5, values[ceiling][place] >= 0.5
        counts["right" if right else _gain(bool(with_gold), coverage[place], absent[place])] += 1
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


def _gain(right_with_gold: bool, covered: str | None, absent: bool) -> str:
    """Return what could mend a wrong answer, a field of `Headroom`."""
    if right_with_gold:
        return "either" if covered in _TAUGHT else "retrieval"
    if covered == "neither" and not absent:
        return "neither"  # nothing that could be read or learned holds the answer
    return "tuning"
