"""The compare page's form: what is asked of whom, and the comparisons that were asked before."""

from __future__ import annotations

import streamlit as st

from core.approaches import comparison, recent_comparisons, start_comparison
from core.datasets import example, examples, latest_version
from core.errors import KurabeError
from core.i18n import t
from core.store import tables as tb
from core.ui.approaches import choose_approaches, draw_missing
from core.ui.compare_columns import in_order, named
from core.ui.findings import when
from core.ui.parts import plain, remember, told_apart
from core.ui.questions import slice_label

__all__ = ["ask_form", "draw_recent"]

_FEWEST_COLUMNS, _MOST_COLUMNS = 2, 6
_USUAL = ("base", "rag", "fine_tuned", "fine_tuned_rag")
_TAKEN_UP = "compare_taken_up"
"""Key in the session: the comparison that the form was last filled in from."""


def ask_form(project: tb.Project) -> str | None:
    """Draw the question and the choice of approaches; return the new comparison's id when asked."""
    _take_up(project)
    with st.container(border=True):
        question, example_id = _question(project)
        chosen = _chosen(project)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            asked = st.button(
                t("ui.compare.ask"),
                type="primary",
                icon=":material/send:",
                disabled=not question or not _FEWEST_COLUMNS <= len(chosen) <= _MOST_COLUMNS,
            )
            with st.popover(t("ui.compare.more"), icon=":material/tune:"):
                times = st.number_input(
                    t("ui.compare.times"), 1, 20, key="compare_times", help=t("ui.compare.times.help")
                )
                search_off = st.toggle(
                    t("ui.compare.search_off"), key="compare_search_off", help=t("ui.compare.search_off.help")
                )
        if len(chosen) > _MOST_COLUMNS:
            st.warning(t("ui.compare.too_many", most=_MOST_COLUMNS), icon=":material/view_column:")
        elif len(chosen) < _FEWEST_COLUMNS:
            st.warning(t("ui.compare.too_few"), icon=":material/view_column:")
    draw_missing(project.id)
    if not asked:
        return None
    started = start_comparison(
        project.id, question, chosen, example_id, repetitions=int(times), retrieval_off=search_off
    )
    st.session_state[_TAKEN_UP] = started  # the form asks it already, and may be written in before the next run
    return started


def _take_up(project: tb.Project) -> None:
    """Fill in the form what the comparison in the address asked, once: below it stands what came of that."""
    shown, key = st.query_params.get("compare"), _source_key(project)
    if not shown or (st.session_state.get(_TAKEN_UP) == shown and key in st.session_state):
        return
    st.session_state[_TAKEN_UP] = shown
    rows = [row for row in comparison(shown) if row.project_id == project.id]
    if not rows:
        return
    source = _slice_of(project, rows[0].example_id)
    st.session_state[key] = source
    if source:
        st.session_state[f"compare_pick_{source}"] = rows[0].example_id
    else:
        st.session_state["compare_question"] = rows[0].question
    st.session_state["compare_times"] = max(row.repetition for row in rows) + 1
    st.session_state["compare_search_off"] = any(row.notes.get("retrieval_off") for row in rows)


def _source_key(project: tb.Project) -> str:
    return f"compare_source_{project.id}"


def _slice_of(project: tb.Project, example_id: str | None) -> str:
    """Return the slice in which the form offers a question of the dataset; empty for one that it does not offer."""
    version = latest_version(project.id)
    if example_id is None or version is None:
        return ""
    try:
        row = example(example_id)
    except KurabeError:
        return ""  # the dataset was deleted since
    return row.slice if (row.version_id, row.split) == (version.id, "validation") else ""


def _chosen(project: tb.Project) -> list[str]:
    """Draw the choice of approaches; return those chosen in the order in which their columns will stand.

    The choice is in the address; a link to a comparison alone chooses those that it asked.
    """
    asked = named(st.query_params.get("approaches"))
    if not asked and (shown := st.query_params.get("compare")):
        asked = list(dict.fromkeys(row.approach_id for row in comparison(shown)))
    chosen = choose_approaches(project.id, "compare_approaches", _USUAL, asked=asked)
    remember("approaches", ",".join(chosen))
    return in_order(chosen, named(st.query_params.get("columns")))


def _question(project: tb.Project) -> tuple[str, str | None]:
    """Draw where the question comes from; return it with the dataset row it is, if it is one."""
    version = latest_version(project.id)
    counts = (version.counts or {}).get("slices", {}).get("validation", {}) if version else {}
    sources = ["", *sorted(counts)]
    if st.session_state.get(_source_key(project)) not in sources:
        st.session_state[_source_key(project)] = sources[-1]
    source = st.segmented_control(
        t("ui.compare.source"),
        sources,
        required=True,
        key=_source_key(project),
        format_func=lambda name: slice_label(name) if name else t("ui.compare.source.own"),
        wrap=True,
    )
    if not source or version is None:
        text = st.text_area(
            t("ui.compare.question"),
            key="compare_question",
            height=80,
            max_chars=4000,
            placeholder=t("ui.compare.question.placeholder"),
        )
        return text.strip(), None
    rows = {row.id: row for row in examples(version.id, split="validation", slices=[source])}
    picked = st.selectbox(
        t("ui.compare.pick"),
        list(rows),
        format_func=told_apart(rows, lambda key: rows[key].question),
        key=f"compare_pick_{source}",
    )
    return (rows[picked].question, picked) if picked else ("", None)


def draw_recent(project: tb.Project) -> str | None:
    """Draw what was asked before; return the comparison that was chosen."""
    found = recent_comparisons(project.id, limit=8)
    if not found:
        return None
    with st.expander(t("ui.compare.recent"), icon=":material/history:"):
        for row in found:
            label = f"{row.question[:90]} · {when(row.started_at or row.created_at)}"
            if st.button(plain(label), key=f"recent_{row.compare_id}", type="tertiary"):
                return str(row.compare_id)
    return None
