"""How often an approach answers correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class Correct(Criterion):
    """The primary metric over all questions."""

    name: ClassVar[str] = "correct"
    higher_is_better: ClassVar[bool] = True
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "share"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the share with its interval."""
        return approach.correct
