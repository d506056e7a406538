"""Documents of a knowledge base: originals kept under their hash, versions, and deletion that is real."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.identity import atomic_write, content_hash, now
from core.knowledge.archives import NAME_LIMIT, unpacked
from core.knowledge.metadata import KEPT_NOTES
from core.knowledge.readers import ParsedDocument, parse, reader_for
from core.settings import settings
from core.store import forget_overwritten, read, write
from core.store import tables as tb

__all__ = [
    "add_document",
    "add_documents",
    "current_document",
    "default_kb",
    "document",
    "document_ids",
    "document_original",
    "document_text",
    "document_versions",
    "documents",
    "edit_document",
    "knowledge_base",
    "knowledge_bases",
    "update_document",
]


def default_kb(project_id: str) -> tb.KnowledgeBase:
    """Return a project's first knowledge base, made if it has none."""
    with write() as session:
        query = select(tb.KnowledgeBase).where(tb.KnowledgeBase.project_id == project_id)
        found = session.scalars(query.order_by(tb.KnowledgeBase.id).limit(1)).first()
        if found is None:
            found = tb.KnowledgeBase(project_id=project_id, name="documents")
            session.add(found)
    return found


def knowledge_base(kb_id: str) -> tb.KnowledgeBase:
    """Return a knowledge base.

    Raises:
        KurabeError: ``store.missing``.
    """
    with read() as session:
        found = session.get(tb.KnowledgeBase, kb_id)
    if found is None:
        raise KurabeError("store.missing", kind="knowledge base", id=kb_id)
    return found


def knowledge_bases(project_id: str) -> list[tb.KnowledgeBase]:
    """Return a project's knowledge bases, oldest first."""
    query = select(tb.KnowledgeBase).where(tb.KnowledgeBase.project_id == project_id)
    with read() as session:
        return list(session.scalars(query.order_by(tb.KnowledgeBase.id)))


def add_document(kb_id: str, name: str, data: bytes) -> tb.Document:
    """Store a document; under a name that exists already it becomes that document's next version.

    Args:
        kb_id: Knowledge base.
        name: File name as uploaded: chooses the reader and is shown; never used as a path.
        data: The file's bytes.

    Raises:
        KurabeError: ``knowledge.…`` or ``datasets.…`` if nothing can be read.
    """
    shown = " ".join(name.replace("\\", "/").rsplit("/", 1)[-1].split())[:NAME_LIMIT] or "document"
    if len(data) > settings().upload_limit_mb << 20:
        raise KurabeError("knowledge.too_large", name=shown, limit_mb=settings().upload_limit_mb)
    parsed = parse(data, shown)
    digest = content_hash(data)
    if not original_path(digest).is_file():
        atomic_write(original_path(digest), data)
    return _stored(kb_id, shown, data, digest, parsed)


def add_documents(
    kb_id: str,
    files: Iterable[tuple[str, bytes]],
    *,
    failures: list[KurabeError] | None = None,
    within: Sequence[str] = (),
) -> list[tb.Document]:
    """Store several documents; a ZIP file gives those in it.

    Args:
        kb_id: Knowledge base.
        files: Names and bytes.
        failures: Collects files that cannot be read, so that the others come in; None stops at the first.
        within: Path to put in front of the names of what ZIP files hold.

    Raises:
        KurabeError: as `add_document`, if `failures` is None.
    """
    stored = []
    for name, data in (part for file in files for part in _parts(file, failures, within)):
        try:
            stored.append(add_document(kb_id, name, data))
        except KurabeError as error:
            if failures is None:
                raise
            failures.append(error)
    return stored


def _parts(
    file: tuple[str, bytes], failures: list[KurabeError] | None, within: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the documents in a file: a ZIP file holds many."""
    try:
        yield from unpacked(*file, within=within)
    except KurabeError as error:
        if failures is None:
            raise
        failures.append(error)


def update_document(document_id: str, data: bytes) -> tb.Document:
    """Store a new version of a document from a new file of the same format.

    Raises:
        KurabeError: ``store.missing``; as `add_document`.
    """
    before = document(document_id)
    return add_document(before.knowledge_base_id, before.name, data)


def edit_document(document_id: str, text: str, title: str | None = None) -> tb.Document:
    """Store a new version whose text a person edited on a page; its original is that text.

    Raises:
        KurabeError: ``store.missing``, ``knowledge.empty_document``.
    """
    before = document(document_id)
    if not text.strip():
        raise KurabeError("knowledge.empty_document", name=before.name)
    data = text.encode()
    digest = content_hash(data)
    if not original_path(digest).is_file():
        atomic_write(original_path(digest), data)
    kept = [note for note in before.notes if note["code"] in KEPT_NOTES]
    parsed = ParsedDocument(title or before.title, text, notes=[*kept, {"code": "edited", "params": {}}])
    return _stored(before.knowledge_base_id, before.name, data, digest, parsed, "text/markdown")


def _stored(
    kb_id: str, name: str, data: bytes, digest: str, parsed: ParsedDocument, media_type: str | None = None
) -> tb.Document:
    kind = media_type or reader_for(name).media_type
    with write() as session:
        kb = session.get(tb.KnowledgeBase, kb_id)
        if kb is None:
            raise KurabeError("store.missing", kind="knowledge base", id=kb_id)
        before = _current(session, kb_id, name)
        if before is not None and (before.hash, before.text, before.title) == (digest, parsed.text, parsed.title):
            return before
        last = session.scalar(_named(kb_id, name).with_only_columns(func.max(tb.Document.version)).order_by(None))
        if before is not None:
            before.current = False
        made = tb.Document(
            project_id=kb.project_id,
            knowledge_base_id=kb_id,
            name=name,
            version=(last or 0) + 1,
            title=parsed.title,
            media_type=kind,
            hash=digest,
            size=len(data),
            text=parsed.text,
            pages=parsed.pages,
            notes=parsed.notes,
        )
        session.add(made)
    return made


def _named(kb_id: str, name: str):  # type: ignore[no-untyped-def]  # SQLAlchemy's Select has no short name
    return select(tb.Document).where(tb.Document.knowledge_base_id == kb_id, tb.Document.name == name)


def _current(session: Session, kb_id: str, name: str) -> tb.Document | None:
    query = _named(kb_id, name).where(tb.Document.current, tb.Document.deleted_at.is_(None))
    found: tb.Document | None = session.scalars(query.limit(1)).first()
    return found


def documents(kb_id: str) -> list[tb.Document]:
    """Return the current version of every document, by name."""
    query = select(tb.Document).where(
        tb.Document.knowledge_base_id == kb_id, tb.Document.current, tb.Document.deleted_at.is_(None)
    )
    with read() as session:
        return list(session.scalars(query.order_by(tb.Document.name)))


def letters_of(kb_id: str) -> int:
    """Return how many letters the texts of the current documents have, without reading them."""
    query = select(func.sum(func.length(tb.Document.text))).where(
        tb.Document.knowledge_base_id == kb_id, tb.Document.current, tb.Document.deleted_at.is_(None)
    )
    with read() as session:
        return int(session.scalar(query) or 0)


def document_ids(kb_id: str) -> set[str]:
    """Return the ids of the current versions, without reading their texts."""
    query = select(tb.Document.id).where(
        tb.Document.knowledge_base_id == kb_id, tb.Document.current, tb.Document.deleted_at.is_(None)
    )
    with read() as session:
        return set(session.scalars(query))


def document(document_id: str) -> tb.Document:
    """Return one version of a document.

    Raises:
        KurabeError: ``store.missing`` if there is none or its text was deleted.
    """
    with read() as session:
        found = session.get(tb.Document, document_id)
    if found is None or found.deleted_at is not None:
        raise KurabeError("store.missing", kind="document", id=document_id)
    return found


def current_document(kb_id: str, name: str) -> tb.Document | None:
    """Return the current version of the document of this name, if there is one."""
    with read() as session:
        return _current(session, kb_id, name)


def document_versions(document_id: str) -> list[tb.Document]:
    """Return all versions of a document, newest first."""
    found = document(document_id)
    with read() as session:
        query = _named(found.knowledge_base_id, found.name).where(tb.Document.deleted_at.is_(None))
        return list(session.scalars(query.order_by(tb.Document.version.desc())))


def document_text(found: tb.Document | str) -> str:
    """Return the extracted text of a document, given as row or id."""
    return found.text if isinstance(found, tb.Document) else document(found).text


def document_original(document_id: str) -> bytes:
    """Return the bytes as they were uploaded.

    Raises:
        KurabeError: ``store.missing``, ``knowledge.original_lost``.
    """
    found = document(document_id)
    path = original_path(found.hash)
    if not path.is_file():
        raise KurabeError("knowledge.original_lost", name=found.name)
    return path.read_bytes()


def original_path(digest: str) -> Path:
    """Return where the bytes of this hash lie; an uploaded name has no part in it."""
    plain = digest.rsplit(":", 1)[-1]
    return settings().path("documents") / plain[:2] / plain


def erase(document_id: str) -> list[str]:
    """Remove the text, title and original of all versions of a document; return the ids of these versions.

    The rows stay without their text, so that experiments can say that their source was removed. The index versions
    that hold one of them stop being served in the same moment; their tables are the caller's to drop.
    """
    found = document(document_id)
    with write() as session:
        rows = list(session.scalars(_named(found.knowledge_base_id, found.name)))
        ids = [row.id for row in rows]
        session.execute(
            update(tb.Document)
            .where(tb.Document.id.in_(ids))
            .values(text="", title="", notes=[], pages=[], current=False, deleted_at=now())
        )
        session.execute(delete(tb.DraftCall).where(tb.DraftCall.document_id.in_(ids)))  # they hold its passages
        served = select(tb.IndexVersion).where(
            tb.IndexVersion.knowledge_base_id == found.knowledge_base_id,
            tb.IndexVersion.ready,
            tb.IndexVersion.deleted_at.is_(None),
        )
        for version in session.scalars(served):
            if not version.document_hashes.keys().isdisjoint(ids):
                version.deleted_at = now()
    remove_erased_originals(found.knowledge_base_id)
    forget_overwritten()
    return ids


def remove_erased_originals(kb_id: str) -> None:
    """Remove the files of erased documents, also those of an earlier deletion that was cut short."""
    kept = select(tb.Document.hash).where(tb.Document.deleted_at.is_(None))
    erased = select(tb.Document.hash).where(tb.Document.knowledge_base_id == kb_id, tb.Document.deleted_at.is_not(None))
    with read() as session:
        hashes = set(session.scalars(erased.where(tb.Document.hash.not_in(kept))))
    for digest in hashes:
        original_path(digest).unlink(missing_ok=True)
