"""A project: one decision to make; owns everything else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, Owned, Row


class Project(Row, Base):
    """One decision to make."""

    __tablename__ = "projects"

    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2))
    """Language of its questions and documents: ``en`` or ``ja``."""
    description: Mapped[str] = mapped_column(default="")
    sample: Mapped[str | None] = mapped_column(String(60))
    """Name of the shipped sample it was loaded from, if it was."""
    base_ref: Mapped[str] = mapped_column(String(300), default="starter")
    """Base model that its approaches share."""
    instructions: Mapped[str] = mapped_column(default="")
    """What the model is asked to do, sent by every approach."""
    house_rules: Mapped[str] = mapped_column(default="")
    """How answers must look, sent by every approach."""
    primary_metric: Mapped[str] = mapped_column(String(60), default="correct")
    """Metric named beforehand, on which approaches are compared."""
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Decision inputs: monthly questions, refreshes a month, gates, weights."""


class Decision(Owned, Base):
    """One recorded verdict with everything it rested on."""

    __tablename__ = "decisions"

    experiment_id: Mapped[str] = mapped_column(String(36), index=True)
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    verdict: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Codes and parameters, rendered in the reader's language."""


class Vote(Owned, Base):
    """One person's blind rating of an answer, or preference between two."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("project_id", "voter", "pair_key", "kind"),)

    kind: Mapped[str] = mapped_column(String(20))
    """``rating`` or ``preference``."""
    voter: Mapped[str] = mapped_column(String(200))
    pair_key: Mapped[str] = mapped_column(String(80), index=True)
    """What was shown: an answer id for a rating, a hash of both answer ids for a preference."""
    left_answer_id: Mapped[str] = mapped_column(String(36), index=True)
    right_answer_id: Mapped[str | None] = mapped_column(String(36), index=True)
    value: Mapped[str] = mapped_column(String(20))
    """Rating ``as_is``, ``edited``, ``unusable``; preference ``left``, ``right``, ``tie``, ``neither``."""
    comment: Mapped[str] = mapped_column(default="")
    seconds: Mapped[float | None]
    """How long the voter looked."""
