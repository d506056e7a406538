"""Robustness: what becomes of right answers when search is down, passages are shuffled, or the wording changes."""

from .config import PROBES, RobustnessConfig, RobustnessPlan
from .outcome import ProbeResult, RobustnessOutcome, robustness_outcome
from .planning import current_look, plan_robustness, start_robustness
from .probes import abilities, reworded

__all__ = [
    "PROBES",
    "ProbeResult",
    "RobustnessConfig",
    "RobustnessOutcome",
    "RobustnessPlan",
    "abilities",
    "current_look",
    "plan_robustness",
    "reworded",
    "robustness_outcome",
    "start_robustness",
]
