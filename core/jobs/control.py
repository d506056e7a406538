"""What people and pages do with jobs: submit, stop, cancel, resume, wait."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.identity import actor, canonical_json, new_id, now
from core.jobs.event_log import EventTail
from core.jobs.files import RunFiles, home_id, write_stop_file
from core.jobs.kinds import kind_named
from core.jobs.launchers import Launcher, launcher_spec
from core.jobs.observe import get_job
from core.jobs.processes import JOB_VARIABLE
from core.jobs.queue import cancel_waiting, lock_queue
from core.jobs.secrets import secret_values
from core.jobs.states import ACTIVE, HOLDING, RESUMABLE, TERMINAL, WAITING, StopMode
from core.jobs.ticking import tick
from core.jobs.views import JobView, job_view
from core.settings import settings
from core.store import read, write
from core.store import tables as tb

_POLL_SECONDS: Final = 0.3
_TICK_SECONDS: Final = 2.0


def submit(
    kind: str,
    payload: dict[str, Any],
    *,
    project_id: str | None = None,
    launcher: str | dict[str, Any] | Launcher = "subprocess",
    group: str | None = None,
    needs_secret: str | Sequence[str] | None = None,
    step: str | None = None,
    record: Callable[[Session, str], None] | None = None,
) -> str:
    """Queue a job and start it if its slot is free; returns its id.

    Inside a coordinating job this makes a sub-job. With a `step` name a resumed coordinator gets the
    sub-job of its earlier attempt: as it is if it goes on or succeeded, resumed if it did not. What a kind is
    `followed_by` becomes a job of its own instead.

    Args:
        kind: A name in `KINDS`.
        payload: JSON values for the target; secrets are passed by name only.
        project_id: Project it belongs to; a sub-job's default is its parent's.
        launcher: Name, stored form or object of a launcher.
        group: Names jobs that belong together, such as the seeds of one configuration.
        needs_secret: Environment variable (or several) without which the job stays blocked.
        step: Name of the step within the submitting job.
        record: Called with the session and the job's id in the transaction that queues the job: what it writes
            is stored together with the job or not at all.

    Raises:
        KurabeError: `jobs.unknown_kind`, `jobs.bad_payload`, `jobs.secret_in_payload`, `jobs.quota`,
            `jobs.disk_quota`, `jobs.may_not_submit`, `registry.unknown`.
    """
    job_kind, spec = kind_named(kind), launcher_spec(launcher)
    _check_payload(payload)
    names = [needs_secret] if isinstance(needs_secret, str) else list(needs_secret or [])
    parent_id, home = os.environ.get(JOB_VARIABLE), home_id()
    if parent_id and step and (earlier := _earlier_step(parent_id, step)):
        return earlier
    job = tb.Job(
        id=new_id(),
        kind=kind,
        payload=payload,
        home_id=home,
        slot=job_kind.slot,
        slots=list(job_kind.slots),
        launcher=spec,
        group_key=group,
        needs_secret=",".join(names) or None,
        parent_id=parent_id,
        step_key=step,
        project_id=project_id,
    )
    RunFiles.of(job.id, 1).create()
    _enqueue(job, record)
    tick()
    return job.id


def _enqueue(job: tb.Job, record: Callable[[Session, str], None] | None) -> None:
    """Add the record at the end of the queue, with what belongs to it."""
    with write() as session:
        lock_queue(session)
        if job.parent_id is not None and _follows(session, job):
            job.parent_id = None
        if job.parent_id is None:
            _check_quota(session, job.project_id)
        else:
            _adopt(job, _parent(session, job.parent_id))
        job.position = now().timestamp()  # under the lock, so that the order is the one others saw
        session.add(job)
        if record is not None:
            record(session, job.id)


def _follows(session: Session, job: tb.Job) -> bool:
    """Tell whether a job is what comes after the one that queues it, and no part of it."""
    before = session.get(tb.Job, job.parent_id)
    return before is not None and job.kind in kind_named(before.kind).followed_by


def _adopt(job: tb.Job, parent: tb.Job) -> None:
    job.project_id = job.project_id or parent.project_id
    if parent.stop_requested is not None:  # too late: who stopped the parent meant this one too
        job.stop_requested = parent.stop_requested
        cancel_waiting(job)


def _check_payload(payload: dict[str, Any]) -> None:
    try:
        text = canonical_json(payload)
    except (TypeError, ValueError) as error:
        raise KurabeError("jobs.bad_payload", detail=str(error)) from error
    if any(value in text for value in secret_values()):
        raise KurabeError("jobs.secret_in_payload")


def _parent(session: Session, parent_id: str) -> tb.Job:
    parent = session.get(tb.Job, parent_id)
    if parent is None:
        raise KurabeError("store.missing", kind="job", id=parent_id)
    # Any other kind could wait for a slot that waits for it.
    if not kind_named(parent.kind).coordinates:
        raise KurabeError("jobs.may_not_submit", kind=parent.kind)
    return parent


def _earlier_step(parent_id: str, step: str) -> str | None:
    tick()
    with read() as session:
        wanted = select(tb.Job).where(tb.Job.parent_id == parent_id, tb.Job.step_key == step)
        found = session.scalars(wanted.order_by(tb.Job.id.desc()).limit(1)).first()
    if found is None:
        return None
    if found.status in RESUMABLE:
        resume(found.id)
    return found.id


def _check_quota(session: Session, project_id: str | None) -> None:
    """Keep one project from filling the queue or the disk for the others."""
    mine = tb.Job.project_id == project_id
    active = session.scalar(select(func.count()).where(mine, tb.Job.status.in_(ACTIVE), tb.Job.parent_id.is_(None)))
    limit = settings().jobs_per_project
    if (active or 0) >= limit:
        raise KurabeError("jobs.quota", active=active, limit=limit)
    used = int(session.scalar(select(func.sum(tb.Job.disk_bytes)).where(mine)) or 0) // 2**20
    if used > settings().project_disk_mb:
        raise KurabeError("jobs.disk_quota", used_mb=used, limit_mb=settings().project_disk_mb)


def request_stop(job_id: str) -> JobView:
    """Ask a job to save and end; harmless if it has ended already.

    Raises:
        KurabeError: `store.missing`.
    """
    return _ask(job_id, "stop")


def cancel(job_id: str) -> JobView:
    """End a job: it is asked, then gets SIGTERM, then SIGKILL, each after a limit.

    Raises:
        KurabeError: `store.missing`.
    """
    return _ask(job_id, "cancel")


def _ask(job_id: str, mode: StopMode) -> JobView:
    get_job(job_id)
    tick()
    # The file of the job itself comes first: a coordinator must know that it is to stop before it
    # sees its sub-jobs end.
    _tell(get_job(job_id), mode)
    for asked in _record_request(job_id, mode):
        _tell(asked, str(asked.stop_requested))
    tick()
    return job_view(job_id)


def _tell(job: tb.Job, mode: str) -> None:
    """Hand the request to a job's worker, which also reads it from the store, should this file not reach it."""
    if job.status in HOLDING:
        write_stop_file(RunFiles.of(job.id, job.attempt), mode, actor())


def _record_request(job_id: str, mode: StopMode) -> list[tb.Job]:
    """Note the request on a job and everything it submitted; what nobody started yet ends at once."""
    with write() as session:
        lock_queue(session)
        family = _family(session, job_id)
        for job in family:
            if job.status in TERMINAL:
                continue
            if job.stop_requested != "cancel":
                job.stop_requested, job.stop_requested_at, job.stop_requested_by = mode, now(), actor()
            if job.status in WAITING:
                cancel_waiting(job)
            else:
                job.stop_state = "requested"
        return family


def _family(session: Session, job_id: str) -> list[tb.Job]:
    found = list(session.scalars(select(tb.Job).where(tb.Job.id == job_id)))
    for job in found:  # grows while it is walked: sub-jobs of sub-jobs too
        found += session.scalars(select(tb.Job).where(tb.Job.parent_id == job.id))
    return found


def resume(job_id: str) -> JobView:
    """Queue an ended job again as its next attempt, at the end of the queue.

    Raises:
        KurabeError: `jobs.not_resumable`, `store.missing`.
    """
    get_job(job_id)
    tick()
    with write() as session:
        lock_queue(session)
        job = session.get_one(tb.Job, job_id)
        if job.status not in RESUMABLE or not kind_named(job.kind).resumable:
            raise KurabeError("jobs.not_resumable", status=job.status, kind=job.kind)
        job.status, job.attempt, job.launches = "queued", job.attempt + 1, 0
        job.position = now().timestamp()
        job.launch_token = job.claimer = job.claimed_at = job.reason = None
        job.pid = job.process_start = job.pgid = job.worker_host = None
        job.started_at = job.ended_at = job.elapsed_seconds = job.exit_code = job.signal = None
        job.stop_requested = job.stop_requested_at = job.stop_requested_by = None
        job.stop_state = job.stop_step = job.error = job.result = None
    RunFiles.of(job_id, job.attempt).create()
    tick()
    return job_view(job_id)


def delete(job_id: str) -> None:
    """Remove an ended job with its folder: log, events and whatever else it wrote there.

    Raises:
        KurabeError: `jobs.still_active`, `store.missing`.
    """
    get_job(job_id)
    tick()
    with write() as session:
        lock_queue(session)
        job = session.get_one(tb.Job, job_id)
        if job.status not in TERMINAL:
            raise KurabeError("jobs.still_active", status=job.status)
        session.delete(job)
    shutil.rmtree(RunFiles.of(job_id, 1).folder, ignore_errors=True)


def wait(
    job_id: str,
    timeout: float | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    *,
    should_stop: Callable[[], bool] | None = None,
    on_view: Callable[[JobView], None] | None = None,
) -> JobView:
    """Wait until a job has ended, ticking meanwhile; returns how it stands, ended or not.

    Args:
        job_id: The job.
        timeout: Seconds to wait at most; None waits for ever.
        on_event: Called with each event once, in order, from the first one on.
        should_stop: Asked several times a second; True ends the waiting, not the job.
        on_view: Called with the job as it stands, once a look, after the events that came meanwhile.
    """
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    ticked = float("-inf")
    tail: EventTail | None = None
    while True:
        if time.monotonic() - ticked >= _TICK_SECONDS:
            tick()
            ticked = time.monotonic()
        view = job_view(job_id)
        if on_event is not None:
            tail = tail or EventTail(view.events_path)
            for event in tail.further():
                on_event(event)
        if on_view is not None:
            on_view(view)
        ended = view.status in TERMINAL and view.recorded_status in TERMINAL
        if ended or time.monotonic() >= deadline or (should_stop is not None and should_stop()):
            return view
        time.sleep(_POLL_SECONDS)
