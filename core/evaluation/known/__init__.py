"""Known: which training rows the base model answers rightly closed book, before any training."""

from .config import KnownConfig, KnownPlan
from .outcome import KnownOutcome, KnownRow, KnownSlice, Show, known_outcome, known_rows, latest_known
from .planning import plan_known, start_known

__all__ = [
    "KnownConfig",
    "KnownOutcome",
    "KnownPlan",
    "KnownRow",
    "KnownSlice",
    "Show",
    "known_outcome",
    "known_rows",
    "latest_known",
    "plan_known",
    "start_known",
]
