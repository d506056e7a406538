"""`tick`: persist what became of running jobs, then start what is queued. Safe to call anywhere, any time."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

from core.errors import ErrorRecord, KurabeError
from core.identity import process_identity
from core.jobs.files import RunFiles, home_id, identity_record, require_free_space, text_tail
from core.jobs.kinds import KIND_MODULES, KINDS, kind_modules
from core.jobs.launchers import LAUNCHERS
from core.jobs.observe import TAIL_CHARACTERS, TAIL_LINES, Seen, look
from core.jobs.processes import JOB_VARIABLE, TOKEN_VARIABLE, end_session
from core.jobs.queue import Launch, claim, finish, jobs_of_home, requeue
from core.jobs.secrets import missing_secrets, redact
from core.jobs.states import HOLDING, WAITING
from core.settings import ROOT, settings
from core.store import read
from core.store import tables as tb

logger = logging.getLogger(__name__)
_PRIVATE: Final = "_KURABE_"


def tick() -> None:
    """Bring the queue of this home forward by one step.

    Called by the app while it runs, by every command and by each worker as it ends. Any number of
    processes may call it at once: every change compares before it sets.
    """
    home = home_id()
    with read() as session:
        holding = jobs_of_home(session, home, HOLDING)
    for job in holding:
        _settle(look(job))
    with read() as session:
        waiting = jobs_of_home(session, home, WAITING)
    if waiting:
        for launch in claim(home, {job.id: _obstacle(job) for job in waiting}):
            start_worker(launch)


def _settle(seen: Seen) -> None:
    """Persist a computed status that differs from the record."""
    job = seen.job
    if seen.status == job.status or job.status not in HOLDING:
        return
    if seen.status == "queued":
        requeue(job, redact(text_tail(seen.files.worker_log, TAIL_LINES))[-TAIL_CHARACTERS:])
        return
    # A worker that is gone cannot have ended its child's session. Until nothing of it is left, the
    # device it may hold is not free, so the record, and with it the slot, stays as it is.
    if seen.outcome is not None and job.launch_token is not None and _session_ended(seen):
        finish(job.id, job.launch_token, seen.outcome)


def _session_ended(seen: Seen) -> bool:
    child = seen.files.read("child")
    leader = int(child["pid"]) if child and child.get("token") == seen.job.launch_token else None
    return end_session(str(seen.job.launch_token), seen.job.id, leader)


def _obstacle(job: tb.Job) -> ErrorRecord | None:
    """Why a job cannot start in this process's surroundings now; None if it can."""
    try:
        if job.kind not in KINDS:
            raise KurabeError("jobs.unknown_kind", kind=job.kind, suggestions="-", known=", ".join(sorted(KINDS)))
        if missing := missing_secrets((job.needs_secret or "").split(",") if job.needs_secret else []):
            raise KurabeError("jobs.secret_missing", names=", ".join(missing))
        require_free_space(settings().path("jobs"))
        LAUNCHERS.build(job.launcher).check()
    except KurabeError as error:
        return error.as_record()
    return None


def start_worker(launch: Launch) -> None:
    """Start the supervisor of a claimed job, in a session of its own.

    A failure to do so is logged; the claim is then found stale and the job queued again.
    """
    files = RunFiles.of(launch.job_id, launch.attempt)
    try:
        files.create()
        with files.worker_log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "core.worker", launch.job_id],
                cwd=ROOT,
                env=_environment(launch),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        identity = process_identity(worker.pid)
        # Whoever started it must reap it, or a dead worker would stay in the process table.
        threading.Thread(target=worker.wait, name=f"reap-{worker.pid}", daemon=True).start()
        files.write("launch", {"token": launch.token, **identity_record(identity)})
    except (OSError, KurabeError):
        logger.exception("job %s could not be started", launch.job_id)


def _environment(launch: Launch) -> dict[str, str]:
    """This process's environment without the marks of the job it may itself belong to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    marks = {JOB_VARIABLE: launch.job_id, TOKEN_VARIABLE: launch.token, KIND_MODULES: kind_modules()}
    return {**kept, **marks, "KURABE_HOME": str(settings().home)}


def keep_ticking(every_seconds: float = 5.0) -> Callable[[], None]:
    """Tick at once and then now and then, in a thread of this process; returns what ends it.

    For the app's lifespan: a job whose worker vanished is then settled without anybody looking.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            try:
                tick()
            except KurabeError:
                logger.exception("tick failed; the next one tries again")
            ended.wait(every_seconds)

    thread = threading.Thread(target=run, name="ticking", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        thread.join(timeout=every_seconds + 10)

    return end
