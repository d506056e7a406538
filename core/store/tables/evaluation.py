"""Approaches, experiments, answers with their full provenance, and scores."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables._base import Base, ModelCall, Owned


class Approach(Owned, Base):
    """One version of a fully specified way to answer."""

    __tablename__ = "approaches"

    name: Mapped[str] = mapped_column(String(120))
    preset: Mapped[str] = mapped_column(String(30))
    version: Mapped[int] = mapped_column(default=1)
    hash: Mapped[str] = mapped_column(String(80))
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]
    """Set when a newer version took its place."""


class Experiment(Owned, Base):
    """A frozen set of questions × approaches × repetitions, with pinned decoding."""

    __tablename__ = "experiments"

    name: Mapped[str] = mapped_column(String(200))
    job_id: Mapped[str | None] = mapped_column(String(36), index=True)
    dataset_version_id: Mapped[str] = mapped_column(String(36))
    split: Mapped[str] = mapped_column(String(12))
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Approach ids and hashes, example ids, repetitions, decoding, primary metric, latency sample, seed."""
    hash: Mapped[str] = mapped_column(String(80))
    question_count: Mapped[int] = mapped_column(default=0)
    """Length of the config's example ids, so that a list of experiments need not read them."""
    measured_at: Mapped[datetime | None]
    """When an answer or a score of it was last written; kept results are those of this moment."""
    completed_at: Mapped[datetime | None]
    provenance: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Versions of Kurabe and its libraries, machine, model hashes."""


class ExperimentResult(Owned, Base):
    """An experiment's results as they were computed last: a page reads this instead of every answer."""

    __tablename__ = "experiment_results"

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(80))
    """Hash of everything that the results depend on; with another one they are computed anew."""
    document: Mapped[str]
    """JSON as text: the order of its keys counts."""
    seconds: Mapped[float]
    """How long computing took."""


class ExperimentCase(Owned, Base):
    """One question of an experiment and how the approaches fared with it, computed together with the results."""

    __tablename__ = "experiment_cases"
    __table_args__ = (UniqueConstraint("experiment_id", "position"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    position: Mapped[int]
    """Place among the experiment's questions, from 0."""
    example_id: Mapped[str] = mapped_column(String(36))
    slice: Mapped[str] = mapped_column(String(60))
    mean: Mapped[float | None]
    """Primary metric over all approaches and repetitions, failed answers being wrong; None where nothing was scored."""
    low: Mapped[float | None]
    """Of the approach that fared worst."""
    high: Mapped[float | None]
    """Of the approach that fared best."""
    failed: Mapped[int]
    """Failed answers."""
    improved: Mapped[int]
    """Approaches that do better than the baseline."""
    regressed: Mapped[int]
    """Approaches that do worse than the baseline."""
    by_approach: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Primary metric by approach id, mean over repetitions."""
    causes: Mapped[dict[str, Any] | None]
    """By approach id, why its first wrong answer is wrong; an approach that is right is not in it."""


class Answer(Owned, Base):
    """One reply with its full provenance; the row exists before the call."""

    __tablename__ = "answers"
    __table_args__ = (
        # the unique constraint below serves as the index of experiment, phase and approach
        Index("ix_answers_status", "experiment_id", "phase", "status"),
        Index("ix_answers_compare", "compare_id"),
        # what an approach took before, the newest first; and the live comparisons of a project among a million others
        Index(
            "ix_answers_live",
            "project_id",
            "compare_id",
            sqlite_where=text("compare_id IS NOT NULL"),
            postgresql_where=text("compare_id IS NOT NULL"),
        ),
        UniqueConstraint("experiment_id", "phase", "approach_id", "example_id", "repetition"),
    )

    experiment_id: Mapped[str | None] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    compare_id: Mapped[str | None] = mapped_column(String(36))
    example_id: Mapped[str | None] = mapped_column(String(36), index=True)
    approach_id: Mapped[str] = mapped_column(String(36), index=True)
    approach_hash: Mapped[str] = mapped_column(String(80))
    phase: Mapped[str] = mapped_column(String(10))
    """``quality``, ``latency`` or ``live``; figures of one are never pooled with another's."""
    repetition: Mapped[int] = mapped_column(default=0)
    taken_from: Mapped[str | None] = mapped_column(String(36))
    """Experiment in which it was asked, where this one took it over; None: asked for this row."""
    question: Mapped[str]
    messages: Mapped[list[Any]] = mapped_column(default=list)
    template_hash: Mapped[str] = mapped_column(String(80), default="")
    model: Mapped[str] = mapped_column(String(300), default="")
    model_hash: Mapped[str] = mapped_column(String(80), default="")
    index_version_id: Mapped[str | None] = mapped_column(String(36))
    chunks: Mapped[list[Any]] = mapped_column(default=list)
    """Passages in the prompt, in their order: chunk id, document, both ranks and scores, whether it is gold."""
    decoding: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seed: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(10), default="pending")
    """``pending``, ``streaming``, ``finished``, ``stopped`` or ``failed``."""
    text: Mapped[str] = mapped_column(default="")
    reasoning: Mapped[str] = mapped_column(default="")
    finish_reason: Mapped[str | None] = mapped_column(String(30))
    error: Mapped[dict[str, Any] | None]
    prompt_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    context_tokens: Mapped[int | None]
    """Of the prompt, those that are passages or examples (our count)."""
    token_source: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Who counted: server, ours, and with which tokenizer."""
    spans: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Seconds: embed, search, rerank, queue, first_token, decode; and the raw monotonic timestamps."""
    first_token_seconds: Mapped[float | None]
    """From the intended send to the first non-empty chunk, retrieval included."""
    total_seconds: Mapped[float | None]
    serving: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Engine, precision, batch size, warm or cold."""
    cost: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    cost_basis: Mapped[str | None] = mapped_column(String(10))
    """``billed``, ``list`` or ``device``."""
    price_version: Mapped[str | None] = mapped_column(String(80))
    device_seconds: Mapped[float | None]
    """This answer's share of the device's time: its batch's time over the batch's size."""
    notes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the context did: examples used, passages that did not fit, retrieval switched off."""
    owner: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Identity of the process that asks; a pending answer whose owner is gone is lost, not running."""
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Score(Owned, Base):
    """One measured value of one answer, or the visible failure to measure it."""

    __tablename__ = "scores"
    __table_args__ = (UniqueConstraint("answer_id", "metric", "metric_version"),)

    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), index=True)
    metric: Mapped[str] = mapped_column(String(60))
    metric_version: Mapped[int] = mapped_column(default=1)
    value: Mapped[float | None]
    """None: the metric does not apply, or failed; `reason` says which."""
    reason: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Code and parameters."""
    failed: Mapped[bool] = mapped_column(default=False)


class Judging(Owned, Base):
    """One judge's work on the answers of one experiment."""

    __tablename__ = "judgings"

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str | None] = mapped_column(String(36), index=True)
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Judge model, rubric, metrics, pairs, decoding, seed, and the hash of the words that it is asked with."""
    hash: Mapped[str] = mapped_column(String(80))
    completed_at: Mapped[datetime | None]


class Judgement(ModelCall, Owned, Base):
    """One call of a judge with its full record."""

    __tablename__ = "judgements"
    __table_args__ = (
        UniqueConstraint(
            "judging_id", "kind", "answer_id", "other_answer_id", "swapped", "part", name="uq_judgements_call"
        ),
        Index("ix_judgements_status", "judging_id", "status"),
    )

    judging_id: Mapped[str] = mapped_column(ForeignKey("judgings.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(60))
    """``pair``, or the metric that is measured."""
    example_id: Mapped[str] = mapped_column(String(36))
    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), index=True)
    other_answer_id: Mapped[str] = mapped_column(String(36), default="")
    """The answer it is held against; empty where one answer is judged alone."""
    swapped: Mapped[bool] = mapped_column(default=False)
    """Whether the other answer was shown first."""
    part: Mapped[int] = mapped_column(default=0)
    """Which of the metric's questions about this answer, from 0."""
