"""Deletion that is real: a version without the document, then the text, the versions that hold it, and their tables."""

from __future__ import annotations

from sqlalchemy import update

from core.errors import KurabeError
from core.identity import now
from core.knowledge.documents import document, document_versions, documents, erase, knowledge_base
from core.knowledge.index import config_of, write_version
from core.knowledge.lease import leased
from core.knowledge.leftovers import remove_leftovers
from core.knowledge.unfinished import forget_vectors
from core.knowledge.versions import latest_index
from core.store import read, write
from core.store import tables as tb

__all__ = ["clear_index", "delete_document", "delete_index"]


def delete_document(document_id: str) -> tb.IndexVersion | None:
    """Delete a document for good: its text, its original, and every index version that holds it.

    A new index version without it is built first, if one was served, so that search goes on. Then the text goes and
    the versions that hold it stop being served, both in one moment: killed before it, nothing was deleted; killed
    after it, what is left of files and tables is removed by the next build or deletion. A build that another process
    has under way gives way, and starts over without the document.

    Returns:
        The index version that is served now, or None.

    Raises:
        KurabeError: ``store.missing``; ``knowledge.index_busy_deletion``, and nothing was deleted; as `build_index`,
            after the document was deleted all the same.
    """
    kb = knowledge_base(document(document_id).knowledge_base_id)
    with leased(kb, "deletion") as lease:
        ids = {version.id for version in document_versions(document_id)}
        served = latest_index(kb.id)
        try:
            if served is not None and ids & set(served.document_hashes) and {d.id for d in documents(kb.id)} - ids:
                write_version(kb, lease, config_of(served), leaving_out=ids)
        finally:
            forget_vectors(kb.id)
            erase(document_id)
            remove_leftovers(kb.id, lease)
    return latest_index(kb.id)


def delete_index(version_id: str) -> None:
    """Delete an index version's table; its row stays, so that experiments can say that their source was removed.

    Raises:
        KurabeError: ``store.missing``; ``knowledge.index_busy_deletion``.
    """
    with read() as session:
        found = session.get(tb.IndexVersion, version_id)
    if found is None:
        raise KurabeError("store.missing", kind="index version", id=version_id)
    kb = knowledge_base(found.knowledge_base_id)
    with leased(kb, "deletion") as lease:
        with write() as session:
            session.get_one(tb.IndexVersion, version_id).deleted_at = now()
        remove_leftovers(kb.id, lease)


def clear_index(kb_id: str) -> None:
    """Delete every index version of a knowledge base, and what unfinished builds left.

    Raises:
        KurabeError: ``store.missing``; ``knowledge.index_busy_deletion``.
    """
    kb = knowledge_base(kb_id)
    with leased(kb, "deletion") as lease:
        of_it = (tb.IndexVersion.knowledge_base_id == kb_id, tb.IndexVersion.deleted_at.is_(None))
        with write() as session:
            session.execute(update(tb.IndexVersion).where(*of_it).values(deleted_at=now()))
        forget_vectors(kb_id)
        remove_leftovers(kb_id, lease)
