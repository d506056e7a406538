"""The queue: each change of a job's record is one short transaction here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.errors import ErrorRecord, KurabeError
from core.identity import ProcessIdentity, new_id, now, process_identity
from core.jobs.files import identity_record
from core.jobs.kinds import SLOTS
from core.jobs.outcome import Outcome
from core.jobs.states import HOLDING, WAITING
from core.jobs.states import stop_state as stop_state_of
from core.store import read, write
from core.store import tables as tb

MAX_LAUNCHES: Final = 5
"""Workers that may die before they report, one after the other, until the attempt counts as failed."""

_POSTGRES_LOCK: Final = 0x6A6F6273
"""Advisory lock number: "jobs" in bytes."""


@dataclass(frozen=True)
class Launch:
    """A claimed job that has to be started now."""

    job_id: str
    attempt: int
    token: str


def lock_queue(session: Session) -> None:
    """Make other changes of the queue wait: SQLite's BEGIN IMMEDIATE does already, PostgreSQL is told."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))


def jobs_of_home(session: Session, home: str, statuses: Iterable[str]) -> list[tb.Job]:
    """Jobs of one home in some statuses, in queue order."""
    wanted = select(tb.Job).where(tb.Job.home_id == home, tb.Job.status.in_(list(statuses)))
    return list(session.scalars(wanted.order_by(tb.Job.position, tb.Job.id)))


def _ancestors(job: tb.Job, holding: Mapping[str, tb.Job]) -> set[str]:
    found: set[str] = set()
    parent = job.parent_id
    while parent is not None and parent in holding and parent not in found:
        found.add(parent)
        parent = holding[parent].parent_id
    return found


def _fits(job: tb.Job, holding: Mapping[str, tb.Job], capacity: Mapping[str, int]) -> bool:
    """True if all its slots have room. A parent that waits for a job lends it its own place."""
    lent = _ancestors(job, holding)
    for slot in job.slots:
        used = sum(slot in other.slots for other in holding.values() if other.id not in lent)
        if used >= capacity.get(slot, 0):
            return False
    return True


def choose(waiting: Sequence[tb.Job], holding: Sequence[tb.Job], capacity: Mapping[str, int] = SLOTS) -> list[tb.Job]:
    """Which waiting jobs start now, in order.

    A job that does not fit keeps later ones off its slots, so that one that needs two slots is not
    overtaken for ever. Sub-jobs may pass: the job that waits for them holds a slot itself. Only jobs
    in the slot `cpu` may wait for others, and they lend that slot, so the last one that started can
    always go on, and nothing locks up.
    """
    held = {job.id: job for job in holding}
    reserved: set[str] = set()
    chosen = []
    for job in waiting:
        free = job.parent_id in held or not reserved.intersection(job.slots)
        if free and _fits(job, held, capacity):
            held[job.id] = job
            chosen.append(job)
        else:
            reserved.update(job.slots)
    return chosen


def claim(home: str, reasons: Mapping[str, ErrorRecord | None]) -> list[Launch]:
    """Claim what fits: `queued → starting` with a launch token, in one transaction.

    Args:
        home: The home whose jobs these are.
        reasons: For each waiting job that was examined, why it cannot start, or None if it can.
            Jobs that came later are left to the next tick.
    """
    with read() as session:
        if not _anything_to_do(session, home, reasons):
            return []
    claimer = identity_record(process_identity())
    with write() as session:
        lock_queue(session)
        waiting = [job for job in jobs_of_home(session, home, WAITING) if job.id in reasons]
        for job in waiting:
            job.reason = dict(reasons[job.id] or {}) or None
            job.status = "blocked" if job.reason else "queued"
        ready = [job for job in waiting if job.status == "queued"]
        return [_claimed(job, claimer) for job in choose(ready, jobs_of_home(session, home, HOLDING))]


def _anything_to_do(session: Session, home: str, reasons: Mapping[str, ErrorRecord | None]) -> bool:
    waiting = [job for job in jobs_of_home(session, home, WAITING) if job.id in reasons]
    if any((reasons[job.id] is not None) != (job.status == "blocked") for job in waiting):
        return True
    ready = [job for job in waiting if reasons[job.id] is None]
    return bool(choose(ready, jobs_of_home(session, home, HOLDING)))


def _claimed(job: tb.Job, claimer: dict[str, Any]) -> Launch:
    token = new_id()
    job.status, job.launch_token, job.claimed_at, job.claimer = "starting", token, now(), claimer
    job.launches += 1
    job.pid = job.process_start = job.pgid = job.worker_host = None
    return Launch(job.id, job.attempt, token)


def take_over(job_id: str, token: str, identity: ProcessIdentity) -> tb.Job | None:
    """Compare-and-set by a worker: `starting → running` if the launch token is still its own."""
    record = identity_record(identity)
    values = {
        "status": "running",
        "pid": identity.pid,
        "process_start": identity.start_time,
        "pgid": identity.pgid,
        "worker_host": record["host"],
        "started_at": now(),
    }
    mine = (tb.Job.id == job_id, tb.Job.launch_token == token)
    with write() as session:
        taken = session.execute(update(tb.Job).where(*mine, tb.Job.status == "starting").values(**values))
        changed: int = taken.rowcount  # type: ignore[attr-defined]  # an UPDATE's result always has it
        return session.get(tb.Job, job_id) if changed == 1 else None


def requeue(job: tb.Job, worker_log: str) -> None:
    """Put a job back whose worker never reported; after `MAX_LAUNCHES` times it has failed.

    A job that was asked to stop meanwhile is cancelled instead.
    """
    with write() as session:
        lock_queue(session)
        fresh = session.get(tb.Job, job.id, with_for_update=True)
        if fresh is None or (fresh.status, fresh.launch_token) != ("starting", job.launch_token):
            return
        if fresh.stop_requested is not None:
            _end(fresh, Outcome("cancelled"))
        elif fresh.launches >= MAX_LAUNCHES:
            error = KurabeError("jobs.would_not_start", launches=fresh.launches, tail=worker_log)
            _end(fresh, Outcome("failed", error=error.as_record()))
        else:
            fresh.status, fresh.launch_token, fresh.claimer = "queued", None, None


def finish(job_id: str, token: str | None, outcome: Outcome) -> bool:
    """Persist an outcome if this launch still holds the job; True if it was written."""
    with write() as session:
        # PostgreSQL lets others change the record between reading and writing it, unless the row is held.
        job = session.get(tb.Job, job_id, with_for_update=True)
        if job is None or job.launch_token != token or job.status not in HOLDING:
            return False
        _end(job, outcome)
        return True


def _end(job: tb.Job, outcome: Outcome) -> None:
    job.status = outcome.status
    job.error = dict(outcome.error) if outcome.error else None
    job.result = outcome.result
    job.exit_code, job.signal = outcome.exit_code, outcome.signal
    job.stop_step = outcome.stop_step
    job.stop_state = stop_state_of(outcome.status, job.stop_requested, outcome.stop_step, outcome.result)
    job.elapsed_seconds = outcome.elapsed_seconds
    job.disk_bytes = outcome.disk_bytes if outcome.disk_bytes is not None else job.disk_bytes
    job.ended_at = datetime.fromisoformat(outcome.ended_at) if outcome.ended_at else now()


def cancel_waiting(job: tb.Job) -> None:
    """End a job that nobody has started yet, inside the caller's transaction."""
    _end(job, Outcome("cancelled"))
