"""Figures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.charts.theme import plain, styled
from core.i18n import Language, format_number, format_percent, t

__all__ = [
    "accuracy_curve",
    "gradient_curve",
    "learning_curve",
    "loss_comparison",
    "loss_curve",
    "margin_curve",
    "rate_curve",
    "seed_spread",
    "thinned",
]

_TRAIN, _VALIDATION = "#6B7280", "#E69F00"
_POINTS = 600
"""Most points of a curve that are drawn."""


def loss_curve(
    loss: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]], code: Language | None = None
) -> go.Figure:
    """Return the loss over the steps: of the training rows as a thin line, of the validation rows with markers.

    Args:
        loss: (step, nats per token) of the training rows.
        validation: (step, nats per token) of rows that are not trained on.
        code: language of the words; the reader's by default.
    """
    title, values = _finding(validation, code)
    return _course(loss, validation, title, values, t("charts.axis.loss", code), code)


def margin_curve(
    train: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]], code: Language | None = None
) -> go.Figure:
    """Return the reward margin over the steps of a training on preference pairs.

    Args:
        train: (step, reward of the chosen less that of the rejected answer) of the training pairs.
        validation: the same of pairs that are not trained on.
        code: language of the words; the reader's by default.
    """
    title, values = t("charts.margin.title.waiting", code), _points(validation, code)
    if len(validation) > 1:
        first, last = validation[0][1], validation[-1][1]
        words = {"first": format_number(first, code, 2), "last": format_number(last, code, 2)}
        title = t(f"charts.margin.title.{'rising' if last > first else 'falling'}", code, **words)
    return _course(train, validation, title, values, t("charts.axis.margin", code), code)


def accuracy_curve(
    train: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]], code: Language | None = None
) -> go.Figure:
    """Return the share of pairs over the steps whose chosen answer has the higher reward.

    Args:
        train: (step, share) of the training pairs.
        validation: the same of pairs that are not trained on.
        code: language of the words; the reader's by default.
    """
    title, values = t("charts.accuracy.title.waiting", code), _points(validation, code)
    if len(validation) > 1:
        title = t("charts.accuracy.title.now", code, last=format_percent(validation[-1][1], code))
    figure = _course(train, validation, title, values, t("charts.axis.accuracy", code), code)
    figure.update_yaxes(range=[-0.03, 1.03], tickformat=".0%")
    return figure


def _course(
    train: Sequence[tuple[int, float]],
    validation: Sequence[tuple[int, float]],
    title: str,
    alt: list[str],
    axis: str,
    code: Language | None,
) -> go.Figure:
    """Draw training rows as a thin line and validation rows with markers."""
    figure = go.Figure()
    names = {"train": t("charts.loss.train", code), "validation": t("charts.loss.validation", code)}
    above = bool(train and validation and train[-1][1] > validation[-1][1])
    _line(figure, train, names["train"], {"color": _TRAIN, "width": 1.5}, markers=False, shift=9 if above else -9)
    style: dict[str, object] = {"color": _VALIDATION, "width": 2.5}
    _line(figure, validation, names["validation"], style, markers=True, shift=-9 if above else 9)
    styled(figure, title, height=320, code=code, alt=alt)
    longest = max((step for step, _ in [*train, *validation]), default=0)
    figure.update_xaxes(title=t("charts.axis.step", code), rangemode="tozero", dtick=1 if longest <= 10 else None)
    figure.update_yaxes(title=axis, rangemode="tozero", showgrid=True)
    figure.update_layout(margin={"r": 110})
    return figure


_RUNS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#7C5C3E")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def loss_comparison(
    curves: Mapping[str, Sequence[tuple[int, float]]], code: Language | None = None, *, comparable: bool = True
) -> go.Figure:
    """Return the validation losses of runs over their steps, each with its name at its end.

    Args:
        curves: (step, nats per token) by name of the run.
        code: Language of the words; the reader's by default.
        comparable: Whether all were measured on the same rows; else none is called the best.
    """
    figure = go.Figure()
    known = {plain(name): curve for name, curve in curves.items() if curve}
    order = sorted(known, key=lambda name: known[name][-1][1], reverse=True)
    for place, name in enumerate(known):
        line = {"color": _RUNS[place % len(_RUNS)], "dash": _DASHES[place % len(_DASHES)], "width": 2.5}
        # names at the ends of curves that end close together stand above each other
        shift = 14 * (order.index(name) - (len(order) - 1) / 2) * -1
        _line(figure, known[name], name, line, markers=True, shift=round(shift))
    best = {name: min(value for _, value in curve) for name, curve in known.items()}
    title = t("charts.loss.title.waiting", code)
    if best and not comparable:
        title = t("charts.loss.title.apart", code)
    elif best:
        first = min(best, key=lambda name: best[name])
        title = t("charts.loss.title.runs", code, run=first, loss=format_number(best[first], code, 3))
    alt = [f"{name}: {format_number(loss, code, 3)}" for name, loss in best.items()]
    styled(figure, title, height=360, code=code, alt=alt)
    figure.update_xaxes(title=t("charts.axis.step", code), rangemode="tozero")
    figure.update_yaxes(title=t("charts.axis.loss", code), rangemode="tozero", showgrid=True)
    figure.update_layout(margin={"r": 190})
    return figure


def learning_curve(
    points: Sequence[tuple[int, float]], finding: str, gain: float = 0.0, code: Language | None = None
) -> go.Figure:
    """Return the validation loss of what was kept over the number of examples; its title says whether more help.

    Args:
        points: (examples, nats per token) of the runs that ended, the smallest share first.
        finding: ``waiting``, ``helps`` or ``enough``.
        gain: share by which the last step lowered the loss.
        code: language of the words; the reader's by default.
    """
    figure = go.Figure()
    style: dict[str, object] = {"color": _VALIDATION, "width": 2.5}
    _line(figure, points, "", style, markers=True, shift=0)
    _label(figure, points, code)
    words = {}
    if len(points) > 1:
        (few, _), (many, _) = points[-2:]
        change = format_percent(abs(gain), code, 1)
        words = {"few": format_number(few, code), "many": format_number(many, code), "change": change}
        if finding == "enough":
            finding = "enough" if gain >= 0 else "worse"
    title = t(f"charts.curve.title.{finding}", code, **words)
    styled(figure, title, height=320, code=code, alt=_values(points, code))
    figure.update_xaxes(title=t("charts.axis.examples", code), rangemode="tozero")
    figure.update_yaxes(title=t("charts.axis.kept_loss", code), rangemode="tozero", showgrid=True)
    figure.update_layout(margin={"r": 48})
    return figure


def seed_spread(points: Sequence[tuple[int, float]], code: Language | None = None) -> go.Figure:
    """Return the validation loss of what each seed left; its title says how far apart they lie.

    Args:
        points: (seed, nats per token) of the runs that ended.
        code: language of the words; the reader's by default.
    """
    figure = go.Figure()
    seeds, losses = [str(seed) for seed, _ in points], [loss for _, loss in points]
    figure.add_scatter(
        x=seeds,
        y=losses,
        mode="markers",
        marker={"symbol": "diamond", "size": 11, "color": _VALIDATION},
        hovertemplate="%{x}: %{y:.3f}<extra></extra>",
    )
    _label(figure, [(seed, loss) for seed, loss in zip(seeds, losses, strict=True)], code)
    title = t("charts.seeds.title.waiting", code)
    if len(points) > 1:
        low, high = min(losses), max(losses)
        apart = format_percent((high - low) * len(losses) / sum(losses), code, 1)
        numbers = {"low": format_number(low, code, 3), "high": format_number(high, code, 3)}
        title = t("charts.seeds.title", code, runs=format_number(len(points), code), apart=apart, **numbers)
    styled(figure, title, height=300, code=code, alt=_values(points, code))
    figure.update_xaxes(title=t("charts.axis.seed", code), type="category")
    figure.update_yaxes(title=t("charts.axis.kept_loss", code), rangemode="tozero", showgrid=True)
    return figure


def thinned(curve: Sequence[tuple[int, float]], most: int = _POINTS) -> list[tuple[int, float]]:
    """Return a curve with about `most` points at the most: its ends, and the lowest and highest of each stretch.

    A screen shows no more, and a night of training has a hundred times as many; no spike is lost.
    """
    if len(curve) <= most:
        return list(curve)
    inner, stretches = curve[1:-1], max(1, (most - 2) // 2)
    kept = [curve[0]]
    for number in range(stretches):
        part = inner[number * len(inner) // stretches : (number + 1) * len(inner) // stretches]
        if part:
            kept += sorted({min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])})
    return [*kept, curve[-1]]


def rate_curve(rate: Sequence[tuple[int, float]], code: Language | None = None) -> go.Figure:
    """Return the learning rate over the steps.

    Args:
        rate: (step, learning rate).
        code: language of the words; the reader's by default.
    """
    title = t("charts.rate.title.waiting", code)
    if rate:
        words = {"peak": f"{max(value for _, value in rate):.2g}", "last": f"{rate[-1][1]:.2g}"}
        title = t("charts.rate.title", code, **words)
    figure = _single(rate, title, t("charts.axis.rate", code), code)
    figure.update_yaxes(exponentformat="e")
    return figure


def gradient_curve(norm: Sequence[tuple[int, float]], limit: float = 0.0, code: Language | None = None) -> go.Figure:
    """Return the norm of the gradient over the steps; its title says how often it was cut.

    Args:
        norm: (step, norm before it was cut).
        limit: norm to which larger ones are cut; 0: none is.
        code: language of the words; the reader's by default.
    """
    title = t("charts.gradient.title.waiting", code)
    if norm:
        most = format_number(max(value for _, value in norm), code, 2)
        title = t("charts.gradient.title", code, most=most)
        if limit:
            above = format_percent(sum(value > limit for _, value in norm) / len(norm), code)
            title = t("charts.gradient.title.cut", code, most=most, above=above, limit=format_number(limit, code, 2))
    return _single(norm, title, t("charts.axis.gradient", code), code)


def _single(curve: Sequence[tuple[int, float]], title: str, axis: str, code: Language | None) -> go.Figure:
    figure = go.Figure()
    _line(figure, curve, "", {"color": _TRAIN, "width": 1.5}, markers=False, shift=0)
    alt = [f"{step}: {value:.3g}" for step, value in thinned(curve, 8)]
    styled(figure, title, height=240, code=code, alt=alt)
    figure.update_xaxes(title=t("charts.axis.step", code), rangemode="tozero")
    figure.update_yaxes(title=axis, rangemode="tozero", showgrid=True)
    return figure


def _label(figure: go.Figure, points: Sequence[tuple[int | str, float]], code: Language | None) -> None:
    """Write each value above its marker and to the right, where a falling curve leaves room."""
    for place, loss in points:
        words = format_number(loss, code, 3)
        figure.add_annotation(x=place, y=loss, text=words, showarrow=False, xanchor="left", xshift=2, yshift=14)


def _values(points: Sequence[tuple[int, float]], code: Language | None) -> list[str]:
    return [f"{format_number(place, code)}: {format_number(loss, code, 3)}" for place, loss in points]


def _line(
    figure: go.Figure,
    curve: Sequence[tuple[int, float]],
    name: str,
    line: dict[str, object],
    *,
    markers: bool,
    shift: int,
) -> None:
    """Draw one curve with its name beside its end, `shift` pixels higher, so that two ends do not overlap."""
    if not curve:
        return
    drawn = thinned(curve)
    steps, values = [step for step, _ in drawn], [value for _, value in drawn]
    figure.add_scatter(
        x=steps,
        y=values,
        mode="lines+markers" if markers else "lines",
        line=line,
        marker={"symbol": "diamond", "size": 8},
        hovertemplate=f"{name}: %{{y:.3g}} (%{{x}})<extra></extra>" if name else "%{y:.3g} (%{x})<extra></extra>",
    )
    figure.add_annotation(x=steps[-1], y=values[-1], text=name, showarrow=False, xanchor="left", xshift=8, yshift=shift)


def _finding(validation: Sequence[tuple[int, float]], code: Language | None) -> tuple[str, list[str]]:
    """Return the title, and the first, best and last validation loss in words."""
    if len(validation) < 2:
        return t("charts.loss.title.waiting", code), []
    first, last = validation[0][1], validation[-1][1]
    best = min(validation, key=lambda point: point[1])
    key = "falling" if last <= best[1] * 1.02 else "rising"
    words = {"first": format_number(first, code, 2), "last": format_number(last, code, 2)}
    lowest = format_number(best[1], code, 2)
    title = t(f"charts.loss.title.{key}", code, best=lowest, step=format_number(best[0], code), **words)
    return title, _points(validation, code)


def _points(curve: Sequence[tuple[int, float]], code: Language | None) -> list[str]:
    return [f"{step}: {format_number(value, code, 2)}" for step, value in curve]
