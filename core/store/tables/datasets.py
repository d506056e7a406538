"""Datasets, their immutable versions, the examples in them, and drafts of more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, ModelCall, Owned


class Dataset(Owned, Base):
    """Questions with reference answers, over all its versions."""

    __tablename__ = "datasets"

    name: Mapped[str] = mapped_column(String(200))


class DatasetVersion(Owned, Base):
    """One immutable state of a dataset, named by the hash of its content."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "hash"),)

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(80))
    ready: Mapped[bool] = mapped_column(default=False)
    """False while rows are still being written in batches: such a version is shown nowhere and swept later."""
    row_count: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rows: ``{"splits": {split: n}, "slices": {split: {slice: n}}}``."""
    lineage: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """File hashes, mapping, cleaning steps, rows left out and why, parent version."""
    checks: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Findings of the last check run, as codes and parameters."""
    judged_at: Mapped[datetime | None]
    """When the coverage of its questions was last worked out."""
    training_text: Mapped[dict[str, Any] | None]
    """Whether the index held the training text: ``{"index_version_id", "rows", "held"}``; None without an index."""


class Example(Owned, Base):
    """One row: a question with its reference answer."""

    __tablename__ = "examples"
    __table_args__ = (
        Index("ix_examples_version_split", "version_id", "split", "position"),
        Index("ix_examples_version_position", "version_id", "position"),
    )

    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    position: Mapped[int]
    """Row number in the version, from 0."""
    key: Mapped[str] = mapped_column(String(100), default="")
    """The id that the file gave the row, if any."""
    split: Mapped[str] = mapped_column(String(12))
    """``train``, ``validation`` or ``test``."""
    slice: Mapped[str] = mapped_column(String(60), default="")
    question: Mapped[str]
    answer: Mapped[str]
    """Reference answer."""
    value: Mapped[str | None]
    """The exact value that a right answer must hold, if the file gave one."""
    expects: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What a right answer must do: ``abstain``, ``json``, ``json_keys``, ``category`` …, read by core/measures."""
    gold: Mapped[list[Any]] = mapped_column(default=list)
    """Passages that hold the answer: ``{"document", "quote"}``."""
    messages: Mapped[list[Any]] = mapped_column(default=list)
    """The whole chat, where the row is one."""
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Other columns of the row."""
    coverage: Mapped[str | None] = mapped_column(String(20))
    """Worked out by Kurabe for test questions: ``taught``, ``documents``, ``both``, ``changed``, ``neither``."""
    training_indexed: Mapped[bool | None]
    """For test questions that training teaches: whether the index holds the words of those training rows."""


class KnownRun(Owned, Base):
    """One look at which training rows a model answers rightly before any training."""

    __tablename__ = "known_runs"

    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str | None] = mapped_column(String(36), index=True)
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Model, prompt, metric, rows, decoding and seed."""
    hash: Mapped[str] = mapped_column(String(80))
    available: Mapped[int]
    """Training rows that teach a fact, from which those asked were drawn."""
    left_out: Mapped[int]
    """Training rows that teach no fact: a form, a label, or to decline."""
    completed_at: Mapped[datetime | None]


class KnownCall(ModelCall, Owned, Base):
    """One training row as it was asked closed book, and what came of it."""

    __tablename__ = "known_calls"
    __table_args__ = (UniqueConstraint("run_id", "position"), Index("ix_known_calls_outcome", "run_id", "known"))

    run_id: Mapped[str] = mapped_column(ForeignKey("known_runs.id", ondelete="CASCADE"))
    example_id: Mapped[str] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    """Row number in the version, from 0."""
    known: Mapped[bool | None]
    """Whether the model's answer is right; None before it was judged, and where it could not be."""
    reason: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why, as code and parameters."""


class Drafting(Owned, Base):
    """One model's work of drafting questions."""

    __tablename__ = "draftings"

    job_id: Mapped[str | None] = mapped_column(String(36), index=True)
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Model, sources, decoding, seed, and the hash of the words that it is asked with."""
    hash: Mapped[str] = mapped_column(String(80))
    completed_at: Mapped[datetime | None]


class DraftCall(ModelCall, Owned, Base):
    """One source that a model was shown, and its reply."""

    __tablename__ = "draft_calls"
    __table_args__ = (UniqueConstraint("drafting_id", "position"),)

    drafting_id: Mapped[str] = mapped_column(ForeignKey("draftings.id", ondelete="CASCADE"))
    position: Mapped[int]
    """Order in the drafting, from 0."""
    document_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """Document of the passage; when its text is deleted, so is this row."""
    source: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``{"document", "passage_id", "title", "text"}`` of a passage, or the row's fields of a trained question."""
    unreadable: Mapped[bool] = mapped_column(default=False)
    """Whether the reply holds no question that could be read."""


class Draft(Owned, Base):
    """One drafted question, and what a person made of it."""

    __tablename__ = "drafts"
    __table_args__ = (Index("ix_drafts_state", "project_id", "state"),)

    call_id: Mapped[str] = mapped_column(ForeignKey("draft_calls.id", ondelete="CASCADE"), index=True)
    number: Mapped[int] = mapped_column(default=0)
    """Order in the reply, from 0."""
    drafted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``{"question", "answer", "quote"}`` as the model wrote them."""
    question: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    quote: Mapped[str] = mapped_column(default="")
    """Words of the passage that hold the answer."""
    doubts: Mapped[list[Any]] = mapped_column(default=list)
    """Why a person should look twice, as codes and parameters."""
    state: Mapped[str] = mapped_column(String(10), default="open")
    """``open``, ``accepted`` or ``rejected``."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    version_id: Mapped[str | None] = mapped_column(String(36))
    """Dataset version that it became a row of."""
