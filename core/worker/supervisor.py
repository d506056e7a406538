"""See one job through: start its child, beat, pass stops on, escalate, reap, record the end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, replace
from types import FrameType
from typing import Any, Final

from core.errors import KurabeError, as_kurabe_error
from core.identity import now, process_identity
from core.jobs.event_log import EventLog
from core.jobs.files import RunFiles, identity_record, write_stop_file
from core.jobs.kinds import JobKind, kind_named
from core.jobs.launchers import LAUNCHERS
from core.jobs.observe import get_job, log_end
from core.jobs.outcome import Ending, Outcome, StopStep, conclude
from core.jobs.processes import CHILD_MODULE, end_session, signal_group
from core.jobs.queue import finish
from core.jobs.states import HEARTBEAT_SECONDS
from core.settings import ROOT, settings
from core.store import tables as tb
from core.worker.child import ATTEMPT_VARIABLE
from core.worker.memory import MemoryWatch, with_relief
from core.worker.watch import Guard, supervisor_mark

logger = logging.getLogger(__name__)
_POLL_SECONDS: Final = 0.1
_STORE_LOOK_SECONDS: Final = 3.0
_FINISH_TRIES: Final = 5


class Supervisor:
    """One attempt of one job, from its child's start to its recorded end."""

    def __init__(self, job: tb.Job, token: str) -> None:
        """Take the record as it was when this worker took it over."""
        self.job = job
        self.token = token
        self.files = RunFiles.of(job.id, job.attempt)
        self.kind: JobKind = kind_named(job.kind)
        self.step: StopStep | None = None
        self._began = time.monotonic()
        self._asked_at: float | None = None
        self._termed_at: float | None = None
        self._result_at: float | None = None
        self._mode: str | None = None
        self._child_pid: int | None = None
        self._memory = MemoryWatch()
        self._beaten = self._store_looked = float("-inf")
        self._interrupted = False

    def run(self) -> None:
        """Run the child to its end and record it; whatever goes wrong here becomes the job's error."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_interrupt)
        try:
            self.files.create()
            self.files.set_reserve()
            self._beat()
            self._note("started")
            outcome = self._see_through()
        except (OSError, KurabeError) as error:
            logger.exception("job %s could not be run", self.job.id)
            self._end_child_session()
            outcome = Outcome("failed", error=as_kurabe_error(error).as_record())
        self._record(outcome)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True  # the machine goes down, or an administrator ends the worker: save

    # ── the child ──────────────────────────────────────────────────────────────────────────────

    def _see_through(self) -> Outcome:
        child = self._start_child()
        guard = Guard(child.pid)
        try:
            while child.poll() is None:
                self._beat()
                self._pass_stop_on(child)
                time.sleep(_POLL_SECONDS)
            self._note_request()  # the child may have read it, saved and gone between two looks
        finally:
            if child.poll() is None:  # an error here must not leave it behind
                signal_group(child.pid, signal.SIGKILL)
                child.wait()
            guard.release()
        self._end_child_session()
        outcome = conclude(
            Ending(
                left=self._left_behind(),
                returncode=child.returncode,
                mode=self._mode,
                step=self.step,
                tail=log_end(self.files),
                between=self.job.launcher.get("name", "subprocess") != "subprocess",
                kills=self._memory.kills,
                held_bytes=self._memory.held,
            )
        )
        return with_relief(outcome, self.kind, self.job, self.files, self._memory)

    def _left_behind(self) -> dict[str, Any] | None:
        """Return what the child left; what broke another of its processes, where that is all or explains more."""
        left, broken = (
            found if found and found.get("token") == self.token else None
            for found in (self.files.read("result"), self.files.read("broken"))
        )
        error = (left or {}).get("error") or {}
        # A process that waits for one that is gone fails too, with words about a closed connection.
        return broken if broken and (left is None or error.get("code") == "internal") else left

    def _start_child(self) -> subprocess.Popen[bytes]:
        """Start the real work in a new session.

        Called from the main thread: the kernel's parent-death signal follows the *thread* that forked.
        """
        job = self.job
        launcher = LAUNCHERS.build(job.launcher)
        launcher.check()
        self.files.write(
            "task",
            {
                "job_id": job.id,
                "project_id": job.project_id,
                "attempt": job.attempt,
                "token": self.token,
                "target": self.kind.target,
                "payload": job.payload,
            },
        )
        with self.files.log.open("ab") as log:
            child = subprocess.Popen(
                launcher.command(CHILD_MODULE, [job.id]),
                cwd=ROOT,
                env=self._child_environment(launcher.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._child_pid = child.pid
        self.files.write("child", {"token": self.token, **identity_record(process_identity(child.pid))})
        return child

    def _child_environment(self, added: dict[str, str]) -> dict[str, str]:
        marks = {ATTEMPT_VARIABLE: str(self.job.attempt), "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **added, **marks, **supervisor_mark()}

    def _end_child_session(self) -> None:
        """End what the child started and left; the slot must not be free before its memory is."""
        if not end_session(self.token, self.job.id, self._child_pid, limit=30.0):
            logger.error("job %s: processes of its session could not be ended", self.job.id)

    # ── stopping ───────────────────────────────────────────────────────────────────────────────

    def _note_request(self) -> None:
        mode = self._requested_mode()
        if mode is not None and mode != self._mode:
            self._mode, self._asked_at = mode, time.monotonic()
            self.step = self.step or "asked"

    def _pass_stop_on(self, child: subprocess.Popen[bytes]) -> None:
        self._note_request()
        instant = time.monotonic()
        self._end_lingering(child, instant)
        if self._asked_at is None:
            return
        if self.step == "asked" and instant - self._asked_at > self._patience():
            self.step, self._termed_at = "sigterm", instant
            self._mark_escalation()
            signal_group(child.pid, signal.SIGTERM)
        elif self._termed_at is not None and instant - self._termed_at > self._limit(self.kind.term_seconds):
            self.step = "sigkill"
            signal_group(child.pid, signal.SIGKILL)

    def _mark_escalation(self) -> None:
        """Let the child know that this SIGTERM ends its time to save; one from elsewhere is a request to save."""
        try:
            self.files.write("escalation", {"token": self.token, "at": now().isoformat()})
        except OSError:
            logger.exception("escalation file; the child takes the signal for a request, and SIGKILL follows")

    def _requested_mode(self) -> str | None:
        """The request by file at once, by store every few seconds (from machines that share no files)."""
        if self._interrupted:
            self._interrupted = False
            self._write_stop("stop", "system")
        instant = time.monotonic()
        if instant - self._store_looked > _STORE_LOOK_SECONDS:
            self._store_looked = instant
            self._look_in_store()
        return (self.files.read("stop") or {}).get("mode") or self._mode

    def _look_in_store(self) -> None:
        try:
            job = get_job(self.job.id)
        except KurabeError as error:
            if error.code == "store.missing":  # deleted with its project: nobody wants the work any more
                self._write_stop("cancel", "system")
            return
        if job.launch_token == self.token and job.stop_requested is not None:
            self._write_stop(job.stop_requested, job.stop_requested_by or "")

    def _write_stop(self, mode: str, who: str) -> None:
        try:
            write_stop_file(self.files, mode, who)
        except OSError:
            logger.exception("stop file; the escalation goes on without it")
            self._mode, self._asked_at = mode, self._asked_at or time.monotonic()
            self.step = self.step or "asked"

    def _patience(self) -> float:
        if self._mode == "cancel":
            return self._limit(self.kind.ask_seconds)
        usual = self._limit(self.kind.save_seconds, 4 * settings().stop_grace_seconds)
        asked_for = (self.files.read("limits") or {}).get("save_seconds")
        return max(usual, float(asked_for)) if isinstance(asked_for, int | float) else usual

    @staticmethod
    def _limit(seconds: float | None, default: float | None = None) -> float:
        if seconds is not None:
            return seconds
        return settings().stop_grace_seconds if default is None else default

    def _end_lingering(self, child: subprocess.Popen[bytes], instant: float) -> None:
        """A child whose result is written but that hangs while it exits has done its work."""
        if self._result_at is None:
            found = self.files.read("result")
            self._result_at = instant if found and found.get("token") == self.token else None
        elif instant - self._result_at > self._limit(self.kind.term_seconds):
            logger.warning("job %s had its result but did not exit", self.job.id)
            signal_group(child.pid, signal.SIGKILL)

    # ── what is written ────────────────────────────────────────────────────────────────────────

    def _beat(self) -> None:
        instant = time.monotonic()
        if instant - self._beaten < HEARTBEAT_SECONDS:
            return
        self._beaten = instant
        self._memory.look(self._child_pid)
        beat: dict[str, Any] = {
            "at": now().isoformat(),
            "elapsed": instant - self._began,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "child": self._child_pid,
            "step": self.step,
            "mode": self._mode,
        }
        try:
            self.files.beat(beat)
        except OSError:
            logger.exception("heartbeat")  # the process itself still shows that it runs

    def _note(self, kind: str, **data: Any) -> None:
        """Add an event while no child runs: an events file has one writer at a time."""
        try:
            EventLog(self.files.events).append(kind, attempt=self.job.attempt, **data)
        except (OSError, KurabeError):
            logger.exception("event %s", kind)

    def _record(self, outcome: Outcome) -> None:
        """Write the end: first the file, then the event, then the store."""
        outcome = replace(
            outcome,
            elapsed_seconds=time.monotonic() - self._began,
            ended_at=now().isoformat(),
            disk_bytes=self.files.size(),
        )
        self.files.free_reserve()
        try:
            self.files.write("outcome", {**asdict(outcome), "token": self.token})
        except OSError:
            logger.exception("outcome file")
        self._note("ended", status=outcome.status, error=outcome.error)
        self._persist(outcome)

    def _persist(self, outcome: Outcome) -> None:
        for trial in range(_FINISH_TRIES):
            try:
                finish(self.job.id, self.token, outcome)
                return
            except KurabeError:
                # The outcome file stands; whoever ticks next persists it.
                logger.exception("store, try %d", trial + 1)
                time.sleep(1.0)
