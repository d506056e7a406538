"""A test run while it goes on: the shares so far; and what it asked itself and what it took over."""

from __future__ import annotations

from typing import Any

import streamlit as st
from sqlalchemy import select

from core.approaches import get_approach
from core.errors import KurabeError
from core.evaluation import Results
from core.i18n import format_money, format_number, format_percent, t
from core.jobs import JobView
from core.jobs.event_log import recent_events
from core.store import read
from core.store import tables as tb
from core.ui.approaches import approach_label
from core.ui.jobs import follow_job
from core.ui.parts import plain

__all__ = ["draw_spending", "follow_experiment", "origin_text"]


def follow_experiment(job_id: str) -> None:
    """Draw the job of a test run with what its answers say so far, as long as it goes on."""
    follow_job(job_id, extra=_draw_partial)


def _draw_partial(view: JobView) -> None:
    """Draw the provisional share of every approach, and of how many answers it is one."""
    told = [event for event in recent_events(view.events_path) if event.get("attempt") == view.attempt]
    last = next((event for event in reversed(told) if event.get("partial")), None)
    if not view.active or last is None:
        return
    planned = int(last["planned"])
    rows = [_partial_row(approach_id, found, planned) for approach_id, found in last["partial"].items()]
    st.markdown(f"**{t('setup.partial')}**")
    st.dataframe(rows, hide_index=True, alt=t("setup.partial"))
    st.caption(t("setup.partial.help"))


def _partial_row(approach_id: str, found: dict[str, Any], planned: int) -> dict[str, Any]:
    counted = int(found["scored"]) + int(found["failed"])
    share = format_percent(found["right"] / counted) if counted else "–"
    of = {"n": format_number(counted), "planned": format_number(planned)}
    return {
        t("ui.test.approach"): _name(approach_id),
        t("setup.partial.share"): share,
        t("setup.partial.answers"): t("setup.partial.of", **of),
        t("ui.test.failed"): found["failed"],
        t("setup.column.taken"): found["taken"],
    }


def _name(approach_id: str) -> str:
    try:
        return approach_label(get_approach(approach_id))
    except KurabeError:
        return "–"


def draw_spending(found: Results) -> None:
    """Say what a run took over from others, and what it asked and paid itself."""
    spent = found.spending
    if spent is None or not spent.taken:
        return
    names = ", ".join(origin_text(i) for i in spent.taken_from)
    st.caption(f":material/content_copy: {t('setup.spent.taken', n=format_number(spent.taken), runs=names)}")
    costs = {"cost": _money(spent.cost, spent.currency), "taken_cost": _money(spent.taken_cost, spent.currency)}
    st.caption(f":material/payments: {t('setup.spent.cost', n=format_number(spent.asked), **costs)}")


def _money(amount: float | None, currency: str) -> str:
    return plain(format_money(amount, currency)) if amount is not None and currency else "–"


def origin_text(experiment_id: str) -> str:
    """Return the name of the test run in which an answer was asked; it may have been deleted since."""
    with read() as session:
        name = session.scalar(select(tb.Experiment.name).where(tb.Experiment.id == experiment_id))
    return t("setup.origin", name=plain(name)) if name is not None else t("setup.origin.deleted")
