"""kill -9 of anything in a comparison and its app, also while waiting times are taken: nothing false, nothing lost."""

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

from core import datasets, jobs
from core.approaches import ensure_presets
from core.decision import failure_texts
from core.evaluation import ExperimentConfig, results, start_experiment
from core.models import stop_host
from core.projects import ComparisonConfig, load_sample, start_comparison_job
from core.store import read
from core.store import tables as tb
from tests.approaches.world import make_project
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


def strike(home: Path, app: Server, lot: random.Random, kind: str = "") -> str:
    """Kill one of the processes, of a kind if it is told; return what it was, empty if there is none."""
    named = {each.pid: name for name in ("core.worker.child", "core.host", "core.worker ")
             for each in processes_of(home, name)}  # fmt: skip
    named[app.process.pid] = "app"
    kind = kind or lot.choice(sorted(set(named.values())))
    found = [pid for pid, name in named.items() if name == kind]
    if not found:
        return ""
    os.kill(lot.choice(found), signal.SIGKILL)
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


VICTIMS = ("core.worker.child", "core.worker ", "core.host", "app")
LATENCY_STRIKES = 12 if FULL else 4
"""Each of the four in turn, with at least one new waiting time between two of them."""


def waits_kept(experiment_id: str) -> dict[str, tuple[object, ...]]:
    """What was measured of the finished answers of the latency phase, by answer."""
    a = tb.Answer
    columns = (a.id, a.started_at, a.finished_at, a.total_seconds, a.first_token_seconds, a.attempts, a.text)
    wanted = select(*columns).where(a.experiment_id == experiment_id, a.phase == "latency", a.status == "finished")
    with read() as session:
        return {row.id: tuple(row) for row in session.execute(wanted)}


@pytest.mark.slow
@pytest.mark.faults
def test_waiting_times_survive_kills_of_child_worker_host_and_app(home: Path, tmp_path: Path) -> None:
    with ExitStack() as running:
        running.callback(stop_host)
        project = make_project()
        made = {approach.preset: approach.id for approach in ensure_presets(project.id)}
        version = datasets.latest_version(project.id)
        assert version is not None
        config = ExperimentConfig(dataset_version_id=version.id, approach_ids=(made["base"], made["rag"]))
        experiment = start_experiment(project.id, config)
        _take_the_waits(home, tmp_path / "app.log", experiment, running)
    found = results(experiment.id)
    assert found.complete
    waits = waits_kept(experiment.id)
    assert len(waits) == 24, "each waiting time is taken once"
    again = sum(1 for row in waits.values() if row[5] != 1)
    assert sum(approach.latency.failed for approach in found.approaches) == again
    assert all(approach.latency.n + approach.latency.failed == 12 for approach in found.approaches)
    said = " ".join(failure_texts(found, "en"))
    assert ("second try" in said) == (again > 0), "the page says which calls needed a second try"


def _take_the_waits(home: Path, log: Path, experiment: tb.Experiment, running: ExitStack) -> None:
    """Kill a process in the latency phase again and again, and see that what was measured stays as it is."""
    lot, job_id = random.Random(20261122), str(experiment.job_id)
    app = running.enter_context(serve(home, log))
    statuses, struck, kept, seen = Statuses(home), 0, dict[str, tuple[object, ...]](), 0
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline and (view := jobs.job_view(job_id)).status != "succeeded":
        jobs.tick()
        statuses.check(job_id)
        now = waits_kept(experiment.id)
        assert all(now.get(answer_id) == row for answer_id, row in kept.items()), "a waiting time was lost or retaken"
        kept = now
        if not view.active:
            jobs.resume(job_id)
        elif seen < len(kept) < 24 and struck < LATENCY_STRIKES:
            time.sleep(lot.uniform(0, 0.5))
            if strike(home, app, lot, VICTIMS[struck % len(VICTIMS)]):
                struck, seen = struck + 1, len(kept)
        if app.process.poll() is not None:
            app = running.enter_context(serve(home, log))
        time.sleep(0.05)
    assert jobs.job_view(job_id).status == "succeeded"
    assert struck == LATENCY_STRIKES, struck
