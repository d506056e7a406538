"""The documents page's view that tries passage lengths, ways of searching and numbers of passages."""

from __future__ import annotations

import streamlit as st

from core.charts import Bar, sweep_chart
from core.datasets import SPLITS, latest_version
from core.i18n import format_number, t
from core.jobs import submit
from core.knowledge import SweepPoint, SweepReport, default_kb
from core.measures import Interval
from core.store import tables as tb
from core.ui.jobs import active_job, follow_job, newest_job
from core.ui.parts import draw_figure, interval_text, section

__all__ = ["draw_sweep"]

_SIZES = (60, 100, 150, 200, 300, 400, 600)
_KS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)
_MEASURES = ("recall", "hit", "mrr", "ndcg")


def draw_sweep(project: tb.Project) -> None:
    """Draw what is tried, the job that tries it, and what it found."""
    section(t("ui.sweep.title"), t("ui.sweep.text"))
    version = latest_version(project.id)
    if version is None:
        st.caption(t("ui.judging.no_questions"))
        return
    running = active_job(project.id, "sweep")
    if running is not None:
        follow_job(running.id)
        return
    _draw_form(project, version)
    last = newest_job(project.id, "sweep")
    if last is None:
        return
    if last.status != "succeeded" or not last.result:
        follow_job(last.id)
        return
    _draw_report(SweepReport.from_record(last.result))


def _draw_form(project: tb.Project, version: tb.DatasetVersion) -> None:
    with st.form("sweep", border=False):
        sizes = st.multiselect(t("ui.sweep.sizes"), _SIZES, default=[100, 200, 400], help=t("ui.index.max_tokens.help"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            ks = st.multiselect(t("ui.search.count"), _KS, default=[2, 4, 8], width=320)
            split = st.selectbox(
                t("ui.judging.split"),
                SPLITS,
                index=SPLITS.index("validation"),
                format_func=lambda name: t(f"ui.split.{name}"),
                width=200,
                help=t("ui.judging.split.help"),
            )
        pressed = st.form_submit_button(t("ui.sweep.start"), icon=":material/tune:")
    if pressed and sizes and ks:
        payload = {
            "knowledge_base_id": default_kb(project.id).id,
            "dataset_version_id": version.id,
            "split": split,
            "sizes": sizes,
            "ks": ks,
        }
        submit("sweep", payload, project_id=project.id)
        st.rerun()


def _words(point: SweepPoint) -> dict[str, str]:
    way = t(f"ui.search.way.{point.mode}")
    return {"size": format_number(point.max_tokens), "way": way, "k": format_number(point.k)}


def _draw_report(report: SweepReport) -> None:
    best = report.best
    st.subheader(t("ui.sweep.finding", share=interval_text(best.recall), **_words(best)), anchor=False)
    cheapest = report.level[0]
    if cheapest is not best:
        saved = format_number(round(cheapest.tokens)), format_number(round(best.tokens))
        st.markdown(t("ui.sweep.cheaper", tokens=saved[0], most=saved[1], **_words(cheapest)))
    ks = sorted({point.k for point in report.points})
    with st.container(horizontal=True):
        k = int(st.selectbox(t("ui.search.count"), ks, index=ks.index(best.k), width=140))
        measure = st.selectbox(
            t("ui.sweep.measure"), _MEASURES, format_func=lambda name: t(f"ui.judging.{name}", k=k), width=260
        )
    _draw_chart(report, k, measure)
    st.dataframe(
        [
            {
                t("ui.index.max_tokens"): point.max_tokens,
                t("ui.search.way"): t(f"ui.search.way.{point.mode}"),
                t("ui.search.count"): point.k,
                t("ui.sweep.recall"): interval_text(point.recall),
                t("ui.judging.mrr"): round(point.mrr.estimate, 2),
                t("ui.sweep.ndcg"): round(point.ndcg.estimate, 2),
                t("ui.sweep.tokens"): round(point.tokens),
                t("ui.judging.against"): t(f"decision.word.{point.verdict}") if point.verdict else "–",
            }
            for point in sorted(report.points, key=lambda one: -one.recall.estimate)
        ],
        hide_index=True,
        alt=t("ui.sweep.title"),
    )
    st.caption(t("ui.sweep.note", n=format_number(report.questions)))
    _draw_missed(report)


def _draw_chart(report: SweepReport, k: int, measure: str) -> None:
    sizes = sorted({point.max_tokens for point in report.points})
    at = {(point.mode, point.max_tokens): point for point in report.points if point.k == k}
    modes = [mode for mode in ("text", "vector", "hybrid") if (mode, sizes[0]) in at]
    values = {mode: [_bar(getattr(at[mode, size], measure)) for size in sizes] for mode in modes}
    top = max(at.values(), key=lambda point: float(getattr(point, measure).estimate))
    title = t("charts.sweep.title", **_words(top))
    draw_figure(sweep_chart(sizes, values, title, t(f"ui.judging.{measure}", k=k)), f"sweep_{k}_{measure}")


def _bar(interval: Interval) -> Bar:
    return Bar(interval.estimate, interval.low, interval.high)


def _draw_missed(report: SweepReport) -> None:
    if not report.missed:
        st.caption(f":material/check: {t('ui.judging.none_missed')}")
        return
    title = t("ui.judging.missed", n=format_number(report.missed_in_all))
    rows = [
        {
            t("ui.judging.question"): miss.question,
            t("ui.judging.rank"): format_number(miss.rank) if miss.rank else t("ui.judging.beyond"),
            t("ui.judging.document"): ", ".join(miss.documents),
        }
        for miss in report.missed
    ]
    with st.expander(title, icon=":material/search_off:"):
        st.dataframe(rows, hide_index=True, alt=title)
