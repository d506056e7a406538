"""The figure of a search tried with several passage lengths and ways of searching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.charts.results import Bar, share_text_of
from core.charts.theme import styled
from core.i18n import Language, format_number, t

__all__ = ["sweep_chart"]

_LOOK = {"text": ("#6B7280", "circle-open"), "vector": ("#56B4E9", "triangle-up"), "hybrid": ("#0072B2", "square")}
"""Colour and marker by way of searching."""
_ASIDE = {"text": -0.06, "vector": 0.0, "hybrid": 0.06}
"""So that whiskers of one length stand beside each other."""


def sweep_chart(
    sizes: Sequence[int], values: Mapping[str, Sequence[Bar]], title: str, axis: str, code: Language | None = None
) -> go.Figure:
    """Return a line for each way of searching over the passage lengths, with intervals.

    Args:
        sizes: Longest passage in tokens, ascending.
        values: For each way (``text``, ``vector``, ``hybrid``) a value of 0…1 for each length.
        title: The finding.
        axis: What is measured.
        code: Language of the words; the reader's by default.
    """
    figure = go.Figure()
    names = {mode: t(f"charts.sweep.{mode}", code) for mode in values}
    for mode, bars in values.items():
        colour, symbol = _LOOK[mode]
        figure.add_scatter(
            x=[place + _ASIDE[mode] for place in range(len(sizes))],
            y=[bar.value for bar in bars],
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [(bar.value if bar.high is None else bar.high) - bar.value for bar in bars],
                "arrayminus": [bar.value - (bar.value if bar.low is None else bar.low) for bar in bars],
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            name=names[mode],
            hoverinfo="skip",
        )
    alt = [
        f"{names[mode]}, {t('charts.sweep.size', code, n=format_number(size, code=code))}: {share_text_of(bar, code)}"
        for mode, bars in values.items()
        for size, bar in zip(sizes, bars, strict=True)
    ]
    styled(figure, title, height=360, code=code, alt=alt)
    ticks = [format_number(size, code=code) for size in sizes]
    figure.update_xaxes(title=t("charts.sweep.axis", code), tickvals=list(range(len(sizes))), ticktext=ticks)
    figure.update_yaxes(title=axis, tickformat=".0%", range=[0, 1.04], showgrid=True)
    # the lines lie close together, so that names at their ends would cover each other
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.25, "x": 0})
    return figure
