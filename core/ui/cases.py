"""The table of cases × approaches: filters, pages, and one case in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import streamlit as st

from core.decision import approach_name
from core.evaluation import CAUSES, SHOWN, SORTED, CaseFilter, CaseRow, Results, cases
from core.evaluation import case as case_of
from core.i18n import catalogue, format_number, t
from core.identity import content_hash
from core.ui.parts import plain, remember, section
from core.ui.questions import slice_label

__all__ = ["draw_cases"]

_PAGE = 50
_ANY = ""


def draw_cases(found: Results) -> CaseRow | None:
    """Draw the questions of an experiment with what each approach made of them; every choice is in the address.

    Returns:
        The case that is open, chosen in the table or named in the address.
    """
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
    chosen = _draw_table(found, shown.rows, f"{page}_{key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("ui.questions.found", n=format_number(shown.total)), width="content")
        if pages > 1:
            st.pagination(pages, default=page, key=f"cases_page_{key}")
    remember("page", str(page) if page > 1 else None)
    return _opened(found, shown.rows, chosen)


def _opened(found: Results, shown: Sequence[CaseRow], chosen: str | None) -> CaseRow | None:
    """Return the open case: what was selected or let go in this visit counts before what the address names."""
    asked = st.query_params.get("case")
    if chosen != st.session_state.get("cases_chosen"):
        asked = st.session_state["cases_chosen"] = chosen
    case = next((row for row in shown if row.example_id == asked), None)
    if case is None and asked:
        case = case_of(found.experiment_id, asked)
    remember("case", case.example_id if case else None)
    if case is None and shown:
        st.caption(t("ui.cases.select"))
    return case


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
        cause = _choice(
            "ui.cases.cause", "cause", {name: t(f"evaluation.cause.{name}") for name in CAUSES}, t("ui.cases.cause.any")
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
    return CaseFilter(show, search, slice_name, approach_id, sort, cause)


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


def _draw_table(found: Results, shown: Sequence[CaseRow], key: str) -> str | None:
    """Draw one page of questions; return the one whose row is selected."""
    if not shown:
        st.caption(t("ui.questions.nothing_found"))
        return None
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
    return shown[chosen[0]].example_id if chosen and chosen[0] < len(shown) else None


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


def reason_text(reason: dict[str, Any] | None, *, markdown: bool = True) -> str:
    """Return why a score is what it is, as a sentence, escaped for Markdown by default; empty if it was not told."""
    key = f"measures.reason.{(reason or {}).get('code', '')}"
    if not reason or key not in catalogue("en"):
        return ""
    params = dict(reason.get("params", {}))
    return plain(
        t(key, **{name: _marks(value) if isinstance(value, list) else value for name, value in params.items()})
    )


def _marks(codes: Sequence[str]) -> str:
    """Return marks of style in words; what an ending or a phrase is stands behind its kind."""
    named = []
    for code in codes:
        kind, _, text = str(code).partition(":")
        named.append(t(f"measures.mark.{kind}", text=text))
    return t("ui.list.comma").join(named) or t("measures.mark.none")
