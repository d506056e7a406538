"""Evaluation: a whole test set, measured so that a difference can be believed."""

from .attribution import attribute, cause
from .cases import CasePage, CaseRow, answer_scores, cases, export_rows
from .config import DEFAULT_METRICS, ExperimentConfig, Plan, PlannedApproach
from .confusion import Confusion, confusion
from .echoes import Echo, echo
from .planning import (
    default_config,
    draw,
    experiments,
    latest_experiment,
    plan_experiment,
    start_experiment,
)
from .report import (
    ApproachResult,
    Attribution,
    Comparison,
    Cost,
    Counts,
    Headroom,
    Latency,
    MetricResult,
    Results,
    Retrieval,
    Tokens,
    Twins,
)
from .results import results
from .running import ExperimentRun, latency_blocks
from .scoring import Scorer, rescore, score_live
from .seal import Openings, openings

__all__ = [
    "DEFAULT_METRICS",
    "ApproachResult",
    "Attribution",
    "CasePage",
    "CaseRow",
    "Comparison",
    "Confusion",
    "Cost",
    "Counts",
    "Echo",
    "ExperimentConfig",
    "ExperimentRun",
    "Headroom",
    "Latency",
    "MetricResult",
    "Openings",
    "Plan",
    "PlannedApproach",
    "Results",
    "Retrieval",
    "Scorer",
    "Tokens",
    "Twins",
    "answer_scores",
    "attribute",
    "cases",
    "cause",
    "confusion",
    "default_config",
    "draw",
    "echo",
    "experiments",
    "export_rows",
    "latency_blocks",
    "latest_experiment",
    "openings",
    "plan_experiment",
    "rescore",
    "results",
    "score_live",
    "start_experiment",
]
