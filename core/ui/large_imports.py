"""Imports and checks that run as jobs because a page cannot wait for them: which they are, and how they stand."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.i18n import format_number, t
from core.store import tables as tb
from core.ui.jobs import active_job, follow_job, newest_job

__all__ = ["CHECKED_AT_ONCE", "LOOKED_AT", "draw_check_job", "draw_import_job", "is_large"]

LARGE = 24 << 20
"""Bytes above which a file is imported by a job: reading so much takes a page some ten seconds, and longer beside
other work."""
LOOKED_AT = 2000
"""Rows of such a file that the page looks at before."""
CHECKED_AT_ONCE = 5000
"""Rows up to which the checks run in the page."""


def is_large(uploaded: UploadedFile) -> bool:
    """Tell whether an upload is too large to be read while somebody waits."""
    return uploaded.getbuffer().nbytes > LARGE


def draw_import_job(project: tb.Project) -> bool:
    """Draw the import that runs or what came of the last one; tell whether one runs."""
    if running := active_job(project.id, "import"):
        follow_job(running.id)
        return True
    last = newest_job(project.id, "import")
    if last is None:
        return False
    if last.result and "rows" in last.result:
        left_out = int(last.result["left_out"])
        counts = {"rows": format_number(last.result["rows"]), "left_out": format_number(left_out)}
        key = "ui.import.job.done.left_out" if left_out else "ui.import.job.done"
        st.caption(f":material/check: {t(key, **counts)}")
    else:
        follow_job(last.id)
    return False


def draw_check_job(project: tb.Project) -> bool:
    """Draw the checks that run, or the last ones if they did not come to their end; tell whether they run."""
    if running := active_job(project.id, "check"):
        follow_job(running.id)
        return True
    last = newest_job(project.id, "check")
    if last is not None and not (last.result and "findings" in last.result):
        follow_job(last.id)
    return False
