"""Rows of answers in the store: made before the call, provisional while streaming, saved at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select, update
from sqlalchemy.orm import Session

from core.identity import ProcessIdentity, actor, alive, new_id, now, process_identity
from core.store import read, write
from core.store import tables as tb

from .spec import ApproachSpec

if TYPE_CHECKING:
    from .answering import AnswerRequest

RUNNING = ("pending", "streaming")
"""Statuses of answers that somebody is still asking for."""

MEASURED = ("quality", "latency")
"""Phases that an experiment's results are computed from; what is asked otherwise leaves them as they are."""

_WRITTEN = (
    "messages", "template_hash", "model", "model_hash", "index_version_id", "chunks", "decoding", "seed", "status",
    "text", "reasoning", "finish_reason", "error", "prompt_tokens", "cached_tokens", "completion_tokens",
    "reasoning_tokens", "context_tokens", "token_source", "spans", "first_token_seconds", "total_seconds", "serving",
    "cost", "currency", "cost_basis", "price_version", "device_seconds", "notes", "owner", "attempts", "started_at",
    "finished_at",
)  # fmt: skip
"""Columns that answering fills; all others are fixed when the row is made."""


def new_row(request: AnswerRequest, approach: tb.Approach, owner: dict[str, Any] | None = None) -> tb.Answer:
    """A pending answer with its defaults filled, owned by this process."""
    return tb.Answer(
        id=new_id(),
        created_at=now(),
        created_by=actor(),
        project_id=request.project_id,
        experiment_id=request.experiment_id,
        compare_id=request.compare_id,
        example_id=request.example_id,
        approach_id=approach.id,
        approach_hash=_hash(request, approach),
        phase=request.phase,
        repetition=request.repetition,
        question=request.question,
        messages=[],
        template_hash="",
        model="",
        model_hash="",
        chunks=[],
        decoding={},
        status="pending",
        text="",
        reasoning="",
        token_source={},
        spans={},
        serving={},
        notes=dict(request.notes),
        owner=process_identity().as_dict() if owner is None else owner,
        attempts=1,
    )


def _hash(request: AnswerRequest, approach: tb.Approach) -> str:
    """Hash of what answers: another one where a prompt is tried that is not the approach's own."""
    if request.prompt is None:
        return approach.hash
    return ApproachSpec.model_validate(approach.spec).model_copy(update={"prompt": request.prompt}).hash


def store_rows(rows: Sequence[tb.Answer]) -> None:
    """Insert rows in one transaction; the objects stay usable and detached."""
    if rows:
        with write() as session:
            insert_rows(session, rows)


def insert_rows(session: Session, rows: Sequence[tb.Answer]) -> None:
    """Insert rows within a transaction of the caller's; the objects stay usable and detached."""
    columns = [c.key for c in inspect(tb.Answer).column_attrs]
    session.execute(insert(tb.Answer), [{c: getattr(row, c) for c in columns} for row in rows])
    mark_measured(session, _measured(rows))


def save_rows(rows: Sequence[tb.Answer]) -> None:
    """Store outcomes in one transaction."""
    values = [{"id": row.id, **{c: getattr(row, c) for c in _WRITTEN}} for row in rows]
    if values:
        with write() as session:
            session.execute(update(tb.Answer), values)
            mark_measured(session, _measured(rows))


def mark_measured(session: Session, experiment_ids: Iterable[str | None]) -> None:
    """Note that answers or scores of experiments change in this transaction; live answers belong to none."""
    known = [experiment_id for experiment_id in experiment_ids if experiment_id is not None]
    if known:
        session.execute(update(tb.Experiment).where(tb.Experiment.id.in_(known)).values(measured_at=now()))


def _measured(rows: Iterable[tb.Answer]) -> set[str | None]:
    """Experiments whose results rest on some of the rows."""
    return {row.experiment_id for row in rows if row.phase in MEASURED}


def save_text(row: tb.Answer) -> None:
    """Store provisional text; it counts for nothing until the answer is finished."""
    with write() as session:
        session.execute(
            update(tb.Answer)
            .where(tb.Answer.id == row.id)
            .values(text=row.text, reasoning=row.reasoning, status=row.status, started_at=row.started_at)
        )


def example_gold(example_id: str) -> list[dict[str, Any]]:
    """Where the answer of a dataset row stands; empty when no document holds it or the row is gone."""
    with read() as session:
        return list(session.scalar(select(tb.Example.gold).where(tb.Example.id == example_id)) or [])


def settle_lost(rows: Sequence[tb.Answer]) -> None:
    """Turn running rows whose process is gone into failed ones, in the store and in `rows`.

    A row says who asks for it, so that a page never shows an answer as being written when nobody writes it.
    """
    lost = [row for row in rows if row.status in RUNNING and not _owned(row)]
    for row in lost:
        row.status, row.error = "failed", {"code": "approaches.lost", "params": {}}
    if lost:
        with write() as session:
            session.execute(
                update(tb.Answer)
                .where(tb.Answer.id.in_([row.id for row in lost]), tb.Answer.status.in_(RUNNING))
                .values(status="failed", error={"code": "approaches.lost", "params": {}})
            )
            mark_measured(session, _measured(lost))


def _owned(row: tb.Answer) -> bool:
    return bool(row.owner) and alive(ProcessIdentity.from_dict(row.owner))
