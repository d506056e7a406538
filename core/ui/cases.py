"""The table of cases × approaches: filters, pages, and one case in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import streamlit as st

from core.decision import approach_name
from core.errors import KurabeError
from core.evaluation import SHOWN, SORTED, CaseFilter, CaseRow, Results, answer_scores, cases
from core.i18n import catalogue, describe, format_number, t
from core.identity import content_hash
from core.ui.parts import draw_approach, error_text, plain, remember, section
from core.ui.questions import slice_label

__all__ = ["draw_cases"]

_PAGE = 50
_ANY = ""


def draw_cases(found: Results) -> None:
    """Draw the questions of an experiment with what each approach made of them; every choice is in the address."""
    section(t("ui.cases.title"), t("ui.cases.text"))
    wanted = _filters(found)
    key = content_hash(asdict(wanted))
    asked = st.query_params.get("page", "")
    # filters changed in this visit begin at their first page; an address that somebody sent opens at its own
    opened = st.session_state.setdefault("cases_opened", key)
    first = int(asked) if asked.isdigit() and opened == key else 1
    page = max(1, int(st.session_state.get(f"cases_page_{key}") or first))
    shown = cases(found.experiment_id, wanted, offset=(page - 1) * _PAGE, limit=_PAGE)
    pages = max(1, -(-shown.total // _PAGE))
    if page > pages:  # the address names a page that these filters do not have
        page, shown = 1, cases(found.experiment_id, wanted, limit=_PAGE)
    _draw_table(found, shown.rows, f"{page}_{key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("ui.questions.found", n=format_number(shown.total)), width="content")
        if pages > 1:
            st.pagination(pages, default=page, key=f"cases_page_{key}")
    remember("page", str(page) if page > 1 else None)


def _filters(found: Results) -> CaseFilter:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control(
            t("ui.cases.show"),
            SHOWN,
            required=True,
            default=_asked("show", SHOWN, "all"),
            key="cases_show",
            format_func=lambda key: t(f"ui.cases.show.{key}"),
            help="\n".join(f"- **{t(f'ui.cases.show.{name}')}**: {t(f'ui.cases.show.{name}.help')}" for name in SHOWN),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        approach_id = _choice(
            "ui.test.approach",
            "approach",
            {a.approach_id: approach_name(a) for a in found.approaches},
            t("ui.cases.any"),
        )
        slice_name = _choice(
            "ui.questions.slice", "slice", {name: slice_label(name) for name in sorted(found.slices)}, t("ui.all")
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
        sort = st.selectbox(
            t("ui.cases.sort"),
            SORTED,
            index=SORTED.index(_asked("sort", SORTED, "position")),
            key="cases_sort",
            width=220,
            format_func=lambda key: t(f"ui.cases.sort.{key}"),
        )
    remember("show", show if show != "all" else None)
    remember("search", search or None)
    remember("sort", sort if sort != "position" else None)
    return CaseFilter(show, search, slice_name, approach_id, sort)


Option = TypeVar("Option", bound=str)


def _asked(name: str, options: tuple[Option, ...], usual: Option) -> Option:
    """Return the option that the address names, else the usual one."""
    asked = st.query_params.get(name)
    return next((option for option in options if option == asked), usual)


def _choice(label: str, name: str, options: dict[str, str], any_word: str) -> str | None:
    """Draw the choice of one option or none, which the address remembers under `name`."""
    keys, asked = [_ANY, *options], st.query_params.get(name)
    picked = st.selectbox(
        t(label),
        keys,
        key=f"cases_{name}",
        width=220,
        index=keys.index(asked) if asked in options else 0,
        format_func=lambda key: options.get(key, any_word),
    )
    remember(name, picked or None)
    return picked or None


def _draw_table(found: Results, shown: Sequence[CaseRow], key: str) -> None:
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
    if cell["status"] != "finished":
        st.badge(t(f"approaches.status.{cell['status']}"), color="gray", icon=":material/hourglass_empty:")
    elif cell["value"] is None:  # not measured yet, or the metric has nothing to measure here
        st.badge(t("ui.cases.unmeasured"), color="gray", icon=":material/remove:")
    elif cell["value"] >= 0.5:
        st.badge(t("ui.cases.right"), color="green", icon=":material/check:")
    else:
        st.badge(t("ui.cases.wrong"), color="red", icon=":material/close:")
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
