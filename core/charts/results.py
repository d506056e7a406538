"""Figures of a test run: how often each approach is right, what it costs, how long one waits."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import plotly.graph_objects as go

from core.charts.theme import Look, annotate, distinct, look, name_rows, plain, styled
from core.i18n import Language, format_duration, format_money, format_number, format_percent, language, t

__all__ = [
    "Bar",
    "MeasuredApproach",
    "cost_per_1000",
    "latency_overview",
    "listed",
    "quality_by_slice",
    "quality_overview",
    "share_text_of",
    "safe",
    "tokens_per_answer",
]


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredApproach:
    """What the figures need of one approach."""

    label: str
    """Its name as the page shows it."""
    preset: str
    ranked: bool
    correct: Bar | None
    """Share of 0…1."""
    slices: Mapping[str, Bar] = field(default_factory=dict)
    """Share of 0…1 by name of the slice, as the page shows it."""
    prompt_tokens: float | None = None
    """None where nobody counted."""
    context_tokens: float | None = None
    completion_tokens: float | None = None
    """Reasoning included."""
    reasoning_tokens: float | None = None
    """Of the completion, those that were thinking."""
    cost_per_1000: Bar | None = None
    currency: str = "USD"
    first_token: Bar | None = None
    """Seconds."""
    total: Bar | None = None
    """Seconds."""
    cost_parts: Mapping[str, float] = field(default_factory=dict)
    """Cost of 1,000 answers by part, as `core.evaluation.COST_PARTS` names them."""
    seconds: tuple[float, ...] = ()
    """Every timed answer's seconds to its end."""
    level: bool = False
    """Whether the verdict found no difference between it and the best, or it is the best."""
    variant: int = 0
    """Which of its kind it is, so that two of one preset are told apart."""

    @property
    def look(self) -> Look:
        """How it is drawn."""
        return look(self.preset, self.variant)


def tokens_title(fewest: str, most: str) -> str:
    """Return the key of a token chart's title: a range, or one number where all are alike."""
    return "charts.tokens.title" if fewest != most else "charts.tokens.title.same"


def safe(approaches: Sequence[MeasuredApproach]) -> list[MeasuredApproach]:
    """Return the approaches with names that Plotly shows as they stand, no two of them alike."""
    labels = distinct([plain(a.label) for a in approaches])
    return [
        replace(a, label=label, slices={plain(name): bar for name, bar in a.slices.items()})
        for a, label in zip(approaches, labels, strict=True)
    ]


def quality_overview(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return the share of correct answers of every approach with its interval."""
    shown = [a for a in safe(approaches) if a.correct is not None]
    figure = go.Figure()
    _whiskers(figure, [(a, a.correct, format_percent(a.correct.value, code)) for a in shown if a.correct])
    alt = [f"{a.label}: {share_text_of(a.correct, code)}" for a in shown]
    styled(figure, _quality_title(shown, code), height=_height(len(shown)), code=code, alt=alt)
    figure.update_xaxes(title=t("charts.axis.correct", code), range=[0, 1.12], tickformat=".0%", tickvals=_FIFTHS)
    _rows(figure, shown)
    return figure


def _quality_title(shown: Sequence[MeasuredApproach], code: Language | None) -> str:
    """Return what the figure shows: who is best, or who are level at the top."""
    shares = sorted(((a.correct.value, a.label) for a in shown if a.ranked and a.correct), reverse=True)
    level = {a.label for a in shown if a.level}
    top = [(share, label) for share, label in shares if label in level]
    if not shares:
        return t("charts.quality.title.none", code)
    if len(top) > 3:
        return t("charts.quality.title.many", code, n=format_number(len(top), code=code), share=_range(top, code))
    if len(top) < 2:
        share, label = shares[0]
        return t("charts.quality.title", code, approach=label, share=format_percent(share, code))
    names = listed([label for _, label in top], code)
    return t("charts.quality.title.level", code, approaches=names, share=_range(top, code))


def _range(top: Sequence[tuple[float, str]], code: Language | None) -> str:
    high, low = (format_percent(share, code) for share, _ in (top[0], top[-1]))
    return high if low == high else f"{low.rstrip('%')}–{high}"


_FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1.0]


def _whiskers(figure: go.Figure, drawn: Sequence[tuple[MeasuredApproach, Bar, str]]) -> None:
    """Draw each approach as its marker with whiskers and its value beside it."""
    figure.add_traces([_whisker(approach, bar, text) for approach, bar, text in drawn])
    annotate(
        figure,
        (
            {
                "x": bar.value if bar.high is None else bar.high,
                "y": approach.label,
                "text": text,
                "showarrow": False,
                "xanchor": "left",
                "xshift": 10,
            }
            for approach, bar, text in drawn
        ),
    )


def _whisker(approach: MeasuredApproach, bar: Bar, text: str) -> go.Scatter:
    seen = approach.look
    low = bar.value if bar.low is None else bar.low
    high = bar.value if bar.high is None else bar.high
    return go.Scatter(
        x=[bar.value],
        y=[approach.label],
        mode="markers",
        marker={"color": seen.colour, "symbol": seen.symbol, "size": 13, "line": {"width": 2, "color": seen.colour}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - bar.value],
            "arrayminus": [bar.value - low],
            "color": seen.colour,
            "thickness": 2,
            "width": 5,
        },
        hovertemplate=f"{approach.label}: {text}<extra></extra>",
    )


def quality_by_slice(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return a table-like map: share of correct answers by approach and slice, written in every cell."""
    shown = [a for a in safe(approaches) if a.slices]
    names = list(dict.fromkeys(name for a in shown for name in a.slices))
    values = [[a.slices[name].value if name in a.slices else None for name in names] for a in shown]
    columns = [_wrapped(name) for name in names]
    figure = go.Figure(
        go.Heatmap(
            x=columns,
            y=[a.label for a in shown],
            z=values,
            colorscale=[[0, "#F7E7D0"], [0.5, "#CFE3F1"], [1, "#2E7FB8"]],
            zmin=0,
            zmax=1,
            xgap=3,
            ygap=3,
            showscale=False,
            hoverinfo="skip",
        )
    )
    pairs = list(zip(names, columns, strict=True))
    annotate(figure, (_cell(column, a.label, a.slices.get(name), code) for a in shown for name, column in pairs))
    alt = [f"{a.label}: " + ", ".join(f"{n} {share_text_of(b, code)}" for n, b in a.slices.items()) for a in shown]
    styled(figure, t("charts.slices.title", code), height=_height(len(shown), row=46), code=code, alt=alt)
    _rows(figure, shown)
    figure.update_yaxes(showgrid=False)
    figure.update_xaxes(side="top", showgrid=False)
    figure.update_layout(margin={"t": 110})
    return figure


def _wrapped(name: str, width: int = 11) -> str:
    """Return a column's name on several short lines, so that neighbours do not run into each other."""
    lines: list[str] = []
    for line in textwrap.wrap(name, width, break_long_words=False):
        full = not line.isascii() and len(line) > width // 2 + 1
        # full-width characters need no spaces to break at
        lines += textwrap.wrap(line, width // 2) if full else [line]
    return "<br>".join(lines)


def share_text_of(bar: Bar | None, code: Language | None) -> str:
    """Return a share with its interval in words, for readers who do not see the figure."""
    if bar is None:
        return "–"
    if bar.low is None or bar.high is None:
        return format_percent(bar.value, code)
    return f"{format_percent(bar.value, code)} ({format_percent(bar.low, code)} – {format_percent(bar.high, code)})"


def _cell(column: str, row: str, bar: Bar | None, code: Language | None) -> dict[str, Any]:
    """Return a note with a share and, under it, its interval, in a colour that is readable on the cell's own."""
    text = "–" if bar is None else f"<b>{format_percent(bar.value, code)}</b>"
    if bar is not None and bar.low is not None and bar.high is not None:
        low = format_percent(bar.low, code).rstrip("%")
        text += f"<br><span style='font-size:10px'>{low}–{format_percent(bar.high, code)}</span>"
    ink = "#FFFFFF" if bar is not None and bar.value > 0.8 else "#1B2430"
    return {"x": column, "y": row, "text": text, "showarrow": False, "font": {"color": ink, "size": 12}}


def tokens_per_answer(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return mean tokens per answer, stacked into question and rules, context, reasoning if any, and answer.

    An approach whose tokens nobody counted has no bar, and its place says so.
    """
    figure = go.Figure()
    asked = safe(approaches)
    counted = {a.label: (a.prompt_tokens, a.completion_tokens) for a in asked}
    known = {label for label, (prompt, answer) in counted.items() if prompt is not None and answer is not None}
    uncounted = [label for label in counted if label not in known]
    approaches = [a for a in asked if a.label in known]
    labels = [a.label for a in approaches]
    stacks = _token_stacks(approaches)
    for part, values in stacks.items():
        marker: dict[str, Any] = {"color": [a.look.colour for a in approaches], "opacity": _TOKENS[part]}
        if part == "reasoning":
            marker["pattern"] = {"shape": "/", "size": 6, "solidity": 0.25}
        figure.add_bar(
            y=labels,
            x=values,
            orientation="h",
            marker=marker,
            hovertemplate=f"%{{y}}<br>{t(f'charts.tokens.{part}', code)}: %{{x:,.0f}}<extra></extra>",
        )
    totals = [(a.prompt_tokens or 0.0) + (a.completion_tokens or 0.0) for a in approaches]
    beside = {"showarrow": False, "xanchor": "left", "xshift": 6}
    sums = zip(labels, totals, strict=True)
    annotate(figure, ({"y": label, "x": total, "text": format_number(total, code), **beside} for label, total in sums))
    fewest, most = (format_number(value, code) for value in (min(totals, default=0), max(totals, default=0)))
    title = t(tokens_title(fewest, most) if totals else "charts.tokens.title.none", code, fewest=fewest, most=most)
    alt = [f"{label}: {format_number(total, code)}" for label, total in zip(labels, totals, strict=True)]
    unknown = t("charts.tokens.unknown", code)
    figure.add_bar(y=uncounted, x=[0.0] * len(uncounted), orientation="h", hoverinfo="skip")
    annotate(figure, ({"y": label, "x": 0, "text": unknown, **beside} for label in uncounted))
    alt += [f"{label}: {unknown}" for label in uncounted]
    styled(figure, title, height=_height(len(counted)), code=code, alt=alt)
    figure.update_layout(barmode="stack")
    axis = "charts.axis.tokens.reasoning" if "reasoning" in stacks else "charts.axis.tokens"
    figure.update_xaxes(title=t(axis, code), range=[0, max(totals, default=1) * 1.15])
    _rows(figure, asked)
    return figure


_TOKENS = {"question": 0.35, "context": 0.65, "reasoning": 0.8, "answer": 1.0}
"""Shade of each part of an answer's tokens."""


def _token_stacks(approaches: Sequence[MeasuredApproach]) -> dict[str, list[float]]:
    """Return each part's tokens, one number an approach; reasoning only where some approach did reason."""
    stacks: dict[str, list[float]] = {part: [] for part in _TOKENS}
    for a in approaches:
        prompt, completion = a.prompt_tokens or 0.0, a.completion_tokens or 0.0
        context, thinking = a.context_tokens or 0.0, min(a.reasoning_tokens or 0.0, completion)
        parts = {"question": prompt - context, "context": context, "reasoning": thinking,
                 "answer": completion - thinking}  # fmt: skip
        for part, value in parts.items():
            stacks[part].append(value)
    if not any(stacks["reasoning"]):
        del stacks["reasoning"]
    return stacks


def cost_per_1000(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return the cost of 1,000 answers with its interval."""
    shown = [a for a in safe(approaches) if a.cost_per_1000 is not None]
    figure = go.Figure()
    costs = [(a, a.cost_per_1000) for a in shown if a.cost_per_1000]
    _whiskers(figure, [(a, cost, format_money(cost.value, a.currency, code)) for a, cost in costs])
    cheapest = min(shown, key=lambda a: a.cost_per_1000.value if a.cost_per_1000 else 0.0, default=None)
    title = t("charts.cost.title.none", code)
    if cheapest is not None and cheapest.cost_per_1000 is not None:
        cost = format_money(cheapest.cost_per_1000.value, cheapest.currency, code)
        title = t("charts.cost.title", code, approach=cheapest.label, cost=cost)
    amounts = [(a.label, a.cost_per_1000.value, a.currency) for a in shown if a.cost_per_1000]
    alt = [f"{name}: {format_money(value, unit, code)}" for name, value, unit in amounts]
    styled(figure, title, height=_height(len(shown)), code=code, alt=alt)
    longest = max((a.cost_per_1000.high or a.cost_per_1000.value for a in shown if a.cost_per_1000), default=1)
    currency = shown[0].currency if shown else "USD"
    figure.update_xaxes(title=t("charts.axis.cost", code, currency=currency), range=[0, longest * 1.25])
    _rows(figure, shown)
    return figure


def latency_overview(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return the median time to the first word and to the whole answer, with intervals; seconds."""
    shown = [a for a in safe(approaches) if a.total is not None]
    figure = go.Figure()
    _whiskers(figure, [(a, a.total, format_duration(a.total.value, code)) for a in shown if a.total])
    figure.add_traces([_first_word(a, a.first_token, code) for a in shown if a.first_token])
    fastest = min(shown, key=lambda a: a.total.value if a.total else 0.0, default=None)
    title = t("charts.latency.title.none", code)
    if fastest is not None and fastest.total is not None:
        time = format_duration(fastest.total.value, code)
        title = t("charts.latency.title", code, approach=fastest.label, time=time)
    alt = [f"{a.label}: {format_duration(a.total.value, code)}" for a in shown if a.total]
    styled(figure, title, height=_height(len(shown)), code=code, alt=alt)
    longest = max((a.total.high or a.total.value for a in shown if a.total), default=1)
    figure.update_xaxes(title=t("charts.axis.seconds.median", code), range=[0, longest * 1.25])
    _rows(figure, shown)
    return figure


def _rows(figure: go.Figure, shown: Sequence[MeasuredApproach]) -> None:
    """Put the first approach on top, and each one's marker before its name."""
    figure.update_yaxes(autorange="reversed")
    name_rows(figure, ((a.label, a.look) for a in shown))


def _first_word(approach: MeasuredApproach, bar: Bar, code: Language | None) -> go.Scatter:
    """Return the stroke that marks when the first word comes."""
    return go.Scatter(
        x=[bar.value],
        y=[approach.label],
        mode="markers",
        marker={"symbol": "line-ns", "size": 14, "line": {"width": 3, "color": approach.look.colour}},
        hovertemplate=f"{t('charts.part.first_token', code)}: %{{x:.3f}} s<extra></extra>",
    )


def listed(names: Sequence[str], code: Language | None) -> str:
    """Return names as a list in a sentence."""
    if (code or language()) == "ja" or len(names) < 2:
        return "、".join(names)
    return ", ".join(names[:-1]) + t("decision.and", code) + names[-1]


def _height(rows: int, row: int = 40) -> int:
    return 130 + row * max(1, rows)
