"""Delete a project for good: its rows, and everything of it that lies in files and in the search index."""

from __future__ import annotations

import shutil

from sqlalchemy import select

from core.datasets import remove_upload
from core.errors import KurabeError
from core.jobs import list_jobs
from core.knowledge import clear_index, delete_document, documents, knowledge_bases
from core.models import adapters, delete_adapter
from core.settings import settings
from core.store import read, write
from core.store import tables as tb

__all__ = ["delete_project"]


def delete_project(project_id: str) -> None:
    """Delete a project with everything that it owns; begun again after a crash, it finishes.

    Files go first: while anything of them is left, the project is still there to be deleted once more.

    Raises:
        KurabeError: ``store.missing``; ``project.busy`` while its jobs wait or run.
    """
    with read() as session:
        if session.get(tb.Project, project_id) is None:
            raise KurabeError("store.missing", kind="project", id=project_id)
    if active := list_jobs(project_id, active=True):
        raise KurabeError("project.busy", count=len(active))
    _delete_documents(project_id)
    for adapter in adapters(project_id):
        delete_adapter(adapter.id)
    _delete_uploads(project_id)
    _delete_run_folders(project_id)
    with write() as session:
        if (project := session.get(tb.Project, project_id)) is not None:
            session.delete(project)


def _delete_documents(project_id: str) -> None:
    for base in knowledge_bases(project_id):
        clear_index(base.id)  # first, so that no document's end builds an index anew
        for document in documents(base.id):
            delete_document(document.id)


def _delete_uploads(project_id: str) -> None:
    """Remove files that imports were given and nobody took up again."""
    imports = select(tb.Job.payload).where(tb.Job.project_id == project_id, tb.Job.kind == "import")
    with read() as session:
        payloads = list(session.scalars(imports))
    for payload in payloads:
        remove_upload(payload)


def _delete_run_folders(project_id: str) -> None:
    """Remove what jobs wrote: rows of training data, logs, checkpoints."""
    with read() as session:
        ids = list(session.scalars(select(tb.Job.id).where(tb.Job.project_id == project_id)))
    for job_id in ids:
        shutil.rmtree(settings().path("jobs") / job_id, ignore_errors=True)
