"""Jobs: the record that a job's status is computed from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, Large, Row


class Job(Row, Base):
    """One background process tree."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_queue", "status", "home_id", "position"),)

    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    home_id: Mapped[str] = mapped_column(String(36))
    """The home whose processes run it: several homes may use one PostgreSQL."""
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    slot: Mapped[str] = mapped_column(String(10))
    """What it mainly leases while it runs: ``device``, ``host`` or ``cpu``."""
    slots: Mapped[list[Any]] = mapped_column(default=list)
    """Everything it leases while it runs, `slot` first."""
    launcher: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Name of the launcher and those of its fields that differ from their defaults."""
    status: Mapped[str] = mapped_column(String(12), default="queued")
    """As last persisted; what people see is computed from this, the heartbeat and the process."""
    reason: Mapped[dict[str, Any] | None]
    """Why it is blocked, as code and parameters."""
    position: Mapped[float] = mapped_column(default=0.0)
    """Order in the queue: seconds since the epoch at which it was queued; lower first, then by id."""
    attempt: Mapped[int] = mapped_column(default=1)
    """Counts up with each resumption."""
    launches: Mapped[int] = mapped_column(default=0)
    """How often this attempt was claimed; more than once only if a worker died before it reported."""
    launch_token: Mapped[str | None] = mapped_column(String(36))
    """Made with each claim; only the worker that holds it may change the record."""
    claimed_at: Mapped[datetime | None]
    claimer: Mapped[dict[str, Any] | None]
    """Identity of the process that claimed it."""
    pid: Mapped[int | None]
    """Process id of the worker."""
    process_start: Mapped[float | None]
    """When that process started, in seconds since the epoch."""
    pgid: Mapped[int | None]
    worker_host: Mapped[str | None] = mapped_column(String(255))
    """Machine on which the pid means something."""
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    elapsed_seconds: Mapped[float | None]
    """Running time of the last attempt by the worker's monotonic clock."""
    exit_code: Mapped[int | None]
    signal: Mapped[int | None]
    """Signal that ended the real work, if one did."""
    stop_requested: Mapped[str | None] = mapped_column(String(10))
    """``stop`` (save and end) or ``cancel``."""
    stop_requested_at: Mapped[datetime | None]
    stop_requested_by: Mapped[str | None] = mapped_column(String(200))
    stop_state: Mapped[str | None] = mapped_column(String(12))
    """How far a stop went: ``requested``, ``saved``, ``cancelled``, ``killed``."""
    stop_step: Mapped[str | None] = mapped_column(String(12))
    """What it took: ``asked``, ``sigterm`` or ``sigkill``."""
    error: Mapped[dict[str, Any] | None]
    """Code and parameters."""
    result: Mapped[dict[str, Any] | None]
    disk_bytes: Mapped[int | None] = mapped_column(Large)
    """Size of the run directory when the last attempt ended."""
    needs_secret: Mapped[str | None] = mapped_column(String(400))
    """Names of environment variables, joined by commas, without which it stays blocked."""
    group_key: Mapped[str | None] = mapped_column(String(60), index=True)
    """Jobs that belong together."""
    parent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """The job that submitted it."""
    step_key: Mapped[str | None] = mapped_column(String(120))
    """Names a step of its parent, so that a resumed parent finds the job instead of submitting it again."""
