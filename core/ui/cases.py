"""The table of cases × approaches: filters, pages, and one case in full."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.decision import approach_name
from core.errors import KurabeError
from core.evaluation import CaseRow, Results, answer_scores, cases
from core.i18n import catalogue, describe, format_number, t
from core.ui.parts import draw_approach, error_text, plain, remember, section
from core.ui.questions import slice_label

__all__ = ["draw_cases"]

_PAGE = 20
_SHOW = ("all", "different", "wrong", "failures")


def draw_cases(found: Results) -> None:
    """Draw the questions of an experiment with what each approach made of them."""
    section(t("ui.cases.title"), t("ui.cases.text"))
    show, slice_name, search = _filters(found)
    filters: dict[str, Any] = {"show": show, "search": search, "slice_name": slice_name}
    slot = st.container()
    total = cases(found.experiment_id, **filters, limit=1).total
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("ui.questions.found", n=format_number(total)), width="content")
        pages = max(1, -(-total // _PAGE))
        page = st.pagination(pages, key=f"cases_page_{show}_{slice_name}_{search}") if pages > 1 else 1
    shown = cases(found.experiment_id, **filters, offset=(page - 1) * _PAGE, limit=_PAGE).rows
    with slot:
        _draw_table(found, shown, f"{page}_{show}_{slice_name}_{search}")


def _filters(found: Results) -> tuple[str, str | None, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.query_params.get("show")
        show = st.segmented_control(
            t("ui.cases.show"),
            _SHOW,
            required=True,
            default=asked if asked in _SHOW else "all",
            key="cases_show",
            format_func=lambda key: t(f"ui.cases.show.{key}"),
        )
        names, asked_slice = sorted(found.slices), st.query_params.get("slice")
        slice_name = st.selectbox(
            t("ui.questions.slice"),
            ["", *names],
            key="cases_slice",
            width=220,
            index=names.index(asked_slice) + 1 if asked_slice in names else 0,
            format_func=lambda key: slice_label(key) if key else t("ui.all"),
        )
        search = st.text_input(
            t("ui.questions.search"),
            value=st.query_params.get("search", ""),
            key="cases_search",
            type="search",
            icon=":material/search:",
            placeholder=t("ui.questions.search.placeholder"),
            width=280,
        )
    remember("show", show if show != "all" else None)
    remember("slice", slice_name or None)
    remember("search", search or None)
    return show or "all", slice_name or None, search


def _draw_table(found: Results, shown: tuple[CaseRow, ...], key: str) -> None:
    if not shown:
        st.caption(t("ui.questions.nothing_found"))
        return
    rows = []
    for case in shown:
        row: dict[str, Any] = {t("ui.questions.question"): case.question, t("ui.questions.answer"): case.reference}
        for approach in found.approaches:
            row[approach_name(approach)] = _cell(case.cells.get(approach.approach_id))
        rows.append(row)
    picked = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"cases_{key}",
        column_config={
            t("ui.questions.question"): st.column_config.TextColumn(width=280, pinned=True),
            t("ui.questions.answer"): st.column_config.TextColumn(width=170),
            **{approach_name(each): st.column_config.TextColumn(width=170) for each in found.approaches},
        },
        alt=t("ui.cases.title"),
    )
    chosen = picked.selection.rows
    if chosen and chosen[0] < len(shown):
        _draw_case(found, shown[chosen[0]])
    else:
        st.caption(t("ui.cases.select"))


def _cell(cell: dict[str, Any] | None) -> str:
    """Return an answer behind a sign of whether it is right: a mark and never colour alone."""
    if cell is None:
        return "–"
    if cell["status"] != "finished":
        return f"⚠ {t('approaches.status.' + cell['status'])}"
    return f"{_mark(cell['value'])} {cell['text']}"


def _mark(value: float | None) -> str:
    if value is None:
        return "·"
    return "✓" if value >= 0.5 else "✗"


def _draw_case(found: Results, case: CaseRow) -> None:
    """Draw one question with every answer in full, why it counts as right or wrong, and every score."""
    with st.container(border=True):
        st.markdown(f"**{plain(case.question)}**")
        st.caption(t("ui.compare.reference"))
        st.text(case.reference or "–")
        facts = [slice_label(case.slice)]
        if case.coverage:
            facts.append(t(f"evaluation.coverage.{case.coverage}"))
        st.caption(" · ".join(plain(fact) for fact in facts))
        with st.grid(3, min_column_width=260):
            for approach in found.approaches:
                cell = case.cells.get(approach.approach_id)
                if cell is not None:
                    with st.container(border=True, height="stretch"):
                        draw_approach(approach.preset, approach_name(approach))
                        _draw_answer(cell)


def _draw_answer(cell: dict[str, Any]) -> None:
    if cell["status"] == "failed":
        error = cell["error"] or {"code": "approaches.lost", "params": {}}
        st.error(error_text(*describe(KurabeError(error["code"], **error["params"]))))
        return
    right = cell["value"] is not None and cell["value"] >= 0.5
    word = t("ui.cases.right") if right else t("ui.cases.wrong")
    st.badge(word, color="green" if right else "red", icon=":material/check:" if right else ":material/close:")
    st.text(cell["text"] or "–")
    if reason := reason_text(cell["reason"]):
        st.caption(reason)
    scores = {
        t(f"measures.metric.{score.metric}"): round(score.value, 3)
        for score in answer_scores(cell["answer_id"])
        if score.value is not None
    }
    st.caption(" · ".join(f"{name} {value:g}" for name, value in scores.items()))


def reason_text(reason: dict[str, Any] | None) -> str:
    """Return why a score is what it is, as a sentence; empty if it was not told."""
    key = f"measures.reason.{(reason or {}).get('code', '')}"
    if not reason or key not in catalogue("en"):
        return ""
    return plain(t(key, **dict(reason.get("params", {}))))
