"""The questions behind what changed between two test runs: better, worse or as before."""

from __future__ import annotations

import streamlit as st

from core.decision import called
from core.evaluation import MOVES, Change, Changes, Move, MovedQuestion, moved_questions
from core.i18n import format_number, t
from core.ui.navigation import link
from core.ui.parts import plain, remember

__all__ = ["draw_moved_questions"]

_PAGE = 50


def draw_moved_questions(project_id: str, found: Changes) -> None:
    """Draw the questions behind one count of one approach; both choices are in the address."""
    by_name = {change.name: change for change in found.approaches}
    asked = st.query_params.get("moved")
    names = list(by_name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            t("ui.changes.questions"),
            names,
            index=names.index(asked) if asked in names else 0,
            format_func=lambda key: called(by_name[key].name, by_name[key].preset, by_name[key].names),
            key=f"moved_{found.later}",
            width=280,
        )
        move = _choose_move(by_name[name])
    remember("moved", name)
    remember("move", move)
    key = f"moved_page_{found.earlier}_{found.later}_{name}_{move}"
    number = max(1, int(st.session_state.get(key) or 1))
    shown = moved_questions(found.earlier, found.later, name, move, offset=(number - 1) * _PAGE, limit=_PAGE)
    if not shown.rows:
        st.caption(t("ui.questions.nothing_found"))
        return
    chosen = _draw_table(shown.rows, f"{key}_{number}")
    if (pages := -(-shown.total // _PAGE)) > 1:
        st.pagination(pages, key=key)
    if chosen is None:
        st.caption(t("ui.changes.select"))
    else:
        _draw_chosen(project_id, found, chosen)


def _choose_move(change: Change) -> Move:
    counts: dict[Move, int] = {"up": change.up, "down": change.down, "equal": change.equal}
    asked = st.query_params.get("move")
    largest: Move = "down" if change.down else "up" if change.up else "equal"  # what got worse is asked for first
    return st.segmented_control(
        t("ui.changes.questions"),
        MOVES,
        default=next((move for move in MOVES if move == asked), largest),
        required=True,
        format_func=lambda move: t(f"ui.look.link.{move}", n=format_number(counts[move])),
        label_visibility="collapsed",
        key=f"move_{change.name}",
    )


def _draw_table(rows: tuple[MovedQuestion, ...], key: str) -> MovedQuestion | None:
    """Draw one page of questions with the answers then and now; return the one whose row is selected."""
    picked = st.dataframe(
        [
            {
                t("ui.questions.question"): row.question,
                t("ui.questions.answer"): row.reference,
                t("ui.changes.before"): row.before,
                t("ui.changes.after"): row.after,
            }
            for row in rows
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        alt=t("ui.changes.questions"),
    )
    chosen = picked.selection.rows
    return rows[chosen[0]] if chosen and chosen[0] < len(rows) else None


def _draw_chosen(project_id: str, found: Changes, row: MovedQuestion) -> None:
    """Draw one question with both answers in full, and the way to it in either run."""
    with st.container(border=True):
        st.markdown(f"**{plain(row.question)}**")
        st.caption(f"{t('ui.questions.answer')}: {plain(row.reference)}")
        runs = (
            ("before", row.before, found.earlier, row.earlier_example),
            ("after", row.after, found.later, row.later_example),
        )
        for column, (name, text, experiment, example) in zip(st.columns(2), runs, strict=True):
            with column:
                st.caption(t(f"ui.changes.{name}"))
                st.text(text or "–")
                query = {"project": project_id, "experiment": experiment, "view": "cases", "case": example}
                link("test_run", t("ui.changes.open"), icon=False, **query)
