"""Out of memory: by how much, and a setting that would have been enough."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

import tests.jobs.targets  # noqa: F401  # its worker reads the count of kills from a file
from core.errors import KurabeError
from core.i18n import LANGUAGES, describe
from core.jobs import wait
from core.settings import DATA
from core.store import read
from core.store import tables as tb
from core.training import TrainingConfig, start_training
from core.training.relief import milder, told_killed
from tests.jobs.test_memory import until_child
from tests.training.conftest import Begin, Known
from tests.training.test_runs import config, follow

STARTER = DATA / "starter"
CUDA = (
    "CUDA out of memory. Tried to allocate {asked}. GPU 0 has a total capacity of 79.10 GiB of which {free} is free. "
    "Including non-PyTorch memory, this process has 78.00 GiB memory in use."
)


def advice(asked: str, free: str, **fields: object) -> KurabeError:
    from core.training.trainer.shortage import shortage

    config = TrainingConfig(dataset_version_id="-", **{"epochs": 1, "batch_size": 8, **fields})  # type: ignore[arg-type]  # by name
    return shortage(torch.OutOfMemoryError(CUDA.format(asked=asked, free=free)), config, STARTER, 500, "cuda")


def test_a_small_shortage_takes_a_smaller_batch_that_learns_the_same() -> None:
    found = advice("24.00 MiB", "4.00 MiB", accumulation=2)
    assert found.code == "training.out_of_memory_batch" and found.params["short_mb"] == 20
    assert found.params["smaller"] * found.params["accumulation"] == 8 * 2 and found.params["smaller"] < 8
    assert found.params["saved_mb"] >= 20 * 1.2


def test_what_a_smaller_batch_cannot_save_takes_more() -> None:
    assert advice("4.00 MiB", "1.00 MiB", batch_size=1).code == "training.out_of_memory_twice"
    full = advice("20.00 MiB", "1.00 MiB", batch_size=1, gradient_checkpointing=True, method={"name": "full"})
    assert (full.code, full.params["method"]) == ("training.out_of_memory_method", "lora")
    assert advice("70.00 GiB", "1.00 GiB").code == "training.out_of_memory"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_advice_names_its_numbers(language: str) -> None:
    for found in (
        advice("24.00 MiB", "4.00 MiB"),
        advice("4.00 MiB", "1.00 MiB", batch_size=1),
        advice("9 GiB", "0 bytes"),
    ):
        message, hint = describe(found, language)  # type: ignore[arg-type]  # one of the two
        assert "{" not in message + hint and str(found.params["short_mb"]) in message


def test_a_training_that_runs_out_of_memory_ends_with_that_advice(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training.trainer.sft import SftRunner

    def too_much(*_: object, **__: object) -> torch.Tensor:
        return torch.empty(1 << 50, dtype=torch.uint8)  # torch itself refuses: nobody has a pebibyte

    monkeypatch.setattr(SftRunner, "training_step", too_much)
    with pytest.raises(KurabeError) as caught:
        begin().go()
    assert caught.value.code == "training.out_of_memory" and caught.value.params["short_mb"] > 1 << 28


def test_other_errors_are_not_taken_for_a_shortage(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.training.trainer.sft import SftRunner

    def broken(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(SftRunner, "training_step", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        begin().go()


def test_a_training_that_the_system_killed_says_which_setting_to_change(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = tmp_path / "memory.events"
    count.write_text("oom_kill 0\n")
    monkeypatch.setenv("T_MEMORY_KILLS", str(count))
    run = start_training(known.project, config(known, epochs=500, evaluations=1, sample_questions=0))
    job = str(run.job_id)
    follow(run.id, "loss")
    count.write_text("oom_kill 1\n")
    os.kill(until_child(job), signal.SIGKILL)
    error = wait(job, timeout=120).error
    assert error is not None and error["code"].startswith("training.memory_killed"), error
    assert error["params"]["kills"] == 1 and error["params"]["held_mb"] > 200
    for language in LANGUAGES:
        message, hint = describe(KurabeError.from_record(error), language)
        assert "{" not in message + hint and "MB" in message


@pytest.mark.parametrize(
    ("device", "launcher", "code"),
    [
        ("cuda", {"name": "subprocess"}, "training.memory_killed_host"),
        ("cpu", {"name": "accelerate", "processes": 4, "cpu": True}, "training.memory_killed_processes"),
    ],
)
def test_a_killed_training_is_not_told_to_change_what_was_not_short(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, launcher: dict[str, object], code: str
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    monkeypatch.setattr("core.training.relief.training_device", lambda: (device, None))
    run = start_training(known.project, config(known, epochs=1), launcher=launcher)
    with read() as session:
        job = session.get_one(tb.Job, run.job_id)
    found = told_killed(job, tmp_path / "none.jsonl", 8 << 30, 1)
    assert found.code == code and found.params.get("fewer") in (None, 2)
    for language in LANGUAGES:
        assert "{" not in "".join(describe(found, language))


def test_advice_for_a_killed_training_is_the_mildest_change_that_saves_a_tenth() -> None:
    asked = TrainingConfig(dataset_version_id="-", epochs=1, batch_size=8)
    found = milder(asked, STARTER, 500, "cpu", 1 << 20)
    assert found is not None and found[0] == "batch"
    assert found[1]["smaller"] * found[1]["accumulation"] == 8
    assert milder(asked, STARTER, 500, "cpu", 1 << 60) is None
