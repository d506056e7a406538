"""Notes on what a test run's figures rest on: questions that belong together, waiting times that a cache shortened."""

from __future__ import annotations

import streamlit as st

from core.decision import approach_name
from core.evaluation import Results
from core.i18n import format_number, format_percent, t
from core.ui.parts import plain

__all__ = ["draw_basis"]

_WORTH_TELLING = 0.01
"""Share of cached prompt tokens from which waiting times are noticeably shorter than those of new prompts."""


def draw_basis(found: Results) -> None:
    """Draw what a reader has to know of comparisons and waiting times before believing them."""
    if found.sources is not None:
        counts = {"n": format_number(found.questions), "sources": format_number(found.sources)}
        st.caption(t("ui.basis.sources", **counts))
    for approach in found.approaches:
        name, share = plain(approach_name(approach)), approach.latency.cached
        if approach.latency.n and share is not None and share >= _WORTH_TELLING:
            st.caption(f":material/cached: {t('ui.basis.cached', approach=name, share=format_percent(share))}")
        elif approach.latency.n and share is None and approach.preset == "endpoint":
            st.caption(f":material/cached: {t('ui.basis.cache_unknown', approach=name)}")
