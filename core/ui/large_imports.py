"""Imports, checks and repairs that run as jobs because a page cannot wait for them: which they are, and how they stand."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.datasets import project_versions, version
from core.i18n import format_number, t
from core.jobs import JobView, list_jobs
from core.knowledge import default_kb, letters_of
from core.store import tables as tb
from core.ui.jobs import active_job, follow_job, newest_job
from core.ui.navigation import link
from core.ui.parts import plain

__all__ = ["LOOKED_AT", "draw_check_job", "draw_import_job", "is_large", "must_wait"]

LARGE = 24 << 20
"""Bytes above which a file is imported by a job: reading so much takes a page some ten seconds, and longer beside
other work."""
LOOKED_AT = 2000
"""Rows of such a file that the page looks at before."""
CHECKED_AT_ONCE = 5000
"""Rows up to which the checks, and the repair of what they find, run in the page."""
LETTERS_AT_ONCE = 1_000_000
"""Letters of documents up to which they do: cutting more into passages takes a page some ten seconds."""


def is_large(uploaded: UploadedFile) -> bool:
    """Tell whether an upload is too large to be read while somebody waits."""
    return uploaded.getbuffer().nbytes > LARGE


def must_wait(row: tb.DatasetVersion) -> bool:
    """Tell whether the checks of a version are too much for a page: its rows, or the documents that they look into."""
    return row.row_count > CHECKED_AT_ONCE or letters_of(default_kb(row.project_id).id) > LETTERS_AT_ONCE


def draw_import_job(project: tb.Project) -> bool:
    """Draw the import that runs or what came of the last one; tell whether one runs."""
    if running := active_job(project.id, "import"):
        follow_job(running.id)
        return True
    last = newest_job(project.id, "import")
    if last is None or _imported_since(project.id, last):
        return False
    if last.result and "rows" in last.result:
        left_out = int(last.result["left_out"])
        counts = {"rows": format_number(last.result["rows"]), "left_out": format_number(left_out)}
        key = "ui.import.job.done.left_out" if left_out else "ui.import.job.done"
        st.caption(f":material/check: {t(key, **counts)}")
        if kept := str(last.result.get("licence_kept", "")):
            st.caption(t("ui.import.licence_kept", licence=plain(kept)))
    else:
        follow_job(last.id)
    return False


def _imported_since(project_id: str, job: JobView) -> bool:
    """Tell whether something else was imported after a job was queued: what came of it is then no news."""
    own = (job.result or {}).get("dataset_version_id")
    return any(
        row.created_at > job.created_at and row.id != own and (row.lineage or {}).get("operation") == "import"
        for row in project_versions(project_id)
    )


def draw_check_job(project: tb.Project, row: tb.DatasetVersion) -> bool:
    """Draw the checks or the repair of a version that run, or what came of the last ones; tell whether they run.

    Those that ended before the version was checked once more are no news.
    """
    found = list_jobs(project.id, ["check", "repair"], limit=50)
    own = [job for job in found if job.payload.get("dataset_version_id") == row.id]
    if running := next((job for job in own if job.active), None):
        follow_job(running.id)
        return True
    checked = (version(row.id).checks or {}).get("at")
    last = own[0] if own else None
    if last is not None and (checked is None or last.created_at > datetime.fromisoformat(checked)):
        _draw_outcome(project, last)
    return False


def _draw_outcome(project: tb.Project, job: JobView) -> None:
    """Draw what came of checks or of a repair; checks that ended well show it themselves."""
    if job.result and "findings" in job.result:
        return
    made = (job.result or {}).get("dataset_version_id")
    if made is None:
        follow_job(job.id)
    elif any(each.id == made for each in project_versions(project.id)):
        st.success(t("ui.checks.repaired", rows=format_number(job.result["rows"])), icon=":material/check_circle:")
        link("questions", t("ui.checks.repaired.open"), view="check", version=made)
