"""kill -9 of workers, children and claimers at random moments: nothing false is shown, nothing is left, all resumes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import jobs
from core.identity import ProcessIdentity, process_identity
from core.jobs.observe import get_job
from core.jobs.processes import worker_lives
from core.settings import ROOT
from tests.faults.witness import LIMIT, Witness, exists, strike_and_finish

TRIALS = int(os.environ.get("FAULT_TRIALS", "200"))

_CLAIM_AND_DIE = """
import os
import tests.jobs.targets
from core.jobs import queue
from core.jobs.files import home_id
from core.store import read
with read() as session:
    waiting = queue.jobs_of_home(session, home_id(), ["queued"])
assert len(queue.claim(home_id(), {job.id: None for job in waiting})) == 1
os.kill(os.getpid(), 9)
"""

_SUBMIT = """
import sys, time
import tests.jobs.targets
from core import jobs
jobs.submit("t-count-device", {"n": 15, "step": 0.02})
time.sleep(600)
"""


def running(n: int, **payload: object) -> Witness:
    job_id = jobs.submit("t-count-device", {"n": n, "step": 0.05, **payload})
    return Witness(job_id, n, Path(os.environ["KURABE_HOME"]))


def until_counting(witness: Witness) -> int:
    """Wait until the child works; returns its pid."""
    deadline = time.monotonic() + LIMIT
    while (witness.look().done or 0) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    view = jobs.job_view(witness.job_id)
    text = (view.run_dir / "attempts" / str(view.attempt) / "child.json").read_text()
    return int(text.split('"pid": ')[1].split(",")[0])


@pytest.mark.parametrize("victim", ["worker", "worker and guard"])
def test_a_child_does_not_outlive_its_worker_and_the_job_is_lost(victim: str) -> None:
    witness = running(10_000, helper=True)
    child = until_counting(witness)
    assert witness.strike(victim)
    deadline = time.monotonic() + 5
    while exists(child):
        assert time.monotonic() < deadline, "the child went on unnoticed"
        time.sleep(0.02)
    assert witness.look().status == "lost"
    view = witness.until_recorded_end()
    assert view.status == "lost"
    assert view.error is not None
    assert view.error["code"] == "jobs.lost"
    assert view.can_resume


def test_a_child_that_is_killed_alone_is_a_failure_and_resumes_where_it_was() -> None:
    witness = running(12)
    until_counting(witness)
    assert witness.strike("child")
    view = witness.until_recorded_end()
    assert view.status == "failed"
    assert view.error is not None
    assert view.error["params"]["signal"] == "SIGKILL"
    jobs.resume(witness.job_id)
    done = witness.until_recorded_end()
    assert (done.status, done.attempt) == ("succeeded", 2)
    assert done.result is not None
    assert done.result["began"] >= 1


def test_a_claimer_that_dies_before_it_starts_a_worker_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # so that only the doomed process claims
    job_id = jobs.submit("t-count-device", {"n": 2})
    ended = subprocess.run([sys.executable, "-c", _CLAIM_AND_DIE], cwd=ROOT, timeout=LIMIT)
    assert ended.returncode == -9
    assert get_job(job_id).status == "starting"
    assert jobs.job_view(job_id).status == "queued"
    assert Witness(job_id, 2, Path(os.environ["KURABE_HOME"])).until_recorded_end().status == "succeeded"
    assert get_job(job_id).launches == 2


def test_a_job_whose_workers_never_report_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KURABE_JOB_KIND_MODULES", "no_such_module_anywhere")
    job_id = jobs.submit("t-count-device", {"n": 2})
    deadline = time.monotonic() + LIMIT
    while (view := jobs.job_view(job_id)).status in ("queued", "starting"):
        assert time.monotonic() < deadline
        jobs.tick()
        time.sleep(0.05)
    assert view.status == "failed"
    assert view.error is not None
    assert view.error["code"] == "jobs.would_not_start"
    assert "no_such_module_anywhere" in view.error["params"]["tail"]


def test_a_job_outlives_the_process_that_submitted_it(home: Path) -> None:
    submitter = subprocess.Popen([sys.executable, "-c", _SUBMIT], cwd=ROOT)
    deadline = time.monotonic() + LIMIT
    while not (found := jobs.list_jobs()) or found[0].status != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    submitter.kill()
    submitter.wait()
    assert Witness(found[0].id, 15, home).until_recorded_end().status == "succeeded"


def test_a_stepped_clock_does_not_make_a_living_worker_look_dead_nor_a_stranger_alive() -> None:
    me = process_identity()
    shifted = ProcessIdentity(me.pid, me.start_time - 3600, me.pgid)
    assert worker_lives(me, heartbeat_age=None)
    assert worker_lives(shifted, heartbeat_age=1.0), "the clock was stepped, but it wrote a heartbeat just now"
    assert not worker_lives(shifted, heartbeat_age=60.0), "somebody else has its number by now"


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_job_struck_at_a_random_moment_still_ends_well(home: Path, seed: int) -> None:
    strike_and_finish(home, random.Random(seed), strikes=1)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(TRIALS // 2))
def test_full_length_every_job_ends_well_whatever_is_killed_when(home: Path, seed: int) -> None:
    strike_and_finish(home, random.Random(1000 + seed), strikes=2)
