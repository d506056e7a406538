"""Figures under a comparison: where the time went, how many tokens were read and written, what that costs today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from statistics import fmean

import plotly.graph_objects as go
import streamlit as st

from core.approaches import get_approach, variant_of
from core.charts import (
    PART_COLOURS,
    AnswerFigures,
    answer_costs,
    answer_tokens,
    latency_parts,
    parts_seen,
    spans_by_part,
)
from core.errors import KurabeError
from core.i18n import format_duration, t
from core.models import Usage
from core.prices import CostPart, price_book, price_parts
from core.projects import get_project
from core.store import tables as tb
from core.ui.approaches import approach_label
from core.ui.compare_columns import Columns
from core.ui.parts import draw_figure, plain
from core.ui.presenting import Slide

__all__ = ["answer_figures", "draw_figures", "draw_legend", "figure_slides", "slowest"]


def slowest(rows: Sequence[tb.Answer]) -> float:
    """Return the seconds of the slowest answer: the scale that all bars share."""
    return max((sum(spans_by_part(row.spans).values()) for row in rows if row.repetition == 0), default=1.0)


def draw_legend(rows: Sequence[tb.Answer]) -> None:
    """Draw what the colours of the bars under the answers mean, and how long the longest bar is."""
    seen = parts_seen([row.spans for row in rows if row.repetition == 0])
    if not seen:
        return
    swatch = "<span style='display:inline-block;width:.8em;height:.8em;border-radius:2px;background:{}'></span>"
    entries = [f"{swatch.format(PART_COLOURS[part])}&nbsp;{escape(t(f'charts.part.{part}'))}" for part in seen]
    scale = escape(t("ui.compare.legend", longest=format_duration(slowest(rows))))
    st.html(f"<div style='font-size:.85em;opacity:.85'>{scale} &ensp; {' &ensp; '.join(entries)}</div>")


def answer_figures(rows: Sequence[tb.Answer], columns: Columns) -> list[AnswerFigures]:
    """Return what the figures need of each approach, in the order of the columns; prices are those of today."""
    if not rows:
        return []
    currency = get_project(rows[0].project_id).currency
    by_approach = {key: [row for row in rows if row.approach_id == key] for key in columns.order}
    return [_figures_of(get_approach(key), theirs, currency) for key, theirs in by_approach.items()]


def _figures_of(approach: tb.Approach, rows: Sequence[tb.Answer], currency: str) -> AnswerFigures:
    done = [row for row in rows if row.status == "finished"]
    return AnswerFigures(
        label=approach_label(approach),
        preset=approach.preset,
        spans=tuple(row.spans for row in done if row.total_seconds is not None),
        asked=len(rows),
        prompt_tokens=_mean(row.prompt_tokens for row in done),
        context_tokens=_mean(row.context_tokens for row in done),
        completion_tokens=_mean(row.completion_tokens for row in done),
        reasoning_tokens=_mean(row.reasoning_tokens for row in done),
        costs=_costs(done, currency),
        currency=currency,
        variant=variant_of(approach.project_id, approach.id),
    )


def _mean(counts: Iterable[int | None]) -> float | None:
    """Return the mean of what was counted; None if one was not, since a mean over the others would flatter."""
    known = list(counts)
    return fmean(count for count in known if count is not None) if known and None not in known else None


def _costs(done: Sequence[tb.Answer], currency: str) -> dict[str, float] | None:
    """Return the mean cost of an answer by part at today's prices; None if the price of one is not known."""
    priced = [_priced(row, currency) for row in done]
    known = [parts for parts in priced if parts is not None]
    if not known or len(known) < len(priced):
        return None
    names = dict.fromkeys(name for parts in known for name in parts)
    return {name: fmean(parts.get(name, 0.0) for parts in known) for name in names}


def _priced(row: tb.Answer, currency: str) -> Mapping[CostPart, float] | None:
    if row.device_seconds is None and (row.prompt_tokens is None or row.completion_tokens is None):
        return None
    usage = Usage(row.prompt_tokens or 0, row.completion_tokens or 0, row.cached_tokens)
    try:
        _, parts = price_parts(row.model, usage, row.context_tokens, row.device_seconds, currency)
    except KurabeError:
        return None  # an unknown price is told as unknown
    return {name: float(amount) for name, amount in parts.items()}


def _drawn(figures: Sequence[AnswerFigures]) -> dict[str, go.Figure]:
    """Return the figures that have anything to show."""
    found = {}
    if any(figure.spans for figure in figures):
        found["latency"] = latency_parts(figures)
    if any(figure.tokens is not None for figure in figures):
        found["tokens"] = answer_tokens(figures)
    if any(figure.cost is not None for figure in figures):
        found["cost"] = answer_costs(figures)
    return found


def draw_figures(rows: Sequence[tb.Answer], columns: Columns) -> None:
    """Draw the figures of a comparison, and what they rest on."""
    drawn = _drawn(answer_figures(rows, columns))
    if not drawn:
        return
    with st.grid(2, min_column_width=420, gap="medium"):
        for name, figure in drawn.items():
            with st.container():
                draw_figure(figure, f"compare_{name}")
                if name == "cost":
                    st.caption(_prices_text(rows))
    st.caption(t("ui.compare.live_note"))


def _prices_text(rows: Sequence[tb.Answer]) -> str:
    """Say which prices the figure takes, and whether they are others than when the question was asked."""
    book = price_book()
    text = t("ui.compare.prices", date=plain(book.as_of))
    earlier = {row.price_version for row in rows if row.price_version and row.price_version != book.version}
    return f"{text} {t('ui.compare.prices.changed')}" if earlier else text


def figure_slides(rows: Sequence[tb.Answer], columns: Columns) -> list[Slide]:
    """Return the figures of a comparison for a projector, one a screen."""
    drawn = _drawn(answer_figures(rows, columns))
    return [Slide("", lambda n=name, f=figure: draw_figure(f, f"present_{n}")) for name, figure in drawn.items()]  # type: ignore[misc]  # defaults bind them
