"""The test run page's parts before a run: setting it up with its plan, and choosing one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.datasets import SPLITS, latest_version
from core.errors import KurabeError
from core.evaluation import (
    DEFAULT_METRICS,
    ExperimentConfig,
    Plan,
    experiments,
    plan_experiment,
    start_experiment,
)
from core.i18n import format_duration, format_money, format_number, t
from core.measures import METRICS, PRIMARY
from core.store import tables as tb
from core.ui.approaches import choose_approaches, draw_missing
from core.ui.findings import when
from core.ui.parts import Tile, draw_tiles, plain, remember

__all__ = ["choose_experiment", "draw_setup"]


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
    with st.grid(4, min_column_width=200):
        split = st.selectbox(
            t("evaluation.field.split"),
            [name for name in reversed(SPLITS) if counts.get(name)],
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
    # what a judge measures takes a job of its own afterwards, and never decides alone
    measured = [name for name, kind in METRICS.all().items() if not kind.judged]
    with st.expander(t("ui.test.more"), icon=":material/tune:"), st.grid(3, min_column_width=220):
        primary = st.selectbox(
            t("evaluation.field.primary_metric"),
            measured,
            index=measured.index(PRIMARY),
            format_func=lambda key: t(f"measures.metric.{key}"),
            help=t("evaluation.field.primary_metric.help"),
        )
        metrics = st.multiselect(
            t("evaluation.field.metrics"),
            measured,
            default=list(DEFAULT_METRICS),
            format_func=lambda key: t(f"measures.metric.{key}"),
        )
        seed = st.number_input(t("evaluation.field.seed"), 0, None, 0, help=t("ui.test.seed.help"))
    return {
        "split": split,
        "questions": int(questions) if questions else None,
        "latency_questions": int(latency),
        "name": name,
        "primary_metric": primary,
        "metrics": tuple(metrics),
        "seed": int(seed),
    }


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
