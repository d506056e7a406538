"""Whether the index holds the training text: then retrieval reads the very words that tuning learned."""

from __future__ import annotations

import streamlit as st

from core.datasets import training_text
from core.i18n import format_number, format_percent, t
from core.knowledge import default_kb, latest_index
from core.store import tables as tb

__all__ = ["draw_training_text"]


def draw_training_text(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw what of the training text the index held when the coverage was last worked out."""
    found, index = training_text(row.id), latest_index(default_kb(project.id).id)
    if found is None:
        st.caption(t("ui.training_text.no_index" if index is None else "ui.training_text.again"))
        return
    if not found.rows:
        st.caption(t("ui.training_text.short"))
        return
    share = format_percent(found.held / found.rows)
    held, rows = format_number(found.held), format_number(found.rows)
    st.markdown(t("ui.training_text.held", held=held, rows=rows, share=share))
    if found.questions:
        counts = {"held": format_number(found.questions_held), "questions": format_number(found.questions)}
        st.caption(t("ui.training_text.questions", **counts))
    st.caption(t("ui.training_text.why" if found.held else "ui.training_text.apart"))
    if index is None or index.id != found.index_version_id:
        st.caption(f":material/info: {t('ui.training_text.again')}")
