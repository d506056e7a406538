"""The blind rating page's parts: two hidden answers, first each by itself, then against each other."""

from __future__ import annotations

import time

import streamlit as st

from core.decision import approach_name
from core.evaluation import Results
from core.i18n import format_number, t
from core.identity import actor
from core.store import tables as tb
from core.ui.parts import interval_text, plain
from core.votes import PREFERENCES, RATINGS, BlindPair, cast_preference, cast_rating, next_pair, summary, undo_last

__all__ = ["draw_rating", "draw_summary"]


def voter() -> str:
    """Return who rates: the signed-in person, else the name that was entered; empty before."""
    return actor() if _signed_in() else str(st.session_state.get("voter", ""))


def _signed_in() -> bool:
    return bool(st.user and st.user.get("email"))


def draw_rating(project: tb.Project, found: Results) -> None:
    """Draw the next pair until all are rated."""
    if not _signed_in():
        _ask_for_name()
    if not voter():
        st.caption(t("ui.rating.name_first"))
        return
    pair = next_pair(found.experiment_id, voter())
    if pair is None:
        st.success(t("ui.rating.done"), icon=":material/check_circle:")
        _draw_undo(project)
        return
    st.progress(pair.done / pair.total, text=t("ui.rating.progress", done=pair.done, total=pair.total))
    _draw_question(pair)
    ratings = _draw_answers(pair)
    _draw_preference(project, pair, ratings)


def _ask_for_name() -> None:
    name = st.text_input(
        t("ui.rating.name"), value=voter(), max_chars=100, width=320, help=t("ui.rating.name.help"), key="voter_name"
    )
    st.session_state["voter"] = name.strip()


def _draw_question(pair: BlindPair) -> None:
    key = f"rating_since_{pair.left.id}_{pair.right.id}"
    st.session_state.setdefault(key, time.monotonic())
    with st.container(border=True):
        st.caption(t("ui.questions.question"))
        st.markdown(f"**{plain(pair.question)}**")
        with st.expander(t("ui.rating.reference"), icon=":material/fact_check:"):
            st.text(pair.reference or "–")


def _draw_answers(pair: BlindPair) -> dict[str, str | None]:
    """Draw both answers, each with its rating; who wrote them is not in the page."""
    ratings: dict[str, str | None] = {}
    for column, side, answer in zip(st.columns(2), ("left", "right"), (pair.left, pair.right), strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{t(f'ui.rating.{side}')}**")
            st.text(answer.text)
            st.space("stretch")
            ratings[side] = st.segmented_control(
                t("ui.rating.question"),
                RATINGS,
                key=f"rate_{answer.id}",
                format_func=lambda value: t(f"ui.rating.value.{value}"),
            )
    return ratings


def _draw_preference(project: tb.Project, pair: BlindPair, ratings: dict[str, str | None]) -> None:
    """Draw the preference once both answers are rated, and store all three together."""
    ready = all(ratings.values())
    st.caption(t("ui.rating.prefer") if ready else t("ui.rating.first_rate"))
    with st.container(horizontal=True):
        for value in PREFERENCES:
            if st.button(t(f"ui.rating.prefer.{value}"), key=f"prefer_{value}_{pair.left.id}", disabled=not ready):
                _store(pair, ratings, value)
                st.rerun()
        _draw_undo(project)


def _store(pair: BlindPair, ratings: dict[str, str | None], preference: str) -> None:
    seconds = time.monotonic() - float(st.session_state[f"rating_since_{pair.left.id}_{pair.right.id}"])
    cast_rating(pair.left, voter(), str(ratings["left"]), seconds=seconds)
    cast_rating(pair.right, voter(), str(ratings["right"]), seconds=seconds)
    cast_preference(pair.left, pair.right, voter(), preference, seconds=seconds)


def _draw_undo(project: tb.Project) -> None:
    if st.button(t("ui.rating.undo"), icon=":material/undo:", type="tertiary"):
        if undo_last(project.id, voter()):
            st.rerun()
        st.toast(t("ui.rating.nothing_to_undo"))


def draw_summary(found: Results) -> None:
    """Draw how the approaches fared with people, only when asked for: it would colour the next rating."""
    with st.expander(t("ui.rating.summary"), icon=":material/visibility:", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption(t("ui.rating.summary.text"))
        rows = []
        for each in summary(found.experiment_id):
            approach = found.approach(each.approach_id)
            rows.append(
                {
                    t("ui.test.approach"): approach_name(approach) if approach else each.approach_id,
                    t("ui.rating.usable"): interval_text(each.usable),
                    **{t(f"ui.rating.value.{value}"): each.ratings[value] for value in RATINGS},
                    t("ui.rating.preferred"): f"{format_number(each.wins)} / {format_number(each.losses)}",
                    t("ui.rating.ties"): each.ties,
                    t("ui.rating.voters"): each.voters,
                }
            )
        if rows:
            st.dataframe(rows, hide_index=True, alt=t("ui.rating.summary"))
        else:
            st.caption(t("ui.rating.no_votes"))
