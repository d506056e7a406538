"""The test run page's parts: setting a run up with its plan, choosing one, its figures and its cases."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from core.charts import (
    MeasuredApproach,
    confusion_chart,
    cost_per_1000,
    latency_overview,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
)
from core.datasets import SPLITS, latest_version
from core.decision import approach_name, decide_experiment, failure_texts
from core.decision.figures import headroom_figure
from core.errors import KurabeError
from core.evaluation import (
    DEFAULT_METRICS,
    EXPORTS,
    STRUCTURAL,
    ApproachResult,
    Confusion,
    ExperimentConfig,
    Plan,
    Results,
    experiments,
    plan_experiment,
    start_experiment,
)
from core.i18n import format_duration, format_money, format_number, t
from core.jobs import job_view
from core.measures import METRICS, PRIMARY, Interval
from core.store import tables as tb
from core.ui.approaches import choose_approaches, draw_missing
from core.ui.basis import draw_basis
from core.ui.downloads import answers_address
from core.ui.findings import experiment_results, figures_of, outdated, when
from core.ui.parts import Tile, draw_kept, draw_tiles, interval_text, plain, remember, section
from core.ui.seal import draw_openings, draw_split_advice, first_split

__all__ = ["choose_experiment", "draw_results", "draw_setup"]


def draw_setup(project: tb.Project) -> str | None:
    """Draw the set-up with what it would take; return the experiment's id when it was started."""
    version = latest_version(project.id)
    if version is None:
        raise KurabeError("comparison.no_data", what="questions")
    with st.container(border=True):
        chosen = choose_approaches(project.id, "test_approaches")
        values = _choices(version)
    draw_missing(project.id)
    if not chosen:
        st.caption(t("ui.test.choose_one"))
        return None
    config = ExperimentConfig(dataset_version_id=version.id, approach_ids=tuple(chosen), **values)
    _draw_plan(plan_experiment(project.id, config), config)
    if st.button(t("ui.test.start"), type="primary", icon=":material/play_arrow:"):
        return start_experiment(project.id, config).id
    return None


def _choices(version: tb.DatasetVersion) -> dict[str, Any]:
    """Draw what is asked of the approaches."""
    counts = (version.counts or {}).get("splits", {})
    splits = [name for name in reversed(SPLITS) if counts.get(name)]
    with st.grid(4, min_column_width=200):
        split = st.selectbox(
            t("evaluation.field.split"),
            splits,
            index=splits.index(first_split(version, splits)) if splits else 0,
            key="test_split",
            format_func=lambda key: t(f"ui.split.{key}"),
            help=t("ui.test.split.help"),
        )
        questions = st.number_input(
            t("evaluation.field.questions"),
            1,
            None,
            value=None,
            placeholder=t("ui.all"),
            key="test_questions",
            help=t("evaluation.field.questions.help"),
        )
        latency = st.number_input(
            t("evaluation.field.latency_questions"),
            0,
            1000,
            12,
            key="test_latency",
            help=t("evaluation.field.latency_questions.help"),
        )
        name = st.text_input(t("evaluation.field.name"), key="test_name", placeholder=t("ui.test.name.placeholder"))
    draw_split_advice(version, split)
    return {
        "split": split,
        "questions": int(questions) if questions else None,
        "latency_questions": int(latency),
        "name": name,
        **_metric_choices(),
    }


def _metric_choices() -> dict[str, Any]:
    """Draw what decides between the approaches, what is measured beside it, and the seed."""
    # what a judge measures takes a job of its own afterwards, and never decides alone
    measured = [name for name, kind in METRICS.all().items() if not kind.judged]
    decisive = [name for name in measured if METRICS.get(name).primary]
    always = [t(f"measures.metric.{name}") for name in STRUCTURAL]
    with st.expander(t("ui.test.more"), icon=":material/tune:"), st.grid(3, min_column_width=220):
        primary = st.selectbox(
            t("evaluation.field.primary_metric"),
            decisive,
            index=decisive.index(PRIMARY),
            format_func=lambda key: t(f"measures.metric.{key}"),
            help=t("evaluation.field.primary_metric.help"),
        )
        metrics = st.multiselect(
            t("evaluation.field.metrics"),
            [name for name in measured if name not in STRUCTURAL],
            default=[name for name in DEFAULT_METRICS if name not in STRUCTURAL],
            format_func=lambda key: t(f"measures.metric.{key}"),
            help=t("ui.test.metrics.help", always=t("ui.seal.separator").join(always)),
        )
        seed = st.number_input(t("evaluation.field.seed"), 0, None, 0, help=t("ui.test.seed.help"))
    return {"primary_metric": primary, "metrics": tuple(metrics), "seed": int(seed)}


def _draw_plan(plan: Plan, config: ExperimentConfig) -> None:
    """Draw what the run would take and what it could find, before it starts."""
    unknown = t("ui.test.plan.unknown")
    tokens = t("ui.test.plan.tokens", n=format_number(plan.tokens)) if plan.tokens else ""
    size = t("ui.test.plan.calls.note", questions=format_number(plan.questions), approaches=len(config.approach_ids))
    smallest = plan.smallest_detectable
    basis = "measured" if plan.discordance_measured else "assumed"
    draw_tiles(
        [
            Tile(t("ui.test.plan.calls"), format_number(plan.calls), size),
            Tile(
                t("ui.test.plan.cost"),
                format_money(plan.cost, plan.currency) if plan.cost is not None else "–",
                tokens if plan.cost is not None or tokens else unknown,
            ),
            Tile(
                t("ui.test.plan.time"),
                format_duration(plan.seconds) if plan.seconds else "–",
                "" if plan.seconds else unknown,
            ),
            Tile(
                t("ui.test.plan.detectable"),
                t("ui.points", n=format_number(100 * smallest)) if smallest else "–",
                t(f"ui.test.plan.{basis}", share=format_number(100 * plan.discordance)),
                t("ui.test.plan.detectable.help"),
            ),
        ]
    )
    if plan.warnings:
        with st.expander(t("ui.test.warnings", n=len(plan.warnings)), icon=":material/warning:"):
            for warning in plan.warnings:
                params = {name: plain(str(value)) for name, value in dict(warning["params"]).items()}  # type: ignore[call-overload]  # a dict of parameters
                st.markdown(f"- {t('evaluation.warning.' + str(warning['code']), **params)}")


def choose_experiment(project: tb.Project) -> tb.Experiment | None:
    """Draw the choice of the test run and return it; None while there is none."""
    found = experiments(project.id)
    if not found:
        return None
    known = {experiment.id: experiment for experiment in found}
    asked = st.query_params.get("experiment")
    picked = st.selectbox(
        t("ui.test.run"),
        list(known),
        index=list(known).index(asked) if asked in known else 0,
        format_func=lambda key: _experiment_name(known[key]),
        key=f"experiment_{project.id}_{len(found)}",
    )
    remember("experiment", picked)
    return known[picked]


def _experiment_name(row: tb.Experiment) -> str:
    count = t("ui.test.questions_n", n=format_number(row.question_count))
    state = when(row.completed_at) if row.completed_at else t("ui.test.unfinished")
    return f"{row.name} · {count} · {state}"


def draw_results(project: tb.Project, experiment: tb.Experiment) -> None:
    """Draw an experiment's results as far as it has come."""
    found = experiment_results(experiment)
    if not any(approach.correct for approach in found.approaches):
        st.caption(t("ui.test.nothing_yet"))
        return
    if not found.complete:
        st.info(t("ui.test.partial"), icon=":material/hourglass_top:")
    for sentence in outdated(project, found):
        st.caption(f":material/update: {sentence}")
    _draw_table(found)
    _draw_notes(found)
    if found.complete:
        _draw_course(experiment)
    _draw_figures(figures_of(found, decide_experiment(project, experiment.id, found=found) if found.complete else None))
    _draw_causes(found)
    _draw_headroom(found)
    _draw_categories(found)
    _draw_more(found)


def _draw_table(found: Results) -> None:
    """Draw one row an approach: what it reached, against the baseline, at which cost and wait."""
    against = {pair.first: pair for pair in found.comparisons if pair.slice is None}
    base = found.approach(found.baseline_id)
    rows = []
    for approach in found.approaches:
        pair = against.get(approach.approach_id)
        rows.append(
            {
                t("ui.test.approach"): _labelled(approach),
                (measured := t(f"measures.metric.{found.primary_metric}")): _number(approach.correct, 100),
                t("ui.test.interval"): interval_text(approach.correct),
                t("ui.test.against", base=approach_name(base) if base else "–"): _against(pair),
                t("ui.test.up_down"): f"↑{pair.up} ↓{pair.down}" if pair else "–",
                t("ui.test.prompt_tokens"): _number(approach.tokens.prompt),
                t("ui.test.answer_tokens"): _number(approach.tokens.completion),
                (cost := f"{t('decision.criterion.cost')} ({_currency(found)})"): _number(approach.cost.per_1000),
                (first := t("decision.criterion.first_word")): _number(approach.latency.first_token.get("p50")),
                (wait := t("decision.criterion.waiting_time")): _number(approach.latency.total.get("p50")),
                t("ui.test.failed"): approach.counts.failed,
            }
        )
    # numbers, not texts: a column of texts sorts 9% above 84%
    formats = {measured: "%.0f%%", cost: "%.4g", first: "%.3g s", wait: "%.3g s"}
    formats |= dict.fromkeys((t("ui.test.prompt_tokens"), t("ui.test.answer_tokens")), "%.0f")
    config = {name: st.column_config.NumberColumn(format=shape) for name, shape in formats.items()}
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.test.table"))


def _currency(found: Results) -> str:
    return next((a.cost.currency for a in found.approaches if a.cost.currency), "–")


def _labelled(approach: ApproachResult) -> str:
    name = approach_name(approach)
    return name if approach.ranked else f"{name} {t('ui.test.reference')}"


def _number(interval: Interval | None, factor: float = 1) -> float | None:
    return interval.estimate * factor if interval else None


def _against(pair: Any) -> str:
    if pair is None:
        return "–"
    points = f"{'+' if pair.estimate >= 0 else '−'}{format_number(abs(pair.estimate) * 100)}"
    return f"{t('decision.word.' + pair.verdict)} ({t('ui.points', n=points)})"


def _draw_notes(found: Results) -> None:
    st.caption(t("decision.report.interval_note", n=format_number(found.questions)))
    draw_basis(found)
    if found.split == "test":
        draw_openings(found.project_id, found.dataset_version_id)
    if found.smallest_detectable:
        points = format_number(100 * found.smallest_detectable)
        st.caption(t("decision.note.detectable", difference=points))
    if failed := failure_texts(found):
        st.warning("  \n".join(plain(text) for text in failed), icon=":material/cloud_off:")
    for twins in found.twins:
        first, second = found.approach(twins.first), found.approach(twins.second)
        if first and second:
            names = {"first": plain(approach_name(first)), "second": plain(approach_name(second))}
            st.warning(t("decision.note.twins", same=twins.same, **names), icon=":material/content_copy:")


def _draw_course(experiment: tb.Experiment) -> None:
    """Say how long the run took, or that it was interrupted and what became of the answers it had."""
    if experiment.job_id is None:
        return
    with suppress(KurabeError):  # its record may be gone
        view = job_view(experiment.job_id)
        if view.attempt > 1:
            st.caption(f":material/replay: {t('ui.test.resumed', n=format_number(view.attempt - 1))}")
        elif view.elapsed_seconds is not None:
            st.caption(f":material/timer: {t('ui.test.took', time=format_duration(view.elapsed_seconds))}")


def _draw_figures(figures: list[MeasuredApproach]) -> None:
    draw_kept("test_quality", quality_overview, figures)
    draw_kept("test_slices", quality_by_slice, figures)
    with st.grid(2, min_column_width=420, gap="medium"):
        for name, maker in (
            ("tokens", tokens_per_answer),
            ("cost", cost_per_1000),
            ("latency", latency_overview),
            ("tradeoff", tradeoff),
        ):
            with st.container():
                if name == "latency" and all(figure.total is None for figure in figures):
                    st.caption(t("ui.test.no_latency"))
                    continue
                draw_kept(f"test_{name}", maker, figures)


_CAUSES = ("retrieval_missed", "had_not_used", "format", "invented", "unknown", "declined", "failed")


def _draw_causes(found: Results) -> None:
    """Draw why answers are wrong: what would help differs."""
    section(t("ui.test.causes"), t("ui.test.causes.text"))
    rows = []
    for approach in found.approaches:
        counts = {t(f"evaluation.cause.{name}"): getattr(approach.attribution, name) for name in _CAUSES}
        rows.append({t("ui.test.approach"): approach_name(approach), **counts})
    config = {
        t(f"evaluation.cause.{name}"): st.column_config.NumberColumn(help=t(f"evaluation.cause.{name}.help"))
        for name in _CAUSES
    }
    st.dataframe(rows, hide_index=True, column_config=config, alt=t("ui.test.causes"))


def _draw_headroom(found: Results) -> None:
    """Draw what better search or training could still gain over the best approach without training."""
    if found.headroom is None:
        return
    section(t("ui.test.headroom"), t("ui.test.headroom.text"))
    draw_kept("test_headroom", headroom_figure, found.headroom)
    reference = found.approach(found.headroom.reference)
    name = plain(approach_name(reference)) if reference else "–"
    st.caption(t("ui.test.headroom.note", approach=name, n=format_number(found.headroom.n)))


def _draw_categories(found: Results) -> None:
    """Draw which category an approach named where another was right, if questions ask for categories."""
    shown = [approach for approach in found.approaches if "category" in approach.metrics]
    if not shown:
        return
    with st.expander(t("ui.test.categories"), icon=":material/grid_on:"):
        names = {approach.approach_id: approach_name(approach) for approach in shown}
        best = max(shown, key=lambda approach: _estimate(approach.metrics["category"].interval))
        picked = st.selectbox(
            t("ui.test.approach"),
            list(names),
            index=list(names).index(best.approach_id),
            format_func=lambda key: names[key],
            key=f"categories_{found.experiment_id}",
        )
        matrix = next((a.confusion for a in shown if a.approach_id == picked), None)
        if matrix is not None:
            title = _categories_title(names[picked], matrix)
            draw_kept("test_categories", confusion_chart, title, matrix.expected, matrix.given, matrix.counts)


def _estimate(interval: Interval | None) -> float:
    return interval.estimate if interval else -1.0


def _categories_title(name: str, matrix: Confusion) -> str:
    share = {"approach": name, "right": format_number(matrix.right), "n": format_number(matrix.total)}
    if matrix.worst is None:
        return t("charts.confusion.title.right", **share)
    wanted, named, count = matrix.worst
    given = named or t("charts.confusion.none")
    return t("charts.confusion.title", expected=wanted, given=given, count=format_number(count), **share)


def _draw_more(found: Results) -> None:
    """Draw the other metrics, the coverage, and the export of every answer."""
    with st.expander(t("ui.test.metrics"), icon=":material/straighten:"):
        st.dataframe(
            [
                {
                    t("ui.test.approach"): approach_name(a),
                    **{t(f"measures.metric.{name}"): _number(m.interval, 100) for name, m in a.metrics.items()},
                }
                for a in found.approaches
            ],
            hide_index=True,
            column_config={
                t(f"measures.metric.{name}"): st.column_config.NumberColumn(format="%.0f%%")
                for name in dict.fromkeys(name for a in found.approaches for name in a.metrics)
            },
            alt=t("ui.test.metrics"),
        )
    if found.coverage:
        with st.expander(t("ui.coverage.title"), icon=":material/join_inner:"):
            st.caption(t("ui.test.coverage.text"))
            st.dataframe(
                [
                    {
                        t("ui.test.approach"): approach_name(a),
                        **{
                            f"{t(f'evaluation.coverage.{name}')} ({n})": interval_text(a.coverage.get(name))
                            for name, n in found.coverage.items()
                        },
                    }
                    for a in found.approaches
                ],
                hide_index=True,
                alt=t("ui.coverage.title"),
            )
    with st.expander(t("ui.test.provenance"), icon=":material/receipt_long:"):
        st.json(found.provenance, expanded=1)
    _draw_export(found)


def _draw_export(found: Results) -> None:
    """Draw links to every answer as a file; it is written while it is sent."""
    st.caption(t("ui.test.export.help"))
    with st.container(horizontal=True):
        for kind in EXPORTS:
            address = answers_address(found.experiment_id, kind)
            st.link_button(t(f"ui.test.export.{kind}"), address, icon=":material/download:")
