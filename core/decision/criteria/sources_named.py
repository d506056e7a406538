"""Whether answers name the passage they rest on, correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class SourcesNamed(Criterion):
    """Share of answers that cite a passage which holds the answer."""

    name: ClassVar[str] = "sources_named"
    higher_is_better: ClassVar[bool] = True
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "share"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the share with its interval."""
        found = approach.metrics.get("citation")
        return found.interval if found else None
