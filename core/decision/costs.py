"""What an approach costs over time, and at which volume one becomes cheaper than another."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Running", "break_even", "cost_of_pass", "total_cost"]


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of one approach's cost, all in one currency."""

    setup: Decimal
    """U: paid once (training, indexing)."""
    monthly: Decimal
    """F: paid each month whatever the volume (hosting)."""
    refresh: Decimal
    """R: paid each time the knowledge changes (training again, or indexing what changed)."""
    per_answer: Decimal
    """c: paid for each answer."""


def total_cost(cost: Running, *, months: int, refreshes_per_month: float, answers_per_month: int) -> Decimal:
    """Return U + t·(F + ρ·R) + t·N·c.

    Args:
        cost: the approach's parts.
        months: t.
        refreshes_per_month: ρ.
        answers_per_month: N.
    """
    standing = cost.monthly + Decimal(str(refreshes_per_month)) * cost.refresh
    return cost.setup + months * standing + months * answers_per_month * cost.per_answer


def break_even(first: Running, second: Running, *, months: int, refreshes_per_month: float) -> Decimal | None:
    """Return the answers per month above which `first` is the cheaper one, or None if that never happens.

    N* = [ΔU + t·(ΔF + ρ·ΔR)] / (t·(c₂ − c₁)) with Δ = first − second. Where `first` is cheaper from the start,
    the result is 0.
    """
    saved = second.per_answer - first.per_answer
    ahead = (
        first.setup
        - second.setup
        + months
        * (first.monthly - second.monthly + Decimal(str(refreshes_per_month)) * (first.refresh - second.refresh))
    )
    if saved <= 0:
        return Decimal(0) if ahead < 0 and saved == 0 else None
    return max(Decimal(0), ahead / (months * saved))


def cost_of_pass(per_answer: Decimal, share_correct: float) -> Decimal | None:
    """Return the cost of one correct answer, c ÷ success rate (Erol et al. 2025, arXiv 2504.13359); None if none is."""
    return per_answer / Decimal(str(share_correct)) if share_correct > 0 else None
