"""The documents page's parts about passages: how a document would be cut, and which of them a search may bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from core.errors import KurabeError
from core.i18n import describe, format_number, t
from core.knowledge import Chunk, Filter, IndexConfig, config_of, kinds_and_tags, latest_index, preview_document
from core.store import tables as tb
from core.ui.parts import error_text, plain

__all__ = ["draw_about_documents", "draw_budget", "draw_overlap", "draw_passages"]

_SHOWN = 50
"""Passages that a preview draws; of a longer document the first."""


def draw_overlap(longest: int, key: str = "index_overlap", value: int | None = None) -> int:
    """Draw the choice of how much of the passage before is repeated, and return it in tokens; usual: a fifth."""
    most = longest // 2
    usual = min(longest // 5 if value is None else value, most)
    label, text = t("ui.index.overlap"), t("ui.index.overlap.help")
    # The key goes with the limit: a value kept from a longer passage would lie beyond it.
    return int(st.number_input(label, 0, most, usual, 10, key=f"{key}_{most}", help=text))


def draw_passages(row: tb.Document) -> None:
    """Draw the passages that a document becomes with lengths that can be tried; nothing is indexed."""
    index = latest_index(row.knowledge_base_id)
    usual = config_of(index) if index else IndexConfig()
    st.caption(t("ui.passages.text"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = st.number_input(t("ui.index.max_tokens"), 40, 2000, usual.max_tokens, 20, key=f"cut_most_{row.id}")
        least = st.number_input(t("ui.index.min_tokens"), 10, 1000, usual.min_tokens, 10, key=f"cut_least_{row.id}")
        overlap = draw_overlap(int(most), f"cut_overlap_{row.id}", usual.overlap_tokens)
    least, most = min(int(least), int(most)), int(most)
    try:
        found = preview_document(row.id, replace(usual, min_tokens=least, max_tokens=most, overlap_tokens=overlap))
    except KurabeError as error:
        st.error(error_text(*describe(error)), icon=":material/error:")
        return
    longest = max((chunk.tokens for chunk in found.chunks), default=0)
    st.caption(t("ui.passages.facts", n=len(found.chunks), longest=format_number(longest)))
    with st.container(height=360, border=False):
        for chunk in found.chunks[:_SHOWN]:
            _draw_passage(chunk)
    if len(found.chunks) > _SHOWN:
        st.caption(t("ui.passages.more", shown=format_number(_SHOWN), n=format_number(len(found.chunks))))


def _draw_passage(chunk: Chunk) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{chunk.position + 1}. {plain(chunk.full_title)}**", width="content")
            st.caption(t("ui.passages.tokens", n=chunk.tokens), width="content")
            if chunk.note:
                st.badge(t(f"knowledge.chunk.{chunk.note}"), icon=":material/content_cut:", color="orange")
        st.text(chunk.text)


def draw_budget() -> int | None:
    """Draw the choice of how many tokens all passages may take, and return it; None for any number."""
    chosen = st.number_input(
        t("ui.search.budget"), 1, 100_000, None, 100, key="search_budget", width=180, help=t("ui.search.budget.help")
    )
    return None if chosen is None else int(chosen)


def draw_about_documents(rows: Sequence[tb.Document], only: Filter) -> Filter:
    """Draw the choice of kind, tags and dates of documents, and return the filter with them."""
    kinds, tags = kinds_and_tags(rows)
    chosen_kinds = st.multiselect(t("ui.search.filter.kinds"), kinds) if len(kinds) > 1 else []
    chosen_tags = st.multiselect(t("ui.search.filter.tags"), tags) if tags else []
    since = st.date_input(t("ui.search.filter.since"), None, key="search_since")
    until = st.date_input(t("ui.search.filter.until"), None, key="search_until")
    return replace(
        only,
        kinds=tuple(chosen_kinds),
        tags=tuple(chosen_tags),
        since=since if isinstance(since, date) else None,
        until=until if isinstance(until, date) else None,
    )
