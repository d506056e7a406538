"""Intervals, paired differences and power for comparing approaches on the same questions.

The question is the unit. Two approaches are compared by their differences question by question,
never by two separate intervals. `scipy` computes; tests compare with `scipy.stats` and `statsmodels`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_DISCORDANT = 10
"""Fewer questions than this on which two approaches differ cannot support a finding."""

FEWEST_CLUSTERS = 10
"""With fewer sources than this, standard errors by source are far too small or none (Cameron and Miller 2015)."""

MANY = 1_000
"""Questions beyond which the permutation test takes a faster way to the same distribution."""

Verdict = Literal["better", "worse", "no_difference", "not_enough"]
"""The fixed words: better 上回る, worse 下回る, no difference found 差は確認できず, not enough data 判断材料不足."""

Values = Sequence[float] | NDArray[np.float64]


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


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    (p̂+z²/2n ± z√(p̂(1−p̂)/n+z²/4n²))/(1+z²/n). Written out: a page needs hundreds of them, and
    `scipy.stats.binomtest` takes milliseconds for each.

    Raises:
        ValueError: when n is 0 or successes is outside 0…n.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n}")
    z, share = _z((1 + confidence) / 2), successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == n else (middle + half) / scale
    return Interval(share, low, high, n, "wilson")


@lru_cache(maxsize=64)
def _z(quantile: float) -> float:
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
    error, freedom = _standard_error(data, clusters)
    if error is None:
        return Interval(mean, None, None, data.size, "t")
    if clusters is None and bounds == (0.0, 1.0):
        return _of_scores(data, confidence)
    if clusters is None and bounds == (0.0, math.inf):
        return _of_amounts(data, confidence)
    half = _t_quantile(freedom, confidence) * error
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(mean, low, high, data.size, "t" if clusters is None else "t_clustered")


def _of_scores(data: NDArray[np.float64], confidence: float) -> Interval:
    """Interval for the mean of at least two scores between 0 and 1: Wilson's with an effective sample size.

    n* = n·x̄(1−x̄)/s² (n where s² = 0 at an end), t with n−1 degrees of freedom in the place of z (Franco, Little,
    Louis and Slud 2019, Journal of Survey Statistics and Methodology 7:334; Dean and Pagano 2015, ibid. 3:484).
    """
    mean, variance = float(data.mean()), float(data.var(ddof=1))
    if variance == 0 and 0 < mean < 1:
        return Interval(mean, mean, mean, data.size, "wilson_effective")
    size = data.size * mean * (1 - mean) / variance if variance and 0 < mean < 1 else float(data.size)
    t = _t_quantile(data.size - 1, confidence)
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
    y = _t_quantile(n - 1, confidence) / math.sqrt(n)

    def back(value: float) -> float:
        value -= skew / (6 * n)
        return (math.cbrt(1 + skew * value) - 1) * 3 / skew if abs(skew) > 1e-6 else value

    s = spread * math.sqrt(n / (n - 1))
    return Interval(mean, max(0.0, mean - s * back(y)), mean - s * back(-y), n, "hall")


Clusters = Sequence[object] | NDArray[np.int64]


def _places(clusters: Clusters) -> NDArray[np.int64]:
    """Cluster of each value as a number from 0, shape ``(values,)``."""
    if isinstance(clusters, np.ndarray):
        return np.asarray(np.unique(clusters, return_inverse=True)[1], dtype=np.int64)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(clusters))}
    return np.asarray([numbers[label] for label in clusters], dtype=np.int64)


def _standard_error(data: NDArray[np.float64], clusters: Clusters | None) -> tuple[float | None, int]:
    """Standard error of the mean and its degrees of freedom; None with fewer than two units."""
    deviations = data - data.mean()
    if clusters is None:
        if data.size < 2:
            return None, 0
        return math.sqrt(float(deviations @ deviations) / (data.size - 1) / data.size), data.size - 1
    sums = np.bincount(_places(clusters), weights=deviations)
    count = sums.size
    if count < 2:
        return None, 0
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / data.size, count - 1


@lru_cache(maxsize=512)
def _t_quantile(freedom: int, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


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
        places = _places(clusters)
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
    robust, freedom = _standard_error(d, places)
    if robust is None or alone.low is None or alone.high is None:
        return replace(made, low=None, high=None)
    single = _standard_error(d, None)[0] or 0.0
    one = _z((1 + confidence) / 2) if alone.method == "newcombe_mcnemar" else _t_quantile(d.size - 1, confidence)
    stretch = max(1.0, robust / single if single else 1.0) * _t_quantile(freedom, confidence) / one
    most = 1.0 if min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1 else math.inf
    low = alone.estimate - stretch * (alone.estimate - alone.low)
    return replace(made, low=max(-most, low), high=min(most, alone.estimate + stretch * (alone.high - alone.estimate)))


def mean_interval_of_differences(differences: Values, confidence: float = 0.95) -> Interval:
    """Interval (t) of paired differences; unlike `mean_interval` it never takes them for proportions."""
    data = np.asarray(differences, dtype=np.float64)
    mean = float(data.mean())
    error, freedom = _standard_error(data, None)
    if error is None:
        return Interval(mean, None, None, data.size, "t")
    half = _t_quantile(freedom, confidence) * error
    return Interval(mean, mean - half, mean + half, data.size, "t")


def mover(first: Values, second: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Interval for the mean difference of paired scores between 0 and 1: what `newcombe` is for 0/1 values.

    Square-and-add of both means' intervals with their correlation (MOVER: Zou and Donner 2008, Statistics in
    Medicine 27:1693), which is lowered, if positive, by Newcombe's continuity correction as it is at one half, 2/n.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    one, two = _of_scores(a, confidence), _of_scores(b, confidence)
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


def power(n: int, discordance: float, difference: float, *, alpha: float = 0.05) -> float:
    """How often a true difference is called better or worse, summed over every possible outcome.

    That takes McNemar's exact test and, as in `finding`, at least `FEWEST_DISCORDANT` questions that differ.

    `discordance` ψ is the share of questions on which exactly one of the two is right, `difference`
    δ ≤ ψ the true difference: discordant pairs are Binomial(n, ψ), wins among them
    Binomial(·, (ψ+δ)/2ψ) (Connor 1987, Biometrics 43:207).
    """
    from scipy.stats import binom

    if not 0 < discordance <= 1 or abs(difference) > discordance:
        return 0.0
    share = (discordance + difference) / (2 * discordance)
    critical = _critical(n, alpha)
    pairs = np.arange(n + 1)
    rejected = binom.cdf(critical, pairs, share) + binom.sf(pairs - critical - 1, pairs, share)
    told = (critical >= 0) & (pairs >= FEWEST_DISCORDANT)
    return float(binom.pmf(pairs, n, discordance) @ np.where(told, rejected, 0.0))


@lru_cache(maxsize=64)
def _critical(n: int, alpha: float) -> NDArray[np.int64]:
    """For each number of discordant pairs 0…n the largest minority count that is significant; −1 for none."""
    from scipy.stats import binom

    pairs = np.arange(n + 1)
    guess = binom.ppf(alpha / 2, pairs, 0.5)
    guess = np.where(binom.cdf(guess, pairs, 0.5) > alpha / 2, guess - 1, guess)
    return np.asarray(np.maximum(guess, -1), dtype=np.int64)


def smallest_detectable(
    n: int, discordance: float = 0.25, *, power_wanted: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Smallest true difference of two proportions that this test set finds with `power_wanted`.

    Exact for n ≤ 2,000 (bisection on `power`); beyond that δ = (z_{α/2}+z_β)·√(ψ/(n+(z_{α/2}+z_β)²)),
    from n = (z_{α/2}+z_β)²(ψ−δ²)/δ². None when even δ = ψ would be missed.
    """
    if n < 1 or not 0 < discordance <= 1:
        return None
    if n > 2_000:
        z = _z(1 - alpha / 2) + _z(power_wanted)
        delta = z * math.sqrt(discordance / (n + z * z))
        return delta if delta <= discordance else None
    if power(n, discordance, discordance, alpha=alpha) < power_wanted:
        return None
    low, high = 0.0, discordance
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, discordance, middle, alpha=alpha) >= power_wanted else (middle, high)
    return high


def questions_needed(
    difference: float, discordance: float = 0.25, *, power_wanted: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Fewest questions with which a true difference is found with `power_wanted`.

    Exact up to 2,000 (bisection on `power`, which wavers by a few questions because outcomes are counts); beyond that
    n = (z_{α/2}+z_β)²(ψ−δ²)/δ², as in `smallest_detectable`. None when the difference is not between 0 and ψ.
    """
    if not 0 < difference <= discordance <= 1:
        return None
    if power(2_000, discordance, difference, alpha=alpha) < power_wanted:
        z = _z(1 - alpha / 2) + _z(power_wanted)
        return math.ceil(z * z * (discordance - difference**2) / difference**2)
    return 1 + bisect_left(
        range(1, 2_000), True, key=lambda n: power(n, discordance, difference, alpha=alpha) >= power_wanted
    )


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
