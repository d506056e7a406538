"""Watches a job through its views while processes are killed, and compares each with what is really there."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core import jobs
from core.jobs import TERMINAL, JobView
from core.jobs.files import RunFiles
from core.jobs.observe import get_job
from tests.jobs.conftest import job_processes

LIMIT = 120.0


def exists(pid: int | None) -> bool:
    """Whether a process runs; zombies do not."""
    try:
        return pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid: int | None) -> bool:
    """`kill -9`; True if there was something to kill."""
    if not exists(pid):
        return False
    try:
        os.kill(int(pid or 0), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Witness:
    """One job that counts to `n`, and everything that was seen of it."""

    job_id: str
    n: int
    home: Path
    statuses: list[str] = field(default_factory=list)

    def look(self) -> JobView:
        """One view, which must agree with the processes and files around it."""
        before = get_job(self.job_id)
        lived = exists(before.pid)
        view = jobs.job_view(self.job_id)
        after = get_job(self.job_id)
        same = (before.launch_token, before.status) == (after.launch_token, after.status)
        if same and before.status == "running" and not lived:
            assert view.status not in ("running", "starting", "queued"), "a dead worker was shown at work"
        if view.status == "lost":
            assert not (same and exists(after.pid)), "a living worker was shown as lost"
        if view.status == "succeeded":
            self._its_work_is_done(view)
        if view.recorded_status in TERMINAL:
            self._nothing_of_it_runs(view)
        if not self.statuses or self.statuses[-1] != view.status:
            self.statuses.append(view.status)
        return view

    def _its_work_is_done(self, view: JobView) -> None:
        assert (view.result or {}).get("done") == self.n
        assert int((view.run_dir / "count.txt").read_text()) == self.n

    def _nothing_of_it_runs(self, view: JobView) -> None:
        """The slot is free from here on: only the worker itself may still be ticking."""
        worker = get_job(self.job_id).pid
        left = [
            process.info["cmdline"]
            for process in job_processes(self.home)
            if process.pid != worker
            and process.environ().get("_KURABE_JOB_ID") == self.job_id
            and "core.worker" not in (process.info["cmdline"] or [])
        ]
        assert not left or jobs.job_view(self.job_id).attempt != view.attempt, (view.status, left)

    def until_recorded_end(self) -> JobView:
        """Look and tick until the store has the end of this attempt."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            view = self.look()
            if view.recorded_status in TERMINAL:
                return view
            jobs.tick()
            time.sleep(0.05)
        raise AssertionError((self.statuses, jobs.job_view(self.job_id)))

    def strike(self, victim: str) -> bool:
        """Kill -9 what is named: `worker`, `child`, `both`, or `worker and guard`."""
        job = get_job(self.job_id)
        child = (RunFiles.of(self.job_id, job.attempt).read("child") or {}).get("pid")
        hit = False
        if victim == "worker and guard" and exists(job.pid):
            for process in psutil.Process(job.pid).children():
                if process.name() in ("sh", "dash", "bash"):
                    hit |= kill(process.pid)
        if victim != "child":
            hit |= kill(job.pid)
        if victim in ("child", "both"):
            hit |= kill(child)
        return hit

    def check_events(self) -> None:
        """Numbers without gap or repetition, whatever was cut off in between."""
        numbers = [event["seq"] for event in jobs.events(self.job_id)]
        assert numbers == list(range(1, len(numbers) + 1))


def strike_and_finish(home: Path, chance: random.Random, *, strikes: int) -> Witness:
    """Run one job, kill parts of it at random moments in up to `strikes` attempts, resume it until it is done."""
    n = 25
    job_id = jobs.submit("t-count-device", {"n": n, "step": 0.04, "helper": chance.random() < 0.5})
    witness = Witness(job_id, n, home)
    for number in range(strikes + 6):
        if number < strikes:
            until = time.monotonic() + chance.uniform(0.0, 3.0)
            while time.monotonic() < until:
                witness.look()
                time.sleep(0.02)
            witness.strike(chance.choice(["worker", "child", "both", "worker and guard"]))
        view = witness.until_recorded_end()
        if view.status == "succeeded":
            witness.check_events()
            return witness
        assert view.status in ("lost", "failed"), view
        assert view.can_resume
        assert view.error is not None
        jobs.resume(job_id)
    raise AssertionError(witness.statuses)
