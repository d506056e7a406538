"""Knowledge bases, their documents and the immutable index versions built from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.identity import now
from core.store.tables._base import Base, Owned


class KnowledgeBase(Owned, Base):
    """What retrieval reads."""

    __tablename__ = "knowledge_bases"

    name: Mapped[str] = mapped_column(String(200))


class Document(Owned, Base):
    """One version of one document; the newest version of a name that is not deleted is current."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_kb_name", "knowledge_base_id", "name", "version"),)

    knowledge_base_id: Mapped[str] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(300))
    """File name as uploaded; shown, never used as a path."""
    version: Mapped[int] = mapped_column(default=1)
    current: Mapped[bool] = mapped_column(default=True)
    title: Mapped[str] = mapped_column(default="")
    media_type: Mapped[str] = mapped_column(String(120), default="text/plain")
    hash: Mapped[str] = mapped_column(String(80))
    """Hash of the original bytes, which lie under it in the home."""
    size: Mapped[int]
    """Bytes."""
    text: Mapped[str]
    """Extracted text with Markdown headings."""
    pages: Mapped[list[Any]] = mapped_column(default=list)
    """Character offsets in the text at which pages begin, where the format has pages."""
    notes: Mapped[list[Any]] = mapped_column(default=list)
    """What the reader could not take over, as codes and parameters."""
    deleted_at: Mapped[datetime | None]


class IndexVersion(Owned, Base):
    """One immutable state of a knowledge base's search index."""

    __tablename__ = "index_versions"

    knowledge_base_id: Mapped[str] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(80))
    """Hash of configuration, embedder and chunk hashes."""
    table_name: Mapped[str] = mapped_column(String(120))
    """LanceDB table that holds the chunks."""
    ready: Mapped[bool] = mapped_column(default=False)
    """False while it is being built: such a version serves no search, and is swept once its builder is gone."""
    builder: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``lease``: id of the `IndexLease` under which it is built."""
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    embedder: Mapped[str | None] = mapped_column(String(200))
    """None: full text alone."""
    document_hashes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Document id to hash, as indexed."""
    chunk_count: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    """How long the build took."""
    deleted_at: Mapped[datetime | None]


class IndexLease(Owned, Base):
    """The right to write an index: one row while it is held; its id is the token, its author who holds it."""

    __tablename__ = "index_leases"

    knowledge_base_id: Mapped[str] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(36), unique=True)
    """What is written: the knowledge base's id for what is served, an id of its own for a trial."""
    purpose: Mapped[str] = mapped_column(String(10))
    """``build``, ``deletion`` or ``trial``."""
    holder: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Identity of the process and its machine."""
    expires_at: Mapped[datetime] = mapped_column(default=now)
    """Until when it is held without being renewed."""
