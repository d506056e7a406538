"""Whether answers follow documents that changed after training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class UpToDate(Criterion):
    """The primary metric on questions whose answer changed since the training data was written."""

    name: ClassVar[str] = "up_to_date"
    higher_is_better: ClassVar[bool] = True
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "share"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the share with its interval, or None if no question is of that kind."""
        return approach.coverage.get("changed")
