"""A measured finding as several pages draw it: tiles of one approach, figures of all, the data and model behind it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import streamlit as st

from core.charts import MeasuredApproach
from core.datasets import datasets, latest_version, version
from core.decision.figures import measured_approaches
from core.decision.verdict import Verdict
from core.errors import KurabeError
from core.evaluation import ApproachResult, Results, latest_experiment, removed_sources, results
from core.i18n import format_datetime, format_duration, format_money, format_number, t
from core.knowledge import default_kb, latest_index
from core.measures import Interval
from core.models import resolve_base
from core.store import tables as tb
from core.ui.parts import Tile, draw_tiles, interval_text, plain

__all__ = [
    "base_name",
    "approach_tiles",
    "draw_foot",
    "experiment_results",
    "figures_of",
    "money_text",
    "outdated",
    "seconds_text",
    "when",
]


def when(moment: datetime | None) -> str:
    """Return a time in the visitor's zone."""
    return format_datetime(moment, zone=st.context.timezone) if moment else "–"


def experiment_results(experiment: tb.Experiment) -> Results:
    """Return an experiment's results; they are kept in the store, so that this mostly reads one document."""
    with st.spinner(t("ui.test.computing")):
        return results(experiment.id)


def figures_of(found: Results, verdict: Verdict | None = None) -> list[MeasuredApproach]:
    """Return every approach that was measured as figures need it."""
    return [approach for approach in measured_approaches(found, verdict=verdict) if approach.correct is not None]


def money_text(interval: Interval | None, currency: str) -> str:
    """Return money with its interval: $0.42 ($0.40–$0.44)."""
    if interval is None or not currency:
        return "–"
    text = format_money(interval.estimate, currency)
    if interval.low is None or interval.high is None:
        return text
    low, high = format_money(interval.low, currency), format_money(interval.high, currency)
    return t("decision.range", value=text, low=low, high=high)


def seconds_text(interval: Interval | None) -> str:
    """Return a duration with its interval: 1.2 s (1.0 s–1.4 s)."""
    if interval is None:
        return "–"
    text = format_duration(interval.estimate)
    if interval.low is None or interval.high is None:
        return text
    return t("decision.range", value=text, low=format_duration(interval.low), high=format_duration(interval.high))


def approach_tiles(approach: ApproachResult) -> None:
    """Draw what one approach reached: correct answers, cost and waiting time, each with its interval."""
    cost, wait = approach.cost.per_1000, approach.latency.total.get("p50")
    first = approach.latency.first_token.get("p50")
    tiles = [
        Tile(
            t("decision.criterion.correct"),
            interval_text(approach.correct).partition("(")[0].strip(),
            _range(interval_text(approach.correct)),
            t("decision.criterion.correct.help"),
        ),
        Tile(
            t("decision.criterion.cost"),
            format_money(cost.estimate, approach.cost.currency) if cost else "–",
            _range(money_text(cost, approach.cost.currency)) if cost else t("ui.home.no_cost"),
            t("decision.criterion.cost.help"),
        ),
        Tile(
            t("decision.criterion.waiting_time"),
            format_duration(wait.estimate) if wait else "–",
            _waiting_note(wait, first),
            t("decision.criterion.waiting_time.help"),
        ),
    ]
    draw_tiles(tiles)


def _range(text: str) -> str:
    """Return the interval of a text that ends with one in brackets, with the words that say what it is."""
    _, bracket, rest = text.partition("(")
    return t("ui.home.range", range=rest.rstrip(")")) if bracket else t("ui.home.no_range")


def _waiting_note(wait: Interval | None, first: Interval | None) -> str:
    if wait is None:
        return t("ui.home.no_wait")
    note = _range(seconds_text(wait))
    return f"{note} · {t('ui.home.first_word', time=format_duration(first.estimate))}" if first else note


def base_name(ref: str) -> str:
    """Return a base model's name for readers; the practice model is called so wherever it answers."""
    try:
        base = resolve_base(ref)
    except KurabeError:
        return ref  # its files were removed since; what it answered is still shown
    return t("ui.practice.name") if base.is_practice else base.name


def outdated(project: tb.Project, found: Results) -> list[str]:
    """Return what changed since an experiment: sentences, empty if nothing did."""
    changed = []
    newest, index = latest_version(project.id), latest_index(default_kb(project.id).id)
    if newest is not None and newest.id != found.dataset_version_id:
        changed.append(t("ui.home.newer_questions"))
    if index is not None and found.index_version_id not in (None, index.id):
        changed.append(t("ui.home.newer_index"))
    if (sources := removed_sources(found.experiment_id)) is not None:
        changed.append(t("decision.note.source_removed", **asdict(sources)))
    return changed


def draw_foot(project: tb.Project, found: Results | None = None) -> None:
    """Name data and model at a page's foot."""
    experiment = latest_experiment(project.id) if found else None
    parts = [t("ui.foot.model", model=plain(base_name(project.base_ref)))]
    if found is not None:
        data = version(found.dataset_version_id)
        names = {dataset.id: dataset.name for dataset in datasets(project.id)}
        name = plain(names.get(data.dataset_id, ""))
        parts.append(t("ui.foot.data", name=name, n=format_number(found.questions), hash=data.hash[3:11]))
    if experiment is not None and experiment.completed_at is not None:
        parts.append(t("ui.foot.measured", time=when(experiment.completed_at)))
    st.caption(" · ".join(parts))
    if project.base_ref == "starter":
        st.caption(f":material/science: {t('ui.practice')}")
