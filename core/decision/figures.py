"""An experiment's results in the form that the figures read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plotly.graph_objects import Figure

from core.approaches import variants
from core.charts import headroom_chart
from core.charts.results import Bar, MeasuredApproach
from core.decision.verdict import Verdict
from core.decision.words import approach_name
from core.evaluation import ApproachResult, Headroom, Results
from core.i18n import Language, catalogue, format_number, t
from core.measures import Interval

__all__ = ["headroom_figure", "measured_approaches", "slice_name"]


def measured_approaches(
    found: Results, code: Language | None = None, verdict: Verdict | None = None
) -> list[MeasuredApproach]:
    """Return every approach of an experiment as the figures need it, labelled in the reader's language.

    With a verdict the figures know which approaches are level at the top.
    """
    level = verdict.tied if verdict else ()
    names = {name: _counted(name, n, code) for name, n in found.slices.items()}
    which = variants(found.project_id)
    return [
        replace(
            _measured(approach, names, approach.approach_id in level, code), variant=which.get(approach.approach_id, 0)
        )
        for approach in found.approaches
    ]


def _counted(name: str, n: int, code: Language | None) -> str:
    """Return a slice's name with its number of questions, on which its intervals rest."""
    return t("charts.slices.counted", code, name=slice_name(name, code), n=format_number(n, code))


def _measured(
    approach: ApproachResult, slices: Mapping[str, str], level: bool, code: Language | None
) -> MeasuredApproach:
    return MeasuredApproach(
        label=approach_name(approach, code),
        preset=approach.preset,
        ranked=approach.ranked,
        level=level,
        correct=_bar(approach.correct),
        slices={slices[name]: Bar(i.estimate, i.low, i.high) for name, i in approach.slices.items()},
        prompt_tokens=_mean(approach.tokens.prompt),
        context_tokens=_mean(approach.tokens.context),
        completion_tokens=_mean(approach.tokens.completion),
        reasoning_tokens=_mean(approach.tokens.reasoning),
        cost_per_1000=_bar(approach.cost.per_1000),
        currency=approach.cost.currency or "USD",
        first_token=_bar(approach.latency.first_token.get("p50")),
        total=_bar(approach.latency.total.get("p50")),
        cost_parts=approach.cost.parts,
        seconds=approach.latency.seconds,
    )


HEADROOM = ("right", "retrieval", "either", "tuning", "neither")
"""Parts that the questions fall into, as `core.evaluation.Headroom` names them."""


def headroom_figure(found: Headroom, code: Language | None = None) -> Figure:
    """Return what better search or tuning could still gain as a figure."""
    parts = {name: _known_bar(getattr(found, name)) for name in HEADROOM}
    return headroom_chart(parts, _known_bar(found.tuning_at_most), _known_bar(found.retrieval_at_most), code)


def _known_bar(interval: Interval) -> Bar:
    return Bar(interval.estimate, interval.low, interval.high)


def slice_name(name: str, code: Language | None = None) -> str:
    """Return a slice's name for readers: translated where Kurabe knows it, else as the dataset calls it."""
    key = f"decision.slice.{name}"
    return t(key, code) if key in catalogue("en") else name


def _bar(interval: Interval | None) -> Bar | None:
    return None if interval is None else _known_bar(interval)


def _mean(interval: Interval | None) -> float | None:
    return None if interval is None else interval.estimate
