"""A row of a file that is about to be imported, as the model would read it: token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.datasets import Row
from core.errors import KurabeError
from core.i18n import describe, format_number, format_percent, t
from core.store import tables as tb
from core.training import bases_with_tokenizer, token_view
from core.ui.findings import base_name
from core.ui.parts import error_text, plain
from core.ui.tokens import draw_tokens

__all__ = ["draw_row_preview"]

TrainOn = Literal["completion", "assistant"]


def draw_row_preview(project: tb.Project, rows: Sequence[Row], key: str) -> None:
    """Draw one of the rows under a chat template, anew with every change of the columns.

    Args:
        project: Its language, instructions and base word the row.
        rows: The first rows as the dataset would have them; nothing is drawn without any.
        key: What tells this file from others.
    """
    if not rows:
        return
    with st.expander(t("ui.row_preview"), expanded=True, icon=":material/token:"):
        st.caption(t("ui.row_preview.text"))
        bases = _bases(project.base_ref)
        if not bases:
            st.caption(t("ui.row_preview.no_tokenizer", model=plain(base_name(project.base_ref))))
            return
        row, base, train_on = _choices(rows, bases, key)
        _draw_view(project, row, base, train_on)


@st.cache_data(ttl=60, show_spinner=False)
def _bases(first: str) -> list[str]:
    """Return `bases_with_tokenizer`, which looks through folders, not with every touch of the page."""
    return bases_with_tokenizer(first)


def _choices(rows: Sequence[Row], bases: list[str], key: str) -> tuple[Row, str, TrainOn]:
    """Draw the choice of row, of template, and for chats of what is learned."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.selectbox(
            t("ui.row_preview.row"),
            range(len(rows)),
            format_func=lambda number: f"{number + 1}. {rows[number].question[:60]}",
            key=f"preview_row_{key}_{len(rows)}",
        )
        base = st.selectbox(t("ui.row_preview.base"), bases, format_func=base_name, key=f"preview_base_{key}")
        row = rows[int(place or 0)]
        several = sum(turn.get("role") == "assistant" for turn in row.messages) > 1
        learned: TrainOn = "completion"
        if several:
            learned = st.selectbox(
                t("training.field.train_on"),
                ("completion", "assistant"),
                format_func=lambda option: t(f"ui.row_preview.learn.{option}"),
                key=f"preview_learn_{key}",
            )
    return row, base, learned


def _draw_view(project: tb.Project, row: Row, base: str, train_on: TrainOn) -> None:
    if not row.answer.strip():
        st.caption(t("ui.row_preview.no_answer"))
        return
    try:
        found = token_view(
            row,
            base,
            project.language,
            instructions=project.instructions,
            house_rules=project.house_rules,
            train_on=train_on,
        )
    except KurabeError as error:
        st.warning(error_text(*describe(error)), icon=":material/block:")
        return
    share = format_percent(found.trained / max(1, found.tokens))
    counts = {"n": format_number(found.tokens), "trained": format_number(found.trained), "share": share}
    st.markdown(t("ui.row_preview.counts", **counts))
    with st.container(border=True):
        draw_tokens(found.pieces)
