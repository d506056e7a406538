"""Setting up a test run: what is asked of whom and how, and what that takes, before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from core.approaches import Decoding, get_approach, spec_of_row
from core.datasets import SPLITS, datasets, latest_version, project_versions
from core.errors import KurabeError
from core.evaluation import (
    DEFAULT_METRICS,
    STRUCTURAL,
    ExperimentConfig,
    JudgeChoice,
    Plan,
    PlannedApproach,
    latest_experiment,
    plan_experiment,
    start_experiment,
)
from core.i18n import format_duration, format_money, format_number, t
from core.knowledge import default_kb, latest_index
from core.measures import METRICS, PRIMARY
from core.models import resolve_base
from core.store import tables as tb
from core.ui.approaches import approach_label, choose_approaches, draw_missing
from core.ui.findings import when
from core.ui.model_judge import choose_judge
from core.ui.parts import Tile, draw_tiles, plain, told_apart
from core.ui.seal import draw_split_advice, first_split

__all__ = ["draw_setup"]

_KEPT_SECONDS = 60
"""A plan is worked out again after this long: documents may have changed."""


def draw_setup(project: tb.Project) -> str | None:
    """Draw the set-up with what it would take; return the experiment's id when it was started."""
    if latest_version(project.id) is None:
        raise KurabeError("comparison.no_data", what="questions")
    with st.container(border=True):
        chosen = {i: get_approach(i) for i in choose_approaches(project.id, "test_approaches")}
        values = _choices(project, chosen)
        values["decoding"] = _decoding(list(chosen.values()))
        values |= _metrics()
        values["judge"], ready = _judge(project)
        values["take_over"] = st.toggle(
            t("setup.take_over"), True, key="test_take_over", help=t("setup.take_over.help")
        )
    draw_missing(project.id)
    if not chosen or not ready:
        st.caption(t("ui.test.choose_one") if not chosen else t("ui.judge.address_first"))
        return None
    config = ExperimentConfig(approach_ids=tuple(chosen), **values)
    _draw_plan(_plan(project.id, config.model_dump_json(), _state(project)), config, chosen)
    if st.button(t("ui.test.start"), type="primary", icon=":material/play_arrow:"):
        return start_experiment(project.id, config).id
    return None


def _state(project: tb.Project) -> tuple[str | None, ...]:
    """What makes a kept plan out of date: another finished run, another index."""
    newest, index = latest_experiment(project.id), latest_index(default_kb(project.id).id)
    return newest.id if newest else None, index.id if index else None


@st.cache_data(max_entries=16, ttl=_KEPT_SECONDS, show_spinner=False)
def _plan(project_id: str, config: str, state: tuple[str | None, ...]) -> Plan:
    return plan_experiment(project_id, ExperimentConfig.model_validate_json(config))


def _choices(project: tb.Project, chosen: Mapping[str, tb.Approach]) -> dict[str, Any]:
    """Draw what is asked, how often, and what it is compared by."""
    with st.grid(4, min_column_width=200):
        version = _version(project)
        counts = (version.counts or {}).get("splits", {})
        splits = [name for name in reversed(SPLITS) if counts.get(name)]
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
        repetitions = st.number_input(
            t("evaluation.field.repetitions"),
            1,
            50,
            1,
            key="test_repetitions",
            help=t("evaluation.field.repetitions.help"),
        )
        baseline, primary = _compared_by(chosen)
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
        "dataset_version_id": version.id,
        "split": split,
        "questions": int(questions) if questions else None,
        "repetitions": int(repetitions),
        "baseline_id": baseline,
        "primary_metric": primary,
        "latency_questions": int(latency),
        "name": name,
    }


def _version(project: tb.Project) -> tb.DatasetVersion:
    """Draw the choice of the dataset version, the newest first."""
    names = {dataset.id: dataset.name for dataset in datasets(project.id)}
    known = {row.id: row for row in project_versions(project.id)}
    picked = st.selectbox(
        t("ui.questions.version"),
        list(known),
        format_func=told_apart(known, lambda key: _version_name(known[key], names)),
        key=f"test_version_{next(iter(known))}",
        help=t("setup.version.help"),
    )
    return known[picked]


def _version_name(row: tb.DatasetVersion, names: Mapping[str, str]) -> str:
    return f"{names.get(row.dataset_id, '')} · {row.hash.rpartition(':')[2][:8]} · {when(row.created_at)}"


def _compared_by(chosen: Mapping[str, tb.Approach]) -> tuple[str | None, str]:
    """Draw the baseline and the primary metric: both are named before anybody looks."""
    plain_ones = [i for i, row in chosen.items() if row.preset == "base"]
    order = [*plain_ones, *(i for i in chosen if i not in plain_ones)]
    baseline = st.selectbox(
        t("evaluation.field.baseline_id"),
        order,
        format_func=lambda key: approach_label(chosen[key]) if key in chosen else str(key),  # one just left out
        key="test_baseline",
        help=t("setup.baseline.help"),
    )
    # what a judge measures takes a job of its own afterwards, and never decides alone
    measured = [name for name in _measured() if METRICS.get(name).primary]
    primary = st.selectbox(
        t("evaluation.field.primary_metric"),
        measured,
        index=measured.index(PRIMARY),
        format_func=lambda key: t(f"measures.metric.{key}"),
        key="test_primary",
        help=t("evaluation.field.primary_metric.help"),
    )
    return baseline, primary


def _measured() -> list[str]:
    return [name for name, kind in METRICS.all().items() if not kind.judged]


def _decoding(chosen: list[tb.Approach]) -> Decoding | None:
    """Draw the decoding that is pinned for all; at first it is that of the first approach."""
    if not chosen:
        return None
    own = [spec_of_row(row).decoding for row in chosen]
    usual = own[0]
    switch = any(_can_think(row) for row in chosen)
    key = f"{usual.max_tokens}_{usual.temperature}_{usual.top_p}_{usual.thinking}"
    with st.expander(t("setup.decoding"), icon=":material/casino:"):
        if any(decoding != usual for decoding in own):
            st.caption(t("setup.decoding.differs"))
        with st.grid(4, min_column_width=180):
            temperature = st.number_input(
                t("approaches.spec.temperature"),
                0.0,
                2.0,
                usual.temperature,
                0.1,
                key=f"test_temperature_{key}",
                help=t("approaches.spec.temperature.help"),
            )
            top_p = st.number_input(
                t("setup.top_p"),
                0.01,
                1.0,
                usual.top_p or 1.0,
                0.05,
                key=f"test_top_p_{key}",
                help=t("setup.top_p.help"),
            )
            most = st.number_input(t("approaches.spec.max_tokens"), 1, None, usual.max_tokens, key=f"test_most_{key}")
            with st.container():
                st.space("small")
                thinking = st.toggle(
                    t("approaches.spec.thinking"),
                    usual.thinking,
                    disabled=not switch,
                    key=f"test_thinking_{key}",
                    help=t("approaches.spec.thinking.help") if switch else t("setup.thinking.none"),
                )
    changes = {"temperature": float(temperature), "max_tokens": int(most), "thinking": thinking}
    return usual.model_copy(update={**changes, "top_p": float(top_p) if top_p < 1 else None})


def _can_think(row: tb.Approach) -> bool:
    """Whether thinking can be asked for: a service may know the switch, a base model says so."""
    model = spec_of_row(row).model
    if model.kind == "endpoint":
        return True
    try:
        return resolve_base(model.base_ref or model.ref).thinking == "optional"
    except KurabeError:
        return False  # its files are gone: the run will say so


def _metrics() -> dict[str, Any]:
    always = [t(f"measures.metric.{name}") for name in STRUCTURAL]
    with st.expander(t("ui.test.more"), icon=":material/tune:"), st.grid(2, min_column_width=220):
        metrics = st.multiselect(
            t("evaluation.field.metrics"),
            [name for name in _measured() if name not in STRUCTURAL],
            default=[name for name in DEFAULT_METRICS if name not in STRUCTURAL],
            format_func=lambda key: t(f"measures.metric.{key}"),
            key="test_metrics",
            help=t("ui.test.metrics.help", always=t("ui.seal.separator").join(always)),
        )
        seed = st.number_input(t("evaluation.field.seed"), 0, None, 0, key="test_seed", help=t("ui.test.seed.help"))
    return {"metrics": tuple(metrics), "seed": int(seed)}


def _judge(project: tb.Project) -> tuple[JudgeChoice | None, bool]:
    """Draw the optional judge; returns it, and whether the set-up is complete as far as it goes."""
    with st.expander(t("setup.judge"), icon=":material/gavel:"):
        if not st.toggle(t("setup.judge.wanted"), False, key="test_judge", help=t("setup.judge.help")):
            return None, True
        chosen = choose_judge(project, "test_judge")
    return chosen, chosen is not None


def _draw_plan(plan: Plan, config: ExperimentConfig, chosen: Mapping[str, tb.Approach]) -> None:
    """Draw what the run would take and what it could find, before it starts."""
    draw_tiles([_calls_tile(plan, config), _tokens_tile(plan), _cost_tile(plan), _time_tile(plan), _find_tile(plan)])
    if plan.taken:
        st.caption(f":material/content_copy: {t('setup.taken', n=format_number(plan.taken))}")
    if plan.judge is not None:
        cost = (
            format_money(plan.judge.cost, plan.currency) if plan.judge.cost is not None else t("ui.judge.cost.unknown")
        )
        about = {
            "calls": format_number(plan.judge.calls),
            "tokens": format_number(plan.judge.tokens),
            "cost": plain(cost),
        }
        st.caption(f":material/gavel: {t('setup.judge.forecast', **about)}")
    with st.expander(t("setup.basis"), icon=":material/receipt_long:"):
        rows = [_basis_row(planned, chosen, plan.currency) for planned in plan.approaches]
        st.dataframe(rows, hide_index=True, alt=t("setup.basis"))
        st.caption(t("setup.basis.help"))
    if plan.warnings:
        with st.expander(t("ui.test.warnings", n=len(plan.warnings)), icon=":material/warning:"):
            for warning in plan.warnings:
                params = {name: plain(str(value)) for name, value in dict(warning["params"]).items()}  # type: ignore[call-overload]  # a dict of parameters
                st.markdown(f"- {t('evaluation.warning.' + str(warning['code']), **params)}")


def _calls_tile(plan: Plan, config: ExperimentConfig) -> Tile:
    counts = {
        "questions": format_number(plan.questions),
        "approaches": format_number(len(plan.approaches)),
        "repetitions": format_number(config.repetitions),
    }
    return Tile(
        t("ui.test.plan.calls"), format_number(plan.calls), t("setup.calls.note", **counts), t("setup.calls.help")
    )


def _tokens_tile(plan: Plan) -> Tile:
    value = format_number(plan.tokens) if plan.tokens is not None else "–"
    bases = (p.prompt_basis or "unknown" for p in plan.approaches if p.calls)
    return Tile(t("setup.tokens"), value, _bases("prompt", bases))


def _cost_tile(plan: Plan) -> Tile:
    value = format_money(plan.cost, plan.currency) if plan.cost is not None else "–"
    note = _bases("cost", (p.cost_basis for p in plan.approaches if p.calls))
    return Tile(t("ui.test.plan.cost"), value, _without(note, plan.unpriced if plan.cost is not None else 0))


def _time_tile(plan: Plan) -> Tile:
    value = format_duration(plan.seconds) if plan.seconds is not None else "–"
    note = _bases("time", (p.time_basis for p in plan.approaches if p.calls))
    return Tile(t("setup.time"), value, _without(note, plan.untimed if plan.seconds is not None else 0))


def _find_tile(plan: Plan) -> Tile:
    smallest = plan.smallest_detectable
    basis = "measured" if plan.discordance_measured else "assumed"
    return Tile(
        t("ui.test.plan.detectable"),
        t("ui.points", n=format_number(100 * smallest)) if smallest else "–",
        t(f"ui.test.plan.{basis}", share=format_number(100 * plan.discordance)),
        t("ui.test.plan.detectable.help"),
    )


def _bases(figure: str, codes: Iterable[str]) -> str:
    """What a total rests on: every basis once."""
    return " · ".join(t(f"setup.basis.{figure}.{code}") for code in dict.fromkeys(codes))


def _without(note: str, missing: int) -> str:
    return " · ".join(part for part in (note, t("setup.without", n=missing) if missing else "") if part)


def _basis_row(planned: PlannedApproach, chosen: Mapping[str, tb.Approach], currency: str) -> dict[str, Any]:
    """One approach: each figure with what it rests on."""
    money = format_money(planned.cost, currency) if planned.cost is not None else "–"
    time = format_duration(planned.seconds) if planned.seconds is not None else "–"
    figures = {
        "setup.column.prompt": (_mean(planned.prompt_tokens), "prompt", planned.prompt_basis or "unknown"),
        "setup.column.answer": (_mean(planned.completion_tokens), "answer", planned.completion_basis or "unknown"),
        "ui.test.plan.cost": (money, "cost", planned.cost_basis),
        "setup.time": (time, "time", planned.time_basis),
    }
    told = {t(name): f"{value} ({t(f'setup.basis.{kind}.{code}')})" for name, (value, kind, code) in figures.items()}
    return {
        t("ui.test.approach"): approach_label(chosen[planned.approach_id]),
        t("setup.column.calls"): planned.calls,
        t("setup.column.taken"): planned.taken,
        **told,
    }


def _mean(tokens: float | None) -> str:
    return format_number(tokens) if tokens is not None else "–"
