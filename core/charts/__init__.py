"""Figures drawn from plain values, so that pages and the report show the same; an approach looks alike everywhere."""

from core.charts.answers import AnswerFigures, latency_parts, latency_strip, spans_by_part, tokens_and_cost
from core.charts.confusion import confusion_chart
from core.charts.headroom import headroom_chart
from core.charts.results import (
    Bar,
    MeasuredApproach,
    cost_per_1000,
    latency_overview,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
)
from core.charts.retrieval import sweep_chart
from core.charts.theme import LOOKS, Look, alt_of, look, styled
from core.charts.training import (
    accuracy_curve,
    gradient_curve,
    learning_curve,
    loss_comparison,
    loss_curve,
    margin_curve,
    rate_curve,
    seed_spread,
    thinned,
)

__all__ = [
    "LOOKS",
    "AnswerFigures",
    "Bar",
    "Look",
    "MeasuredApproach",
    "accuracy_curve",
    "alt_of",
    "confusion_chart",
    "cost_per_1000",
    "gradient_curve",
    "headroom_chart",
    "latency_overview",
    "latency_parts",
    "latency_strip",
    "learning_curve",
    "look",
    "loss_comparison",
    "loss_curve",
    "margin_curve",
    "quality_by_slice",
    "quality_overview",
    "rate_curve",
    "seed_spread",
    "spans_by_part",
    "styled",
    "sweep_chart",
    "thinned",
    "tokens_and_cost",
    "tokens_per_answer",
    "tradeoff",
]
