"""Base models that were resolved, adapters and merged models that runs produced, price books."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, Large, Owned, Row


class BaseModel(Row, Base):
    """Weights that everyone shares."""

    __tablename__ = "base_models"
    __table_args__ = (UniqueConstraint("ref", "hash"),)

    ref: Mapped[str] = mapped_column(String(300))
    """``starter``, a hub id, or a folder."""
    hash: Mapped[str] = mapped_column(String(80))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Parameters, context, languages, licence, as resolved."""


class Adapter(Owned, Base):
    """What a training run trained; its files lie in ``<home>/adapters/<id>``."""

    __tablename__ = "adapters"

    name: Mapped[str] = mapped_column(String(200))
    training_run_id: Mapped[str | None] = mapped_column(String(36), index=True)
    base_ref: Mapped[str] = mapped_column(String(300))
    base_hash: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(30))
    """Training method: ``lora``, ``qlora``, …; ``merged`` for weights of their own."""
    row_style: Mapped[str] = mapped_column(String(20), default="plain")
    """``plain`` rows, or ``raft`` rows with passages."""
    hash: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(Large)
    """Bytes."""
    mixable: Mapped[bool] = mapped_column(default=False)
    lossless: Mapped[bool | None]
    """For merged weights: whether greedy answers equal the unmerged ones on validation questions."""
    licence: Mapped[str] = mapped_column(String(120), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    deleted_at: Mapped[datetime | None]


class PriceBook(Row, Base):
    """One version of the prices in use, with its corrections."""

    __tablename__ = "price_books"

    version: Mapped[str] = mapped_column(String(80), unique=True)
    """Hash of its entries."""
    entries: Mapped[dict[str, Any]] = mapped_column(default=dict)
