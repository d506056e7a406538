"""What a decision weighs: a criterion reads one measured value of an approach, with its interval."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.evaluation import ApproachResult
from core.measures import Interval
from core.registry import Registry

__all__ = ["CRITERIA", "Criterion", "Gate", "GateOutcome", "GateResult", "check_gate"]

GateOutcome = Literal["pass", "fail", "unclear", "unmeasured"]


@dataclass(frozen=True)
class Criterion(ABC):
    """One concern; its sentences are ``decision.criterion.<name>`` and ``….help``."""

    name: ClassVar[str]
    higher_is_better: ClassVar[bool]
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]]

    @abstractmethod
    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the measured value with its interval, or None where nothing was measured."""


CRITERIA: Registry[Criterion] = Registry("core.decision.criteria", Criterion)  # type: ignore[type-abstract]  # only looked up
"""All criteria by name."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A hard requirement: a criterion and the limit that it must keep."""

    criterion: str
    limit: float
    """In the criterion's unit: a share of 0…1, money per 1,000 answers, seconds, tokens."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether one approach keeps one hard requirement."""

    approach_id: str
    criterion: str
    limit: float
    outcome: GateOutcome
    """``unclear``: the interval holds the limit, so the test cannot tell."""
    measured: Interval | None


_FEW = 10
"""Values below which all being equal says little about the next one."""


def check_gate(gate: Gate, approach: ApproachResult) -> GateResult:
    """Hold an approach against a requirement.

    It passes when its whole interval keeps the limit and fails when none of it does. A ratio of two means (n = 0) has
    no interval and is judged by itself; a mean of one value, or of a few that happen to be equal, is unclear.
    """
    criterion = CRITERIA.get(gate.criterion)()
    measured = criterion.measure(approach)
    if measured is None:
        return GateResult(approach.approach_id, gate.criterion, gate.limit, "unmeasured", None)
    if measured.n and (measured.low is None or (measured.low == measured.high and measured.n < _FEW)):
        return GateResult(approach.approach_id, gate.criterion, gate.limit, "unclear", measured)
    low = measured.estimate if measured.low is None else measured.low
    high = measured.estimate if measured.high is None else measured.high
    worst, best = (low, high) if criterion.higher_is_better else (high, low)
    outcome: GateOutcome = "unclear"
    if _keeps(worst, gate.limit, criterion):
        outcome = "pass"
    elif not _keeps(best, gate.limit, criterion):
        outcome = "fail"
    return GateResult(approach.approach_id, gate.criterion, gate.limit, outcome, measured)


def _keeps(value: float, limit: float, criterion: Criterion) -> bool:
    return value >= limit if criterion.higher_is_better else value <= limit
