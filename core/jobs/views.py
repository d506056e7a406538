"""Jobs as people see them: every status computed when it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.errors import ErrorRecord
from core.jobs.event_log import Event, Progress, progress_of, read_events, recent_events
from core.jobs.files import RunFiles, home_id, lines_with, text_tail
from core.jobs.kinds import SLOTS, can_go_on
from core.jobs.observe import Seen, get_job, look
from core.jobs.outcome import Outcome
from core.jobs.secrets import redact
from core.jobs.states import ACTIVE, HOLDING, RESUMABLE, TERMINAL, WAITING, StopState, stop_state
from core.store import read
from core.store import tables as tb


@dataclass(frozen=True)
class JobView:
    """One job at one moment."""

    id: str
    kind: str
    project_id: str | None
    status: str
    """Computed: `queued`, `blocked`, `starting`, `running`, `succeeded`, `failed`, `stopped`,
    `cancelled`, `killed` or `lost`; a sentence for each at `jobs.status.<status>`."""
    recorded_status: str
    """As last persisted; differs from `status` until the next tick."""
    stage: str | None
    """Code of the present stage; a sentence at `jobs.stage.<stage>`."""
    done: float | None
    total: float | None
    eta_seconds: float | None
    """Seconds until the present stage is done at the rate seen; None if unknown or not running."""
    elapsed_seconds: float | None
    """Running time of this attempt; None before it started."""
    error: ErrorRecord | None
    result: dict[str, Any] | None
    reason: ErrorRecord | None
    """Why it is blocked."""
    can_resume: bool
    can_stop: bool
    stop_state: StopState | None
    """`requested`, `saved`, `unsaved`, `cut_short`, `cancelled` or `killed`; a sentence at `jobs.stop.<state>`."""
    stop_step: str | None
    """How far it had to go so far: `asked`, `sigterm` or `sigkill`."""
    stop_requested_by: str | None
    position_in_queue: int | None
    """1 for the next one of its slots; None if it does not wait."""
    slot: str
    attempt: int
    launcher: dict[str, Any]
    """Stored form of how it is started: its name and what differs from its defaults."""
    parent_id: str | None
    group: str | None
    actor: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    heartbeat_age: float | None
    """Seconds since the worker was last heard; None if it does not run."""
    exit_code: int | None
    signal: int | None
    payload: dict[str, Any]
    run_dir: Path
    log_path: Path
    events_path: Path

    @property
    def active(self) -> bool:
        """True while it waits or runs."""
        return self.status in ACTIVE


def job_view(job_id: str) -> JobView:
    """One job as it stands.

    Raises:
        KurabeError: `store.missing`.
    """
    seen = look(get_job(job_id))
    return _view(seen, _positions() if seen.status in ("queued", "blocked") else {})


def list_jobs(
    project_id: str | None = None,
    kinds: Iterable[str] | None = None,
    active: bool | None = None,
    *,
    group: str | None = None,
    parent_id: str | None = None,
    limit: int = 200,
) -> list[JobView]:
    """Jobs, newest first; `active` True for those that wait or run, False for those that ended.

    Args:
        project_id: Only this project's.
        kinds: Only these kinds.
        active: By computed status.
        group: Only this group's.
        parent_id: Only sub-jobs of this job.
        limit: At most this many.
    """
    wanted = select(tb.Job).order_by(tb.Job.created_at.desc(), tb.Job.id.desc())
    for column, value in (
        (tb.Job.project_id, project_id),
        (tb.Job.group_key, group),
        (tb.Job.parent_id, parent_id),
    ):
        wanted = wanted.where(column == value) if value is not None else wanted
    if kinds is not None:
        wanted = wanted.where(tb.Job.kind.in_(list(kinds)))
    if active is not None:
        # A record may say `running` of a job that is lost, but never `lost` of one that runs.
        wanted = wanted.where(tb.Job.status.in_(ACTIVE if active else TERMINAL | HOLDING))
    with read() as session:
        jobs = list(session.scalars(wanted.limit(limit)))
    positions = _positions()
    views = [_view(look(job), positions) for job in jobs]
    return [view for view in views if active is None or view.active is active]


def _positions() -> dict[str, int]:
    """Place in the queue of every waiting job, counted among those that want one of its slots."""
    with read() as session:
        wanted = select(tb.Job.id, tb.Job.slots, tb.Job.home_id).where(tb.Job.status.in_(("queued", "blocked")))
        rows = session.execute(wanted.order_by(tb.Job.position, tb.Job.id)).all()
    places: dict[str, int] = {}
    before: list[tuple[str, set[str]]] = []
    for job_id, slots, home in rows:
        places[job_id] = 1 + sum(other == home and bool(taken & set(slots)) for other, taken in before)
        before.append((home, set(slots)))
    return places


def _elapsed(seen: Seen, outcome: Outcome) -> float | None:
    if seen.status in HOLDING:
        beat = seen.heartbeat.get("elapsed")
        return None if beat is None else float(beat) + max(0.0, seen.heartbeat_age or 0.0)
    return outcome.elapsed_seconds


def _recorded_outcome(job: tb.Job) -> Outcome:
    """The ending as the store has it; empty while the job goes on."""
    return Outcome(
        status=job.status,
        error=ErrorRecord(code=job.error["code"], params=job.error["params"]) if job.error else None,
        result=job.result,
        exit_code=job.exit_code,
        signal=job.signal,
        stop_step=job.stop_step,  # type: ignore[arg-type]  # written only from an Outcome
        elapsed_seconds=job.elapsed_seconds,
        ended_at=job.ended_at.isoformat() if job.ended_at else None,
    )


def _progress(seen: Seen) -> Progress:
    if seen.status in ("queued", "blocked", "starting"):
        return Progress()
    progress = progress_of(recent_events(seen.files.events), seen.job.attempt)
    if seen.status == "running":
        return progress
    return Progress(progress.stage, progress.done, progress.total)


def _asked(seen: Seen) -> str | None:
    """What it was asked: by people, as the store has it, or by a machine that goes down, as its worker has it."""
    asked = seen.job.stop_requested or (seen.heartbeat.get("mode") if seen.status == "running" else None)
    return None if asked is None else str(asked)


def _view(seen: Seen, positions: dict[str, int]) -> JobView:
    job = seen.job
    outcome = seen.outcome or _recorded_outcome(job)
    progress = _progress(seen)
    return JobView(
        id=job.id,
        kind=job.kind,
        project_id=job.project_id,
        status=seen.status,
        recorded_status=job.status,
        stage=progress.stage,
        done=progress.done,
        total=progress.total,
        eta_seconds=progress.eta_seconds,
        elapsed_seconds=_elapsed(seen, outcome),
        error=outcome.error,
        result=outcome.result,
        reason=ErrorRecord(code=job.reason["code"], params=job.reason["params"]) if job.reason else None,
        can_resume=seen.status in RESUMABLE and can_go_on(job.kind, job.payload, seen.files.folder),
        can_stop=seen.status in ACTIVE,
        stop_state=stop_state(seen.status, _asked(seen), outcome.stop_step, outcome.result),
        stop_step=seen.heartbeat.get("step") if seen.status == "running" else outcome.stop_step,
        stop_requested_by=job.stop_requested_by,
        position_in_queue=positions.get(job.id),
        slot=job.slot,
        attempt=job.attempt,
        launcher=dict(job.launcher or {"name": "subprocess"}),
        parent_id=job.parent_id,
        group=job.group_key,
        actor=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=datetime.fromisoformat(outcome.ended_at) if outcome.ended_at else None,
        heartbeat_age=seen.heartbeat_age if seen.status == "running" else None,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        payload=job.payload,
        run_dir=seen.files.folder,
        log_path=seen.files.log,
        events_path=seen.files.events,
    )


def jobs_beginning(beginning: str, limit: int = 2) -> list[str]:
    """Ids of the jobs whose id begins so, however old they are; at most `limit` of them."""
    wanted = select(tb.Job.id).where(tb.Job.id.startswith(beginning, autoescape=True))
    with read() as session:
        return list(session.scalars(wanted.order_by(tb.Job.id.desc()).limit(limit)))


@dataclass(frozen=True)
class SlotUse:
    """One slot of this home, and what is in it."""

    slot: str
    """`device`, `host` or `cpu`; a sentence at `jobs.slot.<slot>`."""
    capacity: int
    """How many jobs may hold it at once."""
    held: list[JobView]
    """Jobs that hold it, the oldest first."""
    waiting: list[JobView]
    """Jobs that wait for it, in their order."""


def slots_in_use() -> list[SlotUse]:
    """Who holds each slot of this home and who waits for it, whatever project they belong to."""
    home = home_id()
    with read() as session:
        wanted = select(tb.Job).where(tb.Job.home_id == home, tb.Job.status.in_(ACTIVE))
        jobs = list(session.scalars(wanted.order_by(tb.Job.position, tb.Job.id)))
    positions = _positions()
    views = [(job.slots, _view(look(job), positions)) for job in jobs]
    return [
        SlotUse(
            slot,
            capacity,
            [view for slots, view in views if slot in slots and view.status in HOLDING],
            [view for slots, view in views if slot in slots and view.status in WAITING],
        )
        for slot, capacity in SLOTS.items()
    ]


def events(job_id: str, after: int = 0) -> list[Event]:
    """Events of a job over all attempts with a sequence number above `after`."""
    return read_events(RunFiles.of(job_id, 1).events, after)


def log_tail(job_id: str, lines: int = 200, search: str = "") -> str:
    """The last lines that the job's work wrote, secrets blanked out; empty before it wrote any.

    With `search` they are the last of the whole log that hold these words, in any case, each behind its number.
    """
    log = RunFiles.of(job_id, 1).log
    return redact(lines_with(log, search, lines) if search.strip() else text_tail(log, lines))
