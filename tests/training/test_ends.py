"""How a run can end, and that what is told afterwards is what happened: real, very short trainings."""

from __future__ import annotations

import json
import resource
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from core.errors import KurabeError
from core.jobs import EventTail, JobContext
from core.settings import DATA, reset_settings
from core.store import read, write
from core.store import tables as tb
from core.training import TrainingConfig, import_adapter, reproduce, run_view, start_training
from core.training.checkpoints import newest_valid
from core.training.course import course_of
from tests.training.conftest import Begin, Crash, Known


def at_event(kind: str, then: Any) -> None:
    """Do something once, as soon as such an event is written in the middle of the run."""
    emit, done = JobContext.emit, list[str]()

    def watching(self: JobContext, name: str, **data: Any) -> None:
        emit(self, name, **data)
        if name == kind and not done:
            done.append(name)
            then()

    JobContext.emit = watching  # type: ignore[method-assign]  # put back by `_restore`


@pytest.fixture(autouse=True)
def _restore() -> Any:
    kept, limit = JobContext.emit, resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    JobContext.emit = kept  # type: ignore[method-assign]
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_run_that_overflowed_is_not_done_when_it_is_resumed(begin: Begin) -> None:
    training = begin(learning_rate=10.0, weight_decay=1.0, schedule="constant", epochs=40, evaluations=20)
    with pytest.raises(KurabeError, match=r"training\.diverged\(") as first:
        training.go()
    assert training.run.result["kept_step"] == first.value.params["kept"] < first.value.params["step"]
    steps = len(training.events("metrics"))
    with pytest.raises(KurabeError, match=r"training\.diverged\(") as again:
        training.go()
    assert again.value.params == first.value.params
    assert len(training.events("metrics")) == steps


@pytest.mark.parametrize("stumbles", ["model.safetensors", "optimizer.pt"])
def test_a_disk_that_fills_up_while_a_checkpoint_is_written_is_said_and_harms_no_earlier_one(
    begin: Begin, stumbles: str
) -> None:
    training = begin()
    folder = training.folder / "checkpoints"

    def fill() -> None:
        name = "adapter_model.safetensors" if stumbles.startswith("model") else stumbles
        size = (folder / "checkpoint-3" / name).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    at_event("checkpoint", fill)
    with pytest.raises(KurabeError, match=r"jobs\.disk_full"):
        training.go()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    kept, broken = newest_valid(folder)
    assert kept is not None and kept.step == 3
    assert broken == [], "what was half written is gone, its space is needed"
    assert training.go()["steps"] == 12


def test_a_stop_during_an_evaluation_does_not_wait_for_its_end(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(batch_size=1, data_share=1.0, evaluations=2, epochs=1, evaluation_rows=12)
    seen: list[str] = []

    def wish(self: JobContext) -> str | None:
        seen.extend(frame.f_code.co_name for frame in (sys._getframe(1), sys._getframe(2)))
        # Asked while the evaluation in the middle of the training measures its fourth batch.
        evaluated = sum(name == "on_prediction_step" for name in seen)
        return "stop" if evaluated > 12 + 3 else None

    with monkeypatch.context() as patched:
        patched.setattr(JobContext, "stop_requested", wish)
        result = training.go()
    assert result["ended"] == "stop" and result["saved"] is True and result["steps"] == 12
    assert [event["step"] for event in training.events("evaluation")] == [0]
    assert [event["step"] for event in training.events("checkpoint")] == [12]
    assert sum(name == "on_prediction_step" for name in seen) == 16
    again = training.go()
    assert (again["ended"], again["steps"], again["attempts"]) == ("budget", 24, 2)


def test_a_run_that_begins_anew_shows_nothing_of_the_attempt_that_died(begin: Begin) -> None:
    training = begin(evaluations=1, epochs=2)
    with pytest.raises(Crash):
        training.go(crash_at=("metrics", 3))
    events = training.folder / "events.jsonl"
    assert course_of(events)["loss"]
    seen: list[list[tuple[int, float]]] = []
    at_event("evaluation", lambda: seen.append(course_of(events)["loss"]))
    training.go()
    assert training.events("resumed")[0]["step"] == 0
    assert seen[0] == []


def test_time_cost_and_memory_are_those_of_all_attempts(begin: Begin) -> None:
    training = begin(evaluations=4)
    with pytest.raises(Crash):
        training.go(crash_at=("checkpoint", 6))
    lines = [json.loads(line) for line in (training.folder / "events.jsonl").read_text().splitlines()]
    # The first attempt took long: its first event is put back by a day.
    lines[0]["at"] = (datetime.fromisoformat(lines[0]["at"]) - timedelta(days=1)).isoformat()
    lines[-1]["memory_bytes"] = 1 << 50
    (training.folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = training.go()
    assert result["attempts"] == 2 and result["seconds"] > 86400
    assert float(result["cost"]["amount"]) > 0 and result["peak_memory_bytes"] == 1 << 50


def test_early_stopping_keeps_the_best_weights_and_says_so(begin: Begin, home: Path) -> None:
    # A rate far too high for so few rows: the loss falls first, then rises.
    training = begin(
        {"name": "lora", "rank": 16, "alpha": 64}, learning_rate=1e-2, schedule="constant", epochs=40, evaluations=40,
        patience=3, sample_questions=1, evaluation_rows=12,
    )  # fmt: skip
    result = training.go()
    losses = {event["step"]: event["eval_loss"] for event in training.events("evaluation") if event["step"]}
    best = min(losses, key=lambda step: losses[step])
    assert result["ended"] == "patience" and best < result["steps"]
    assert (result["kept_step"], result["eval_loss"]) == (best, losses[best])
    assert training.events("samples")[-1]["step"] == best


def test_checkpoints_are_also_taken_by_the_clock(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_CHECKPOINT_MINUTES", "0.0000001")
    reset_settings()
    monkeypatch.setattr("core.training.trainer.watch._MOST_SAVING", 0)
    training = begin(evaluations=1, epochs=2)
    training.go()
    assert [event["step"] for event in training.events("checkpoint")] == [1, 2, 3, 4, 5, 6]
    assert [event["step"] for event in training.events("evaluation")] == [0, 6]


def test_a_run_is_not_resumed_on_other_weights_under_the_same_name(begin: Begin, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(DATA / "starter", base)
    training = begin(base_ref=str(base))
    with pytest.raises(Crash):
        training.go(crash_at=("checkpoint", 3))
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] *= 1.5
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(KurabeError, match="base_changed"):
        training.go()


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_run_whose_submitter_is_killed_has_its_job(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed() -> None:
        raise Killed

    monkeypatch.setattr("core.jobs.control.tick", killed)
    with pytest.raises(Killed):
        start_training(known.project, TrainingConfig(dataset_version_id=known.version, epochs=1))
    with read() as session:
        [run] = session.query(tb.TrainingRun)
        [job] = session.query(tb.Job)
    assert run.job_id == job.id and run_view(run.id).status == "queued"


def test_a_run_is_reproduced_by_the_launcher_that_started_it(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    config = TrainingConfig(dataset_version_id=known.version, epochs=1)
    first = start_training(known.project, config, launcher={"name": "accelerate", "mixed_precision": "bf16"})
    again = reproduce(first.id)
    with read() as session:
        launchers = [session.get_one(tb.Job, run.job_id).launcher for run in (first, again)]
    assert launchers[0] == launchers[1] and launchers[1]["name"] == "accelerate"
    with write() as session:
        run = session.get_one(tb.TrainingRun, first.id)
        run.result, job = {"launched": launchers[0]}, session.get_one(tb.Job, run.job_id)
        run.job_id = None
        session.flush()
        session.delete(job)
    with read() as session:
        assert session.get_one(tb.Job, reproduce(first.id).job_id).launcher == launchers[0], "the run has kept it"


def test_an_adapter_of_another_base_is_not_taken_in_unless_the_name_is_known_to_mislead(
    known: Known, tmp_path: Path
) -> None:
    source = tmp_path / "adapter"
    source.mkdir()
    save_file({}, source / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "someone/other-model"}
    (source / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(KurabeError, match="import_base") as caught:
        import_adapter(known.project, source, "x", base_ref="starter")
    assert caught.value.params == {"said": "someone/other-model", "base": "starter"}
    assert import_adapter(known.project, source, "x", base_ref="starter", other_base=True).kind == "lora"
    (source / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/x/data/starter/"}))
    assert import_adapter(known.project, source, "y", base_ref="starter").kind == "lora"


def test_the_course_of_a_long_run_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    lines = [json.dumps({"seq": n, "kind": "metrics", "step": n, "loss": 1.0}) + "\n" for n in range(1, 2001)]
    path.write_text("".join(lines))
    given: list[int] = []
    further = EventTail.further

    def counted(self: EventTail) -> list[dict[str, Any]]:
        events = further(self)
        given.append(len(events))
        return events

    monkeypatch.setattr(EventTail, "further", counted)
    for _ in range(3):
        assert len(course_of(path)["loss"]) >= 2000
    with path.open("a") as file:
        file.write(json.dumps({"seq": 2001, "kind": "metrics", "step": 2001, "loss": 0.5}) + "\n")
    assert course_of(path)["loss"][-1] == (2001, 0.5)
    assert given == [2000, 0, 0, 1]
