"""Two test runs side by side on the test run page."""

from __future__ import annotations

import streamlit as st

from core.decision import called, verdict_word
from core.evaluation import Change, Changes, compare_experiments, experiments
from core.i18n import format_number, t
from core.store import tables as tb
from core.ui.findings import when
from core.ui.moved_questions import draw_moved_questions
from core.ui.parts import interval_text, plain, remember, section, told_apart

__all__ = ["difference_text", "draw_changes"]


def draw_changes(project: tb.Project, experiment: tb.Experiment) -> None:
    """Draw the choice of another run and what changed since it; the choice is in the address."""
    section(t("ui.changes.title"), t("ui.changes.text"))
    others = {row.id: row for row in experiments(project.id) if row.id != experiment.id}
    if not others:
        st.caption(t("ui.changes.one"))
        return
    asked = st.query_params.get("against")
    picked = st.selectbox(
        t("ui.changes.earlier"),
        list(others),
        index=list(others).index(asked) if asked in others else 0,
        format_func=told_apart(others, lambda key: f"{others[key].name} · {when(others[key].completed_at)}"),
        key=f"changes_{experiment.id}",
    )
    remember("against", picked)
    with st.spinner(t("ui.test.computing")):
        found = compare_experiments(picked, experiment.id)
    _draw_table(found)
    counts = {"n": found.shared, "earlier": found.only_earlier, "later": found.only_later}
    st.caption(t("ui.changes.shared", **{name: format_number(count) for name, count in counts.items()}))
    for key, names in (("left_out", found.left_out), ("new", found.new)):
        if names:
            st.caption(t(f"ui.changes.{key}", names=plain(", ".join(map(called, names)))))
    draw_moved_questions(project.id, found)


def _draw_table(found: Changes) -> None:
    rows = [
        {
            t("ui.test.approach"): called(change.name, change.preset, change.names),
            t("ui.changes.before"): interval_text(change.before),
            t("ui.changes.after"): interval_text(change.after),
            t("ui.changes.change"): change_text(change),
            t("ui.changes.finding"): verdict_word(change.verdict),
            t("ui.test.up_down"): f"↑{change.up} ↓{change.down}",
            t("ui.changes.same"): t(f"ui.changes.same.{'yes' if change.same else 'no'}"),
        }
        for change in found.approaches
    ]
    st.dataframe(rows, hide_index=True, alt=t("ui.changes.title"))


def change_text(change: Change) -> str:
    """Return a difference in points with its interval: +4 points (+1 to +7)."""
    return difference_text(change.estimate, change.low, change.high)


def difference_text(estimate: float, low: float | None, high: float | None) -> str:
    """Return a difference between shares in points, with its interval where there is one."""
    value = _points(estimate)
    if low is None or high is None:
        return t("ui.changes.points.bare", value=value)
    return t("ui.changes.points", value=value, low=_points(low), high=_points(high))


def _points(share: float) -> str:
    return f"{'+' if share >= 0 else '−'}{format_number(abs(share) * 100, digits=1)}"
