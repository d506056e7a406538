"""The test run's second look: search down, passages shuffled, other words, repetitions, and what tuning made worse."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.decision import approach_name
from core.errors import KurabeError
from core.evaluation import (
    PROBES,
    ProbeResult,
    Results,
    RobustnessConfig,
    current_look,
    plan_robustness,
    robustness_outcome,
    start_robustness,
)
from core.i18n import describe, format_number, format_percent, t
from core.store import tables as tb
from core.ui.jobs import follow_job
from core.ui.parts import error_text, interval_text, section

__all__ = ["draw_robustness"]

_FEW = 0.25
"""Share of general tasks below which the plain model has too little to lose."""


def draw_robustness(project: tb.Project, found: Results) -> None:
    """Draw what was asked again of a test run, and the form that asks it."""
    section(t("ui.robustness.title"), t("ui.robustness.text"))
    last = current_look(found.experiment_id)
    if last is not None and (last.active or last.status != "succeeded"):
        follow_job(last.id)
    outcome = robustness_outcome(found.experiment_id)
    names = {approach.approach_id: approach_name(approach) for approach in found.approaches}
    if outcome.open:
        st.info(t("ui.robustness.partial", n=format_number(outcome.open)), icon=":material/hourglass_top:")
    for probe in PROBES:
        if results := outcome.of(probe):
            _draw_probe(probe, results, names)
    with st.expander(t("ui.robustness.new"), icon=":material/science:", expanded=not outcome.results):
        _draw_form(found, busy=last is not None and last.active)


def _draw_probe(probe: str, results: tuple[ProbeResult, ...], names: dict[str, str]) -> None:
    st.markdown(f"**{t(f'ui.robustness.probe.{probe}')}**")
    st.caption(t(f"ui.robustness.probe.{probe}.text", temperature=format_number(results[0].temperature or 0, digits=1)))
    st.dataframe(
        [_row(probe, result, names) for result in results],
        hide_index=True,
        alt=t(f"ui.robustness.probe.{probe}"),
    )
    plain = next((result.now for result in results if result.verdict is None), None)
    if probe == "abilities" and plain is not None and plain.estimate < _FEW:
        st.caption(f":material/info: {t('ui.robustness.little', share=format_percent(plain.estimate))}")


def _row(probe: str, result: ProbeResult, names: dict[str, str]) -> dict[str, Any]:
    before = "ui.robustness.before.plain" if probe == "abilities" else "ui.robustness.before"
    row: dict[str, Any] = {
        t("ui.test.approach"): names.get(result.approach_id, "–"),
        t(before): interval_text(result.before),
        t("ui.robustness.now"): interval_text(result.now),
        t("ui.judge.word"): t(f"decision.word.{result.verdict}") if result.verdict else "–",
        t("ui.robustness.lost"): f"↓{result.lost} ↑{result.gained}",
    }
    if result.same is not None:
        row[t("ui.robustness.agree" if probe == "repeated" else "ui.robustness.same")] = format_percent(result.same)
    row[t("ui.robustness.n")] = result.n
    row[t("ui.test.failed")] = result.failed
    return row


def _draw_form(found: Results, *, busy: bool) -> None:
    probes = st.multiselect(
        t("ui.robustness.probes"),
        PROBES,
        default=list(PROBES),
        format_func=lambda key: t(f"ui.robustness.probe.{key}"),
        key="robustness_probes",
    )
    with st.grid(3, min_column_width=220):
        questions = st.number_input(t("evaluation.field.questions"), 1, 500, 20, key="robustness_questions")
        repetitions = st.number_input(t("ui.robustness.repetitions"), 2, 50, 5, key="robustness_repetitions")
        temperature = st.number_input(t("ui.robustness.temperature"), 0.1, 2.0, 0.7, 0.1, key="robustness_temperature")
    config = RobustnessConfig(
        experiment_id=found.experiment_id,
        probes=tuple(probes),
        questions=int(questions),
        repetitions=int(repetitions),
        temperature=float(temperature),
    )
    try:
        plan = plan_robustness(config)
    except KurabeError as error:
        st.caption(error_text(*describe(error)))
        return
    kinds = [f"{t(f'ui.robustness.probe.{name}')} {format_number(n)}" for name, n in plan.by_probe.items()]
    st.caption(t("ui.robustness.plan", calls=format_number(plan.calls), kinds=" · ".join(kinds)))
    st.caption(t("ui.robustness.replaces"))
    blocked = busy or not plan.calls  # a second job would take the rows from under the first
    if st.button(t("ui.robustness.start"), type="primary", icon=":material/play_arrow:", disabled=blocked):
        start_robustness(config)
        st.rerun()
