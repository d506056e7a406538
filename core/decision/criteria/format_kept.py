"""Whether answers keep the required format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class FormatKept(Criterion):
    """Share of answers with the fields and values that a JSON answer must have."""

    name: ClassVar[str] = "format_kept"
    higher_is_better: ClassVar[bool] = True
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "share"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the share with its interval."""
        found = approach.metrics.get("field_accuracy")
        return found.interval if found else None
