"""A test run's results: what each approach reached, where, why it is wrong, and what may be taken away."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from core.charts import confusion_chart
from core.decision import approach_name, decide_experiment, failure_texts, report_html
from core.errors import KurabeError
from core.evaluation import EXPORTS, ApproachResult, Confusion, Results
from core.i18n import LANGUAGES, Language, format_duration, format_number, t
from core.jobs import job_view
from core.measures import Interval
from core.store import tables as tb
from core.ui.basis import draw_basis
from core.ui.downloads import answers_address
from core.ui.findings import experiment_results, figures_of, outdated
from core.ui.parts import draw_kept, plain, remember
from core.ui.result_parts import draw_parts
from core.ui.result_tables import draw_measures, draw_summary
from core.ui.seal import draw_openings
from core.ui.test_progress import draw_spending

__all__ = ["draw_results"]


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
    draw_summary(found)
    _draw_warnings(found)
    draw_parts(
        found, figures_of(found, decide_experiment(project, experiment.id, found=found) if found.complete else None)
    )
    _draw_notes(found)
    if found.complete:
        _draw_course(experiment)
    _draw_categories(found)
    draw_measures(found)
    _draw_export(found)


def _draw_warnings(found: Results) -> None:
    """Draw what makes figures doubtful: calls that failed, approaches that answer alike."""
    if failed := failure_texts(found):
        st.warning("  \n".join(plain(text) for text in failed), icon=":material/cloud_off:")
    for twins in found.twins:
        first, second = found.approach(twins.first), found.approach(twins.second)
        if first and second:
            names = {"first": plain(approach_name(first)), "second": plain(approach_name(second))}
            st.warning(t("decision.note.twins", same=twins.same, **names), icon=":material/content_copy:")


def _draw_notes(found: Results) -> None:
    """Draw what the figures rest on, and how often one has looked at the questions behind them."""
    if found.split == "test":
        draw_openings(found.project_id, found.dataset_version_id)
    st.caption(t("decision.report.interval_note", n=format_number(found.questions)))
    st.caption(t("ui.look.rests"))
    draw_basis(found)
    if found.smallest_detectable:
        points = format_number(100 * found.smallest_detectable)
        st.caption(t("decision.note.detectable", difference=points))
    draw_spending(found)


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


def _draw_categories(found: Results) -> None:
    """Draw which category an approach named where another was right, if questions ask for categories."""
    shown = [approach for approach in found.approaches if "category" in approach.metrics]
    if not shown:
        return
    asked = st.query_params.get("categories")
    label, key = t("ui.test.categories"), f"opened_categories_{found.experiment_id}"
    opened = st.expander(label, icon=":material/grid_on:", expanded=asked is not None, on_change="rerun", key=key)
    if opened.open:
        with opened:
            _draw_confusion(found, shown, asked)


def _draw_confusion(found: Results, shown: list[ApproachResult], asked: str | None) -> None:
    """Draw the categories that one approach named, chosen among those that were asked for any."""
    names = {approach.approach_id: approach_name(approach) for approach in shown}
    best = max(shown, key=lambda approach: _estimate(approach.metrics["category"].interval))
    picked = st.selectbox(
        t("ui.test.approach"),
        list(names),
        index=list(names).index(asked if asked in names else best.approach_id),
        format_func=lambda key: names[key],
        key=f"categories_{found.experiment_id}",
    )
    remember("categories", picked if picked != best.approach_id else None)
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


def _draw_export(found: Results) -> None:
    """Draw links to every answer as a file; it is written while it is sent."""
    st.caption(t("ui.test.export.help"))
    with st.container(horizontal=True):
        for kind in EXPORTS:
            address = answers_address(found.experiment_id, kind)
            st.link_button(t(f"ui.test.export.{kind}"), address, icon=":material/download:")
    if not found.complete:
        return
    st.caption(t("ui.look.report"))
    with st.container(horizontal=True):
        for code in LANGUAGES:
            st.download_button(
                t(f"ui.look.report.{code}"),
                _report_maker(found.experiment_id, code),
                file_name=f"kurabe-report-{found.experiment_id[:8]}-{code}.html",
                mime="text/html",
                icon=":material/description:",
                key=f"run_report_{code}",
                on_click="ignore",
            )


def _report_maker(experiment_id: str, code: Language) -> Any:
    """Return what makes the report once somebody asks for it."""
    return lambda: report_html(experiment_id, code).encode()
