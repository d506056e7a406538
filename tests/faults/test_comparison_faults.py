"""kill -9 of anything in a whole comparison: nothing false is shown, nothing answered is lost, resume finishes it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from core import jobs
from core.evaluation import results
from core.projects import ComparisonConfig, load_sample, start_comparison_job
from core.store import read
from core.store import tables as tb

FULL = "FAULT_TRIALS" in os.environ
STRIKES = 12 if FULL else 3
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


def assert_nothing_false(job_id: str) -> None:
    """A job shown as running has a live worker; one shown as ended has none."""
    for view in [jobs.job_view(job_id), *jobs.list_jobs(parent_id=job_id)]:
        if view.status == "succeeded":
            assert view.result is not None
        if view.status in ("lost", "failed", "killed"):
            assert view.can_resume


def strike(home: Path, lot: random.Random) -> None:
    targets = processes_of(home, "core.worker", "core.host")
    if targets:
        chosen = lot.choice(targets)
        try:
            chosen.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return


@pytest.mark.slow
@pytest.mark.faults
def test_a_comparison_survives_kills_of_worker_child_and_host(home: Path) -> None:
    lot = random.Random(20261121)
    project = load_sample("en")
    config = ComparisonConfig(questions=QUESTIONS, latency_questions=2, training_seconds=6)
    job_id = start_comparison_job(project.id, config)
    kept = answers_kept(project.id)
    struck, deadline, next_strike = 0, time.monotonic() + LIMIT_SECONDS, time.monotonic() + 5
    while time.monotonic() < deadline:
        jobs.tick()
        view = jobs.job_view(job_id)
        assert_nothing_false(job_id)
        now = answers_kept(project.id)
        assert not kept - now, "a finished answer was lost"
        kept = now
        if view.status == "succeeded":
            break
        if not view.active:
            jobs.resume(job_id)
        if struck < STRIKES and time.monotonic() > next_strike:
            strike(home, lot)
            struck += 1
            next_strike = time.monotonic() + lot.uniform(3, 12)
        time.sleep(0.5)
    view = jobs.job_view(job_id)
    assert view.status == "succeeded", (view.status, view.error)
    assert struck == STRIKES
    found = results(str((view.result or {})["experiment_id"]))
    assert found.complete
    assert all(count == 1 for count in kept.values()), "a question was answered twice"
    with read() as session:
        planned = session.scalar(select(func.count()).where(tb.Answer.experiment_id == found.experiment_id))
    assert planned == len(kept)
