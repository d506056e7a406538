"""The part of the run comparison about answers: what test runs found of each run's weights on the same questions."""

from __future__ import annotations

import streamlit as st

from core.decision import called, verdict_word
from core.evaluation import RunDifference, RunScores, compare_run_scores
from core.i18n import format_number, t
from core.ui.changes import difference_text
from core.ui.parts import interval_text, plain

__all__ = ["draw_run_scores"]


def draw_run_scores(names: dict[str, str]) -> None:
    """Draw scores of several runs and the paired differences between them.

    Args:
        names: what each run is called, by its id, in the order of comparison.
    """
    st.markdown(f"**{t('ui.registry.compare.scores')}**")
    with st.spinner(t("ui.test.computing")):
        found = compare_run_scores(list(names))
    if not found.scores:
        st.caption(t("ui.registry.compare.scores.none"))
        return
    _draw_scores(found, names)
    if found.never_asked:
        missing = ", ".join(plain(names[key]) for key in found.never_asked)
        st.caption(t("ui.registry.compare.scores.missing", names=missing))
    if found.differences:
        rows = [_row(difference, names) for difference in found.differences]
        st.dataframe(rows, hide_index=True, alt=t("ui.registry.compare.scores"))
        st.caption(t("ui.registry.compare.scores.paired"))
    elif len(found.scores) > 1:
        st.caption(t("ui.registry.compare.scores.apart"))


def _draw_scores(found: RunScores, names: dict[str, str]) -> None:
    rows = [
        {
            t("ui.registry.compare.run"): names[score.run_id],
            t("ui.test.approach"): called(score.name, score.preset, {}),
            t("ui.registry.compare.test"): score.experiment,
            t("ui.registry.compare.score"): interval_text(score.score),
        }
        for score in found.scores
    ]
    st.dataframe(rows, hide_index=True, alt=t("ui.registry.compare.scores"))


def _row(difference: RunDifference, names: dict[str, str]) -> dict[str, str]:
    return {
        t("ui.registry.compare.second"): names[difference.second],
        t("ui.registry.compare.first"): names[difference.first],
        t("ui.test.approach"): called("", difference.preset, {}),
        t("ui.registry.compare.questions"): format_number(difference.n),
        t("ui.registry.compare.difference"): difference_text(difference.estimate, difference.low, difference.high),
        t("ui.changes.finding"): verdict_word(difference.verdict),
        t("ui.test.up_down"): f"↑{difference.up} ↓{difference.down}",
        t("ui.changes.same"): t(f"ui.registry.compare.alike.{'yes' if difference.alike else 'no'}"),
    }
