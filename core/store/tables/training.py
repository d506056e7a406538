"""Training runs, and the few steps that were measured before one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, Owned


class TrainingRun(Owned, Base):
    """One training, from its configuration to what it produced; its state is its job's."""

    __tablename__ = "training_runs"
    # The store itself keeps it to one for each purpose; runs that are not promoted hold NULL, which is never equal.
    __table_args__ = (Index("uq_training_runs_promoted", "project_id", "promoted_for", unique=True),)

    name: Mapped[str] = mapped_column(String(200))
    job_id: Mapped[str | None] = mapped_column(String(36), index=True)
    dataset_version_id: Mapped[str] = mapped_column(String(36))
    index_version_id: Mapped[str | None] = mapped_column(String(36))
    """Index whose passages the rows carry, for retrieval-augmented rows."""
    base_ref: Mapped[str] = mapped_column(String(300))
    method: Mapped[str] = mapped_column(String(30))
    row_style: Mapped[str] = mapped_column(String(20), default="plain")
    seed: Mapped[int] = mapped_column(default=0)
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    preflight: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Losses, seconds, tokens, cost, rows left out; empty until it ended."""
    adapter_id: Mapped[str | None] = mapped_column(String(36))
    group_key: Mapped[str | None] = mapped_column(String(60), index=True)
    """Runs that belong together: seeds of one configuration, points of one learning curve."""
    note: Mapped[str] = mapped_column(default="", server_default="")
    """What people wrote about it."""
    promoted_for: Mapped[str | None] = mapped_column(String(20))
    """Purpose for which the project uses this run before any newer one: ``plain`` or ``raft`` approaches."""
    archived_at: Mapped[datetime | None]
    """Set when it was put away: lists leave it out unless they are asked, and nothing of it is lost."""


class TrainingProbe(Owned, Base):
    """A few real steps that were run to learn how long a training takes and how much memory it needs."""

    __tablename__ = "training_probes"

    key: Mapped[str] = mapped_column(String(80), index=True)
    """Hash of what decides about speed and memory: configurations that share it share the measurement."""
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    job_id: Mapped[str | None] = mapped_column(String(36))
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Seconds of each step and their tokens, memory, device and machine; empty until it was measured."""
