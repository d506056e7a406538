"""Several processes train one model: one set of files, one stream of events, the same stops and the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import KurabeError
from core.jobs import events, log_tail, request_stop, resume, wait
from core.models import adapter_files
from core.settings import reset_settings
from core.training import TrainingConfig, launch_spec, preflight, run_view, start_training
from tests.training.conftest import Known
from tests.training.test_runs import config, follow

TWO = {"name": "accelerate", "processes": 2, "cpu": True}


@pytest.mark.slow
def test_two_processes_train_one_adapter_are_stopped_with_it_saved_and_go_on(known: Known, home: Path) -> None:
    wanted = config(known, epochs=3, batch_size=2, evaluations=3, sample_questions=1)
    run = start_training(known.project, wanted, launcher=TWO)
    job = str(run.job_id)
    follow(run.id, "checkpoints")
    request_stop(job)
    ended = wait(job, timeout=200)
    assert (ended.status, ended.stop_state) == ("stopped", "saved"), log_tail(job)
    stopped = run_view(run.id)
    assert stopped.adapter_id == run.id and 0 < stopped.result["steps"] < 18

    resume(job)
    assert wait(job, timeout=400).status == "succeeded", log_tail(job)
    view = run_view(run.id)
    assert (view.launcher, view.processes) == ("accelerate", 2)
    assert view.facts["processes"] == view.result["processes"] == 2
    assert view.result["steps"] == 3 * 6, "24 rows, 2 in each of 2 processes: 6 steps an epoch"
    assert view.eval_loss[-1][1] < 0.5 * view.eval_loss[0][1]
    assert view.result["launched"]["name"] == "accelerate" and view.result["cost"]
    assert adapter_files(run.id).kind == "lora"

    told = events(job)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1)), "one writer"
    for kind in ("metrics", "evaluation", "checkpoint", "samples"):
        steps = [(event["attempt"], event["step"]) for event in told if event["kind"] == kind]
        assert steps == sorted(set(steps)), f"each {kind} is told once"
    folder = view.job.run_dir  # type: ignore[union-attr]  # its job is there
    assert len((folder / "listed.jsonl").read_text().splitlines() if (folder / "listed.jsonl").exists() else []) == 0
    assert not list((home / "adapters").glob(".*")), "no draft of another process is left"


def test_two_processes_train_a_four_bit_base_on_pairs(pairs: Known) -> None:
    wanted = config(
        pairs, method={"name": "qlora", "rank": 8, "alpha": 16}, objective={"name": "dpo"}, epochs=2, batch_size=6,
        evaluations=1, evaluation_rows=6, sample_questions=1,
    )  # fmt: skip
    run = start_training(pairs.project, wanted, launcher=TWO)
    job = str(run.job_id)
    assert wait(job, timeout=400).status == "succeeded", log_tail(job)
    view = run_view(run.id)
    assert view.result["steps"] == 2 * 2 and view.facts["processes"] == 2
    before, after = view.eval_margin[0][1], view.eval_margin[-1][1]
    assert before == pytest.approx(0, abs=1e-4) and after > 0.001 and view.eval_loss[-1][1] < view.eval_loss[0][1]
    assert adapter_files(run.id).kind == "qlora"


def devices(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("KURABE_TRAINING_DEVICES", str(number))
    monkeypatch.setenv("KURABE_DEVICE", "cpu")
    reset_settings()


def test_the_launcher_follows_from_the_number_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    devices(monkeypatch, 2)
    assert launch_spec() == launch_spec(1) == {"name": "subprocess"}
    assert launch_spec(2) == launch_spec(launcher="accelerate") == TWO
    for wrong, code in (((3, None), "too_many_processes"), ((0, None), "too_many"), ((2, "subprocess"), "one_process")):
        with pytest.raises(KurabeError, match=code):
            launch_spec(*wrong)
    monkeypatch.delenv("KURABE_TRAINING_DEVICES")
    reset_settings()
    with pytest.raises(KurabeError, match="too_many_processes"):
        launch_spec(2)


def test_graphics_cards_are_counted_as_torch_would_see_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\ncase "$*" in *index*) printf "0\\n1\\n2\\n3\\n";; *) printf "40000\\n9000\\n";; esac\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert launch_spec(launcher="accelerate") == {"name": "accelerate", "processes": 4, "cpu": False}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert launch_spec(launcher="accelerate")["processes"] == 2


def test_the_preflight_counts_every_process(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.duration._measured_speed", lambda *_: 100.0)
    wanted = TrainingConfig(dataset_version_id=known.version, epochs=2, batch_size=4)
    one, two = preflight(wanted), preflight(wanted, processes=2)
    assert (one.processes, two.processes) == (1, 2) and (one.steps, two.steps) == (12, 6)
    assert one.seconds is not None and two.seconds == one.seconds, "they share its cores as well"
    assert two.memory_needed == 2 * one.memory_needed and two.memory == one.memory, "they share the machine's memory"
    [told] = [finding for finding in two.findings if finding.code == "processes_cpu"]
    assert told.params == {"n": 2, "rows": 8}


def test_on_graphics_cards_each_process_has_its_own_memory_and_costs_its_own_time(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\ncase "$*" in *compute-apps*) ;; *index*) printf "0\\n1\\n";; *"0,1"*) printf "40000\\n9000\\n";; '
        "*) echo 40000;; esac\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    wanted = TrainingConfig(dataset_version_id=known.version, seconds_limit=3600)
    one, two, three = (preflight(wanted, processes=n) for n in (1, 2, 3))
    assert one.memory_free == 40000 << 20 and two.memory_free == 9000 << 20, "the fullest one decides"
    assert two.memory_needed == one.memory_needed and one.seconds == two.seconds == 3600
    monkeypatch.setattr("core.training.duration._measured_speed", lambda *_: 1.0)
    limited = TrainingConfig(dataset_version_id=known.version, epochs=2)
    alone, both = (preflight(limited, processes=n).seconds for n in (1, 2))
    assert alone is not None and both == pytest.approx(alone / 2, rel=0.01), "each reads half of the tokens"
    if one.cost and two.cost:
        assert float(two.cost["amount"]) == pytest.approx(2 * float(one.cost["amount"]), rel=0.01)
    [few] = [finding for finding in three.findings if finding.code == "too_few_devices"]
    assert few.level == "will_not" and few.params == {"n": 3, "there": 2}
