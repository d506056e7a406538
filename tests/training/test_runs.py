"""Runs as people start and watch them: a real job in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.errors import KurabeError
from core.jobs import cancel, job_view, request_stop, resume, wait
from core.models import adapter_files, merged_folder
from core.training import (
    RunView,
    TrainingConfig,
    adapters,
    run_view,
    runs,
    start_learning_curve,
    start_merge,
    start_training,
)
from tests.training.conftest import Known


def config(known: Known, **fields: object) -> TrainingConfig:
    values = {"epochs": 3, "batch_size": 8, "learning_rate": 3e-3, "sample_questions": 1, "evaluations": 3, **fields}
    return TrainingConfig(dataset_version_id=known.version, **values)  # type: ignore[arg-type]  # by name


def follow(run_id: str, until: str) -> RunView:
    """Look at the run until it has done something, for as long as a very busy machine may take."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        view = run_view(run_id)
        if getattr(view, until) or (view.job and not view.job.active):
            return view
        time.sleep(0.2)
    raise AssertionError(f"no {until} in time")


def test_a_run_goes_from_the_queue_to_an_adapter_that_can_be_merged(known: Known) -> None:
    run = start_training(known.project, config(known, name="first"))
    assert run.job_id is not None
    assert wait(run.job_id, timeout=300).status == "succeeded"
    view = run_view(run.id)
    assert view.status == "succeeded" and view.name == "first" and view.method == "lora"
    assert [step for step, _ in view.eval_loss] == [0, 3, 6, 9]
    assert view.loss and view.learning_rate and view.grad_norm and view.tokens_per_second
    assert [sample["step"] for sample in view.samples] == [0, 3, 6, 9]
    assert view.rows["trained"] == 24 and view.facts["trainable"] > 0 and view.checkpoints
    assert view.adapter_id == run.id and adapter_files(run.id).kind == "lora"
    assert view.result["cost"]["currency"] and view.result["seconds"] >= view.result["train_seconds"]
    assert [listed.id for listed in runs(known.project)] == [run.id]

    merging = wait(start_merge(known.project, run.id), timeout=300)
    assert merging.status == "succeeded" and merging.result is not None
    assert merging.result["questions"] == 12 and merging.result["lossless"] == (merging.result["same"] == 12)
    assert [row.kind for row in adapters(known.project)] == ["merged", "lora"]
    assert (merged_folder(merging.result["merged_id"]) / "model.safetensors").exists()


def test_a_run_is_stopped_and_saved_then_another_cancelled(known: Known) -> None:
    run = start_training(known.project, config(known, epochs=None, seconds_limit=3600))
    assert run.job_id is not None
    follow(run.id, "loss")
    request_stop(run.job_id)
    ended = wait(run.job_id, timeout=200)
    assert ended.status == "stopped" and ended.stop_state == "saved"
    assert run_view(run.id).adapter_id == run.id

    other = start_training(known.project, config(known, epochs=None, seconds_limit=3600))
    assert other.job_id is not None
    follow(other.id, "loss")
    cancel(other.job_id)
    assert wait(other.job_id, timeout=200).status == "cancelled"
    assert run_view(other.id).adapter_id is None
    assert [row.id for row in adapters(known.project)] == [run.id]


def test_a_run_whose_process_dies_is_lost_and_resumes_from_its_checkpoint(known: Known) -> None:
    import os
    import signal

    short = {"batch_size": 2, "data_share": 0.25, "evaluation_rows": 4, "sample_questions": 0}
    run = start_training(known.project, config(known, epochs=24, evaluations=8, **short))
    assert run.job_id is not None
    follow(run.id, "checkpoints")
    left = (job_view(run.job_id).run_dir / "attempts" / "1" / "child.json").read_text()
    import json

    os.kill(int(json.loads(left)["pid"]), signal.SIGKILL)
    ended = wait(run.job_id, timeout=60)
    assert ended.status in ("failed", "killed", "lost") and ended.can_resume
    before = run_view(run.id)
    resume(run.job_id)
    assert wait(run.job_id, timeout=400).status == "succeeded"
    view = run_view(run.id)
    assert view.result["steps"] == 72 and view.adapter_id == run.id
    assert view.eval_loss[: len(before.checkpoints)] == before.eval_loss[: len(before.checkpoints)]


def test_a_learning_curve_is_one_group_of_growing_shares(known: Known) -> None:
    started = start_learning_curve(known.project, config(known, epochs=1), shares=(0.5, 1.0))
    for run in started:
        assert run.job_id is not None
        cancel(run.job_id)
    [group] = {run.group_key for run in started}
    assert [view.config.data_share for view in runs(known.project, group=group)] == [1.0, 0.5]


def test_unknown_runs_and_missing_bases_are_refused(known: Known, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(KurabeError, match="no_run"):
        run_view("nothing")
    with pytest.raises(KurabeError, match="base_missing"):
        start_training(known.project, config(known, base_ref="someone/model-not-here"))
    assert runs(known.project) == []


def test_reading_about_runs_loads_no_torch() -> None:
    program = (
        "import sys, core.training, core.prompting; sys.exit(int('torch' in sys.modules or 'lancedb' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
