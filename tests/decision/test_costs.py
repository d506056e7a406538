"""Costs over time add up, and the break-even volume is where the two totals meet."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.decision.costs import Running, break_even, cost_of_pass, total_cost

amounts = st.decimals(min_value=0, max_value=10_000, places=4)
runnings = st.builds(Running, amounts, amounts, amounts, amounts)


def running(setup: str, monthly: str, refresh: str, per_answer: str) -> Running:
    return Running(Decimal(setup), Decimal(monthly), Decimal(refresh), Decimal(per_answer))


def test_the_total_is_setup_plus_standing_plus_answers() -> None:
    cost = running("100", "10", "5", "0.01")
    assert total_cost(cost, months=12, refreshes_per_month=2, answers_per_month=1000) == Decimal("460")


def test_a_published_example_of_tuning_against_retrieval_comes_out() -> None:
    # 3,000 against 300 prompt tokens on a hosted small model, 9 dollars of training: 37,500 answers.
    tuned, retrieval = running("9", "0", "0", "0.00033"), running("0", "0", "0", "0.00057")
    assert break_even(tuned, retrieval, months=1, refreshes_per_month=0) == Decimal("37500")


def test_what_costs_more_per_answer_never_catches_up() -> None:
    assert (
        break_even(running("1", "0", "0", "0.02"), running("0", "0", "0", "0.01"), months=12, refreshes_per_month=1)
        is None
    )


def test_what_is_cheaper_in_everything_is_so_from_the_first_answer() -> None:
    assert (
        break_even(running("0", "0", "0", "0.01"), running("9", "1", "1", "0.02"), months=3, refreshes_per_month=1) == 0
    )


@given(runnings, runnings, st.integers(1, 36), st.integers(0, 10))
def test_at_the_break_even_volume_both_cost_the_same(
    first: Running, second: Running, months: int, refreshes: int
) -> None:
    volume = break_even(first, second, months=months, refreshes_per_month=refreshes)
    if volume is None or volume == 0:
        return
    standing = [c.setup + months * (c.monthly + refreshes * c.refresh) for c in (first, second)]
    totals = [s + months * volume * c.per_answer for s, c in zip(standing, (first, second), strict=True)]
    assert abs(totals[0] - totals[1]) <= Decimal("1e-9") * max(1, abs(totals[0]))


def test_a_correct_answer_costs_more_the_rarer_it_is() -> None:
    assert cost_of_pass(Decimal("0.01"), 0.5) == Decimal("0.02")
    assert cost_of_pass(Decimal("0.01"), 0.0) is None
