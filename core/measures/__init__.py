"""Measures: the metrics (one file each) and the statistics that tell a difference from chance."""

from __future__ import annotations

import logging

from core.errors import as_kurabe_error
from core.registry import Registry, spec_of

from .case import Case, Embed, Language, Measured, Metric, ShownPassage
from .detectable import power, questions_needed, smallest_detectable
from .expectation import Expectation, expectation
from .intervals import FEWEST_CLUSTERS, Interval, mean_interval, percentile_interval, proportion_interval
from .judged import Choice, JudgedMetric, claims, read_choice, read_scale, read_yes_no
from .quoting import PassageUse, passages_used
from .statistics import Difference, Verdict, finding, holm, paired_difference
from .text import abstains, citations, without_reasoning

__all__ = [
    "FEWEST_CLUSTERS",
    "METRICS",
    "PRIMARY",
    "Case",
    "Choice",
    "Difference",
    "Embed",
    "Expectation",
    "Interval",
    "JudgedMetric",
    "Language",
    "Measured",
    "Metric",
    "PassageUse",
    "ShownPassage",
    "Verdict",
    "abstains",
    "citations",
    "claims",
    "expectation",
    "finding",
    "holm",
    "mean_interval",
    "measure",
    "paired_difference",
    "passages_used",
    "percentile_interval",
    "power",
    "proportion_interval",
    "read_choice",
    "read_scale",
    "read_yes_no",
    "questions_needed",
    "smallest_detectable",
    "spec_of",
    "without_reasoning",
]

logger = logging.getLogger(__name__)

METRICS: Registry[Metric] = Registry("core.measures.metrics", Metric)  # type: ignore[type-abstract]  # only looked up, never built
"""All metrics by name."""

PRIMARY = "correct"
"""The primary metric unless an experiment names another beforehand."""


def measure(metric: Metric, case: Case) -> Measured:
    """Score a case; a metric that breaks gives a visible failure with its error, never an exception."""
    try:
        return metric.score(case)
    except Exception as error:
        known = as_kurabe_error(error)
        logger.warning("metric %s failed: %s", metric.name, known)
        return Measured(None, "metric_failed", {"code": known.code, **known.params})
