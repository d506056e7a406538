"""How long people wait for the first word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class FirstWord(Criterion):
    """Median time to the first token of an answer that is asked alone, retrieval included."""

    name: ClassVar[str] = "first_word"
    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "seconds"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the median with its interval."""
        return approach.latency.first_token.get("p50")
