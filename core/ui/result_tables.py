"""The tables of a test run's results; numbers stay numbers, so that every column can be sorted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from core.approaches import variants
from core.decision import approach_name
from core.evaluation import (
    CAUSES,
    SMALL_SLICE,
    ApproachResult,
    Comparison,
    JudgeOutcome,
    MetricResult,
    Results,
    judged_names,
)
from core.i18n import format_number, format_percent, t
from core.measures import Interval
from core.ui.model_judge import choose_judged
from core.ui.navigation import link
from core.ui.parts import draw_approach, plain, section
from core.ui.questions import slice_label

__all__ = ["draw_causes", "draw_measures", "draw_retrieval", "draw_slices", "draw_summary"]

_POINTS, _COUNT = "%+.1f", "%.0f"


def draw_summary(found: Results) -> None:
    """Draw one row an approach: what it reached, against the baseline, at which cost and wait; then links to rows."""
    against = {pair.first: pair for pair in found.comparisons if pair.slice is None}
    costs = [a.cost.per_1000.estimate for a in found.approaches if a.cost.per_1000]
    currency = next((a.cost.currency for a in found.approaches if a.cost.currency), "")
    rows = [_summary(found, a, against.get(a.approach_id), currency) for a in found.approaches]
    names = _names(found, currency)
    waits = [i.estimate for a in found.approaches for i in (a.latency.total.get("p50"),) if i]
    formats = {
        "quality": "%.1f%%", "n": _COUNT, "difference": _POINTS, "up": _COUNT, "down": _COUNT, "equal": _COUNT,
        "prompt": _COUNT, "answer": "%.1f", "cost": f"%.{_digits(costs)}f", "first": f"%.{_digits(waits)}f",
        "total": f"%.{_digits(waits)}f", "slow": f"%.{_digits(waits)}f", "timed": _COUNT, "failed": _COUNT,
    }  # fmt: skip
    config = {names[key]: st.column_config.NumberColumn(format=shown) for key, shown in formats.items()}
    config[names["slow"]] = st.column_config.NumberColumn(format=formats["slow"], help=t("ui.look.slow.help"))
    config[t("ui.test.approach")] = st.column_config.TextColumn(pinned=True)
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.test.table"))
    base = found.approach(found.baseline_id)
    if base is not None and against:
        _draw_when_opened("ui.look.behind", ":material/rule:", lambda: _draw_links(found, base, against))


def _names(found: Results, currency: str) -> dict[str, str]:
    """Return the headings of the numeric columns."""
    base = found.approach(found.baseline_id)
    return {
        "quality": f"{t(f'measures.metric.{found.primary_metric}')} (%)",
        "n": t("ui.look.n"),
        "difference": t("ui.look.difference", base=approach_name(base) if base else "–"),
        "up": t("ui.look.up"),
        "down": t("ui.look.down"),
        "equal": t("ui.look.equal"),
        "prompt": t("ui.test.prompt_tokens"),
        "answer": t("ui.test.answer_tokens"),
        "cost": t("ui.look.cost", currency=currency or "–"),
        "first": t("ui.look.first"),
        "total": t("ui.look.total"),
        "slow": t("ui.look.slow"),
        "timed": t("ui.look.timed"),
        "failed": t("ui.test.failed"),
    }


def _summary(found: Results, approach: ApproachResult, pair: Comparison | None, currency: str) -> dict[str, Any]:
    names, latency = _names(found, currency), approach.latency
    return {
        t("ui.test.approach"): _labelled(approach),
        names["quality"]: _percent(approach.correct),
        t("ui.look.interval"): _range(approach.correct),
        names["n"]: approach.correct.n if approach.correct else 0,
        names["difference"]: 100 * pair.estimate if pair else None,
        t("ui.look.difference.interval"): _points_range(pair),
        t("ui.look.finding"): t(f"decision.word.{pair.verdict}") if pair else "–",
        names["up"]: pair.up if pair else None,
        names["down"]: pair.down if pair else None,
        names["equal"]: pair.equal if pair else None,
        names["prompt"]: _estimate(approach.tokens.prompt),
        names["answer"]: _estimate(approach.tokens.completion),
        names["cost"]: _estimate(approach.cost.per_1000),
        names["first"]: _estimate(latency.first_token.get("p50")),
        names["total"]: _estimate(latency.total.get("p50")),
        names["slow"]: _estimate(latency.total.get("p95")),
        names["timed"]: latency.n,
        names["failed"]: approach.counts.failed,
    }


def _labelled(approach: ApproachResult) -> str:
    name = approach_name(approach)
    return name if approach.ranked else f"{name} {t('ui.test.reference')}"


def _estimate(interval: Interval | None) -> float | None:
    return None if interval is None else interval.estimate


def _percent(interval: Interval | None) -> float | None:
    return None if interval is None else 100 * interval.estimate


def _range(interval: Interval | None) -> str:
    if interval is None or interval.low is None or interval.high is None:
        return "–"
    return f"{format_percent(interval.low).rstrip('%')}–{format_percent(interval.high)}"


def _points_range(pair: Comparison | None) -> str:
    if pair is None or pair.low is None or pair.high is None:
        return "–"
    ends = [f"{'+' if end >= 0 else '−'}{format_number(abs(end) * 100, digits=1)}" for end in (pair.low, pair.high)]
    return t("ui.look.from_to", low=ends[0], high=ends[1])


def _digits(values: Iterable[float]) -> int:
    """Return the decimals with which the smallest of the values keeps two significant digits."""
    smallest = min((value for value in values if value > 0), default=1.0)
    return max(0, min(8, 1 - math.floor(math.log10(smallest))))


def _draw_links(found: Results, base: ApproachResult, against: dict[str, Comparison]) -> None:
    """Draw, for each approach, links to the questions on which it fares better, worse and as the baseline does."""
    st.caption(t("ui.look.open", base=plain(approach_name(base))))
    which = variants(found.project_id)
    for approach in found.approaches:
        pair = against.get(approach.approach_id)
        if pair is None:
            continue
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            draw_approach(approach.preset, approach_name(approach), variant=which.get(approach.approach_id, 0))
            counts = (
                ("improvements", "up", pair.up),
                ("regressions", "down", pair.down),
                ("equal", "equal", pair.equal),
            )
            for show, name, count in counts:
                label = t(f"ui.look.link.{name}", n=format_number(count))
                query = {"project": found.project_id, "experiment": found.experiment_id, "view": "cases"}
                link("test_run", label, icon=False, **query, show=show, approach=approach.approach_id)


def draw_causes(found: Results) -> None:
    """Draw why answers are wrong, since what would help differs, and links to the questions behind each count."""
    section(t("ui.test.causes"), t("ui.test.causes.text"))
    rows = []
    for approach in found.approaches:
        counts = {t(f"evaluation.cause.{name}"): getattr(approach.attribution, name) for name in CAUSES}
        rows.append({t("ui.test.approach"): approach_name(approach), **counts})
    config = {
        t(f"evaluation.cause.{name}"): st.column_config.NumberColumn(help=t(f"evaluation.cause.{name}.help"))
        for name in CAUSES
    }
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.test.causes"))
    _draw_cause_links(found)


def _draw_cause_links(found: Results) -> None:
    """Draw, for each approach with wrong answers, links to the questions that are wrong for each reason."""
    which = variants(found.project_id)
    wrong = [a for a in found.approaches if any(getattr(a.attribution, name) for name in CAUSES)]
    if wrong:
        st.caption(t("ui.test.causes.open"))
    for approach in wrong:
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            draw_approach(approach.preset, approach_name(approach), variant=which.get(approach.approach_id, 0))
            for name in CAUSES:
                if count := getattr(approach.attribution, name):
                    label = t("ui.test.causes.link", cause=t(f"evaluation.cause.{name}"), n=format_number(count))
                    query = {"project": found.project_id, "experiment": found.experiment_id, "view": "cases"}
                    link("test_run", label, icon=False, **query, cause=name, approach=approach.approach_id)


def draw_slices(found: Results) -> None:
    """Draw every approach against the baseline within each slice, and warn about slices that are small."""
    if not found.slice_comparisons:
        return
    base = found.approach(found.baseline_id)
    name = plain(approach_name(base)) if base else "–"
    section(t("ui.look.slices"), t("ui.look.slices.text", base=name, m=format_number(len(found.slice_comparisons))))
    if small := [(slice_name, n) for slice_name, n in found.slices.items() if n < SMALL_SLICE]:
        named = t("ui.list.comma").join(f"{slice_label(one)} ({format_number(n)})" for one, n in small)
        st.warning(t("ui.look.small", slices=plain(named), needed=SMALL_SLICE), icon=":material/warning:")
    rows = [row for pair in found.slice_comparisons if (row := _slice_row(found, pair))]
    config = {
        t("ui.look.points"): st.column_config.NumberColumn(format=_POINTS),
        t("ui.look.p"): st.column_config.NumberColumn(format="%.3f"),
    }
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.look.slices"))


def _slice_row(found: Results, pair: Comparison) -> dict[str, Any] | None:
    approach = found.approach(pair.first)
    if approach is None or pair.slice is None:
        return None
    return {
        t("ui.questions.slice"): slice_label(pair.slice),
        t("ui.test.approach"): approach_name(approach),
        t("ui.look.points"): 100 * pair.estimate,
        t("ui.look.difference.interval"): _points_range(pair),
        t("ui.look.finding"): t(f"decision.word.{pair.verdict}"),
        t("ui.look.up"): pair.up,
        t("ui.look.down"): pair.down,
        t("ui.look.equal"): pair.equal,
        t("ui.look.n"): pair.n,
        t("ui.look.p"): pair.adjusted_p,
    }


def draw_retrieval(found: Results) -> None:
    """Draw how often search brought the passage, and how often the answer is right with and without it."""
    reading = [a for a in found.approaches if a.retrieval is not None]
    if not reading:
        return
    section(t("ui.look.retrieval"), t("ui.look.retrieval.text"))
    rows = []
    for approach in reading:
        read = approach.retrieval
        if read is not None:
            rows.append(
                {t("ui.test.approach"): _labelled(approach)}
                | _columns("ui.look.found", read.found)
                | _columns("ui.look.right_if_found", read.correct_if_found)
                | _columns("ui.look.right_if_missed", read.correct_if_missed)
            )
    names = [f"{t(f'ui.look.{key}')} (%)" for key in ("found", "right_if_found", "right_if_missed")]
    config = {name: st.column_config.NumberColumn(format="%.1f%%") for name in names}
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.look.retrieval"))


def _columns(key: str, interval: Interval | None) -> dict[str, Any]:
    """Return a share, its interval and the number of questions as three columns."""
    name = t(key)
    return {
        f"{name} (%)": _percent(interval),
        t("ui.look.interval_of", name=name): _range(interval),
        t("ui.look.n_of", name=name): interval.n if interval else 0,
    }


def draw_measures(found: Results) -> None:
    """Draw the other metrics and the coverage with the questions that each rests on, and the versions of everything."""
    asked = "judging" in st.query_params  # a link to what one judge said
    _draw_when_opened("ui.test.metrics", ":material/straighten:", lambda: _draw_metrics(found), expanded=asked)
    if found.coverage:
        _draw_when_opened("ui.coverage.title", ":material/join_inner:", lambda: _draw_coverage(found))
    _draw_when_opened("ui.test.provenance", ":material/receipt_long:", lambda: st.json(found.provenance, expanded=1))


def _draw_when_opened(title: str, icon: str, draw: Callable[[], object], *, expanded: bool = False) -> None:
    """Draw what only some look at once they open it: until then no browser has to build it."""
    key = f"opened_{title}"
    with st.expander(t(title), icon=icon, expanded=expanded, on_change="rerun", key=key) as opened:
        if opened.open:
            draw()


def _draw_metrics(found: Results) -> None:
    judge = choose_judged(found)
    rows = [
        {
            t("ui.look.metric"): t(f"measures.metric.{name}"),
            **_measured(approach, metric.interval, metric.applicable),
            t("ui.look.unmeasured"): metric.failed,
        }
        for name in dict.fromkeys(name for a in found.approaches for name in a.metrics)
        for approach in found.approaches
        if (metric := _of_judge(judge, approach, name)) is not None
    ]
    _draw_shares(rows, t("ui.test.metrics"))


def _draw_coverage(found: Results) -> None:
    st.caption(t("ui.test.coverage.text"))
    rows = [
        {t("ui.look.coverage"): t(f"evaluation.coverage.{name}"), **_measured(a, a.coverage[name])}
        for name in found.coverage
        for a in found.approaches
        if name in a.coverage
    ]
    _draw_shares(rows, t("ui.coverage.title"))


def _of_judge(judge: JudgeOutcome | None, approach: ApproachResult, name: str) -> MetricResult | None:
    """Return a metric of an approach: what a judge measures from the chosen one alone, empty where that did not.

    The results hold each metric of the newest judge that measured it: two judges side by side, under one name.
    """
    if judge is None or name not in judged_names():
        return approach.metrics.get(name)
    interval = judge.metrics.get(approach.approach_id, {}).get(name)
    failed = judge.unmeasured.get(approach.approach_id, {}).get(name, 0)
    return MetricResult(interval, interval.n if interval else 0, failed)


def _measured(approach: ApproachResult, interval: Interval | None, n: int | None = None) -> dict[str, Any]:
    return {
        t("ui.test.approach"): approach_name(approach),
        t("ui.look.mean"): _percent(interval),
        t("ui.look.interval"): _range(interval),
        t("ui.look.n"): interval.n if interval else n,
    }


def _draw_shares(rows: list[dict[str, Any]], alt: str) -> None:
    config = {t("ui.look.mean"): st.column_config.NumberColumn(format="%.1f%%")}
    st.dataframe(rows, hide_index=True, column_config=config, alt=alt)
