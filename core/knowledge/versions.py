"""Which index versions there are, which one is served, and what it does not hold yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from core.errors import KurabeError
from core.knowledge.documents import documents
from core.knowledge.tables import VectorIndex
from core.store import look_up, read
from core.store import tables as tb

__all__ = ["Served", "index_version", "index_versions", "latest_index", "served_index", "stale_documents"]


def latest_index(kb_id: str) -> tb.IndexVersion | None:
    """Return the newest finished version of a knowledge base, or None."""
    versions = index_versions(kb_id)
    return versions[0] if versions else None


def index_versions(kb_id: str) -> list[tb.IndexVersion]:
    """Return the finished versions whose table still exists, newest first."""
    return [version for version in _finished(kb_id) if not version.config.get("trial")]


def _finished(kb_id: str) -> list[tb.IndexVersion]:
    query = select(tb.IndexVersion).where(
        tb.IndexVersion.knowledge_base_id == kb_id, tb.IndexVersion.ready, tb.IndexVersion.deleted_at.is_(None)
    )
    with read() as session:
        return list(session.scalars(query.order_by(tb.IndexVersion.id.desc())))


def index_version(version_id: str) -> tb.IndexVersion:
    """Return a finished version.

    Raises:
        KurabeError: ``store.missing``; ``knowledge.source_removed`` if a document in it was deleted since.
    """
    with read() as session:
        found = session.get(tb.IndexVersion, version_id)
    if found is None or not found.ready:
        raise KurabeError("store.missing", kind="index version", id=version_id)
    if found.deleted_at is not None:
        raise KurabeError("knowledge.source_removed", id=version_id)
    return found


@dataclass(frozen=True, slots=True)
class Served:
    """What a search needs to know of an index version."""

    id: str
    table_name: str
    embedder: str | None
    config: dict[str, Any]

    @property
    def vectors(self) -> VectorIndex:
        """How its vectors are searched."""
        kept = self.config.get("vector_index")
        return VectorIndex(**kept) if kept else VectorIndex()


# Made once: making it takes longer than asking the store.
_SERVED = select(
    tb.IndexVersion.table_name,
    tb.IndexVersion.embedder,
    tb.IndexVersion.config,
    tb.IndexVersion.ready,
    tb.IndexVersion.deleted_at,
).where(tb.IndexVersion.id == bindparam("id"))


def served_index(version_id: str) -> Served:
    """Return what a search needs of a version, without the list of its documents, which is long.

    Raises:
        KurabeError: as `index_version`.
    """
    found = look_up(_SERVED, id=version_id)
    if found is None or not found.ready:
        raise KurabeError("store.missing", kind="index version", id=version_id)
    if found.deleted_at is not None:
        raise KurabeError("knowledge.source_removed", id=version_id)
    return Served(version_id, found.table_name, found.embedder, found.config)


def stale_documents(kb_id: str) -> list[str]:
    """Return the names of documents that the newest index version does not hold as they are now."""
    current = {each.id: each.name for each in documents(kb_id)}
    latest = latest_index(kb_id)
    held = set(latest.document_hashes) if latest else set()
    return sorted(name for document_id, name in current.items() if document_id not in held)
