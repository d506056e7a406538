"""The test run page's choice of a run."""

from __future__ import annotations

import streamlit as st

from core.evaluation import experiments
from core.i18n import format_number, t
from core.store import tables as tb
from core.ui.findings import when
from core.ui.parts import remember, told_apart

__all__ = ["choose_experiment"]


def choose_experiment(project: tb.Project) -> tb.Experiment | None:
    """Draw the choice of the test run and return it; None while there is none."""
    found = experiments(project.id)
    if not found:
        return None
    known = {experiment.id: experiment for experiment in found}
    asked = st.query_params.get("experiment")
    picked = st.selectbox(
        t("ui.test.run"),
        list(known),
        index=list(known).index(asked) if asked in known else 0,
        format_func=told_apart(known, lambda key: _experiment_name(known[key])),
        key=f"experiment_{project.id}_{len(found)}",
    )
    remember("experiment", picked)
    return known[picked]


def _experiment_name(row: tb.Experiment) -> str:
    count = t("ui.test.questions_n", n=format_number(row.question_count))
    state = when(row.completed_at) if row.completed_at else t("ui.test.unfinished")
    return f"{row.name} · {count} · {state}"
