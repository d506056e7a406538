"""Taking documents in from a folder on the server, and what came of it."""

from __future__ import annotations

import streamlit as st

from core.errors import KurabeError
from core.i18n import describe, format_number, t
from core.jobs import JobView, submit
from core.knowledge import default_kb, offered_folders
from core.settings import settings
from core.store import tables as tb
from core.ui.jobs import active_job, follow_job, newest_job
from core.ui.parts import error_text, open_view

__all__ = ["draw_folder"]

_LISTED = 50


def draw_folder(project: tb.Project) -> None:
    """Draw the choice of a folder, its job, and what the last one brought; nothing where no folder is allowed."""
    folders = _offered(str(settings().document_folder))
    if not folders:
        return
    with st.container(border=True):
        st.markdown(f":material/folder_open: **{t('ui.documents.folder')}**")
        if running := active_job(project.id, "documents"):
            follow_job(running.id)
            return
        with st.form("documents_folder", border=False):
            chosen = st.selectbox(
                t("ui.documents.folder.choose"),
                folders,
                format_func=lambda name: t("ui.documents.folder.top") if name == "." else name,
                help=t("ui.documents.folder.help"),
            )
            if st.form_submit_button(t("ui.documents.folder.start"), icon=":material/drive_folder_upload:"):
                payload = {"folder": chosen, "knowledge_base_id": default_kb(project.id).id}
                submit("documents", payload, project_id=project.id)
                # With its first document an empty page gets views, and would open the list: the outcome stands here.
                open_view("documents", "add")
        if last := newest_job(project.id, "documents"):
            _draw_outcome(last)


@st.cache_data(ttl=60, show_spinner=False)
def _offered(root: str) -> list[str]:
    """Return `offered_folders` of this folder; walking a share at every touch of the page would take seconds."""
    return offered_folders()


def _draw_outcome(job: JobView) -> None:
    found = job.result
    if not found:
        follow_job(job.id)
        return
    key = "ui.documents.folder.stopped" if found["stopped"] else "ui.documents.folder.done"
    counts = {name: format_number(found[name]) for name in ("stored", "unchanged")}
    st.caption(f":material/check: {t(key, **counts)}")
    if found["passed_over"]:
        endings = ", ".join(f"{ending} ({format_number(n)})" for ending, n in sorted(found["passed_over"].items()))
        st.caption(t("ui.documents.folder.passed_over", endings=endings))
    if found["failures"]:
        with st.expander(
            t("ui.documents.folder.failures", n=format_number(found.get("failed", len(found["failures"]))))
        ):
            for record in found["failures"][:_LISTED]:
                st.markdown(error_text(*describe(KurabeError.from_record(record))))
