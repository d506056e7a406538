"""Training runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, Owned


class TrainingRun(Owned, Base):
    """One training, from its configuration to what it produced; its state is its job's."""

    __tablename__ = "training_runs"

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
