"""kill -9 of anything in a whole comparison, and of the app: nothing false is shown, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from core import jobs
from core.evaluation import results
from core.models import stop_host
from core.projects import ComparisonConfig, load_sample, start_comparison_job
from core.store import read
from core.store import tables as tb
from tests.e2e.running import Server, serve

FULL = "FAULT_TRIALS" in os.environ
STRIKES = 16 if FULL else 4
GRACE_SECONDS = 20
"""How long a worker that was killed this moment may still be shown as running."""
LIMIT_SECONDS = 900
QUESTIONS = 12


def processes_of(home: Path, *words: str) -> list[psutil.Process]:
    """Workers, children and hosts of this home, by their environment: never another's."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("KURABE_HOME") == str(home)
            line = " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if mine and any(word in line for word in words):
            found.append(process)
    return found


def answers_kept(project_id: str) -> Counter[tuple[str, str, str, int]]:
    """Finished answers by what was asked of whom."""
    columns = (tb.Answer.phase, tb.Answer.approach_id, tb.Answer.example_id, tb.Answer.repetition)
    wanted = select(*columns).where(tb.Answer.project_id == project_id, tb.Answer.status == "finished")
    with read() as session:
        return Counter(tuple(row) for row in session.execute(wanted))  # type: ignore[misc]


class Statuses:
    """Checks what is shown against the processes that there are."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.alone_since: dict[str, float] = {}

    def check(self, job_id: str) -> None:
        """A job shown as running has a live worker, one shown as done has its result, any other can be resumed."""
        lines = [" ".join(each.cmdline()) for each in processes_of(self.home, "core.worker") if each.is_running()]
        for view in [jobs.job_view(job_id), *jobs.list_jobs(parent_id=job_id)]:
            if view.status == "succeeded":
                assert view.result is not None
            if view.status in ("lost", "failed", "killed"):
                assert view.can_resume
            if view.status == "running" and not any(view.id in line for line in lines):
                since = self.alone_since.setdefault(view.id, time.monotonic())
                assert time.monotonic() - since < GRACE_SECONDS, f"{view.kind} is shown as running, but nothing runs it"
            else:
                self.alone_since.pop(view.id, None)


def strike(home: Path, app: Server, lot: random.Random) -> str:
    """Kill one of the processes; return what it was."""
    named = {each.pid: name for name in ("core.worker.child", "core.host", "core.worker ")
             for each in processes_of(home, name)}  # fmt: skip
    named[app.process.pid] = "app"
    kind = lot.choice(sorted(set(named.values())))
    os.kill(lot.choice([pid for pid, name in named.items() if name == kind]), signal.SIGKILL)
    return kind


@pytest.mark.slow
@pytest.mark.faults
def test_a_comparison_survives_kills_of_worker_child_host_and_app(home: Path, tmp_path: Path) -> None:
    with ExitStack() as running:
        running.callback(stop_host)
        _see_it_through(home, tmp_path / "app.log", running)


def _see_it_through(home: Path, log: Path, running: ExitStack) -> None:
    lot = random.Random(20261121)
    app = running.enter_context(serve(home, log))
    statuses, struck_kinds = Statuses(home), Counter[str]()
    project = load_sample("en")
    config = ComparisonConfig(questions=QUESTIONS, latency_questions=2, training_seconds=6)
    job_id = start_comparison_job(project.id, config)
    kept = answers_kept(project.id)
    struck, deadline, next_strike = 0, time.monotonic() + LIMIT_SECONDS, time.monotonic() + 5
    while time.monotonic() < deadline:
        jobs.tick()
        view = jobs.job_view(job_id)
        statuses.check(job_id)
        now = answers_kept(project.id)
        assert not kept - now, "a finished answer was lost"
        kept = now
        if view.status == "succeeded":
            break
        if not view.active:
            jobs.resume(job_id)
        if struck < STRIKES and time.monotonic() > next_strike:
            struck_kinds[strike(home, app, lot)] += 1
            struck += 1
            next_strike = time.monotonic() + lot.uniform(3, 12)
        if app.process.poll() is not None:
            app = running.enter_context(serve(home, log))
        time.sleep(0.5)
    view = jobs.job_view(job_id)
    assert view.status == "succeeded", (view.status, view.error)
    assert struck == STRIKES and len(struck_kinds) >= 3, struck_kinds
    found = results(str((view.result or {})["experiment_id"]))
    assert found.complete
    assert all(count == 1 for count in kept.values()), "a question was answered twice"
    with read() as session:
        planned = session.scalar(select(func.count()).where(tb.Answer.experiment_id == found.experiment_id))
    assert planned == len(kept)
