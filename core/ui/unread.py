"""What could not be read of documents: pages that are scans or garbled, slides of pictures, unsaved formulas."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.i18n import format_number, t
from core.knowledge import unread_of
from core.store import tables as tb
from core.ui.parts import plain

__all__ = ["draw_unread", "keep_unread"]

_KEY = "documents_unread"
_LISTED = 20
"""Documents that are named, and places of each."""


def keep_unread(rows: Sequence[tb.Document]) -> None:
    """Remember, until the page is drawn anew, which of some documents were not read in full."""
    found = [(row.name, unread_of(row.notes)) for row in rows]
    st.session_state[_KEY] = [(name, notes) for name, notes in found if notes]


def draw_unread() -> None:
    """Name the documents of the last upload that were not read in full, and which of their pages are missing."""
    found = st.session_state.pop(_KEY, [])
    if not found:
        return
    title = t("ui.documents.unread", n=format_number(len(found)))
    with st.expander(title, expanded=True, icon=":material/visibility_off:"):
        for name, notes in found[:_LISTED]:
            said = [plain(t(f"knowledge.note.{note['code']}", **note["params"])) for note in notes]
            more = [t("ui.documents.unread.more", n=format_number(len(said) - _LISTED))] if len(said) > _LISTED else []
            st.markdown("\n".join([f"**{plain(name)}**\n", *(f"- {line}" for line in [*said[:_LISTED], *more])]))
        if len(found) > _LISTED:
            st.caption(t("ui.problem.first", shown=format_number(_LISTED), n=format_number(len(found))))
