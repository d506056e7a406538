"""Figures drawn from plain values, so that pages and the report show the same; an approach looks alike everywhere."""

from core.charts.answers import (
    PART_COLOURS,
    AnswerFigures,
    answer_costs,
    answer_tokens,
    latency_parts,
    latency_strip,
    parts_seen,
    spans_by_part,
)
from core.charts.confusion import confusion_chart
from core.charts.headroom import headroom_chart
from core.charts.profiles import length_chart, share_chart
from core.charts.results import (
    Bar,
    MeasuredApproach,
    cost_per_1000,
    latency_overview,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
)
from core.charts.retrieval import sweep_chart
from core.charts.spending import cost_by_part
from core.charts.theme import LOOKS, Look, alt_of, look, styled
from core.charts.tradeoff import tradeoff, tradeoff_latency
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
from core.charts.waiting import latency_distribution

__all__ = [
    "LOOKS",
    "PART_COLOURS",
    "AnswerFigures",
    "Bar",
    "Look",
    "MeasuredApproach",
    "accuracy_curve",
    "alt_of",
    "answer_costs",
    "answer_tokens",
    "confusion_chart",
    "cost_by_part",
    "cost_per_1000",
    "gradient_curve",
    "headroom_chart",
    "latency_distribution",
    "latency_overview",
    "latency_parts",
    "latency_strip",
    "learning_curve",
    "length_chart",
    "look",
    "loss_comparison",
    "loss_curve",
    "margin_curve",
    "parts_seen",
    "quality_by_slice",
    "quality_overview",
    "rate_curve",
    "seed_spread",
    "share_chart",
    "spans_by_part",
    "styled",
    "sweep_chart",
    "thinned",
    "tokens_per_answer",
    "tradeoff",
    "tradeoff_latency",
]
