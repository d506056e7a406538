"""The form of a new training: what it rests on, how it learns, and the presses that check, measure and start it."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any

import streamlit as st

from core.datasets import count_examples, count_pairs, datasets, latest_version, project_versions
from core.errors import KurabeError
from core.evaluation import latest_experiment
from core.i18n import format_number, t
from core.jobs import JobView, job_view
from core.knowledge import default_kb, index_versions, latest_index
from core.models import bases_here
from core.store import tables as tb
from core.training import (
    METHODS,
    OBJECTIVES,
    PRESETS,
    ROW_STYLES,
    Preflight,
    TrainingConfig,
    curve_series,
    newest_probe,
    preflight,
    processes_of,
    seed_series,
    setting_text,
    start_learning_curve,
    start_probe,
    start_seeds,
    start_training,
)
from core.ui.findings import base_name, experiment_results, when
from core.ui.forms import field_inputs
from core.ui.jobs import follow_job
from core.ui.navigation import open_page
from core.ui.parts import told_apart
from core.ui.preflight import draw_preflight
from core.ui.training_devices import choose_devices

__all__ = ["draw_form"]

_BASIC = ("row_style",)
_OBJECTIVES = tuple(sorted(OBJECTIVES.names(), key=lambda name: OBJECTIVES.get(name).pairs))
"""Learning answers first: it is the usual choice."""
_SERIES = ("once", "seeds", "curve")
_LOOKED = "training_looked_at"
"""Key under which a visitor's last preflight is kept, with the configuration that it is about."""


def draw_form(project: tb.Project) -> str | None:
    """Draw the form of a new training; return the run's id when one was started.

    What the preflight calls risky is started only by a second, knowing press; what it said is kept with the run.
    """
    if latest_version(project.id) is None:
        raise KurabeError("training.no_data")
    _draw_headroom(project)
    config, series = _configuration(project)
    launch = choose_devices(config.batch_size, config.accumulation)
    check, measure, start = _presses()
    probe = start_probe(project.id, config) if measure else newest_probe(config)
    job = _probe_job(probe)
    if job is not None and (job.active or job.status in ("failed", "lost", "killed")):
        follow_job(job.id)
    probed = probe.id if probe and probe.result else ""
    found = _looked(config, series, probed, processes_of(launch), again=check or start or measure)
    if found is None:
        return None
    if start and found.verdict == "go":
        return _begin(project, config, series, found, launch)
    draw_preflight(found)
    if found.verdict == "risky" and st.button(t("ui.training.anyway"), icon=":material/play_arrow:"):
        return _begin(project, config, series, found, launch)
    return None


def _presses() -> tuple[bool, bool, bool]:
    """Draw the buttons under the form: check, measure, start."""
    with st.container(horizontal=True, vertical_alignment="center"):
        return (
            st.button(t("ui.training.check"), icon=":material/fact_check:", help=t("ui.training.check.help")),
            st.button(t("ui.training.measure"), icon=":material/timer:", help=t("ui.training.measure.help")),
            st.button(t("ui.training.start"), icon=":material/play_arrow:", type="primary"),
        )


def _probe_job(probe: tb.TrainingProbe | None) -> JobView | None:
    """Return the job of a probe that has measured nothing yet; None if there is none, or it was deleted."""
    if probe is None or probe.result:
        return None
    with suppress(KurabeError):
        return job_view(str(probe.job_id))
    return None


def _looked(config: TrainingConfig, series: str, probed: str, processes: int, *, again: bool) -> Preflight | None:
    """Return what the preflight says, once somebody asked; it is asked anew when a measurement has ended meanwhile."""
    asked = (config.hash, series, processes)
    looked_at, before, found = st.session_state.get(_LOOKED, (None, "", None))
    if again or (looked_at == asked and before != probed):
        with st.spinner(t("ui.training.checking")):
            found = preflight(config, _runs_of(config, series), processes=processes)
        st.session_state[_LOOKED] = (asked, probed, found)
        return found
    return found if looked_at == asked else None


def _runs_of(config: TrainingConfig, series: str) -> list[TrainingConfig]:
    """Return the runs that are asked for."""
    return {"seeds": seed_series, "curve": curve_series}.get(series, lambda one: [one])(config)


def _begin(project: tb.Project, config: TrainingConfig, series: str, found: Preflight, launch: dict[str, Any]) -> str:
    """Start what was asked for and return the id of the run to watch; of a series, the first."""
    st.session_state.pop(_LOOKED, None)
    options: dict[str, Any] = {"preflight": found.as_dict(), "launcher": launch}
    if series == "seeds":
        return start_seeds(project.id, config, **options)[0].id
    if series == "curve":
        return start_learning_curve(project.id, config, **options)[0].id
    return start_training(project.id, config, **options).id


def _draw_headroom(project: tb.Project) -> None:
    """Say, before anyone pays for training, what it could gain at most; or how to find out."""
    experiment = latest_experiment(project.id)
    found = experiment_results(experiment).headroom if experiment else None
    if found is not None:
        most = {"tuning": found.tuning_at_most, "search": found.retrieval_at_most}
        hundred = {name: format_number(100 * interval.estimate) for name, interval in most.items()}
        st.info(
            t("ui.training.headroom", tests=format_number(found.n), **hundred), icon=":material/vertical_align_top:"
        )
    elif latest_index(default_kb(project.id).id) is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(t("ui.training.headroom.unknown"))
            if st.button(t("ui.training.headroom.measure"), icon=":material/rule:"):
                open_page("test_run", view="new")


def _configuration(project: tb.Project) -> tuple[TrainingConfig, str]:
    """Draw the choices, the usual ones first, and return the configuration with how often it is to be trained."""
    with st.container(border=True):
        preset = _choose("ui.training.preset", "training.preset", PRESETS, "balanced", "training_preset")
        style = _choose("training.field.row_style", "training.row_style", ROW_STYLES, "plain", "training_style")
        objective = _choose("ui.training.objective", "training.objective", _OBJECTIVES, "sft", "training_objective")
        with st.grid(3, min_column_width=220):
            names = METHODS.names()
            method = st.selectbox(
                t("ui.training.method"),
                names,
                index=names.index("lora"),
                key="training_method",
                format_func=lambda key: t(f"training.method.{key}"),
                help=_help("training.method", names),
            )
            name = st.text_input(t("ui.training.name"), max_chars=120, placeholder=t("ui.training.name.placeholder"))
            series = st.selectbox(
                t("ui.training.series"),
                _SERIES,
                key="training_series",
                format_func=lambda key: t(f"ui.training.series.{key}"),
                help=t("ui.training.series.help"),
            )
        usual = TrainingConfig.preset(
            project.id,
            preset=preset,
            method=method,
            objective=objective,
            row_style=style,
            **_basis(project, passages=style != "plain"),
        )
        _draw_pairs(usual)
        entered = _all_fields(usual, method)
    return dataclasses.replace(usual, name=name, **entered), series


def _basis(project: tb.Project, *, passages: bool) -> dict[str, Any]:
    """Draw what the run rests on and return it: base model, dataset version and, where rows carry passages, index."""
    names = {dataset.id: dataset.name for dataset in datasets(project.id)}
    versions = project_versions(project.id)
    texts = {row.id: f"{names[row.dataset_id]} · {setting_text('dataset_version_id', row.id)}" for row in versions}
    made = {row.id: row.created_at for row in versions}
    refs = list(dict.fromkeys([project.base_ref, *(base.ref for base in bases_here())]))
    with st.grid(3, min_column_width=220):
        base = st.selectbox(
            t("training.setting.base_ref"),
            refs,
            # its own key for each default: a project's other base, or newer data, are then chosen again
            key=f"training_base_{project.id}_{project.base_ref}",
            format_func=base_name,
            accept_new_options=True,
            help=t("ui.training.basis.base.help"),
        )
        version = st.selectbox(
            t("training.setting.dataset_version_id"),
            list(texts),
            key=f"training_data_{versions[0].id}",
            format_func=told_apart(texts, lambda key: f"{texts[key]} · {when(made[key])}"),
            help=t("ui.training.basis.data.help"),
        )
        chosen = {"base_ref": base or project.base_ref, "dataset_version_id": version}
        return {**chosen, **_index(project)} if passages else chosen


def _index(project: tb.Project) -> dict[str, str]:
    """Draw the index that passages come from; where there is none, `TrainingConfig.preset` says what to do."""
    known = {row.id: row for row in index_versions(default_kb(project.id).id)}
    if not known:
        return {}
    picked = st.selectbox(
        t("training.setting.index_version_id"),
        list(known),
        key=f"training_index_{next(iter(known))}",
        format_func=told_apart(
            known, lambda key: f"{setting_text('index_version_id', key)} · {when(known[key].created_at)}"
        ),
        help=t("ui.training.basis.index.help"),
    )
    return {"index_version_id": picked}


def _choose(label: str, stem: str, options: tuple[str, ...], usual: str, key: str) -> str:
    """Draw one of the usual choices, each explained in the help; ``<stem>.<option>`` words them."""
    chosen = st.segmented_control(
        t(label),
        options,
        default=usual,
        required=True,
        key=key,
        format_func=lambda option: t(f"{stem}.{option}"),
        help=_help(stem, options),
    )
    return str(chosen)


def _draw_pairs(config: TrainingConfig) -> None:
    """Say what is missing where pairs are to be learned and the data hold none."""
    if config.aim.pairs and not count_pairs(config.dataset_version_id):
        rows = format_number(count_examples(config.dataset_version_id, "train"))
        st.warning(f"{t('error.training.no_pairs', rows=rows)} {t('error.training.no_pairs.hint')}")


def _help(stem: str, names: tuple[str, ...]) -> str:
    return "\n".join(f"- **{t(f'{stem}.{name}')}**: {t(f'{stem}.{name}.help')}" for name in names)


def _all_fields(usual: TrainingConfig, method: str) -> dict[str, Any]:
    """Draw every other field of configuration and method, filled with what the preset says."""
    values = {field.name: getattr(usual, field.name) for field in dataclasses.fields(usual)}
    key = f"training_{method}_{usual.hash[-8:]}"
    with st.expander(t("ui.training.all"), icon=":material/tune:"):
        st.markdown(f"**{t(f'training.method.{method}')}**")
        kind = METHODS.get(method)
        fields = field_inputs(kind, {k: v for k, v in usual.method.items() if k != "name"}, f"{key}_method")
        aim = usual.aim
        aims: dict[str, Any] = {}
        if dataclasses.fields(aim):
            st.markdown(f"**{t(f'training.objective.{aim.name}')}**")
            own = {field.name: getattr(aim, field.name) for field in dataclasses.fields(aim)}
            aims = field_inputs(type(aim), own, f"{key}_objective")
        st.markdown(f"**{t('ui.training.course')}**")
        unused = () if usual.row_style != "plain" else ("passages", "without_gold")
        unused = (*unused, "train_on") if aim.pairs else unused
        entered = field_inputs(TrainingConfig, values, key, leave_out=(*_BASIC, *unused))
    return {**entered, "method": {"name": method, **fields}, "objective": {"name": aim.name, **aims}}
