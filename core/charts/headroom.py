"""The figure of what better search or training could still gain."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.charts.results import Bar, share_text_of
from core.charts.theme import annotate, look, styled
from core.i18n import Language, format_number, format_percent, t

__all__ = ["headroom_chart"]

_COLOURS = {
    "right": look("base").colour,
    "retrieval": look("rag").colour,
    "either": look("fine_tuned_rag").colour,
    "tuning": look("fine_tuned").colour,
    "neither": "#B8BEC8",
}
"""What could mend an answer has the colour of the approach that would."""


def headroom_chart(
    parts: Mapping[str, Bar], tuning_at_most: Bar, retrieval_at_most: Bar, code: Language | None = None
) -> go.Figure:
    """Return one bar for each part that the questions fall into, in the order given.

    Args:
        parts: Shares of 0…1 by name: ``right``, ``retrieval``, ``either``, ``tuning``, ``neither``.
        tuning_at_most: Share that tuning could gain at most.
        retrieval_at_most: Share that better search could gain at most.
        code: Language of the words; the reader's by default.
    """
    names = [t(f"charts.headroom.{name}", code) for name in parts]
    figure = go.Figure(
        go.Bar(
            x=[bar.value for bar in parts.values()],
            y=names,
            orientation="h",
            marker={"color": [_COLOURS[name] for name in parts]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(bar.high if bar.high is not None else bar.value) - bar.value for bar in parts.values()],
                "arrayminus": [bar.value - (bar.low if bar.low is not None else bar.value) for bar in parts.values()],
                "thickness": 1.5,
                "width": 4,
            },
            hoverinfo="skip",
            width=0.55,
        )
    )
    beside = {"showarrow": False, "xanchor": "left", "xshift": 8}
    ends = [
        (name, bar.value, bar.value if bar.high is None else bar.high)
        for name, bar in zip(names, parts.values(), strict=True)
    ]
    annotate(
        figure, ({"x": end, "y": name, "text": format_percent(value, code), **beside} for name, value, end in ends)
    )
    most = {"tuning": tuning_at_most, "search": retrieval_at_most}
    hundred = {name: format_number(100 * bar.value, code) for name, bar in most.items()}
    alt = [f"{name}: {share_text_of(bar, code)}" for name, bar in zip(names, parts.values(), strict=True)]
    styled(figure, t("charts.headroom.title", code, **hundred), height=330, code=code, alt=alt)
    figure.update_xaxes(title=t("charts.axis.questions", code), range=[0, 1.12], tickformat=".0%")
    figure.update_yaxes(autorange="reversed")
    return figure
