"""The first page's parts: the finding in one sentence, or the three steps to one."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.charts import quality_overview
from core.datasets import latest_version
from core.decision import decide_experiment, finding, reason
from core.errors import KurabeError
from core.evaluation import latest_experiment
from core.i18n import LANGUAGES, format_number, language, t
from core.jobs import JobView, job_view
from core.knowledge import default_kb, documents
from core.projects import ComparisonConfig, create_project, load_sample, start_comparison_job
from core.store import tables as tb
from core.ui.findings import approach_tiles, draw_foot, experiment_results, figures_of, outdated
from core.ui.frame import current_project, show_error
from core.ui.jobs import active_job, draw_job, follow_job, newest_job
from core.ui.navigation import link, open_page
from core.ui.parts import draw_kept, plain

__all__ = ["draw_again", "draw_finding", "draw_new_project", "draw_no_project", "draw_progress", "draw_steps"]

STAGES = ("index", "train_plain", "train_raft", "approaches", "experiment", "decide")
"""Stages of a comparison, in their order."""


def draw_finding(project: tb.Project) -> bool:
    """Draw the newest finding; return False if there is none yet."""
    experiment = latest_experiment(project.id)
    if experiment is None:
        return False
    found = experiment_results(experiment)
    verdict = decide_experiment(project, experiment.id, found=found)
    st.caption(plain(project.name))
    st.header(plain(finding(found, verdict)), anchor=False)
    if why := reason(found, verdict):
        st.markdown(plain(why))
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    for sentence in outdated(project, found):
        st.warning(sentence, icon=":material/update:")
    if chosen is not None:
        approach_tiles(chosen)
    draw_kept("home_quality", quality_overview, figures_of(found, verdict))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("ui.home.open_decision"), type="primary", icon=":material/gavel:"):
            open_page("decision")
        link("test_run", t("ui.home.see_figures"))
        link("compare", t("ui.home.try_one"))
    draw_foot(project, found)
    return True


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    key: str
    page: str
    done: bool
    state: str


def _steps(project: tb.Project) -> list[_Step]:
    version = latest_version(project.id)
    count = len(documents(default_kb(project.id).id))
    tests = int((version.counts or {}).get("splits", {}).get("test", 0)) if version else 0
    asked = t(
        "ui.home.step.questions.state", n=format_number(version.row_count if version else 0), tests=format_number(tests)
    )
    return [
        _Step(1, "questions", "questions", tests > 0, asked),
        _Step(2, "documents", "documents", count > 0, t("ui.home.step.documents.state", n=format_number(count))),
        _Step(3, "compare", "test_run", False, t("ui.home.step.compare.state")),
    ]


def draw_steps(project: tb.Project) -> None:
    """Draw the three steps to a finding, and the button that goes the last one."""
    st.caption(plain(project.name))
    st.header(t("ui.home.question"), anchor=False)
    st.markdown(t("ui.home.before"))
    steps = _steps(project)
    with st.grid(3, min_column_width=240):
        for step in steps:
            _draw_step(step)
    ready = all(step.done for step in steps[:2])
    config = _comparison_settings()
    if st.button(t("ui.home.run"), type="primary", icon=":material/play_arrow:", disabled=not ready, key="home_run"):
        start_comparison_job(project.id, config)
        st.rerun()
    st.caption(t("ui.home.run.help") if ready else t("ui.home.run.missing"))
    draw_foot(project)


def draw_again(project: tb.Project) -> None:
    """Draw the button that measures everything anew, under a finding."""
    with st.expander(t("ui.home.again"), icon=":material/refresh:"):
        st.caption(t("ui.home.again.text"))
        config = _comparison_settings(nested=True)
        if st.button(t("ui.home.again"), icon=":material/play_arrow:", key="home_again"):
            start_comparison_job(project.id, config)
            st.rerun()


def _draw_step(step: _Step) -> None:
    with st.container(border=True, height="stretch"):
        icon = ":green[:material/check_circle:]" if step.done else f":material/counter_{step.number}:"
        st.markdown(f"{icon} **{t(f'ui.home.step.{step.key}')}**")
        st.caption(t(f"ui.home.step.{step.key}.text"))
        st.space("stretch")
        st.markdown(step.state)
        link(step.page, t(f"ui.home.step.{step.key}.link"), icon=False)


def _comparison_settings(*, nested: bool = False) -> ComparisonConfig:
    """Draw what can be chosen about the whole comparison; the usual choice needs no look."""
    with st.container() if nested else st.expander(t("ui.home.settings"), icon=":material/tune:"):
        with st.grid(3, min_column_width=220):
            questions = st.number_input(
                t("ui.home.settings.questions"),
                10,
                100_000,
                value=None,
                placeholder=t("ui.all"),
                help=t("ui.home.settings.questions.help"),
                key="home_questions",
            )
            seconds = st.number_input(
                t("ui.home.settings.seconds"),
                5,
                86_400,
                value=None,
                placeholder=t("ui.home.settings.usual"),
                help=t("ui.home.settings.seconds.help"),
                key="home_seconds",
            )
            latency = st.number_input(
                t("ui.home.settings.latency"),
                0,
                1_000,
                value=ComparisonConfig().latency_questions,
                help=t("ui.home.settings.latency.help"),
                key="home_latency",
            )
        train = st.toggle(t("ui.home.settings.train"), value=True, key="home_train")
        raft = st.toggle(t("ui.home.settings.raft"), value=True, disabled=not train, key="home_raft")
    return ComparisonConfig(
        questions=int(questions) if questions else None,
        training_seconds=int(seconds) if seconds else None,
        latency_questions=int(latency),
        train=train,
        raft=train and raft,
    )


def draw_progress(project: tb.Project) -> bool:
    """Draw the comparison that runs now, or that ended without a result; return whether one runs."""
    running = active_job(project.id, "comparison")
    if running is not None:
        st.caption(plain(project.name))
        st.header(t("ui.home.running"), anchor=False)
        st.markdown(t("ui.home.running.text"))
        follow_job(running.id, extra=_draw_stages)
        return True
    last = newest_job(project.id, "comparison")
    if last is not None and last.status != "succeeded":
        follow_job(last.id, extra=_draw_cause)
    return False


def _draw_cause(view: JobView) -> None:
    """Draw the job in which a comparison failed: its error says what to do."""
    failed = view.error["params"].get("job") if view.error else None
    if failed:
        draw_job(job_view(str(failed)), controls=False)


def _draw_stages(view: JobView) -> None:
    """Draw the stages of a comparison: those done, the present one, those to come."""
    config = dict(view.payload.get("config", {}))
    left_out = {"train_plain", "train_raft"} if not config.get("train", True) else set()
    left_out |= set() if config.get("raft", True) else {"train_raft"}
    shown = [stage for stage in STAGES if stage not in left_out]
    present = shown.index(view.stage) if view.stage in shown else -1
    with st.container(border=True, gap="xsmall"):
        for place, stage in enumerate(shown):
            name = t(f"jobs.stage.{stage}")
            if place < present:
                st.markdown(f":green[:material/check_circle:] {name}")
            elif place == present:
                st.markdown(f":blue[:material/pending:] **{name}**")
            else:
                st.markdown(f":gray[:material/radio_button_unchecked: {name}]")


def draw_no_project() -> None:
    """Say that there is no project, or not the one asked for, and offer the sample."""
    try:
        current_project()
    except KurabeError as error:
        show_error(error)
    if st.button(t("ui.home.sample"), icon=":material/science:"):
        with st.spinner(t("ui.home.sample")):
            sample = load_sample(language())
        st.session_state["project"] = sample.id
        st.query_params["project"] = sample.id
        st.rerun()


def draw_new_project() -> None:
    """Draw the form for a project of one's own."""
    with st.expander(t("ui.home.new"), icon=":material/add:"), st.form("new_project", border=False):
        name = st.text_input(t("ui.home.new.name"), max_chars=200, placeholder=t("ui.home.new.placeholder"))
        names = {"en": "English", "ja": "日本語"}
        language = st.segmented_control(
            t("ui.home.new.language"),
            list(LANGUAGES),
            default="en",
            required=True,
            format_func=lambda code: names[code],
            help=t("ui.home.new.language.help"),
        )
        instructions = st.text_area(t("approaches.spec.instructions"), help=t("ui.home.new.instructions.help"))
        rules = st.text_area(t("approaches.spec.house_rules"), help=t("ui.home.new.rules.help"))
        if st.form_submit_button(t("ui.home.new.create"), icon=":material/add:"):
            made = create_project(name, str(language), instructions=instructions, house_rules=rules)
            st.session_state["project"] = made.id
            st.query_params["project"] = made.id
            st.rerun()
