"""Figures of live answers to one question: where the time went, how many tokens, what they cost.

What is not known is said beside its name and never drawn as nothing: an answer whose tokens nobody counted is not
the shortest, and one that failed is not the fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.charts.results import tokens_title
from core.charts.theme import Look, annotate, distinct, look, plain, row_name, styled
from core.i18n import format_duration, format_money, format_number, t

__all__ = [
    "PARTS",
    "PART_COLOURS",
    "AnswerFigures",
    "answer_costs",
    "answer_tokens",
    "latency_parts",
    "latency_strip",
    "parts_seen",
    "spans_by_part",
]

PARTS: dict[str, tuple[str, ...]] = {
    "connect": ("connect", "prepare"),
    "embed": ("embed",),
    "search": ("search",),
    "rerank": ("rerank",),
    "queue": ("queue",),
    "first_token": ("first_token",),
    "decode": ("decode", "generate"),
}
"""What is drawn, and the measured spans that it sums."""

PART_COLOURS = {
    "connect": "#6B7280",
    "embed": "#56B4E9",
    "search": "#0072B2",
    "rerank": "#CC79A7",
    "queue": "#B8A13A",
    "first_token": "#E69F00",
    "decode": "#009E73",
}
"""Hex by part, the same in every figure of waiting times."""

_VISIBLE = 0.005
"""Share of the longest bar from which a part can be seen."""

_TOKENS = {"question": 0.35, "context": 0.65, "answer": 1.0, "reasoning": 0.8}
"""Shade of each part of an answer's tokens."""

_COST = {"prompt": 0.35, "context": 0.65, "completion": 1.0, "device": 0.8}
"""Shade of each part of an answer's cost."""

_HATCHED = {"reasoning": "/", "device": "\\"}
"""Parts that a pattern tells from their neighbours."""


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """What the figures need of one approach's answers to a question; means over those that it finished."""

    label: str
    """Name of the approach, as the page shows it."""
    preset: str
    spans: tuple[Mapping[str, Any], ...] = ()
    """Seconds by span, one mapping for each finished answer."""
    asked: int = 1
    """How often it was asked."""
    prompt_tokens: float | None = None
    """None if nobody counted, as with all counts."""
    context_tokens: float | None = None
    """Of the prompt, those of passages and examples; None: all of the prompt is drawn as one."""
    completion_tokens: float | None = None
    """Reasoning included."""
    reasoning_tokens: float | None = None
    """Of the completion, those that were thinking."""
    costs: Mapping[str, float] | None = None
    """Money for one answer by part; None if its price is not known."""
    currency: str = "USD"
    variant: int = 0
    """Which of its kind it is, so that two of one preset are told apart."""

    @property
    def look(self) -> Look:
        """How it is drawn."""
        return look(self.preset, self.variant)

    @property
    def totals(self) -> list[float]:
        """Seconds of each finished answer."""
        return [sum(spans_by_part(spans).values()) for spans in self.spans]

    @property
    def mean_seconds(self) -> float | None:
        """Mean seconds of the finished answers; None if there is none."""
        return sum(self.totals) / len(self.totals) if self.spans else None

    @property
    def tokens(self) -> float | None:
        """Tokens read and written; None if one of the two is not known."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float | None:
        """Money for one answer; None if its price is not known."""
        return sum(self.costs.values()) if self.costs is not None else None


def spans_by_part(spans: Mapping[str, Any]) -> dict[str, float]:
    """Return seconds by the parts that are drawn; what was not observed counts nothing."""
    return {part: sum(float(spans.get(name) or 0.0) for name in names) for part, names in PARTS.items()}


def parts_seen(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the parts that can be seen in bars of these spans on one scale, in their order."""
    parts = [spans_by_part(spans) for spans in answers]
    longest = max((sum(found.values()) for found in parts), default=0.0)
    return [part for part in PARTS if any(found[part] > _VISIBLE * longest for found in parts)]


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
            marker_color=PART_COLOURS[part],
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
    """Return the waiting time of each approach, stacked by part; seconds.

    Where a question was asked several times, bars are means and whiskers run from the fastest to the slowest answer:
    a range needs no more answers than there are, which a percentile would.
    """
    figure = go.Figure()
    means = [_mean_parts(answer) for answer in answers]
    for part in parts_seen([spans for answer in answers for spans in answer.spans]):
        seconds = [found[part] for found in means]
        name = t(f"charts.part.{part}")
        figure.add_bar(
            y=list(range(len(answers))),
            x=seconds,
            orientation="h",
            name=name,
            marker_color=PART_COLOURS[part],
            customdata=[format_duration(value) for value in seconds],
            hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
        )
    repeated = any(answer.asked > 1 for answer in answers)
    if repeated:
        figure.add_trace(_whiskers(answers))
    slowest = max((max(answer.totals, default=0.0) for answer in answers), default=0.0)
    notes = [_time_note(answer) for answer in answers]
    _finish(figure, answers, _latency_title(answers), notes, [max(a.totals, default=0.0) for a in answers])
    axis = "charts.axis.seconds.repeated" if repeated else "charts.axis.seconds"
    figure.update_xaxes(title=t(axis), range=[0, slowest * 1.45 or 1])
    return figure


def _mean_parts(answer: AnswerFigures) -> dict[str, float]:
    found = [spans_by_part(spans) for spans in answer.spans]
    return {part: sum(each[part] for each in found) / max(len(found), 1) for part in PARTS}


def _whiskers(answers: Sequence[AnswerFigures]) -> go.Scatter:
    """Return strokes from the fastest to the slowest answer of each approach that gave several."""
    several = [(place, answer) for place, answer in enumerate(answers) if len(answer.spans) > 1]
    means = [answer.mean_seconds or 0.0 for _, answer in several]
    return go.Scatter(
        y=[place for place, _ in several],
        x=means,
        mode="markers",
        name=t("charts.latency.whiskers"),
        marker={"symbol": "line-ns", "size": 10, "color": "#374151", "line": {"width": 2, "color": "#374151"}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(a.totals) - mean for (_, a), mean in zip(several, means, strict=True)],
            "arrayminus": [mean - min(a.totals) for (_, a), mean in zip(several, means, strict=True)],
            "color": "#9CA3AF",
            "thickness": 2,
            "width": 6,
        },
        customdata=[_range_text(answer) for _, answer in several],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _range_text(answer: AnswerFigures) -> str:
    return f"{format_duration(min(answer.totals))} – {format_duration(max(answer.totals))}"


def _time_note(answer: AnswerFigures) -> str:
    """Return an approach's time in words, with how many answers it rests on where it was asked several times."""
    if answer.mean_seconds is None:
        return t("charts.answers.no_answer")
    time = format_duration(answer.mean_seconds)
    if answer.asked == 1:
        return time
    n = str(len(answer.spans))
    count = n if len(answer.spans) == answer.asked else t("charts.answers.of", n=n, total=answer.asked)
    return f"{time} (n = {count})"


def _latency_title(answers: Sequence[AnswerFigures]) -> str:
    fastest = min((a for a in answers if a.spans), key=lambda a: a.mean_seconds or 0.0, default=None)
    if fastest is None:
        return t("charts.latency.title.none")
    name, time = plain(fastest.label), format_duration(fastest.mean_seconds or 0.0)
    if fastest.asked == 1:
        return t("charts.latency.one.title", approach=name, time=time)
    return t("charts.latency.repeated.title", approach=name, time=time, n=len(fastest.spans))


def answer_tokens(answers: Sequence[AnswerFigures]) -> go.Figure:
    """Return tokens of one answer of each approach, stacked: question and rules, context, answer, reasoning."""
    figure = go.Figure()
    stacks = [_token_parts(answer) for answer in answers]
    _stack(figure, answers, stacks, _TOKENS, "charts.tokens", lambda value, _: format_number(value))
    totals = [answer.tokens or 0.0 for answer in answers]
    known = sorted(answer.tokens for answer in answers if answer.tokens is not None)
    title = t("charts.tokens.title.none")
    if known:
        fewest, most = format_number(known[0]), format_number(known[-1])
        title = t(tokens_title(fewest, most), fewest=fewest, most=most)
    notes = [_unknown(a) or (format_number(a.tokens) if a.tokens is not None else "") for a in answers]
    notes = [note or t("charts.answers.uncounted") for note in notes]
    _finish(figure, answers, title, notes, totals)
    figure.update_xaxes(title=t("charts.axis.tokens.parts"), range=[0, max(totals, default=0.0) * 1.35 or 1])
    return figure


def _token_parts(answer: AnswerFigures) -> dict[str, float]:
    if answer.tokens is None or answer.prompt_tokens is None or answer.completion_tokens is None:
        return {}
    context = min(answer.context_tokens or 0.0, answer.prompt_tokens)
    thinking = min(answer.reasoning_tokens or 0.0, answer.completion_tokens)
    return {
        "question": answer.prompt_tokens - context,
        "context": context,
        "reasoning": thinking,
        "answer": answer.completion_tokens - thinking,
    }


def answer_costs(answers: Sequence[AnswerFigures]) -> go.Figure:
    """Return what 1,000 such answers cost, stacked by what is paid for, with the cost of one beside each bar."""
    figure = go.Figure()
    stacks = [{part: 1000 * cost for part, cost in (answer.costs or {}).items()} for answer in answers]
    _stack(figure, answers, stacks, _COST, "charts.cost.part", format_money)
    totals = [1000 * (answer.cost or 0.0) for answer in answers]
    _finish(figure, answers, _cost_title(answers), [_cost_note(answer) for answer in answers], totals)
    currency = answers[0].currency if answers else "USD"
    axis = t("charts.axis.cost.today", currency=currency)
    figure.update_xaxes(title=axis, range=[0, max(totals, default=0.0) * 1.9 or 1])
    return figure


def _cost_title(answers: Sequence[AnswerFigures]) -> str:
    known = [answer for answer in answers if answer.cost is not None]
    if not known:
        return t("charts.cost.today.none")
    cheapest = min(known, key=lambda answer: answer.cost or 0.0)
    money = format_money(1000 * (cheapest.cost or 0.0), cheapest.currency)
    return t("charts.cost.today.title", approach=plain(cheapest.label), cost=money)


def _cost_note(answer: AnswerFigures) -> str:
    if answer.cost is None:
        return _unknown(answer) or t("charts.answers.unpriced")
    thousand, one = (format_money(times * answer.cost, answer.currency) for times in (1000, 1))
    return t("charts.cost.today.note", thousand=thousand, one=one)


def _unknown(answer: AnswerFigures) -> str:
    """Return that there is no answer to count, if there is none."""
    return "" if answer.spans or answer.tokens is not None else t("charts.answers.no_answer")


def _stack(
    figure: go.Figure,
    answers: Sequence[AnswerFigures],
    stacks: Sequence[Mapping[str, float]],
    shades: Mapping[str, float],
    names: str,
    worded: Callable[[float, str], str],
) -> None:
    """Add one bar a part in the approaches' colours, and a grey entry in the legend for each part that occurs."""
    for part, shade in shades.items():
        values = [stack.get(part, 0.0) for stack in stacks]
        if not any(values):
            continue
        name, pattern = t(f"{names}.{part}"), {"shape": _HATCHED.get(part, ""), "fgcolor": "rgba(255,255,255,0.7)"}
        figure.add_bar(
            y=list(range(len(answers))),
            x=values,
            orientation="h",
            showlegend=False,
            marker={"color": [a.look.colour for a in answers], "opacity": shade, "pattern": pattern},
            customdata=[worded(value, a.currency) for value, a in zip(values, answers, strict=True)],
            hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
        )
        grey = {"color": "#6B7280", "opacity": shade, "pattern": pattern}
        figure.add_bar(y=[0], x=[None], orientation="h", name=name, marker=grey)


def _finish(
    figure: go.Figure, answers: Sequence[AnswerFigures], title: str, notes: Sequence[str], ends: Sequence[float]
) -> None:
    """Name the rows behind their approaches' markers, write a note at the end of each bar, and style the figure."""
    labels = distinct([plain(answer.label) for answer in answers])
    alt = [f"{label}: {note}" for label, note in zip(labels, notes, strict=True)]
    styled(figure, title, height=170 + 38 * len(answers), alt=alt)
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(answers))),
        ticktext=[row_name(a.look, label) for a, label in zip(answers, labels, strict=True)],
    )
    annotate(
        figure,
        (
            {"y": place, "x": end, "text": note, "showarrow": False, "xanchor": "left", "xshift": 10}
            for place, (note, end) in enumerate(zip(notes, ends, strict=True))
        ),
    )
