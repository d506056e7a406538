"""kill -9 of worker, trainer, launcher and app while real trainings run: they all end, bit-equal to an unbroken run."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from core import jobs
from core.jobs import JobView
from core.jobs.files import RunFiles
from core.jobs.observe import get_job
from core.settings import ROOT
from core.training import TrainingConfig, run_view, start_training
from tests.faults.witness import Witness, kill
from tests.training.conftest import Known

TRIALS = int(os.environ.get("FAULT_TRIALS", "200"))
PARTS = 4
"""Tests that share the trials, so that as many processes as the machine has can take them."""
VICTIMS = ("worker", "worker and guard", "launcher", "trainer", "app")
LIMIT = 900.0

_APP = """
import time
from core.jobs import tick
while True:
    tick()
    time.sleep(0.2)
"""
"""What an open app does for jobs: it ticks."""


class App:
    """A process that ticks, and another one as soon as it is killed."""

    def __init__(self) -> None:
        self.process = self._started()
        self.deaths = 0

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _APP], cwd=ROOT, stderr=subprocess.DEVNULL)

    def strike(self) -> bool:
        hit = kill(self.process.pid)
        self.process.wait()
        self.deaths += hit
        self.process = self._started()
        return hit


@contextmanager
def open_app() -> Iterator[App]:
    app = App()
    try:
        yield app
    finally:
        app.process.kill()
        app.process.wait()


@dataclass
class TrainingWitness(Witness):
    """One training and everything that was seen of it."""

    run_id: str = ""
    hits: list[str] = field(default_factory=list)

    def _its_work_is_done(self, view: JobView) -> None:
        assert (view.result or {}).get("steps") == self.n
        assert self.weights()

    def weights(self) -> bytes:
        """Bytes of the adapter that it left."""
        return (self.home / "adapters" / self.run_id / "adapter_model.safetensors").read_bytes()

    def strike(self, victim: str) -> bool:
        """Kill -9 the worker (with or without its guard), the launcher, or the trainer that the launcher started."""
        if victim.startswith("worker"):
            return super().strike(victim)
        job = get_job(self.job_id)
        launcher = (RunFiles.of(self.job_id, job.attempt).read("child") or {}).get("pid")
        return kill(launcher if victim == "launcher" else _trainer(launcher))

    def until_struck_or_ended(self, victim: str, moment: float, app: App) -> bool:
        """Look without pause until the moment has come, then strike as soon as the victim lives; True if it was hit."""
        while not self.ended():
            if time.monotonic() >= moment and (app.strike() if victim == "app" else self.strike(victim)):
                self.hits.append(victim)
                return True
            time.sleep(0.02)
        return False

    def ended(self) -> bool:
        return self.look().status == "succeeded"

    def until_end(self) -> JobView:
        """Look until the store has the end of this attempt; the app ticks, not this process."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            view = self.look()
            if view.recorded_status in jobs.TERMINAL:
                return view
            time.sleep(0.05)
        raise AssertionError((self.statuses, jobs.job_view(self.job_id)))


def _trainer(launcher: int | None) -> int | None:
    """The process that trains: the launcher itself, or what `accelerate launch` started."""
    try:
        started = psutil.Process(launcher).children(recursive=True) if launcher else []
        trainers = [process.pid for process in started if "core.worker.child" in " ".join(process.cmdline())]
    except psutil.Error:
        return launcher
    return trainers[0] if trainers else launcher


def begin(known: Known, home: Path, launcher: str) -> TrainingWitness:
    """Start a training of 12 steps with 6 checkpoints."""
    config = TrainingConfig(
        dataset_version_id=known.version,
        epochs=4,
        learning_rate=3e-3,
        warmup_steps=2,
        evaluations=6,
        evaluation_rows=4,
        sample_questions=1,
        method={"name": "lora", "rank": 4, "dropout": 0.1},
    )
    run = start_training(known.project, config, launcher=launcher)
    assert run.job_id is not None
    return TrainingWitness(run.job_id, 12, home, run_id=run.id)


def strike_until_done(
    witness: TrainingWitness, chance: random.Random, strikes: list[str], lives: list[float], app: App
) -> None:
    """Strike a run at random moments of its attempts' lives, resume it each time, and let it end.

    The app's death ends no attempt: the next blow may fall in the same one.
    """
    began = time.monotonic()
    for victim in strikes:
        moment = time.monotonic() + chance.uniform(0.0, statistics.median(lives))
        if witness.until_struck_or_ended(victim, moment, app) and victim != "app":
            view = witness.until_end()
            if view.status != "succeeded":
                _resume(witness, view)
                began = time.monotonic()
    while (view := witness.until_end()).status != "succeeded":
        _resume(witness, view)
        began = time.monotonic()
    lives.append(time.monotonic() - began)
    witness.check_events()


def _resume(witness: TrainingWitness, view: JobView) -> None:
    assert view.status in ("lost", "failed"), view
    assert view.can_resume and view.error is not None
    jobs.resume(witness.job_id)


def struck_runs(known: Known, home: Path, chance: random.Random, wanted: int, victims: tuple[str, ...]) -> list[str]:
    """Strike runs until so many blows have landed; every one of them leaves the adapter of the unbroken run."""
    landed: list[str] = []
    with open_app() as app:
        began = time.monotonic()
        unbroken = begin(known, home, "subprocess")
        assert unbroken.until_end().status == "succeeded"
        lives = [time.monotonic() - began]
        while len(landed) < wanted:
            strikes = [chance.choice(victims) for _ in range(min(3, wanted - len(landed)))]
            launcher = "accelerate" if "launcher" in strikes or chance.random() < 0.3 else "subprocess"
            witness = begin(known, home, launcher)
            strike_until_done(witness, chance, strikes, lives, app)
            landed += witness.hits
            assert witness.weights() == unbroken.weights(), (launcher, strikes, witness.statuses)
            view = run_view(witness.run_id)
            assert view.status == "succeeded" and view.adapter_id == view.id
            sys.stdout.write(f"{len(landed)}/{wanted} {launcher} {witness.hits} {witness.statuses}\n")
    return landed


@pytest.mark.slow
def test_a_training_struck_at_random_moments_leaves_the_adapter_of_an_unbroken_one(known: Known, home: Path) -> None:
    landed = struck_runs(known, home, random.Random(5), wanted=2, victims=("worker", "trainer"))
    assert len(landed) >= 2


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
def test_full_length_every_training_ends_bit_equal_whatever_is_killed_when(known: Known, home: Path, part: int) -> None:
    chance = random.Random(int(os.environ.get("FAULT_SEED", "2026")) + part)
    landed = struck_runs(known, home, chance, wanted=-(-TRIALS // PARTS), victims=VICTIMS)
    if len(landed) >= 20:
        assert set(landed) == set(VICTIMS), "every kind of process was struck"
