"""Figures of what a dataset holds: how long its texts are, and which share each kind of row has."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.theme import annotate, plain, styled
from core.i18n import Language, format_number, format_percent, t

__all__ = ["length_chart", "share_chart"]

_COLOUR = "#56789A"
"""No approach's colour: these are rows, not results."""


def length_chart(
    bars: Sequence[tuple[int, int | None, int]], title: str, axis: str, rows: str, code: Language | None = None
) -> go.Figure:
    """Return a histogram of lengths.

    Args:
        bars: Shortest and longest length of a bar (None: or more), and how many texts it holds.
        title: The finding.
        axis: What is counted, with its unit.
        rows: What the height counts.
        code: Language of the words; the reader's by default.
    """
    names = [_range(low, high, code) for low, high, _ in bars]
    counts = [count for _, _, count in bars]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(bars))),
            y=counts,
            marker={"color": _COLOUR},
            customdata=names,
            hovertemplate="%{customdata}: %{y:,}<extra></extra>",
        )
    )
    alt = [f"{name}: {format_number(count, code)}" for name, count in zip(names, counts, strict=True) if count]
    styled(figure, plain(title), height=260, code=code, alt=alt)
    every = max(1, len(bars) // 7)
    places = list(range(0, len(bars), every))
    open_end = len(bars) - 1 if bars and bars[-1][1] is None else None
    if open_end is not None:  # what is gathered there must be named, whatever stands beside it
        places = [place for place in places if open_end - place >= every] + [open_end]
    texts = [names[place] if place == open_end else format_number(bars[place][0], code) for place in places]
    figure.update_xaxes(title=axis, tickvals=places, ticktext=texts, showgrid=False)
    figure.update_yaxes(title=rows, tickformat=",d", rangemode="tozero", showgrid=True)
    figure.update_layout(bargap=0.06)
    return figure


def _range(low: int, high: int | None, code: Language | None) -> str:
    if high is None:
        return t("charts.profile.or_more", code, n=format_number(low, code))
    if high == low:
        return format_number(low, code)
    return f"{format_number(low, code)}–{format_number(high, code)}"


def share_chart(
    counts: Sequence[tuple[str, int]], title: str, axis: str, total: int, code: Language | None = None
) -> go.Figure:
    """Return the share of each kind of row as a bar with its number.

    Args:
        counts: Name and rows, in the order to draw.
        title: The finding.
        axis: What a share is a share of.
        total: All rows.
        code: Language of the words; the reader's by default.
    """
    named = [(plain(name), n / max(1, total), format_number(n, code)) for name, n in counts]
    words = [f"{format_percent(share, code)} ({n})" for _, share, n in named]
    figure = go.Figure(
        go.Bar(
            y=[name for name, _, _ in named],
            x=[share for _, share, _ in named],
            orientation="h",
            marker={"color": _COLOUR},
            hoverinfo="skip",
        )
    )
    beside = {"showarrow": False, "xanchor": "left", "xshift": 6}
    annotate(
        figure,
        ({"y": name, "x": share, "text": word, **beside} for (name, share, _), word in zip(named, words, strict=True)),
    )
    alt = [f"{name}: {word}" for (name, _, _), word in zip(named, words, strict=True)]
    styled(figure, plain(title), height=130 + 30 * max(1, len(named)), code=code, alt=alt)
    figure.update_xaxes(
        title=axis, range=[0, 1.25 * max((share for _, share, _ in named), default=1)], tickformat=".0%"
    )
    figure.update_yaxes(autorange="reversed", type="category")
    return figure
