"""What a test of so many questions can find: power, smallest difference, questions needed."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .intervals import normal_quantile
from .statistics import FEWEST_DISCORDANT


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
        z = normal_quantile(1 - alpha / 2) + normal_quantile(power_wanted)
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
        z = normal_quantile(1 - alpha / 2) + normal_quantile(power_wanted)
        return math.ceil(z * z * (discordance - difference**2) / difference**2)
    return 1 + bisect_left(
        range(1, 2_000), True, key=lambda n: power(n, discordance, difference, alpha=alpha) >= power_wanted
    )
