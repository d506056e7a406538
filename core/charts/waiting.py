"""The figure of every timed answer's waiting time: what a median alone would hide."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.results import MeasuredApproach, safe
from core.charts.theme import annotate, row_name, styled
from core.i18n import Language, format_duration, format_number, t

__all__ = ["latency_distribution"]

_BAND = 0.3
"""Half the height of the band in which an approach's marks lie, in rows."""


def latency_distribution(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return each timed answer as a mark, one row an approach, with the median where the sample supports one; seconds.

    Marks of one row lie in a band so that few cover each other; their height in it means nothing.
    """
    shown = [a for a in safe(approaches) if a.seconds]
    figure = go.Figure()
    figure.add_traces([trace for row, a in enumerate(shown) for trace in _row(a, row, code)])
    slowest = max((max(a.seconds) for a in shown), default=1.0)
    beside = {"showarrow": False, "xanchor": "left", "xshift": 12}
    counts = [t("charts.waiting.n", code, n=format_number(len(a.seconds), code)) for a in shown]
    ends = ({"x": max(a.seconds), "y": row, "text": counts[row], **beside} for row, a in enumerate(shown))
    annotate(figure, ends)
    alt = [f"{a.label}: {_range(a, code)}" for a in shown]
    styled(figure, _title(shown, code), height=130 + 46 * max(1, len(shown)), code=code, alt=alt)
    figure.update_xaxes(title=t("charts.axis.seconds.each", code), range=[0, slowest * 1.25])
    labels = [row_name(a.look, a.label) for a in shown]
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.6])
    return figure


def _row(approach: MeasuredApproach, row: int, code: Language | None) -> list[go.Scatter]:
    seen, values = approach.look, sorted(approach.seconds)
    # a fixed zigzag instead of chance: the same figure each time
    heights = [row + _BAND * ((place % 5) - 2) / 2 for place in range(len(values))]
    marks = go.Scatter(
        x=values,
        y=heights,
        mode="markers",
        marker={"color": seen.colour, "symbol": seen.symbol, "size": 8, "opacity": 0.65},
        customdata=[format_duration(value, code) for value in values],
        hovertemplate=f"{approach.label}: %{{customdata}}<extra></extra>",
    )
    if approach.total is None:
        return [marks]
    median = go.Scatter(
        x=[approach.total.value] * 2,
        y=[row - 0.42, row + 0.42],
        mode="lines",
        line={"color": seen.colour, "width": 3},
        hovertemplate=f"{approach.label}: {format_duration(approach.total.value, code)}<extra></extra>",
    )
    return [marks, median]


def _range(approach: MeasuredApproach, code: Language | None) -> str:
    low, high = (format_duration(value, code) for value in (min(approach.seconds), max(approach.seconds)))
    count = t("charts.waiting.n", code, n=format_number(len(approach.seconds), code))
    return f"{low} – {high}, {count}"


def _title(shown: Sequence[MeasuredApproach], code: Language | None) -> str:
    """Return whose slowest answer was the slowest of all, and the slowest of the steadiest."""
    if not shown:
        return t("charts.latency.title.none", code)
    worst, best = max(shown, key=lambda a: max(a.seconds)), min(shown, key=lambda a: max(a.seconds))
    slow, quick = (format_duration(max(a.seconds), code) for a in (worst, best))
    if len(shown) < 2 or worst is best:
        return t("charts.waiting.title.one", code, approach=worst.label, slow=slow)
    return t("charts.waiting.title", code, approach=worst.label, slow=slow, best=best.label, quick=quick)
