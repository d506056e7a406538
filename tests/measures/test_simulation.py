"""A quick run of the simulation over the whole grid; `make bench-statistics` draws ten times as often."""

from __future__ import annotations

import pytest

from core.measures import mean_interval, paired_difference
from tests.benchmarks.statistics import SIZES, failures, few_discordant, simulate, table

DRAWS = 200


def test_intervals_cover_and_alarms_are_rare_over_the_whole_grid() -> None:
    cells = simulate(DRAWS)
    assert {cell.n for cell in cells} == set(SIZES)
    assert not failures(cells, DRAWS), table(cells)


def test_nine_questions_that_differ_are_never_enough_however_they_fall() -> None:
    assert few_discordant()


def test_what_is_simulated_is_what_pages_show() -> None:
    scores, others = [0.2, 1.0, 0.4, 0.9, 1.0, 0.5], [0.1, 1.0, 0.6, 0.2, 0.8, 0.5]
    assert mean_interval(scores, bounds=(0.0, 1.0)).method == "wilson_effective"
    assert mean_interval(scores, bounds=(0.0, float("inf"))).method == "hall"
    assert paired_difference(scores, others).method == "mover_signflip"


def test_amounts_without_skew_get_the_t_interval() -> None:
    symmetric = [9.0, 10.0, 11.0, 10.0, 8.0, 12.0]
    plain, allowed = mean_interval(symmetric), mean_interval(symmetric, bounds=(0.0, float("inf")))
    assert (allowed.low, allowed.high) == pytest.approx((plain.low, plain.high))
