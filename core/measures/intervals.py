"""Confidence intervals of one approach's figures: shares, means, amounts, percentiles.

The question is the unit. `scipy` computes; tests compare with `scipy.stats` and `statsmodels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FEWEST_CLUSTERS = 10
"""With fewer sources than this, standard errors by source are far too small or none (Cameron and Miller 2015)."""

Values = Sequence[float] | NDArray[np.float64]

Clusters = Sequence[object] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval."""

    estimate: float
    """Proportion, mean or percentile, in the unit of the data."""
    low: float | None
    """Lower end; None when the sample is too small for one."""
    high: float | None
    """Upper end; None when the sample is too small for one."""
    n: int
    """Number of questions behind it."""
    method: str
    """Key of its explanation, `measures.method.<method>`."""


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    (p̂+z²/2n ± z√(p̂(1−p̂)/n+z²/4n²))/(1+z²/n). Written out: a page needs hundreds of them, and
    `scipy.stats.binomtest` takes milliseconds for each.

    Raises:
        ValueError: when n is 0 or successes is outside 0…n.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n}")
    z, share = normal_quantile((1 + confidence) / 2), successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == n else (middle + half) / scale
    return Interval(share, low, high, n, "wilson")


@lru_cache(maxsize=64)
def normal_quantile(quantile: float) -> float:
    """Quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(quantile))


def mean_interval(
    values: Values,
    *,
    clusters: Clusters | None = None,
    bounds: tuple[float, float] | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Mean with its interval, by the method that holds its coverage for such values (`make bench-statistics`).

    Values that are all 0 or 1 get Wilson's interval, other values within `bounds` of 0 and 1 Wilson's with an
    effective sample size (`_of_scores`), amounts from 0 upwards one that allows for their skewness (`_of_amounts`),
    all else a t interval: near its ends, or with a few large amounts, that misses the mean far too often.

    With `clusters` (one label per value, e.g. the source document) the standard error is the
    cluster-robust one, SE² = C/(C−1)·Σ_c(Σ_{i∈c}(xᵢ−x̄))²/n², with C−1 degrees of freedom
    (Miller 2024, "Adding error bars to evals"). `bounds` clips the interval to possible values.

    Raises:
        ValueError: when there are no values.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("no values")
    if clusters is None and bounds in (None, (0.0, 1.0)) and bool(np.isin(data, (0.0, 1.0)).all()):
        return proportion_interval(int(data.sum()), data.size, confidence)
    mean = float(data.mean())
    error, freedom = standard_error(data, clusters)
    if error is None:
        return Interval(mean, None, None, data.size, "t")
    if clusters is None and bounds == (0.0, 1.0):
        return score_interval(data, confidence)
    if clusters is None and bounds == (0.0, math.inf):
        return _of_amounts(data, confidence)
    half = t_quantile(freedom, confidence) * error
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(mean, low, high, data.size, "t" if clusters is None else "t_clustered")


def score_interval(data: NDArray[np.float64], confidence: float) -> Interval:
    """Interval for the mean of at least two scores between 0 and 1: Wilson's with an effective sample size.

    n* = n·x̄(1−x̄)/s² (n where s² = 0 at an end), t with n−1 degrees of freedom in the place of z (Franco, Little,
    Louis and Slud 2019, Journal of Survey Statistics and Methodology 7:334; Dean and Pagano 2015, ibid. 3:484).
    """
    mean, variance = float(data.mean()), float(data.var(ddof=1))
    if variance == 0 and 0 < mean < 1:
        return Interval(mean, mean, mean, data.size, "wilson_effective")
    size = data.size * mean * (1 - mean) / variance if variance and 0 < mean < 1 else float(data.size)
    t = t_quantile(data.size - 1, confidence)
    middle, scale = mean + t * t / (2 * size), 1 + t * t / size
    half = t * math.sqrt(max(0.0, mean * (1 - mean)) / size + t * t / (4 * size * size))
    low, high = min(mean, (middle - half) / scale), max(mean, (middle + half) / scale)
    return Interval(mean, max(0.0, low), min(1.0, high), data.size, "wilson_effective")


def _of_amounts(data: NDArray[np.float64], confidence: float) -> Interval:
    """Interval for the mean of at least two amounts of 0 or more: Hall's transformation of t, for skewness γ.

    x̄ − s·g⁻¹(±t/√n) with g⁻¹(y) = ((1 + γ(y − γ/6n))^⅓ − 1)·3/γ (Hall 1992, J. R. Statist. Soc. B 54:221).
    """
    mean, spread, n = float(data.mean()), float(data.std()), data.size
    skew = float(((data - mean) ** 3).mean()) / spread**3 if spread > 0 else 0.0
    y = t_quantile(n - 1, confidence) / math.sqrt(n)

    def back(value: float) -> float:
        value -= skew / (6 * n)
        return (math.cbrt(1 + skew * value) - 1) * 3 / skew if abs(skew) > 1e-6 else value

    s = spread * math.sqrt(n / (n - 1))
    return Interval(mean, max(0.0, mean - s * back(y)), mean - s * back(-y), n, "hall")


def places_of(clusters: Clusters) -> NDArray[np.int64]:
    """Cluster of each value as a number from 0, shape ``(values,)``."""
    if isinstance(clusters, np.ndarray):
        return np.asarray(np.unique(clusters, return_inverse=True)[1], dtype=np.int64)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(clusters))}
    return np.asarray([numbers[label] for label in clusters], dtype=np.int64)


def standard_error(data: NDArray[np.float64], clusters: Clusters | None) -> tuple[float | None, int]:
    """Standard error of the mean and its degrees of freedom; None with fewer than two units."""
    deviations = data - data.mean()
    if clusters is None:
        if data.size < 2:
            return None, 0
        return math.sqrt(float(deviations @ deviations) / (data.size - 1) / data.size), data.size - 1
    sums = np.bincount(places_of(clusters), weights=deviations)
    count = sums.size
    if count < 2:
        return None, 0
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / data.size, count - 1


@lru_cache(maxsize=512)
def t_quantile(freedom: int, confidence: float) -> float:
    """Quantile of the t distribution that a two-sided interval of `confidence` reaches."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def percentile_interval(values: Values, quantile: float, confidence: float = 0.95) -> Interval | None:
    """A percentile with its distribution-free interval from order statistics, or None.

    P(x₍ₗ₎ ≤ ξ_q ≤ x₍ᵤ₎) = P(l ≤ B < u) for B ~ Binomial(n, q) (Hahn & Meeker 1991, ch. 5). None when
    no pair of order statistics reaches `confidence`: medians need 6 values, the 95th percentile 59,
    the 99th 299.
    """
    data = np.sort(np.asarray(values, dtype=np.float64))
    ranks = _ranks(data.size, quantile, confidence)
    if ranks is None:
        return None
    low, high = ranks
    estimate = float(np.quantile(data, quantile))
    return Interval(estimate, float(data[low - 1]), float(data[high - 1]), data.size, "order_statistics")


@lru_cache(maxsize=512)
def _ranks(n: int, quantile: float, confidence: float) -> tuple[int, int] | None:
    """1-based ranks of the tightest near-symmetric interval whose coverage is reached."""
    from scipy.stats import binom

    if n < 2:
        return None
    tail = (1 - confidence) / 2
    low = max(1, int(binom.ppf(tail, n, quantile)))
    high = min(n, int(binom.ppf(1 - tail, n, quantile)) + 1)

    def coverage() -> float:
        return float(binom.cdf(high - 1, n, quantile) - binom.cdf(low - 1, n, quantile))

    while coverage() < confidence and (low > 1 or high < n):
        low, high = max(1, low - 1), min(n, high + 1)
    return (low, high) if coverage() >= confidence else None
