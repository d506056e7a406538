"""Whether a judge agrees with people: the pairs of answers that both compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.evaluation import judged_pairs
from core.measures import Choice, Interval, proportion_interval
from core.store import read
from core.store import tables as tb

__all__ = ["Agreement", "agreement", "kappa"]

_KINDS: tuple[Choice, ...] = ("first", "second", "tie")


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge beside people, on the pairs that both compared."""

    pairs: int
    """Pairs with at least one vote and a verdict of the judge."""
    voters: int
    agree: Interval
    """Share of pairs on which the judge says what most people say; people who are split count as a tie."""
    kappa: float | None
    """Cohen's κ: 0 is what chance would give, 1 is always; None when one side always says the same."""
    opposed: int
    """Pairs on which the judge prefers one answer and people the other."""


def agreement(judging_id: str) -> Agreement | None:
    """Hold a judge against the votes; None while nobody voted on a pair that it judged.

    Raises:
        KurabeError: ``store.missing``.
    """
    pairs = {frozenset((p.first, p.second)): p for p in judged_pairs(judging_id) if p.verdict is not None}
    votes, voters = _votes(set(pairs))
    both: list[tuple[Choice, Choice]] = []
    for key, values in votes.items():
        verdict = pairs[key].verdict
        assert verdict is not None, "only pairs with a verdict were looked up"
        both.append((verdict, _most(values, pairs[key].first)))
    if not both:
        return None
    same = sum(judge == people for judge, people in both)
    opposed = sum("tie" not in said and said[0] != said[1] for said in both)
    return Agreement(len(both), len(voters), proportion_interval(same, len(both)), kappa(both), opposed)


def _votes(keys: set[frozenset[str]]) -> tuple[dict[frozenset[str], list[str]], set[str]]:
    """Answers that people preferred ("" for a tie), by pair, and who voted."""
    wanted = select(tb.Vote).where(tb.Vote.kind == "preference", tb.Vote.right_answer_id.is_not(None))
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    voters: set[str] = set()
    with read() as session:
        for vote in session.scalars(wanted):
            key = frozenset((vote.left_answer_id, str(vote.right_answer_id)))
            if key in keys:
                chosen = {"left": vote.left_answer_id, "right": str(vote.right_answer_id)}.get(vote.value, "")
                found[key].append(chosen)
                voters.add(vote.voter)
    return found, voters


def _most(values: Sequence[str], first: str) -> Choice:
    """What most people say about a pair; a tie when no side has more votes than the other two outcomes each."""
    counts = Counter("tie" if not value else "first" if value == first else "second" for value in values)
    (best, number), *rest = counts.most_common()
    if rest and rest[0][1] == number:
        return "tie"
    return "first" if best == "first" else "second" if best == "second" else "tie"


def kappa(both: Sequence[tuple[Choice, Choice]]) -> float | None:
    """Cohen's κ of two raters: (p_o − p_e) / (1 − p_e) (Cohen 1960, Educ. Psychol. Meas. 20:37)."""
    n = len(both)
    if not n:
        return None
    observed = sum(a == b for a, b in both) / n
    one, two = Counter(a for a, _ in both), Counter(b for _, b in both)
    expected = sum(one[kind] * two[kind] for kind in _KINDS) / n**2
    return (observed - expected) / (1 - expected) if expected < 1 else None
