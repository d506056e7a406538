"""A paired difference as every comparison tells it: between approaches, between test runs, between trained weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.measures import Difference, Verdict, finding, holm


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """One column of answers minus another, on the questions that both answered, in the primary metric.

    Which minus which stands in the classes that add to this one: `Comparison` (two approaches of a test run),
    `Change` (one approach in two test runs) and `RunDifference` (the weights of two trainings).
    """

    estimate: float
    """Mean difference (0.1 = ten points)."""
    low: float | None
    """Lower end of the confidence interval."""
    high: float | None
    """Upper end of the confidence interval."""
    p_value: float
    """Two-sided, not adjusted."""
    adjusted_p: float
    """Holm over all differences of the same list."""
    verdict: Verdict
    up: int
    """Questions on which the one is better."""
    down: int
    """Questions on which the other is better."""
    equal: int
    n: int
    """Questions: `up`, `down` and `equal` together."""


def told(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return the fields of `PairedDifference` for each difference of a list, judged with Holm's correction over it."""
    return [
        {
            "estimate": d.estimate,
            "low": d.low,
            "high": d.high,
            "p_value": d.p_value,
            "adjusted_p": adjusted,
            "verdict": finding(d, adjusted),
            "up": d.up,
            "down": d.down,
            "equal": d.equal,
            "n": d.n,
        }
        for d, adjusted in zip(found, holm([d.p_value for d in found]), strict=True)
    ]
