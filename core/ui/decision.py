"""The decision page's parts: the verdict, the team's inputs, evidence per criterion, requirements, the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from core.approaches import variant_of
from core.charts import quality_overview, tradeoff
from core.decision import (
    CRITERIA,
    DecisionInputs,
    Gate,
    Verdict,
    approach_name,
    decide_experiment,
    decision_inputs,
    finding,
    note_text,
    reason,
    record_decision,
    report_html,
    save_decision_inputs,
)
from core.evaluation import ApproachResult, Results, latest_experiment
from core.i18n import Language, format_duration, format_money, format_number, format_percent, t
from core.measures import Interval
from core.store import tables as tb
from core.ui.findings import approach_tiles, draw_foot, experiment_results, figures_of, money_text, seconds_text
from core.ui.parts import draw_approach, draw_kept, interval_text, plain, section
from core.ui.presenting import Slide, draw_presentation, offer_presentation

__all__ = ["draw_decision", "draw_inputs", "present_decision"]

_OUTCOME = {"pass": "✓", "fail": "✗", "unclear": "?", "unmeasured": "–"}


def draw_decision(project: tb.Project) -> None:
    """Draw the verdict of the newest finished test run and everything that it rests on."""
    experiment = latest_experiment(project.id)
    if experiment is None:
        return
    found = experiment_results(experiment)
    verdict = decide_experiment(project, experiment.id, found=found)
    st.header(plain(finding(found, verdict)), anchor=False)
    if why := reason(found, verdict):
        st.markdown(plain(why))
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    if chosen is not None:
        approach_tiles(chosen)
    _draw_downloads(project, experiment)
    _draw_notes(found, verdict)
    _draw_ranking(found, verdict)
    with st.grid(2, min_column_width=420, gap="medium"):
        with st.container():
            draw_kept("decision_quality", quality_overview, figures_of(found, verdict))
        with st.container():
            draw_kept("decision_tradeoff", tradeoff, figures_of(found))
    _draw_gates(found, verdict)
    _draw_evidence(found)
    st.caption(t("decision.report.interval_note", n=format_number(found.questions)))
    draw_foot(project, found)


def present_decision(project: tb.Project) -> None:
    """Draw the newest verdict for a projector: the finding, three approaches, quality, cost, what to know."""
    experiment = latest_experiment(project.id)
    if experiment is None:
        return
    found = experiment_results(experiment)
    verdict = decide_experiment(project, experiment.id, found=found)
    figures = figures_of(found, verdict)
    slides = [
        Slide(plain(finding(found, verdict)), lambda: _finding_slide(project, found, verdict)),
        Slide(t("ui.decision.present.three"), lambda: _three_slide(found, verdict)),
        Slide("", lambda: draw_kept("present_quality", quality_overview, figures)),
        Slide("", lambda: draw_kept("present_tradeoff", tradeoff, figures_of(found))),
    ]
    if verdict.gates:
        slides.append(Slide("", lambda: _draw_gates(found, verdict)))
    if verdict.notes:
        slides.append(Slide("", lambda: _draw_notes(found, verdict)))
    draw_presentation(slides)


def _finding_slide(project: tb.Project, found: Results, verdict: Verdict) -> None:
    if why := reason(found, verdict):
        st.markdown(plain(why))
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    if chosen is not None:
        approach_tiles(chosen)
    draw_foot(project, found)


def _three_slide(found: Results, verdict: Verdict) -> None:
    """Draw the three approaches that stand first, a column each."""
    for place, ranked in zip(st.columns(3), verdict.ranking[:3], strict=False):
        approach = found.approach(ranked.approach_id)
        if approach is None:
            continue
        cost, wait = approach.cost.per_1000, approach.latency.total.get("p50")
        with place, st.container(border=True):
            draw_approach(
                approach.preset, approach_name(approach), variant=variant_of(found.project_id, approach.approach_id)
            )
            st.caption(t(f"decision.standing.{ranked.standing}"))
            st.metric(t("decision.criterion.correct"), interval_text(approach.correct))
            st.metric(
                t("decision.criterion.cost"), format_money(cost.estimate, approach.cost.currency) if cost else "–"
            )
            st.metric(t("decision.criterion.waiting_time"), format_duration(wait.estimate) if wait else "–")


def _draw_downloads(project: tb.Project, experiment: tb.Experiment) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        codes: tuple[Language, ...] = ("ja", "en") if project.language == "ja" else ("en", "ja")
        for place, code in enumerate(codes):
            st.download_button(
                t(f"ui.decision.report.{code}"),
                _report_maker(experiment.id, code),
                icon=":material/download:",
                file_name=f"kurabe-report-{code}.html",
                mime="text/html",
                type="secondary" if place else "primary",
                key=f"report_{code}",
                help=t("ui.decision.report.help"),
                on_click="ignore",
            )
        if st.button(t("ui.decision.record"), icon=":material/bookmark_add:", help=t("ui.decision.record.help")):
            record_decision(project.id, experiment.id)
            st.toast(t("ui.decision.recorded"), icon=":material/bookmark_added:")
        offer_presentation()


def _report_maker(experiment_id: str, code: Language) -> Any:
    return lambda: report_html(experiment_id, code).encode()


def _draw_notes(found: Results, verdict: Verdict) -> None:
    if not verdict.notes:
        return
    with st.container(border=True):
        st.markdown(f":material/priority_high: **{t('decision.report.notes')}**")
        for note in verdict.notes:
            st.markdown(f"- {plain(note_text(note, found))}")


def _draw_ranking(found: Results, verdict: Verdict) -> None:
    """Draw where each approach stands, and what it costs over the period."""
    section(t("decision.report.compared"))
    inputs = verdict.inputs
    whole = inputs.refreshes_per_month % 1 == 0
    refreshes = format_number(inputs.refreshes_per_month, digits=0 if whole else 1)
    answers = format_number(inputs.answers_per_month)
    period = t("decision.report.period", months=inputs.months, answers=answers, refreshes=refreshes)
    rows = []
    for ranked in verdict.ranking:
        approach = found.approach(ranked.approach_id)
        currency = (approach.cost.currency if approach else "") or "USD"
        rows.append(
            {
                t("decision.report.approach"): approach_name(approach) if approach else ranked.name,
                t("decision.report.standing"): t(f"decision.standing.{ranked.standing}"),
                t("decision.criterion.correct"): interval_text(approach.correct if approach else None),
                t("ui.decision.against_best"): t(f"decision.word.{ranked.against_leader}")
                if ranked.against_leader
                else "–",
                t("ui.decision.period"): format_money(ranked.total, currency) if ranked.total is not None else "–",
                t("ui.decision.break_even"): _crossing(ranked.breaks_even_at),
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        alt=t("decision.report.compared"),
        column_config={t("ui.decision.break_even"): st.column_config.TextColumn(help=t("ui.decision.break_even.help"))},
    )
    st.caption(period)


def _crossing(volume: float | None) -> str:
    if volume is None:
        return "–"
    return t("ui.decision.above", n=format_number(volume)) if volume else t("ui.decision.always")


def _draw_gates(found: Results, verdict: Verdict) -> None:
    """Draw hard requirements: which approach keeps which."""
    if not verdict.gates:
        return
    section(t("decision.inputs.gates"), t("decision.inputs.gates.help"))
    rows: dict[str, dict[str, Any]] = {}
    for gate in verdict.gates:
        approach = found.approach(gate.approach_id)
        row = rows.setdefault(
            gate.approach_id, {t("decision.report.approach"): approach_name(approach) if approach else ""}
        )
        limit = value_text(gate.criterion, gate.limit, approach)
        name = f"{t(f'decision.criterion.{gate.criterion}')} {_sign(gate.criterion)} {limit}"
        row[name] = f"{_OUTCOME[gate.outcome]} {t(f'decision.gate.{gate.outcome}')}"
    st.dataframe(list(rows.values()), hide_index=True, alt=t("decision.inputs.gates"))


def _sign(criterion: str) -> str:
    return "≥" if CRITERIA.get(criterion).higher_is_better else "≤"


def _draw_evidence(found: Results) -> None:
    """Draw the measured value of every criterion for every approach."""
    section(t("decision.report.criteria"))
    rows = []
    for name, kind in CRITERIA.all().items():
        row = {t("decision.report.criterion"): t(f"decision.criterion.{name}")}
        for approach in found.approaches:
            row[approach_name(approach)] = _measured(kind().unit, kind().measure(approach), approach)
        rows.append(row)
    st.dataframe(rows, hide_index=True, alt=t("decision.report.criteria"))
    with st.expander(t("ui.decision.criteria"), icon=":material/help:"):
        for name in CRITERIA.names():
            st.markdown(f"- **{t(f'decision.criterion.{name}')}**: {t(f'decision.criterion.{name}.help')}")


def _measured(unit: str, interval: Interval | None, approach: ApproachResult) -> str:
    if unit == "share":
        return interval_text(interval)
    if unit == "money":
        return money_text(interval, approach.cost.currency)
    if unit == "seconds":
        return seconds_text(interval)
    return format_number(interval.estimate) if interval else "–"


def value_text(criterion: str, value: float, approach: ApproachResult | None) -> str:
    """Return a value in its criterion's unit."""
    unit = CRITERIA.get(criterion).unit
    if unit == "share":
        return format_percent(value)
    if unit == "money":
        return format_money(value, (approach.cost.currency if approach else "") or "USD")
    return format_duration(value) if unit == "seconds" else format_number(value)


def draw_inputs(project: tb.Project) -> None:
    """Draw what the team brings to the decision; a change is kept with the project and works at once."""
    inputs = decision_inputs(project)
    with st.expander(t("ui.decision.inputs"), icon=":material/tune:"), st.form("decision_inputs", border=False):
        with st.grid(3, min_column_width=200):
            answers = st.number_input(
                t("decision.inputs.answers_per_month"),
                0,
                None,
                inputs.answers_per_month,
                1000,
                help=t("decision.inputs.answers_per_month.help"),
            )
            refreshes = st.number_input(
                t("decision.inputs.refreshes_per_month"),
                0.0,
                1000.0,
                float(inputs.refreshes_per_month),
                0.5,
                format="%g",
                help=t("decision.inputs.refreshes_per_month.help"),
            )
            months = st.number_input(
                t("decision.inputs.months"), 1, 120, inputs.months, help=t("decision.inputs.months.help")
            )
        st.markdown(f"**{t('decision.inputs.gates')}**")
        st.caption(t("decision.inputs.gates.help"))
        gates = _gate_inputs(inputs)
        if st.form_submit_button(t("ui.decision.save"), icon=":material/save:", type="primary"):
            changed = replace(
                inputs,
                answers_per_month=int(answers),
                months=int(months),
                refreshes_per_month=float(refreshes),
                gates=gates,
            )
            save_decision_inputs(project.id, changed)
            st.rerun()


def _gate_inputs(inputs: DecisionInputs) -> tuple[Gate, ...]:
    """Draw one limit for each criterion; an empty one is no requirement."""
    limits = {gate.criterion: gate.limit for gate in inputs.gates}
    gates = []
    with st.grid(4, min_column_width=200):
        for name, kind in CRITERIA.all().items():
            share = kind().unit == "share"
            limit = limits.get(name)
            shown = None if limit is None else limit * 100 if share else limit
            entered = st.number_input(
                t(f"ui.decision.limit.{kind().unit}", criterion=t(f"decision.criterion.{name}"), sign=_sign(name)),
                0.0,
                100.0 if share else None,
                shown,
                placeholder=t("ui.decision.no_limit"),
                format="%g",
                help=t(f"decision.criterion.{name}.help"),
                key=f"gate_{name}",
            )
            if entered is not None:
                gates.append(Gate(name, entered / 100 if share else entered))
    return tuple(gates)
