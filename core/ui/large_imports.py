"""Imports, checks and repairs that run as jobs, since a page cannot wait for them: which they are, how they stand."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.datasets import Problem, project_versions, start_import_again, version
from core.i18n import format_number, t
from core.jobs import JobView, list_jobs
from core.knowledge import default_kb, letters_of
from core.store import tables as tb
from core.ui.jobs import active_job, follow_job, newest_job
from core.ui.navigation import link
from core.ui.parts import plain
from core.ui.problems import draw_problem_table, edit_bad_cells

__all__ = [
    "LOOKED_AT",
    "draw_check_job",
    "draw_coverage_job",
    "draw_import_job",
    "draw_new_version_job",
    "is_large",
    "must_wait",
]

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
        _draw_refused_rows(last)
    return False


def _draw_refused_rows(job: JobView) -> None:
    """Draw the rows for which an import was refused, and what can be done about them without the file sent again."""
    if not job.error or job.error["code"] != "datasets.rows_refused":
        return
    params = job.error["params"]
    problems = [Problem(**record) for record in params["problems"]]
    draw_problem_table(problems, int(params["count"]), t("ui.import.problems", n=params["count"]))
    # a place inside a cell ("messages[2].content") cannot be replaced by itself
    bad = [problem for problem in problems if problem.column and "[" not in problem.column]
    fixes = edit_bad_cells(bad, f"mended_{job.id}") if bad else {}
    with st.container(horizontal=True):
        mended = st.button(
            t("ui.import.again.mended"), f"mend_{job.id}", icon=":material/upload:", type="primary", disabled=not fixes
        )
        left_out = st.button(t("ui.import.again.leave_out"), f"leave_out_{job.id}", icon=":material/playlist_remove:")
    if mended or left_out:
        start_import_again(job, fixes, on_problem="leave_out" if left_out else "stop")
        st.rerun()


def _imported_since(project_id: str, job: JobView) -> bool:
    """Tell whether something else was imported after a job was queued: what came of it is then no news."""
    own = (job.result or {}).get("dataset_version_id")
    return any(
        row.created_at > job.created_at and row.id != own and (row.lineage or {}).get("operation") == "import"
        for row in project_versions(project_id)
    )


def draw_check_job(row: tb.DatasetVersion) -> bool:
    """Draw the checks or the repair of a version that run, or what came of the last ones; tell whether they run.

    Those that ended before the version was checked once more are no news.
    """
    last = _last_job(row, "check", "repair")
    if last is not None and last.active:
        follow_job(last.id)
        return True
    checked = (version(row.id).checks or {}).get("at")
    if last is not None and (checked is None or last.created_at > datetime.fromisoformat(checked)):
        _draw_outcome(last)
    return False


def draw_new_version_job(row: tb.DatasetVersion, kind: str) -> bool:
    """Draw the job of a kind that makes a version of this one, or what came of the last; tell whether one runs."""
    own = _last_job(row, kind)
    if own is not None and own.active:
        follow_job(own.id)
    elif own is not None:
        _draw_outcome(own)
    return own is not None and own.active


def draw_coverage_job(row: tb.DatasetVersion) -> bool:
    """Draw the job that looks up a version's questions, unless it came to its end; tell whether it runs."""
    own = _last_job(row, "coverage")
    if own is not None and (own.active or not (own.result and "counts" in own.result)):
        follow_job(own.id)
    return own is not None and own.active


def _last_job(row: tb.DatasetVersion, *kinds: str) -> JobView | None:
    """Return the newest job of these kinds for a version; one that runs comes before others."""
    found = list_jobs(row.project_id, kinds, limit=50)
    own = [job for job in found if job.payload.get("dataset_version_id") == row.id]
    return next((job for job in own if job.active), own[0] if own else None)


_VIEWS = {"repair": "check", "split": "versions", "edit": "browse"}
"""Where a version is opened that a job made."""


def _draw_outcome(job: JobView) -> None:
    """Draw what came of a job; checks that ended well show it themselves."""
    if job.result and "findings" in job.result:
        return
    made = (job.result or {}).get("dataset_version_id")
    if made is None:
        follow_job(job.id)
    elif any(each.id == made for each in project_versions(str(job.project_id))):
        rows = format_number((job.result or {})["rows"])
        st.success(t(f"ui.made.{job.kind}", rows=rows), icon=":material/check_circle:")
        link("questions", t("ui.made.open"), view=_VIEWS[job.kind], version=made)
