"""Figures of single answers: where the time went, how many tokens, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.charts.results import tokens_title
from core.charts.theme import look, plain, styled
from core.i18n import format_duration, format_money, format_number, t

__all__ = ["PARTS", "AnswerFigures", "latency_strip", "latency_parts", "spans_by_part", "tokens_and_cost"]

PARTS: dict[str, tuple[str, ...]] = {
    "start": ("connect",),
    "retrieve": ("embed", "search", "rerank"),
    "wait": ("prepare", "queue"),
    "first_token": ("first_token",),
    "decode": ("decode", "generate"),
}
"""What is drawn, and the measured spans that it sums."""

_PART_COLOURS = {
    "start": "#6B7280",
    "retrieve": "#0072B2",
    "wait": "#A3ABB5",
    "first_token": "#E69F00",
    "decode": "#009E73",
}

_VISIBLE = 0.005
"""Share of the longest bar from which a part can be seen."""


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """What the figures need of one answer."""

    label: str
    """Name of the approach, as the page shows it."""
    preset: str
    spans: Mapping[str, Any]
    """Seconds by span."""
    prompt_tokens: int | None
    """None where nobody counted."""
    context_tokens: int
    """Of the prompt, those of passages and examples."""
    completion_tokens: int | None
    cost: float | None
    currency: str


def spans_by_part(spans: Mapping[str, Any]) -> dict[str, float]:
    """Return seconds by the parts that are drawn; what was not observed counts nothing."""
    return {part: sum(float(spans.get(name) or 0.0) for name in names) for part, names in PARTS.items()}


def latency_strip(spans: Mapping[str, Any], longest: float) -> go.Figure:
    """Return one answer's time as a single stacked bar, on a scale that its neighbours share.

    Args:
        spans: seconds by span.
        longest: total seconds of the slowest neighbour.
    """
    figure = go.Figure()
    for part, seconds in spans_by_part(spans).items():
        name = t(f"charts.part.{part}")
        figure.add_bar(
            x=[seconds],
            y=[""],
            orientation="h",
            marker_color=_PART_COLOURS[part],
            hovertemplate=f"{name}: {format_duration(seconds)}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=26,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"visible": False, "range": [0, longest or 1]},
        yaxis={"visible": False},
    )
    return figure


def latency_parts(answers: Sequence[AnswerFigures]) -> go.Figure:
    """Return the waiting time of each answer, stacked by part; seconds."""
    figure = go.Figure()
    labels = [plain(answer.label) for answer in answers]
    totals = [sum(spans_by_part(answer.spans).values()) for answer in answers]
    for part in PARTS:
        seconds = [spans_by_part(answer.spans)[part] for answer in answers]
        if max(seconds, default=0) <= _VISIBLE * max(totals):
            continue  # as the start of a server that ran already: a colour that nobody can find would only puzzle
        name = t(f"charts.part.{part}")
        figure.add_bar(
            y=labels,
            x=seconds,
            orientation="h",
            name=name,
            marker_color=_PART_COLOURS[part],
            customdata=[format_duration(value) for value in seconds],
            hovertemplate=f"%{{y}}<br>{name}: %{{customdata}}<extra></extra>",
        )
    fastest = labels[totals.index(min(totals))]
    title = t("charts.latency.one.title", approach=fastest, time=format_duration(min(totals)))
    alt = [f"{label}: {format_duration(total)}" for label, total in zip(labels, totals, strict=True)]
    styled(figure, title, height=_height(len(labels)), alt=alt)
    figure.update_layout(
        barmode="stack", showlegend=True, legend={"orientation": "h", "y": -0.3, "x": 0, "traceorder": "normal"}
    )
    figure.update_xaxes(title=t("charts.axis.seconds"), rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def tokens_and_cost(answers: Sequence[AnswerFigures]) -> go.Figure:
    """Return tokens of each answer, stacked into question and rules, context, and answer, with its cost beside it.

    An answer whose tokens nobody counted has no bar, and its place says so.
    """
    figure = go.Figure()
    uncounted = [answer for answer in answers if answer.prompt_tokens is None or answer.completion_tokens is None]
    answers = [answer for answer in answers if answer not in uncounted]
    labels = [plain(answer.label) for answer in answers]
    stacks = {
        "question": [(answer.prompt_tokens or 0) - answer.context_tokens for answer in answers],
        "context": [answer.context_tokens for answer in answers],
        "answer": [answer.completion_tokens or 0 for answer in answers],
    }
    shades = {"question": 0.35, "context": 0.65, "answer": 1.0}
    for part, values in stacks.items():
        name = t(f"charts.tokens.{part}")
        figure.add_bar(
            y=labels,
            x=values,
            orientation="h",
            name=name,
            marker={"color": [look(answer.preset).colour for answer in answers], "opacity": shades[part]},
            hovertemplate=f"%{{y}}<br>{name}: %{{x:,}}<extra></extra>",
        )
    totals = [(answer.prompt_tokens or 0) + (answer.completion_tokens or 0) for answer in answers]
    for answer, total in zip(answers, totals, strict=True):
        _beside(figure, answer, total, format_number(total))
    for answer in uncounted:
        figure.add_bar(y=[plain(answer.label)], x=[0], orientation="h", hoverinfo="skip", showlegend=False)
        _beside(figure, answer, 0, t("charts.tokens.unknown"))
    fewest, most = format_number(min(totals, default=0)), format_number(max(totals, default=0))
    title = t(tokens_title(fewest, most) if totals else "charts.tokens.title.none", fewest=fewest, most=most)
    alt = [f"{label}: {format_number(total)}" for label, total in zip(labels, totals, strict=True)]
    alt += [f"{plain(answer.label)}: {t('charts.tokens.unknown')}" for answer in uncounted]
    styled(figure, title, height=_height(len(labels) + len(uncounted)), alt=alt)
    figure.update_layout(barmode="stack")
    widest = max(totals, default=0) * 1.9 or 1
    figure.update_xaxes(title=t("charts.axis.tokens"), rangemode="tozero", range=[0, widest])
    figure.update_yaxes(autorange="reversed")
    return figure


def _beside(figure: go.Figure, answer: AnswerFigures, total: int, tokens: str) -> None:
    """Write tokens and cost beside a bar."""
    cost = format_money(answer.cost * 1000, answer.currency) if answer.cost is not None else "–"
    text = t("charts.tokens.cost", tokens=tokens, cost=cost)
    figure.add_annotation(y=plain(answer.label), x=total, text=text, showarrow=False, xanchor="left", xshift=6)


def _height(rows: int) -> int:
    return 130 + 38 * rows
