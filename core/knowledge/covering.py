"""Questions and answers held against the documents: what they could be known from, and what nothing says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from core.datasets import (
    Check,
    Coverage,
    Documents,
    Finding,
    Indexed,
    Passage,
    check_version,
    coverage,
    repair,
    repair_version,
    run_checks,
    version,
)
from core.identity import actor, as_actor
from core.jobs import JobContext, submit
from core.knowledge.chunking import Chunk, chunk_document
from core.knowledge.documents import default_kb, documents
from core.knowledge.tokens import TokenCounter, estimate_tokens
from core.knowledge.versions import latest_index
from core.store import read
from core.store import tables as tb

__all__ = [
    "check_as_job",
    "check_dataset",
    "cover_as_job",
    "dataset_coverage",
    "repair_as_job",
    "repair_dataset",
    "start_coverage",
]

_EVERY = 100
"""Rows between two looks whether somebody wants the work to stop."""


def dataset_coverage(
    kb_id: str,
    version_id: str,
    *,
    training_version_id: str | None = None,
    watch: Callable[[str, int, int], None] | None = None,
) -> Coverage:
    """Work out and store what each question could be known from, given the documents as they are now.

    Whether retrieval reads the training text is told of the newest index, as it was built; `watch` is told as
    `core.datasets.coverage` says.

    Raises:
        KurabeError: ``store.missing``.
    """
    texts = {found.id: _text(found) for found in documents(kb_id)}
    index, held = latest_index(kb_id), None
    if index is not None:
        known = {document_id: texts[document_id] for document_id in index.document_hashes if document_id in texts}
        since = [document_id for document_id in index.document_hashes if document_id not in texts]
        held = Indexed(index.id, [*known.values(), *(_text(found) for found in _earlier(since))])
    return coverage(version_id, texts.values(), training_version_id=training_version_id, index=held, watch=watch)


def start_coverage(project_id: str, kb_id: str, version_id: str) -> str:
    """Queue `dataset_coverage` for a version too large for a page to wait; return the job's id.

    Raises:
        KurabeError: as `core.jobs.submit`.
    """
    payload = {"knowledge_base_id": kb_id, "dataset_version_id": version_id, "by": actor()}
    return submit("coverage", payload, project_id=project_id)


class _Stopped(Exception):
    """Somebody asked the job to stop; nothing is stored."""


def cover_as_job(ctx: JobContext) -> dict[str, Any]:
    """Work out what each question could be known from; the job ``coverage``.

    Raises:
        KurabeError: ``store.missing``.
    """
    payload = ctx.payload
    as_actor(payload["by"])

    def watch(stage: str, done: int, total: int) -> None:
        if done % _EVERY == 0 or done == total:
            if ctx.stop_requested() is not None:
                raise _Stopped
            ctx.progress(done, total, stage)

    try:
        found = dataset_coverage(payload["knowledge_base_id"], payload["dataset_version_id"], watch=watch)
    except _Stopped:
        return {"stopped": True}
    return {"dataset_version_id": payload["dataset_version_id"], "counts": found.counts}


def check_dataset(
    version_id: str, only: Sequence[Check] | None = None, *, max_length: int | None = None
) -> list[Finding]:
    """Run checks on a version beside the documents of its project; see `core.datasets.run_checks`.

    Raises:
        KurabeError: ``store.missing``.
    """
    return run_checks(version_id, only, max_length=max_length, passages=_passages(version_id))


def check_as_job(ctx: JobContext) -> dict[str, Any]:
    """Check a version beside the documents of its project; the job ``check``.

    Raises:
        KurabeError: ``store.missing``.
    """
    return check_version(ctx, _passages(ctx.payload["dataset_version_id"]))


def repair_dataset(version_id: str, check: str, code: str) -> tb.DatasetVersion:
    """Repair what a check found beside the documents of the project; see `core.datasets.repair`.

    Raises:
        KurabeError: as `core.datasets.repair`.
    """
    return repair(version_id, check, code, passages=_passages(version_id))


def repair_as_job(ctx: JobContext) -> dict[str, Any]:
    """Repair what a check found beside the documents of the project; the job ``repair``.

    Raises:
        KurabeError: as `core.datasets.repair`; ``datasets.repair_moved_on``.
    """
    return repair_version(ctx, _passages(ctx.payload["dataset_version_id"]))


def _passages(version_id: str) -> Documents:
    kb_id = default_kb(version(version_id).project_id).id

    def cut() -> Iterator[Passage]:
        for found in documents(kb_id):
            for chunk in _chunks(found):
                yield Passage(found.name, chunk.full_title, chunk.text)

    return cut


def _text(found: tb.Document) -> tuple[str, str, str]:
    """Return a document's file name, title and text with its passages.

    A passage says "Header: value" where the document has a table, and a quote may say either.
    """
    passages = "\n\n".join(f"{chunk.full_title}: {chunk.text}" for chunk in _chunks(found))
    return found.name, found.title, f"{found.text}\n\n{passages}"


def _chunks(found: tb.Document) -> Sequence[Chunk]:
    return chunk_document(found.id, found.title, found.text, TokenCounter("estimate", estimate_tokens))


def _earlier(ids: Sequence[str]) -> list[tb.Document]:
    """Return document versions that an index holds and a newer version has replaced since."""
    found: list[tb.Document] = []
    with read() as session:
        for start in range(0, len(ids), 500):
            chosen = tb.Document.id.in_(ids[start : start + 500]), tb.Document.deleted_at.is_(None)
            found += session.scalars(select(tb.Document).where(*chosen))
    return found
