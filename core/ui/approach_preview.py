"""The exact prompt of an approach for one question, while it is being edited."""

from __future__ import annotations

import streamlit as st

from core.approaches import ApproachSpec, Preview, ProjectSources, preview
from core.datasets import examples, latest_version
from core.errors import KurabeError
from core.i18n import describe, format_number, t
from core.store import tables as tb
from core.ui.parts import draw_messages, error_text, told_apart

__all__ = ["draw_preview"]

_OFFERED = 50
"""Questions of the dataset that can be chosen; any other can be written."""


def draw_preview(project: tb.Project, spec: ApproachSpec) -> None:
    """Draw the messages that a question would be sent with, as they are sent, anew with every change of the form."""
    st.markdown(f"**{t('ui.approaches.preview')}**")
    question, example_id = _question(project)
    if not question:
        st.caption(t("ui.approaches.preview.ask"))
        return
    if _by_meaning(project, spec) and not st.toggle(
        t("ui.approaches.preview.search"), key="preview_search", help=t("ui.approaches.preview.search.help")
    ):
        return
    try:
        found = preview(project.id, spec, question, example_id)
    except KurabeError as error:
        st.warning(error_text(*describe(error)), icon=":material/block:")
        return
    _draw_messages(found)


def _by_meaning(project: tb.Project, spec: ApproachSpec) -> bool:
    """Tell whether the search needs the embedding model, which takes its time to start."""
    if not spec.retrieves or spec.context.get("mode") == "text":
        return False
    index = ProjectSources(project.id).index
    return index is not None and index.embedder is not None


def _question(project: tb.Project) -> tuple[str, str | None]:
    """Draw the choice of a question, or its own words; return it with the dataset row that it is."""
    version = latest_version(project.id)
    rows = {row.id: row for row in examples(version.id, "validation", limit=_OFFERED)} if version else {}
    picked = st.selectbox(
        t("ui.approaches.preview.question"),
        ["", *rows],
        index=1 if rows else 0,
        format_func=told_apart(rows, lambda key: rows[key].question if key else t("ui.approaches.preview.own")),
        key="preview_question",
    )
    if picked:
        return rows[picked].question, picked
    return st.text_input(t("ui.compare.question"), key="preview_own", max_chars=4000).strip(), None


def _draw_messages(found: Preview) -> None:
    draw_messages(found.messages)
    if found.tokens is not None:
        st.caption(t("ui.approaches.preview.tokens", n=format_number(found.tokens)))
    for name in ("examples", "passages_left_out", "documents"):
        if found.gathered.notes.get(name):
            st.caption(t(f"approaches.note.{name}", **found.gathered.notes))
