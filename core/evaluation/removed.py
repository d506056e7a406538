"""Whether the documents that an experiment's answers rest on are still there, or were deleted since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.store import read
from core.store import tables as tb

__all__ = ["RemovedSources", "removed_sources"]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RemovedSources:
    """Documents that approaches read, and those of them whose text was deleted for good."""

    removed: int
    """How many were deleted."""
    total: int
    """How many there were: what the index held, or all documents where they stood in the prompt."""


def removed_sources(experiment_id: str) -> RemovedSources | None:
    """Return how many of the documents that an experiment read were deleted since; None if all are still there.

    An index version is served for as long as no document in it is deleted, so that most experiments cost one look.
    """
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
        config = experiment.config if experiment is not None else {}
        ids = {*(config.get("document_ids") or ()), *_no_longer_served(session, config.get("index_version_id"))}
        listed, removed = sorted(ids), 0
        for start in range(0, len(listed), _AT_ONCE):
            chosen = tb.Document.id.in_(listed[start : start + _AT_ONCE])
            gone = select(func.count()).where(chosen, tb.Document.deleted_at.is_not(None))
            removed += session.scalar(gone) or 0
    return RemovedSources(removed, len(ids)) if removed else None


def _no_longer_served(session: Session, index_version_id: str | None) -> dict[str, Any]:
    """Return the documents of an index version that is no longer served, by their id."""
    wanted = tb.IndexVersion.id == index_version_id, tb.IndexVersion.deleted_at.is_not(None)
    return session.scalar(select(tb.IndexVersion.document_hashes).where(*wanted)) or {}
