"""Text as a model gets it: token by token, each on its own ground, the learned ones in colour."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.i18n import format_number, t
from core.ui.parts import plain

__all__ = ["draw_tokens", "tokens_markdown"]

_SHOWN = 600
"""Tokens drawn; a page with many thousand coloured spans would stand still."""


def draw_tokens(pieces: Sequence[tuple[str, bool]]) -> None:
    """Draw pieces of text and mark those that are learned; of a very long row its beginning and its end.

    The end is what is learned: a long prompt must not hide it.
    """
    if len(pieces) <= _SHOWN:
        st.markdown(tokens_markdown(pieces))
        return
    half = _SHOWN // 2
    st.markdown(tokens_markdown(pieces[:half]))
    st.caption(t("ui.tokens.between", n=format_number(len(pieces) - 2 * half)))
    st.markdown(tokens_markdown(pieces[-half:]))


def tokens_markdown(pieces: Sequence[tuple[str, bool]]) -> str:
    """Return Markdown that shows each token on a ground of its own; a line break is a sign, then breaks the line."""
    return "".join(_token(text, trained=trained) for text, trained in pieces)


def _token(text: str, *, trained: bool) -> str:
    colour = "green" if trained else "gray"
    breaks = text.count("\n")
    words = plain(text) + "↵" * breaks or "\u00a0" * len(text)  # Markdown shows no ground behind usual spaces alone
    lead = " " if text[:1].isspace() and text.strip() else ""
    return f"{lead}:{colour}-background[{words}]" + ("  \n" if breaks else "")
