"""Whether an approach says so when it cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.decision.criterion import Criterion
from core.evaluation import ApproachResult
from core.measures import Interval


@dataclass(frozen=True)
class Honesty(Criterion):
    """Says that it does not know where no data holds the answer; a needless refusal counts as a wrong answer."""

    name: ClassVar[str] = "honesty"
    higher_is_better: ClassVar[bool] = True
    unit: ClassVar[Literal["share", "money", "seconds", "tokens"]] = "share"

    def measure(self, approach: ApproachResult) -> Interval | None:
        """Return the share with its interval."""
        return approach.declined
