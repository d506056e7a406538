"""Show the passages that a document would become, before anything is stored or indexed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import KurabeError
from core.knowledge.archives import unpacked
from core.knowledge.chunking import Chunk, chunk_document
from core.knowledge.documents import document
from core.knowledge.index import IndexConfig, counter_of
from core.knowledge.readers import parse
from core.store import read
from core.store import tables as tb

__all__ = ["Preview", "preview_document", "preview_file"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one document."""

    name: str
    """File name."""
    title: str
    tokenizer: str
    """What its passages were measured with."""
    chunks: tuple[Chunk, ...]
    notes: tuple[dict[str, Any], ...]
    """What the reader could not take over, as ``{"code", "params"}``."""


def preview_document(document_id: str, config: IndexConfig | None = None) -> Preview:
    """Return the passages that a stored document becomes with these lengths; nothing is written.

    Raises:
        KurabeError: ``store.missing``, ``knowledge.overlap_range``.
    """
    row = document(document_id)
    return _preview(row.knowledge_base_id, row.name, row.title, row.text, row.notes, config, row.id)


def preview_file(kb_id: str, name: str, data: bytes, config: IndexConfig | None = None) -> list[Preview]:
    """Return the passages that a file would become, a ZIP file those of each document in it; nothing is written.

    Raises:
        KurabeError: as `core.knowledge.add_document`, ``knowledge.overlap_range``.
    """
    made = []
    for called, content in unpacked(name, data):
        parsed = parse(content, called)
        made.append(_preview(kb_id, called, parsed.title, parsed.text, parsed.notes, config))
    return made


def _preview(
    kb_id: str, name: str, title: str, text: str, notes: list[Any], config: IndexConfig | None, document_id: str = ""
) -> Preview:
    chosen = config or IndexConfig()
    with read() as session:
        kb = session.get(tb.KnowledgeBase, kb_id)
        project = session.get(tb.Project, kb.project_id) if kb else None
    if project is None:
        raise KurabeError("store.missing", kind="knowledge base", id=kb_id)
    counter = counter_of(project, chosen)
    chunks = chunk_document(document_id, title, text, counter, chosen.chunking())
    return Preview(name, title, counter.name, tuple(chunks), tuple(notes))
