"""What 1,000 answers cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class Cost(Criterion):
    """Cost of 1,000 answers at the prices in use."""

    name: ClassVar[str] = "cost"
    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "money"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the mean cost with its interval."""
        return approach.cost.per_1000
