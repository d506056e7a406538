"""What an answer was made with, one press away: model, adapter, index version and the prompt as it was sent."""

from __future__ import annotations

import streamlit as st

from core.approaches import spec_of_row
from core.errors import KurabeError
from core.i18n import t
from core.knowledge import index_version
from core.models import adapter
from core.store import tables as tb
from core.ui.parts import draw_messages, plain

__all__ = ["draw_made_of"]

_HASH = 12
"""Characters of a hash that tell versions apart."""


def draw_made_of(row: tb.Answer, approach: tb.Approach) -> None:
    """Draw the button that opens what an answer was made with."""
    with st.popover(t("ui.compare.made"), icon=":material/info:", type="tertiary"):
        spec = spec_of_row(approach)
        context = t(f"approaches.context.{spec.context.get('name', 'none')}")
        facts = {
            "model": _model(row, approach),
            "context": context,
            "index": _index(row),
            "version": f"{approach.version} · {row.approach_hash[:_HASH]}",
        }
        for name, fact in facts.items():
            st.markdown(f"**{t(f'ui.compare.made.{name}')}** {plain(fact)}")
        st.markdown(f"**{t('ui.compare.made.prompt')}**")
        draw_messages(row.messages)


def _model(row: tb.Answer, approach: tb.Approach) -> str:
    model = spec_of_row(approach).model
    if model.kind == "endpoint":
        return f"{row.model or model.ref} ({model.url})"
    if model.kind == "base":
        return row.model or model.ref
    try:
        return t("ui.compare.made.tuned", name=adapter(model.ref).name, base=model.base_ref)
    except KurabeError:
        return t("ui.compare.made.tuned", name=model.ref, base=model.base_ref)  # deleted since


def _index(row: tb.Answer) -> str:
    if row.index_version_id is None:
        return t("ui.compare.made.no_index")
    try:
        found = index_version(row.index_version_id)
    except KurabeError:
        return t("ui.compare.source_removed")
    return " · ".join(part for part in (found.hash[:_HASH], found.embedder or "") if part)
