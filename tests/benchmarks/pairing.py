"""Ratios of things measured in turn, with an interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t


@dataclass(frozen=True)
class Ratio:
    """A geometric mean of ratios and its 95 % interval."""

    mean: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f}–{self.high:.3f}, {self.pairs} pairs)"


def paired(ours: Sequence[float], theirs: Sequence[float], *, block: int = 1) -> Ratio:
    """Return how many times `theirs` `ours` is, pair by pair, with Student's interval of the logarithms' mean.

    Args:
        ours: measured first.
        theirs: measured beside it, in the same order.
        block: neighbours added up to one pair, so that what disturbs several in a row is not counted as several.

    Raises:
        ValueError: fewer than two pairs.
    """
    whole = len(ours) // block * block
    sums = [(sum(ours[i : i + block]), sum(theirs[i : i + block])) for i in range(0, whole, block)]
    logs = [math.log(a / b) for a, b in sums]
    if len(logs) < 2:
        raise ValueError("an interval needs two pairs")
    middle = statistics.fmean(logs)
    reach = float(t.ppf(0.975, len(logs) - 1)) * statistics.stdev(logs) / math.sqrt(len(logs))
    return Ratio(math.exp(middle), math.exp(middle - reach), math.exp(middle + reach), len(logs))
