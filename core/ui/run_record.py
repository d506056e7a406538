"""A run's record on the training page: hashes, versions, what it took, and the proof that it changed the answers."""

from __future__ import annotations

import streamlit as st

from core.i18n import format_number, t
from core.training import RunView, record_told, run_record
from core.ui.parts import plain

__all__ = ["draw_proof", "draw_record"]


def draw_record(run: RunView) -> None:
    """Draw, folded away, by what somebody can check a run or repeat it."""
    with st.expander(t("ui.training.record"), icon=":material/fact_check:"):
        told = record_told(run_record(run))
        st.markdown("\n".join(f"- {name}: {plain(value)}" for name, value in told.items()))


def draw_proof(run: RunView) -> None:
    """Say on how many validation questions base and tuned weights answer differently; a warning says it of none."""
    differing, questions = run.result.get("samples_differing"), run.result.get("samples")
    if differing and questions:
        counts = {"differing": format_number(differing), "questions": format_number(questions)}
        st.caption(f":material/verified: {t('training.proof', **counts)}")
