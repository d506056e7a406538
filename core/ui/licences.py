"""The licence of a dataset version: asked when rows are taken over, and later."""

from __future__ import annotations

import streamlit as st

from core.datasets import LICENCES, licence_of, set_licence
from core.i18n import t
from core.store import tables as tb

__all__ = ["choose_licence", "draw_licence"]


def choose_licence(key: str, known: str = "") -> str:
    """Draw the choice of a licence, the usual ones or any other name, and return it; empty if it is not known."""
    offered = list(dict.fromkeys(["", *([known] if known else []), *LICENCES]))
    picked = st.selectbox(
        t("ui.licence"),
        offered,
        index=offered.index(known),
        format_func=lambda name: name or t("ui.licence.unknown"),
        accept_new_options=True,
        key=key,
        help=t("ui.licence.help"),
        width=280,
    )
    return str(picked or "").strip()


def draw_licence(row: tb.DatasetVersion) -> None:
    """Draw the licence of a version, which may be said at any time: the rows stay as they are."""
    known = licence_of(row)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = choose_licence(f"licence_{row.id}", known)
        if st.button(t("ui.licence.save"), icon=":material/save:", disabled=picked == known):
            set_licence(row.id, picked)
            st.rerun()
