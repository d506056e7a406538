"""Paired differences and what they amount to, for comparing approaches on the same questions.

Two approaches are compared by their differences question by question, never by two separate intervals. `scipy`
computes; tests compare with `scipy.stats` and `statsmodels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .intervals import (
    Clusters,
    Interval,
    Values,
    normal_quantile,
    places_of,
    proportion_interval,
    score_interval,
    standard_error,
    t_quantile,
)

FEWEST_DISCORDANT = 10
"""Fewer questions than this on which two approaches differ cannot support a finding."""

MANY = 1_000
"""Questions beyond which the permutation test takes a faster way to the same distribution."""

Verdict = Literal["better", "worse", "no_difference", "not_enough"]
"""The fixed words: better 上回る, worse 下回る, no difference found 差は確認できず, not enough data 判断材料不足."""


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second approach, paired by question."""

    estimate: float
    """Mean difference in the unit of the data (0.1 = ten points)."""
    low: float | None
    """Lower end of the confidence interval."""
    high: float | None
    """Upper end of the confidence interval."""
    p_value: float
    """Two-sided, not adjusted for the number of comparisons (see `holm`)."""
    n: int
    """Number of paired questions."""
    up: int
    """Questions on which the first is better."""
    down: int
    """Questions on which the second is better."""
    method: str
    """Key of its explanation, `measures.method.<method>`."""

    @property
    def equal(self) -> int:
        """Questions on which both are equal."""
        return self.n - self.up - self.down


def paired_difference(
    first: Values, second: Values, *, clusters: Clusters | None = None, confidence: float = 0.95, seed: int = 0
) -> Difference:
    """First minus second, question by question; the same question stands at the same place.

    0/1 values: Newcombe's interval for paired proportions and McNemar's exact test. Others: a sign-flip
    permutation test, with `mover`'s interval where all values lie between 0 and 1, else a paired t interval
    (Miller 2024, Eq. 7; cluster-robust with `clusters`).

    With `clusters` (one label per question, e.g. its source document) whole clusters change sign together, and the
    interval is widened by the design effect (`_clustered`); clusters of one question each change nothing.

    Raises:
        ValueError: when the lengths differ or there are no values.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.size != b.size or a.size == 0:
        raise ValueError(f"pairs needed, got {a.size} and {b.size} values")
    if clusters is not None:
        if len(clusters) != a.size:
            raise ValueError(f"one cluster per pair needed, got {len(clusters)} for {a.size}")
        places = places_of(clusters)
        if int(places.max()) + 1 < a.size:
            return _clustered(a, b, places, confidence, seed)
    up, down = int((a > b).sum()), int((a < b).sum())
    if bool(np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all()):
        both = int(((a == 1) & (b == 1)).sum())
        low, high = newcombe(both, up, down, a.size - both - up - down, confidence)
        return Difference((up - down) / a.size, low, high, mcnemar(up, down), a.size, up, down, "newcombe_mcnemar")
    p_value = sign_flip(a - b, seed=seed)
    if a.size > 1 and min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1:
        low, high = mover(a, b, confidence)
        return Difference(float((a - b).mean()), low, high, p_value, a.size, up, down, "mover_signflip")
    interval = mean_interval_of_differences(a - b, confidence=confidence)
    return Difference(interval.estimate, interval.low, interval.high, p_value, a.size, up, down, "t_signflip")


def _clustered(
    a: NDArray[np.float64], b: NDArray[np.float64], places: NDArray[np.int64], confidence: float, seed: int
) -> Difference:
    """Paired difference of questions that come in clusters.

    The test flips the signs of whole clusters: under no difference the two approaches can be exchanged within each.
    The interval is that of single questions, its two halves stretched by √D·t/t₁: D is the design effect, the
    cluster-robust variance of the mean difference (Miller 2024, "Adding error bars to evals") over that of single
    questions, at least 1 (Kish 1965, Survey Sampling, 8.2; as effective sample size for shares: Rao and Scott 1992,
    Biometrics 48:577); t has C−1 degrees of freedom for C clusters, t₁ is the quantile of the interval stretched.
    """
    alone = paired_difference(a, b, confidence=confidence, seed=seed)
    d = a - b
    p_value = sign_flip(np.bincount(places, weights=d).astype(np.float64), seed=seed)
    made = replace(alone, p_value=p_value, method="clustered_signflip")
    robust, freedom = standard_error(d, places)
    if robust is None or alone.low is None or alone.high is None:
        return replace(made, low=None, high=None)
    single = standard_error(d, None)[0] or 0.0
    by_counts = alone.method == "newcombe_mcnemar"
    one = normal_quantile((1 + confidence) / 2) if by_counts else t_quantile(d.size - 1, confidence)
    stretch = max(1.0, robust / single if single else 1.0) * t_quantile(freedom, confidence) / one
    most = 1.0 if min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1 else math.inf
    low = alone.estimate - stretch * (alone.estimate - alone.low)
    return replace(made, low=max(-most, low), high=min(most, alone.estimate + stretch * (alone.high - alone.estimate)))


def mean_interval_of_differences(differences: Values, confidence: float = 0.95) -> Interval:
    """Interval (t) of paired differences; unlike `mean_interval` it never takes them for proportions."""
    data = np.asarray(differences, dtype=np.float64)
    mean = float(data.mean())
    error, freedom = standard_error(data, None)
    if error is None:
        return Interval(mean, None, None, data.size, "t")
    half = t_quantile(freedom, confidence) * error
    return Interval(mean, mean - half, mean + half, data.size, "t")


def mover(first: Values, second: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Interval for the mean difference of paired scores between 0 and 1: what `newcombe` is for 0/1 values.

    Square-and-add of both means' intervals with their correlation (MOVER: Zou and Donner 2008, Statistics in
    Medicine 27:1693), which is lowered, if positive, by Newcombe's continuity correction as it is at one half, 2/n.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    one, two = score_interval(a, confidence), score_interval(b, confidence)
    x, y = a - one.estimate, b - two.estimate
    size = math.sqrt(float(x @ x) * float(y @ y))
    r = float(x @ y) / size if size else 0.0
    r = max(0.0, r - 2 / a.size) if r > 0 else r
    return _square_and_add(one, two, r)


def _square_and_add(one: Interval, two: Interval, r: float) -> tuple[float, float]:
    """Ends of the difference of two estimates from the ends of both and their correlation."""
    d = one.estimate - two.estimate
    down1, up1 = one.estimate - float(one.low or 0.0), float(one.high or 0.0) - one.estimate
    down2, up2 = two.estimate - float(two.low or 0.0), float(two.high or 0.0) - two.estimate
    below = math.sqrt(max(0.0, down1**2 - 2 * r * down1 * up2 + up2**2))
    above = math.sqrt(max(0.0, down2**2 - 2 * r * down2 * up1 + up1**2))
    return max(-1.0, d - below), min(1.0, d + above)


def mcnemar(up: int, down: int) -> float:
    """Two-sided exact p-value of McNemar's test: Binomial(up + down, ½) on the discordant pairs."""
    from scipy.special import bdtr

    # at ½ the binomial is symmetric: both tails are equal
    return min(1.0, 2 * float(bdtr(min(up, down), up + down, 0.5))) if up + down else 1.0


def newcombe(both: int, first: int, second: int, neither: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval for the difference of two paired proportions: square-and-add of Wilson's, correlation corrected.

    Method 10 of Newcombe 1998, Statistics in Medicine 17:2635–2650. Arguments are the four cells:
    both right, only the first, only the second, neither.
    """
    n = both + first + second + neither
    one = proportion_interval(both + first, n, confidence)
    two = proportion_interval(both + second, n, confidence)
    return _square_and_add(one, two, _phi(both, first, second, neither))


def _phi(both: int, first: int, second: int, neither: int) -> float:
    """Correlation of the pairs with Newcombe's continuity correction where it is positive."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not margins:
        return 0.0
    cross = both * neither - first * second
    corrected = max(cross - (both + first + second + neither) / 2, 0.0) if cross > 0 else float(cross)
    return corrected / math.sqrt(margins)


def sign_flip(differences: Values, *, resamples: int = 9_999, seed: int = 0) -> float:
    """Two-sided sign-flip permutation p-value of the mean difference, by scipy.

    Exact when 2ⁿ ≤ `resamples`; otherwise p = (1 + #{|d̄*| ≥ |d̄|})/(R + 1) with a fixed seed. Beyond
    `MANY` values equal magnitudes are flipped together, which draws from the same distribution.
    """
    from scipy.stats import permutation_test

    data = np.asarray(differences, dtype=np.float64)
    if data.size < 2 or not data.any():
        return 1.0
    if data.size > MANY:
        return _grouped_sign_flip(data, resamples, seed)

    def mean(sample: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        return np.asarray(sample.mean(axis=axis))

    result = permutation_test(
        (data,), mean, permutation_type="samples", vectorized=True, n_resamples=resamples, batch=1000, rng=seed
    )
    return float(min(1.0, result.pvalue))


def _grouped_sign_flip(data: NDArray[np.float64], resamples: int, seed: int) -> float:
    """Sign-flip p-value of many values: of c equal magnitudes m, b ~ Binomial(c, ½) stay positive and give m·(2b−c).

    Means over a few repetitions have a few magnitudes only, so that a draw takes a few numbers, not one a question.
    """
    sizes, counts = np.unique(np.abs(data[data != 0]), return_counts=True)
    observed, dice = abs(float(data.sum())), np.random.default_rng(seed)
    reached, batch = 0, max(1, 1_000_000 // sizes.size)
    for start in range(0, resamples, batch):
        kept = dice.binomial(counts, 0.5, size=(min(batch, resamples - start), sizes.size))
        sums = np.abs((2 * kept - counts) @ sizes)
        reached += int((sums >= observed * (1 - 1e-12)).sum())
    return (1 + reached) / (resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment over the planned comparisons (Holm 1979).

    Adjusted p₍ᵢ₎ = max_{j≤i} min(1, (m−j+1)·p₍ⱼ₎). Written out because statsmodels' `multipletests`
    collects the process's garbage at each call, which takes a second in a large one.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def finding(difference: Difference, adjusted_p: float, *, alpha: float = 0.05) -> Verdict:
    """The fixed word for a paired comparison of a higher-is-better metric.

    Not enough data: fewer than `FEWEST_DISCORDANT` questions differ, so few that a handful of odd ones decide.
    """
    if difference.up + difference.down < FEWEST_DISCORDANT:
        return "not_enough"
    if adjusted_p >= alpha:
        return "no_difference"
    return "better" if difference.estimate > 0 else "worse"
