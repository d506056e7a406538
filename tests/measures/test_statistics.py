"""The statistics: known values, scipy's own answers, and properties that must hold for any data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, permutation_test, ttest_1samp
from statsmodels.stats.multitest import multipletests

from core.measures import (
    finding,
    holm,
    mean_interval,
    paired_difference,
    percentile_interval,
    power,
    proportion_interval,
    smallest_detectable,
)
from core.measures.statistics import mcnemar, newcombe, sign_flip

BITS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=80)


def test_wilson_gives_the_published_ranges() -> None:
    assert proportion_interval(17, 20).low == pytest.approx(0.640, abs=0.001)
    assert proportion_interval(17, 20).high == pytest.approx(0.948, abs=0.001)
    assert proportion_interval(5, 5).low == pytest.approx(0.566, abs=0.001)


def test_newcombe_gives_the_limits_of_his_own_table() -> None:
    # Newcombe 1998 (paired), table II, method 10
    assert newcombe(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-4)
    assert newcombe(20, 12, 2, 16) == pytest.approx((0.0562, 0.3292), abs=5e-4)


def test_mcnemar_is_the_binomial_on_discordant_pairs() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(9, 1) == pytest.approx(22 / 1024)


def test_a_mean_of_continuous_values_gets_the_t_interval_of_scipy() -> None:
    data = [0.2, 0.5, 0.9, 1.4, 0.3]
    expected = ttest_1samp(data, 0).confidence_interval(0.95)
    interval = mean_interval(data)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_questions_of_one_document_widen_the_interval() -> None:
    data = [0.1] * 10 + [0.9] * 10
    alone, grouped = mean_interval(data), mean_interval(data, clusters=["a"] * 10 + ["b"] * 10)
    assert alone.low is not None and grouped.low is not None and grouped.low < alone.low


def test_clusters_of_one_question_each_change_nothing() -> None:
    data = [0.2, 0.5, 0.9, 1.4, 0.3]
    single = mean_interval(data, clusters=range(5))
    assert (single.low, single.high) == pytest.approx((mean_interval(data).low, mean_interval(data).high))


def test_one_value_has_a_mean_but_no_interval() -> None:
    interval = mean_interval([0.3])
    assert interval.estimate == 0.3 and interval.low is None and interval.high is None


@given(st.integers(0, 400), st.integers(0, 400))
@settings(deadline=None, max_examples=80)
def test_short_forms_equal_scipy(right: int, wrong: int) -> None:
    if right + wrong == 0:
        return
    test = binomtest(right, right + wrong)
    ends = test.proportion_ci(0.95, method="wilson")
    interval = proportion_interval(right, right + wrong)
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), abs=1e-10)
    assert mcnemar(right, wrong) == pytest.approx(test.pvalue, abs=1e-10)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None, max_examples=40)
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_holm_steps_down_and_never_orders_differently() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_sign_flip_is_exact_for_few_questions() -> None:
    assert sign_flip([0.1, 0.2, 0.3]) == pytest.approx(0.25)
    assert sign_flip([0.0, 0.0]) == 1.0


def test_fewer_than_ten_discordant_questions_are_not_enough() -> None:
    nine = paired_difference([1] * 9 + [0] * 91, [0] * 100)
    assert nine.p_value < 0.05 and finding(nine, nine.p_value) == "not_enough"
    ten = paired_difference([1] * 10 + [0] * 90, [0] * 100)
    assert finding(ten, ten.p_value) == "better"
    assert finding(paired_difference([0] * 100, [1] * 10 + [0] * 90), 0.002) == "worse"
    assert finding(ten, 0.2) == "no_difference"


@pytest.mark.parametrize(("n", "discordance", "difference"), [(40, 0.3, 0.2), (60, 0.12, 0.1)])
def test_power_matches_a_direct_sum_over_what_would_be_called_a_difference(
    n: int, discordance: float, difference: float
) -> None:
    share = (discordance + difference) / (2 * discordance)
    total = sum(
        binom.pmf(m, n, discordance) * binom.pmf(k, m, share)
        for m in range(10, n + 1)  # with fewer questions that differ the word is "not enough data"
        for k in range(m + 1)
        if mcnemar(k, m - k) <= 0.05
    )
    assert power(n, discordance, difference) == pytest.approx(total, abs=1e-9)


def test_the_smallest_detectable_difference_shrinks_with_the_test_set() -> None:
    sizes = [smallest_detectable(n) for n in (50, 100, 200, 400, 3000)]
    assert all(s is not None for s in sizes)
    assert sizes == sorted(sizes, reverse=True)  # type: ignore[type-var]  # None was excluded above
    assert sizes[1] == pytest.approx(0.135, abs=0.02)
    assert smallest_detectable(12) is None


@pytest.mark.parametrize(("quantile", "needed"), [(0.5, 6), (0.95, 59), (0.99, 299)])
def test_a_percentile_appears_only_when_the_sample_supports_it(quantile: float, needed: int) -> None:
    assert percentile_interval(range(needed - 1), quantile) is None
    interval = percentile_interval(range(needed), quantile)
    assert interval is not None and interval.low is not None and interval.high is not None
    assert interval.low <= interval.estimate <= interval.high


@given(BITS)
@settings(deadline=None, max_examples=60)
def test_swapping_two_approaches_turns_the_difference_around(pairs: list[tuple[int, int]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    one, two = paired_difference(a, b), paired_difference(b, a)
    assert one.estimate == -two.estimate and one.p_value == two.p_value
    assert one.low is not None and two.high is not None and math.isclose(one.low, -two.high, abs_tol=1e-12)
    assert (one.up, one.down, one.equal) == (two.down, two.up, two.equal)


@given(BITS)
@settings(deadline=None, max_examples=60)
def test_an_interval_holds_its_estimate_and_stays_possible(pairs: list[tuple[int, int]]) -> None:
    difference = paired_difference([p[0] for p in pairs], [p[1] for p in pairs])
    assert difference.low is not None and difference.high is not None
    assert -1 <= difference.low <= difference.estimate <= difference.high <= 1
    share = proportion_interval(sum(p[0] for p in pairs), len(pairs))
    assert share.low is not None and share.high is not None and 0 <= share.low <= share.estimate <= share.high <= 1


@pytest.mark.parametrize("n", [30, 100, 300])
@pytest.mark.parametrize(
    ("p1", "p2", "correlation"), [(0.5, 0.5, 0.0), (0.7, 0.6, 0.4), (0.9, 0.9, 0.3), (0.3, 0.1, 0.0)]
)
def test_paired_intervals_cover_and_alarms_are_rare(n: int, p1: float, p2: float, correlation: float) -> None:
    both = p1 * p2 + correlation * math.sqrt(p1 * (1 - p1) * p2 * (1 - p2))
    cells = np.random.default_rng(7).multinomial(n, [both, p1 - both, p2 - both, 1 - p1 - p2 + both], size=600)
    inside = alarms = 0
    for c in cells:
        low, high = newcombe(*(int(x) for x in c))
        inside += low <= p1 - p2 <= high
        alarms += mcnemar(int(c[1]), int(c[2])) < 0.05
    assert inside / 600 >= 0.91
    if p1 == p2:
        assert alarms / 600 <= 0.06


@pytest.mark.parametrize("shift", [0.0, 0.012, 0.03])
def test_flipping_equal_magnitudes_together_gives_what_scipy_gives(shift: float) -> None:
    dice = np.random.default_rng(3)
    data = np.round(dice.normal(shift, 0.4, 1_500) * 5) / 5
    expected = permutation_test(
        (data,), lambda x, axis=-1: x.mean(axis=axis), permutation_type="samples", vectorized=True, batch=500, rng=7
    ).pvalue
    found = sign_flip(data)
    assert found == sign_flip(data), "the seed is fixed"
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 9_999) ** 0.5 * 2**0.5 + 2e-4)


def test_clusters_of_one_pair_each_leave_a_comparison_exactly_as_it_is() -> None:
    dice = np.random.default_rng(5)
    for draw in (lambda: dice.integers(0, 2, 40).astype(float), lambda: dice.random(40), lambda: dice.normal(size=40)):
        a, b = draw(), draw()
        assert paired_difference(a, b, clusters=range(40)) == paired_difference(a, b)


@pytest.mark.parametrize("binary", [True, False])
def test_repeating_every_pair_within_its_cluster_adds_no_evidence(binary: bool) -> None:
    dice = np.random.default_rng(6)
    a, b = (dice.integers(0, 2, 30) if binary else dice.random(30) for _ in range(2))
    four = [np.repeat(np.asarray(x, dtype=float), 4) for x in (a, b)]
    alone, naive = paired_difference(a, b), paired_difference(*four)
    grouped = paired_difference(*four, clusters=np.repeat(np.arange(30), 4))
    flipped = sign_flip(np.asarray(a, dtype=float) - b)
    assert grouped.estimate == pytest.approx(alone.estimate) and grouped.p_value == pytest.approx(flipped, abs=0.02)
    assert None not in (alone.low, alone.high, naive.low, naive.high, grouped.low, grouped.high)
    width = (grouped.high - grouped.low) / (alone.high - alone.low)  # type: ignore[operator]  # not None
    assert width == pytest.approx(1, abs=0.12) and naive.high - naive.low < 0.6 * (alone.high - alone.low)  # type: ignore[operator]
    assert paired_difference(*four, clusters=[f"c{i // 4}" for i in range(120)]) == grouped, "labels may be anything"


def test_one_cluster_alone_says_nothing_of_others() -> None:
    found = paired_difference([1.0] * 20, [0.0] * 20, clusters=["manual"] * 20)
    assert (found.low, found.high, found.p_value) == (None, None, 1.0)
