"""How long people wait for the whole answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class WaitingTime(Criterion):
    """Median time to the end of an answer that is asked alone, retrieval included."""

    name: ClassVar[str] = "waiting_time"
    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "seconds"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the median with its interval."""
        return approach.latency.total.get("p50")
