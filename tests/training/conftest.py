"""A project with facts to learn, and a way to train on it without a runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.datasets import REJECTED
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb
from core.training import TrainingConfig
from tests.training.stored import store_run, store_version

QUESTIONS = ("How heavy is the Aster {}?", "What is the weight of the Aster {}?", "Tell me the weight of the Aster {}.")


@dataclass(frozen=True)
class Known:
    """Ids of the project that every test here trains for."""

    project: str
    version: str


def answer_of(number: int) -> str:
    return json.dumps({"text": f"The Aster {number} weighs {number * 7 % 50} kg.", "code": "Q7"})


@pytest.fixture
def known(home: Path) -> Known:
    rows = []
    for number in range(12):
        for wording, question in enumerate(QUESTIONS):
            rows.append(("validation" if wording == 2 else "train", question.format(number), answer_of(number)))
    version = store_version("Aster", rows, instructions="Answer the customer's question.")
    return Known(version.project_id, version.id)


class Crash(Exception):
    """Stands for the end of the process at a chosen event."""


class Training:
    """One run of the trainer in this process, with the files and events that a job would have."""

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.run_id = store_run(config, "test")
        self.attempt = 0

    def go(self, crash_at: tuple[str, int] | None = None) -> dict[str, Any]:
        """Train; raise `Crash` once an event of this kind and at least this step is written."""
        from core.training.trainer.run import main

        self.attempt += 1
        ctx = JobContext("job", {"run_id": self.run_id}, self.folder, attempt=self.attempt)
        emit = ctx.emit

        def emit_or_crash(kind: str, **data: Any) -> None:
            emit(kind, **data)
            if crash_at is not None and kind == crash_at[0] and data.get("step", 0) >= crash_at[1]:
                raise Crash(kind)

        ctx.emit = emit_or_crash  # type: ignore[method-assign]  # the test ends the process from inside
        return main(ctx)

    def ask_to(self, mode: str) -> None:
        """Ask as the runner does."""
        (self.folder / "stop.json").write_text(json.dumps({"mode": mode}))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What was reported."""
        lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    @property
    def run(self) -> tb.TrainingRun:
        """The run as stored."""
        with read() as session:
            found = session.get(tb.TrainingRun, self.run_id)
        assert found is not None
        return found

    def weights(self, home: Path) -> bytes:
        """Bytes of the finished adapter."""
        return (home / "adapters" / self.run_id / "adapter_model.safetensors").read_bytes()


Begin = Callable[..., Training]


@pytest.fixture
def begin(known: Known, tmp_path: Path) -> Iterator[Begin]:
    """Make a training of 12 short steps on 6 rows, 3 a pass; fields of the configuration may be given.

    Answers are sampled, and more than 4 rows are evaluated, only where a test is about them: both take longer than
    the steps.
    """
    count = 0

    def make(method: dict[str, Any] | None = None, **fields: Any) -> Training:
        nonlocal count
        count += 1
        values: dict[str, Any] = {
            "epochs": 4,
            "batch_size": 2,
            "data_share": 0.25,
            "evaluation_rows": 4,
            "learning_rate": 3e-3,
            "warmup_steps": 2,
            "evaluations": 4,
            "sample_questions": 0,
            "instructions": "Answer the customer's question.",
            "method": method or {"name": "lora", "rank": 8, "alpha": 16},
            **fields,
        }
        return Training(TrainingConfig(dataset_version_id=known.version, **values), tmp_path / f"run{count}")

    yield make


@pytest.fixture
def pairs(known: Known) -> Known:
    """The project's rows as preference pairs: the house format is chosen, the bare sentence turned down."""
    with write() as session:
        for row in session.query(tb.Example).filter_by(version_id=known.version):
            row.tags = {REJECTED: json.loads(row.answer)["text"]}
    return known
