"""Evaluation: a whole test set, measured so that a difference can be believed."""

from .attribution import attribute, cause
from .cases import SHOWN, SORTED, CaseFilter, CasePage, CaseRow, answer_scores, cases, count_cases
from .changes import Change, Changes, compare_experiments
from .config import DEFAULT_METRICS, ExperimentConfig, Plan, PlannedApproach
from .confusion import Confusion
from .export import EXPORTS, export_rows, write_answers
from .kept import confusion, keep_results, results
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
from .results import compute_results
from .running import ExperimentRun, latency_blocks
from .scoring import Scorer, rescore, score_live
from .seal import Openings, openings

__all__ = [
    "DEFAULT_METRICS",
    "EXPORTS",
    "SHOWN",
    "SORTED",
    "ApproachResult",
    "Attribution",
    "CaseFilter",
    "CasePage",
    "CaseRow",
    "Change",
    "Changes",
    "Comparison",
    "Confusion",
    "Cost",
    "Counts",
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
    "compare_experiments",
    "compute_results",
    "confusion",
    "count_cases",
    "default_config",
    "draw",
    "experiments",
    "export_rows",
    "keep_results",
    "latency_blocks",
    "latest_experiment",
    "openings",
    "plan_experiment",
    "rescore",
    "results",
    "score_live",
    "start_experiment",
    "write_answers",
]
