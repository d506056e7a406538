"""Figures of quality against what it takes: cost, and waiting time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from core.charts.results import Bar, MeasuredApproach, listed, safe, share_text_of
from core.charts.theme import annotate, styled
from core.i18n import Language, format_duration, format_money, format_percent, t

__all__ = ["tradeoff", "tradeoff_latency"]


@dataclass(frozen=True, slots=True)
class Point:
    """One approach's mark."""

    approach: MeasuredApproach
    across: Bar
    """What it takes: money or seconds."""
    up: Bar
    """Share of correct answers."""

    def beats(self, other: Point) -> bool:
        """Whether it is at least as good in both, and better in one."""
        no_worse = self.across.value <= other.across.value and self.up.value >= other.up.value
        return no_worse and (self.across.value < other.across.value or self.up.value > other.up.value)


def tradeoff(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return quality against cost; approaches that another beats in both are drawn faint, the frontier is joined."""
    shown = safe(approaches)
    points = [Point(a, a.cost_per_1000, a.correct) for a in shown if a.cost_per_1000 and a.correct]
    currency = points[0].approach.currency if points else "USD"
    axis = t("charts.axis.cost", code, currency=currency)
    return _against(points, "charts.tradeoff.title", axis, lambda value: format_money(value, currency, code), code)


def tradeoff_latency(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return quality against the median waiting time, drawn as `tradeoff`."""
    shown = safe(approaches)
    points = [Point(a, a.total, a.correct) for a in shown if a.total and a.correct]
    axis = t("charts.axis.seconds.whole", code)
    return _against(points, "charts.tradeoff.latency.title", axis, lambda value: format_duration(value, code), code)


def _against(
    points: Sequence[Point], title: str, axis: str, worded: Callable[[float], str], code: Language | None
) -> go.Figure:
    """Return the figure of points with whiskers both ways, their names and the frontier."""
    ranked = [p for p in points if p.approach.ranked]
    front = sorted((p for p in ranked if not any(q.beats(p) for q in ranked)), key=lambda p: p.across.value)
    figure = go.Figure()
    figure.add_scatter(
        x=[p.across.value for p in front],
        y=[p.up.value for p in front],
        mode="lines",
        line={"dash": "dot", "color": "rgba(128,128,128,0.7)"},
        hoverinfo="skip",
    )
    figure.add_traces([_spot(point, worded, faint=point not in front, code=code) for point in points])
    named = zip(points, _label_offsets(points), strict=True)
    annotate(figure, (_name(point, offset, faint=point not in front) for point, offset in named))
    alt = [f"{p.approach.label}: {_told(p.across, worded)}, {share_text_of(p.up, code)}" for p in points]
    names = listed([p.approach.label for p in front], code)
    styled(figure, t(title, code, approaches=names), height=420, code=code, alt=alt)
    widest = _widest(points)
    figure.update_xaxes(title=axis, range=[share * widest for share in _SPAN])
    figure.update_yaxes(title=t("charts.axis.correct", code), range=[0, 1.05], tickformat=".0%", showgrid=True)
    return figure


def _told(bar: Bar, worded: Callable[[float], str]) -> str:
    if bar.low is None or bar.high is None:
        return worded(bar.value)
    return f"{worded(bar.value)} ({worded(bar.low)} – {worded(bar.high)})"


def _widest(points: Sequence[Point]) -> float:
    """Return how far the marks and their whiskers reach; a whisker far beyond every mark is cut, not the marks."""
    furthest = max((p.across.value for p in points), default=1) or 1
    whiskers = max((p.across.high or p.across.value for p in points), default=1)
    return max(furthest, min(whiskers, 1.6 * furthest))


_DRAWING = (380.0, 300.0)
"""Width and height in pixels of the narrowest drawing that the names must fit into."""

_SPAN = (-0.12, 1.3)
"""What the drawing spans across, as shares of the furthest."""

_LETTER, _LINE, _MARK = 6.6, 15.0, 10.0
"""Pixels: width of a letter, height of a line, half the width of a mark."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class _Offset:
    """Where a name stands from its mark, in pixels; right and down are positive."""

    right: float
    down: float
    anchor: Literal["left", "center", "right"]

    def box(self, x: float, y: float, text: str) -> Box:
        """Return the name's box beside a mark."""
        width = _LETTER * sum(1 if sign.isascii() else 1.9 for sign in text)
        left = x + self.right - {"left": 0.0, "center": width / 2, "right": width}[self.anchor]
        return left, y + self.down - _LINE / 2, left + width, y + self.down + _LINE / 2

    @property
    def far(self) -> bool:
        """Whether a line must lead from the mark to the name."""
        return abs(self.down) > 2 * _LINE


_OFFSETS = (
    _Offset(13, 0, "left"),
    _Offset(-13, 0, "right"),
    *(_Offset(right, sign * down, anchor)  # type: ignore[arg-type]  # the three names of `anchor`
      for down in (20, 34, 50, 68, 86)
      for sign in (-1, 1)
      for right, anchor in ((0, "center"), (10, "left"), (-10, "right"))),
)  # fmt: skip
"""Places for a name, the preferred ones first."""


def _label_offsets(points: Sequence[Point]) -> list[_Offset]:
    """Return for each point the nearest place at which its name runs into no mark, whisker or other name."""
    widest = _widest(points)
    taken: list[Box] = []
    for point in points:
        x, y = _pixel(point.across.value, point.up.value, widest)
        taken.append((x - _MARK, y - _MARK, x + _MARK, y + _MARK))
        taken += _whisker_boxes(point, widest)
    offsets = []
    for point in points:
        x, y = _pixel(point.across.value, point.up.value, widest)
        label = point.approach.label
        best = min(_OFFSETS, key=lambda offset: _crowding(offset.box(x, y, label), taken))
        taken.append(best.box(x, y, label))
        offsets.append(best)
    return offsets


def _pixel(across: float, up: float, widest: float) -> tuple[float, float]:
    width, height = _DRAWING
    return width * (across / widest - _SPAN[0]) / (_SPAN[1] - _SPAN[0]), height * (1 - up / 1.05)


def _whisker_boxes(point: Point, widest: float) -> list[Box]:
    """Return what the whiskers of a mark cover."""
    boxes: list[Box] = []
    across, up = point.across, point.up
    x, y = _pixel(across.value, up.value, widest)
    if up.low is not None and up.high is not None:
        boxes.append((x - 5, _pixel(0, up.high, widest)[1], x + 5, _pixel(0, up.low, widest)[1]))
    if across.low is not None and across.high is not None:
        boxes.append((_pixel(across.low, 0, widest)[0], y - 5, _pixel(across.high, 0, widest)[0], y + 5))
    return boxes


def _crowding(box: Box, taken: Sequence[Box]) -> int:
    """Return how much a box touches; leaving the drawing counts twice."""
    left, top, right, bottom = box
    touched = sum(left < r and right > x and top < b and bottom > y for x, y, r, b in taken)
    return touched + 2 * (left < 0) + 2 * (right > _DRAWING[0]) + 2 * (bottom > _DRAWING[1]) + 2 * (top < 0)


def _name(point: Point, offset: _Offset, *, faint: bool) -> dict[str, Any]:
    return dict(
        x=point.across.value,
        y=point.up.value,
        text=point.approach.label,
        ax=offset.right,
        ay=offset.down,
        xanchor=offset.anchor,
        yanchor="middle",
        arrowhead=0,
        arrowwidth=1,
        arrowcolor="rgba(128,128,128,0.8)" if offset.far else "rgba(0,0,0,0)",
        standoff=_MARK,
        opacity=0.6 if faint else 1.0,
    )


def _spot(point: Point, worded: Callable[[float], str], *, faint: bool, code: Language | None) -> go.Scatter:
    seen = point.approach.look
    share = format_percent(point.up.value, code)
    return go.Scatter(
        x=[point.across.value],
        y=[point.up.value],
        mode="markers",
        marker={"color": seen.colour, "symbol": seen.symbol, "size": 14, "line": {"width": 2, "color": seen.colour}},
        opacity=0.55 if faint else 1.0,
        error_x=_whisker(point.across, seen.colour),
        error_y=_whisker(point.up, seen.colour),
        hovertemplate=f"{point.approach.label}: {share}, {_told(point.across, worded)}<extra></extra>",
    )


def _whisker(bar: Bar, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [(bar.value if bar.high is None else bar.high) - bar.value],
        "arrayminus": [bar.value - (bar.value if bar.low is None else bar.low)],
        "color": colour,
        "thickness": 1.5,
    }
