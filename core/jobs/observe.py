"""Look at one job from outside and compute its status; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from core.errors import KurabeError
from core.identity import ProcessIdentity, alive, now
from core.jobs.files import RunFiles, identity_from, text_tail
from core.jobs.outcome import Ending, Outcome, conclude
from core.jobs.processes import worker_lives
from core.jobs.secrets import redact
from core.jobs.states import HOLDING, Observation, computed_status
from core.store import read
from core.store import tables as tb

TAIL_LINES: Final = 20
TAIL_CHARACTERS: Final = 2000


@dataclass(frozen=True)
class Seen:
    """One job with what was seen of it."""

    job: tb.Job
    files: RunFiles
    status: str
    """Computed."""
    outcome: Outcome | None
    """How the present attempt ended, if that is not in the store yet."""
    heartbeat: dict[str, Any]
    """Last heartbeat of the present attempt; empty without one."""
    heartbeat_age: float | None


def get_job(job_id: str) -> tb.Job:
    """Read one record.

    Raises:
        KurabeError: `store.missing`.
    """
    with read() as session:
        job = session.get(tb.Job, job_id)
    if job is None:
        raise KurabeError("store.missing", kind="job", id=job_id)
    return job


def look(job: tb.Job) -> Seen:
    """Compute a job's status; looks again if the record changed meanwhile."""
    while True:
        seen = _look_once(job)
        if seen.status == job.status or job.status not in HOLDING:
            return seen
        again = get_job(job.id)
        if (again.status, again.launch_token, again.attempt) == (job.status, job.launch_token, job.attempt):
            return seen
        job = again


def _look_once(job: tb.Job) -> Seen:
    files = RunFiles.of(job.id, job.attempt)
    if job.status not in HOLDING:
        return Seen(job, files, job.status, None, files.read("heartbeat") or {}, None)
    heartbeat = files.read("heartbeat") or {}
    age = _age(heartbeat.get("at"))
    # Liveness first, files second: see Observation.
    lives = _worker_alive(job, age)
    launch_dead = job.status == "starting" and _launch_dead(job, files)
    outcome = read_outcome(job, files)
    if outcome is None and lives is False:
        outcome = _outcome_of_finished_child(job, files)
    claim_age = (now() - job.claimed_at).total_seconds() if job.claimed_at else 0.0
    status = computed_status(
        Observation(job.status, claim_age, launch_dead, lives, age, outcome.status if outcome else None)
    )
    if status == "lost":
        outcome = lost_outcome(job, files, heartbeat)
    return Seen(job, files, status, outcome, heartbeat, age)


def _age(at: Any) -> float | None:
    return (now() - datetime.fromisoformat(at)).total_seconds() if isinstance(at, str) else None


def worker_identity(job: tb.Job) -> ProcessIdentity | None:
    """The worker's process; None if there is none yet or it is on another machine."""
    return identity_from(
        {"pid": job.pid, "start_time": job.process_start, "pgid": job.pgid, "host": job.worker_host}
        if job.pid is not None
        else None
    )


def _worker_alive(job: tb.Job, heartbeat_age: float | None) -> bool | None:
    if job.status != "running":
        return None
    identity = worker_identity(job)
    return None if identity is None else worker_lives(identity, heartbeat_age)


def _launch_dead(job: tb.Job, files: RunFiles) -> bool:
    """True if the started worker is gone, or its claimer died before it could start one."""
    launch = files.read("launch")
    started = launch if launch and launch.get("token") == job.launch_token else None
    identity = identity_from(started or job.claimer)
    return identity is not None and not alive(identity)


def read_outcome(job: tb.Job, files: RunFiles) -> Outcome | None:
    """The outcome file of the present launch."""
    data = files.read("outcome")
    if data is None or data.get("token") != job.launch_token:
        return None
    names = {field.name for field in fields(Outcome)}
    return Outcome(**{name: value for name, value in data.items() if name in names})


def _outcome_of_finished_child(job: tb.Job, files: RunFiles) -> Outcome | None:
    """The worker died, but its child had finished: its result is whole and stands."""
    left = files.read("result")
    if left is None or left.get("token") != job.launch_token:
        return None
    return conclude(Ending(left=left, returncode=None, mode=job.stop_requested))


def lost_outcome(job: tb.Job, files: RunFiles, heartbeat: dict[str, Any]) -> Outcome:
    """The outcome of an attempt whose worker vanished without one, with the end of its log."""
    error = KurabeError("jobs.lost", attempt=job.attempt, tail=log_end(files))
    elapsed = heartbeat.get("elapsed")
    return Outcome("lost", error=error.as_record(), elapsed_seconds=elapsed, ended_at=heartbeat.get("at"))


def log_end(files: RunFiles) -> str:
    """The last lines of a job's log, short enough to be stored, without secrets."""
    return redact(text_tail(files.log, TAIL_LINES))[-TAIL_CHARACTERS:]
