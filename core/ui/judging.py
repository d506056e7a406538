"""The documents page's view that judges the search alone, before any model answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.datasets import SPLITS, latest_version
from core.i18n import format_number, t
from core.knowledge import (
    MEASURES,
    ModePair,
    RetrievalReport,
    default_kb,
    judge_search,
    latest_index,
    questions_with_gold,
)
from core.measures import Difference, Interval
from core.store import tables as tb
from core.ui.parts import interval_text, plain, section

__all__ = ["draw_judging"]


def draw_judging(project: tb.Project) -> None:
    """Draw the choice of questions, and how often each way of searching brings what they need."""
    section(t("ui.judging.title"), t("ui.judging.text"))
    index, version = latest_index(default_kb(project.id).id), latest_version(project.id)
    if index is None or version is None:
        st.caption(t("ui.search.no_index") if index is None else t("ui.judging.no_questions"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.selectbox(
            t("ui.judging.split"),
            SPLITS,
            index=SPLITS.index("validation"),
            format_func=lambda name: t(f"ui.split.{name}"),
            width=200,
            help=t("ui.judging.split.help"),
        )
        k = int(st.number_input(t("ui.search.count"), 1, 20, 4, width=120))
        pressed = st.button(t("ui.judging.start"), type="primary", icon=":material/rule:")
    key = f"judged_{index.id}_{version.id}_{split}_{k}"
    if pressed:
        bar = st.progress(0.0, t("ui.judging.running"))
        found = judge_search(
            index.id,
            questions_with_gold(version.id, split),
            k=k,
            progress=_shown_in(bar),
        )
        bar.empty()
        st.session_state[key] = found
    if (report := st.session_state.get(key)) is not None:
        _draw_report(report)


def _shown_in(bar: DeltaGenerator) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        bar.progress(done / total, f"{t('ui.judging.running')} {done} / {total}")

    return show


def _draw_report(report: RetrievalReport) -> None:
    best = report.best
    way = t(f"ui.search.way.{best.mode}")
    share = interval_text(best.recall)
    st.subheader(t("ui.judging.finding", way=way, share=share, k=format_number(report.k)), anchor=False)
    against: dict[str, str] = {pair.first: pair.verdict for pair in report.pairs if pair.second == best.mode}
    against |= {pair.second: _turned(pair.verdict) for pair in report.pairs if pair.first == best.mode}
    st.dataframe(
        [
            {
                t("ui.search.way"): t(f"ui.search.way.{judged.mode}"),
                t("ui.judging.recall", k=report.k): interval_text(judged.recall),
                t("ui.judging.hit", k=report.k): interval_text(judged.hit),
                t("ui.judging.mrr"): format_number(judged.mrr.estimate, digits=2),
                t("ui.judging.ndcg", k=report.k): format_number(judged.ndcg.estimate, digits=2),
                t("ui.judging.against"): _word(against.get(judged.mode)),
            }
            for judged in report.modes
        ],
        hide_index=True,
        alt=t("ui.judging.title"),
    )
    st.caption(t("ui.judging.note", n=format_number(report.questions), left_out=format_number(report.without_gold)))
    if report.not_indexed:
        st.warning(t("ui.judging.not_indexed", n=format_number(len(report.not_indexed))), icon=":material/rule:")
    _draw_slices(report)
    _draw_details(report)
    _draw_misses(report)


def _draw_details(report: RetrievalReport) -> None:
    """Draw every measure of every slice: what each way reached, and how two of them differ on the same questions."""
    if not report.details:
        return
    with st.expander(t("ui.judging.details"), icon=":material/compare_arrows:"):
        st.caption(t("ui.judging.details.text"))
        st.dataframe(
            [_pair_row(pair, report.k) for pair in (*report.pairs, *report.details)],
            hide_index=True,
            alt=t("ui.judging.details"),
        )


def _pair_row(pair: ModePair, k: int) -> dict[str, str]:
    names = (t(f"ui.search.way.{pair.first}"), t(f"ui.search.way.{pair.second}"))
    return {
        t("ui.judging.slice"): plain(pair.slice) if pair.slice is not None else t("ui.judging.slice.all"),
        t("ui.judging.measure"): t(f"ui.judging.{pair.measure}", k=k),
        t("ui.judging.pair"): " – ".join(names),
        t("ui.judging.difference"): _signed(pair.difference),
        t("ui.judging.word"): _word(pair.verdict),
    }


def _signed(difference: Difference) -> str:
    ends = (difference.low, difference.high)
    within = "" if None in ends else " ({:+.2f} … {:+.2f})".format(*ends)
    return f"{difference.estimate:+.2f}{within}"


def _reached(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def _turned(verdict: str) -> str:
    return {"better": "worse", "worse": "better"}.get(verdict, verdict)


def _word(verdict: str | None) -> str:
    return t(f"decision.word.{verdict}") if verdict else "–"


def _draw_slices(report: RetrievalReport) -> None:
    if len(report.best.slices) < 2:
        return
    with st.expander(t("ui.judging.slices"), icon=":material/stacked_bar_chart:"):
        st.dataframe(
            [
                {
                    t("ui.search.way"): t(f"ui.search.way.{judged.mode}"),
                    t("ui.judging.measure"): t(f"ui.judging.{measure}", k=report.k),
                    **{plain(name): _reached(values[measure]) for name, values in judged.by_slice.items()},
                }
                for measure in MEASURES
                for judged in report.modes
            ],
            hide_index=True,
            alt=t("ui.judging.slices"),
        )


def _draw_misses(report: RetrievalReport) -> None:
    """Draw the questions that the best way of searching fails, those nearest to success first."""
    missed = report.best.missed(report.k)
    if not missed:
        st.caption(f":material/check: {t('ui.judging.none_missed')}")
        return
    rows: list[dict[str, Any]] = []
    for found in sorted(missed, key=lambda one: min((r for r in one.ranks if r), default=1 << 30)):
        rank = min((r for r in found.ranks if r), default=None)
        rows.append(
            {
                t("ui.judging.question"): found.asked.question,
                t("ui.judging.rank"): format_number(rank) if rank else t("ui.judging.beyond"),
                t("ui.judging.document"): ", ".join(dict.fromkeys(name for name, _ in found.asked.gold if name)),
            }
        )
    with st.expander(t("ui.judging.missed", n=format_number(len(missed))), icon=":material/search_off:"):
        st.dataframe(rows, hide_index=True, alt=t("ui.judging.missed", n=format_number(len(missed))))
