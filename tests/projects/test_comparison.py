"""A comparison keeps what its stages did, so that it goes on where it ended; real jobs, small ones."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import tests.jobs.targets  # noqa: F401  # registers small job kinds
from core.errors import KurabeError
from core.i18n import describe
from core.jobs import JobContext, job_view, submit
from core.projects import ComparisonConfig, create_project, start_comparison_job
from core.projects.comparison import _Comparison, _Stopped, run
from tests.approaches.world import make_project

STAGES = ("index", "train_plain", "train_raft", "approaches", "experiment", "decide")


def context(folder: Path, project_id: str, **config: Any) -> JobContext:
    payload = {"config": asdict(ComparisonConfig(**config))}
    return JobContext("01a1-comparison", payload, folder, project_id=project_id)


@pytest.fixture
def comparison(tmp_path: Path) -> _Comparison:
    return _Comparison(context(tmp_path, create_project("Shop", "en").id))


def reopened(comparison: _Comparison) -> _Comparison:
    """The same comparison as another process would find it."""
    return _Comparison(comparison.ctx)


def test_a_project_without_questions_or_documents_is_told_which_are_missing() -> None:
    project = create_project("Shop", "en")
    with pytest.raises(KurabeError, match="comparison.no_data") as caught:
        start_comparison_job(project.id)
    assert "questions" in describe(caught.value, "en")[0] and "質問" in describe(caught.value, "ja")[0]


def test_a_finished_stage_is_not_done_again_after_a_restart(comparison: _Comparison) -> None:
    done: list[str] = []

    def work() -> dict[str, Any]:
        done.append("once")
        return {"adapter_id": "a1"}

    comparison._stage("train_plain", work)
    again = reopened(comparison)
    again._stage("train_plain", work)
    assert done == ["once"] and again.state.get("train_plain", "adapter_id") == "a1"


def test_the_time_of_a_stage_that_was_interrupted_is_counted_in(comparison: _Comparison) -> None:
    def fails() -> dict[str, Any]:
        raise KurabeError("jobs.bad_payload", detail="on purpose")

    with pytest.raises(KurabeError):
        comparison._stage("index", fails)
    again = reopened(comparison)
    assert not again.state.done("index")
    again.state.set("index", spent=100.0)
    again._stage("index", dict)
    assert again.state.done("index") and again.state.get("index", "seconds") >= 100.0


def test_all_stages_done_gives_the_result_without_starting_anything(tmp_path: Path) -> None:
    stages = {name: {"seconds": 1.0} for name in STAGES}
    stages["experiment"] |= {"experiment_id": "e1"}
    stages["decide"] |= {"decision_id": "d1"}
    (tmp_path / "stages.json").write_text(json.dumps(stages))
    result = run(context(tmp_path, create_project("Shop", "en").id))
    assert result == {"experiment_id": "e1", "decision_id": "d1", "seconds": dict.fromkeys(STAGES, 1.0)}


def test_without_training_there_are_no_training_stages(tmp_path: Path) -> None:
    (tmp_path / "stages.json").write_text(json.dumps({name: {"seconds": 2.0} for name in STAGES}))
    result = run(context(tmp_path, create_project("Shop", "en").id, train=False))
    assert set(result["seconds"]) == {"index", "approaches", "experiment", "decide"}


def test_a_restart_goes_on_with_the_job_that_a_stage_had_submitted(comparison: _Comparison) -> None:
    job = submit("t-count-cpu", {"n": 3})
    comparison.state.set("index", job_id=job)

    def begin() -> str:
        raise AssertionError("it must not be submitted again")

    assert reopened(comparison)._follow("index", begin).result == {"done": 3, "began": 0}


def test_a_stage_whose_job_failed_says_which_job_and_why_in_the_readers_language(comparison: _Comparison) -> None:
    with pytest.raises(KurabeError, match="comparison.stage_failed") as caught:
        comparison._follow("index", lambda: submit("t-fails", {"detail": "no space"}))
    message, hint = describe(KurabeError.from_record(json.loads(json.dumps(caught.value.as_record()))), "ja")
    job = comparison.state.get("index", "job_id")
    assert job in message and "no space" in message and "failed" not in message and "⟦" not in message
    assert job in hint
    again = reopened(comparison)
    with pytest.raises(KurabeError, match="comparison.stage_failed"):
        again._follow("index", lambda: submit("t-echo", {}))
    assert job_view(job).attempt == 2, "the same job was resumed, not another one begun"


def test_a_stop_reaches_the_job_of_the_running_stage(comparison: _Comparison) -> None:
    (comparison.ctx.run_dir / "stop.json").write_text(json.dumps({"mode": "stop"}))
    with pytest.raises(_Stopped):
        comparison._follow("index", lambda: submit("t-count-cpu", {"n": 10_000}))
    assert job_view(comparison.state.get("index", "job_id")).status == "stopped"


def test_progress_never_goes_back_and_ends_at_the_whole(comparison: _Comparison) -> None:
    for stage in STAGES:
        for share in (0.0, 0.5, 1.0):
            comparison._progress(stage, share)
            comparison.ctx._reported = float("-inf")  # events are thinned out by time otherwise
    lines = (comparison.ctx.run_dir / "events.jsonl").read_text().splitlines()
    done = [event["done"] for event in map(json.loads, lines) if event["kind"] == "progress"]
    assert done == sorted(done) and done[-1] == 100


def test_a_comparison_is_submitted_with_its_configuration() -> None:
    project = make_project(index=False)
    from core.jobs import cancel, wait

    job = start_comparison_job(project.id, ComparisonConfig(questions=3, train=False, presets=("base",)))
    view = job_view(job)
    assert view.kind == "comparison" and view.project_id == project.id
    cancel(job)
    assert wait(job, timeout=120).status in ("cancelled", "killed")
