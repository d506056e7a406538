"""A whole experiment on the real host: measured, stopped, killed, resumed; its figures computed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core import datasets
from core.approaches import ApproachSpec, ModelChoice, ensure_presets, save_approach
from core.errors import KurabeError
from core.evaluation import (
    ExperimentConfig,
    answer_scores,
    cases,
    export_rows,
    results,
    score_live,
    start_experiment,
)
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
from core.settings import ROOT
from core.store import read
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.world import make_project


def begin(*presets: str, **changes: Any) -> tb.Experiment:
    project = make_project()
    made = {a.preset: a for a in ensure_presets(project.id)}
    version = datasets.latest_version(project.id)
    assert version is not None
    values: dict[str, Any] = {
        "dataset_version_id": version.id,
        "approach_ids": tuple(made[p].id for p in presets),
        "latency_questions": 0,
        **changes,
    }
    return start_experiment(project.id, ExperimentConfig(**values), launch=False)


def context(experiment: tb.Experiment, folder: Path, attempt: int = 1) -> JobContext:
    payload = {"experiment_id": experiment.id}
    return JobContext("job", payload, folder, project_id=experiment.project_id, attempt=attempt)


def answers(experiment: tb.Experiment, *statuses: str) -> dict[str, tb.Answer]:
    wanted = select(tb.Answer).where(tb.Answer.experiment_id == experiment.id)
    if statuses:
        wanted = wanted.where(tb.Answer.status.in_(statuses))
    with read() as session:
        return {row.id: row for row in session.scalars(wanted)}


def test_a_run_gives_results_and_cases(served: Served, tmp_path: Path) -> None:
    experiment = begin("base", "rag", "oracle_context", latency_questions=6)
    outcome = run_experiment(context(experiment, tmp_path))
    assert outcome == {"experiment_id": experiment.id, "answers": 3 * 18, "failed": 0}
    found = results(experiment.id)
    assert found.complete and found.questions == 12
    assert len(list(export_rows(experiment.id))) == 3 * 18
    base, rag = found.approach("base"), found.approach("rag")
    assert base is not None and rag is not None and rag.retrieval is not None
    assert rag.latency.total["p50"] is not None and rag.latency.total["p95"] is None
    assert sum(i.n for i in rag.slices.values()) == 12
    [versus] = found.comparisons
    assert (versus.first, versus.second) == (rag.approach_id, base.approach_id)
    assert len(found.pairs) == 1, "perfect search is never ranked"
    assert rag.retrieval.questions == 6 and base.retrieval is None
    wrong = 12 - round(12 * (rag.correct.estimate if rag.correct else 0))
    from dataclasses import asdict

    assert sum(asdict(rag.attribution).values()) == wrong
    json.dumps(found.as_dict(), allow_nan=False)
    page = cases(experiment.id, limit=5)
    assert page.total == 12 and len(page.rows) == 5 and len(page.rows[0].cells) == 3
    assert cases(experiment.id, search="Birch").total == 2
    assert cases(experiment.id, slice_name="absent").total == 6
    some = next(iter(answers(experiment, "finished").values()))
    stored = {s.metric: s.value for s in answer_scores(some.id)}
    if some.phase == "quality":
        live = score_live(some, tuple(stored))
        assert {name: m.value for name, m in live.items()} == stored


def test_stopping_saves_and_resuming_asks_nothing_twice(served: Served, tmp_path: Path) -> None:
    experiment = begin("base", "few_shot", concurrency=2)
    ctx = context(experiment, tmp_path)
    original = ctx.progress

    def progress(done: float, total: float | None, stage: str = "", **data: Any) -> None:
        original(done, total, stage, **data)
        if done >= 4:
            (tmp_path / "stop.json").write_text('{"mode": "stop"}')

    ctx.progress = progress  # type: ignore[method-assign]  # a person who presses stop when 4 are done
    assert run_experiment(ctx) == {"stopped": True}
    before = answers(experiment, "finished")
    assert 4 <= len(before) < 24 and len(answers(experiment)) == 24
    partial = results(experiment.id)
    assert not partial.complete and sum(a.counts.open for a in partial.approaches) == 24 - len(before)
    (tmp_path / "stop.json").unlink()
    assert run_experiment(context(experiment, tmp_path, 2))["failed"] == 0
    after = answers(experiment, "finished")
    assert len(after) == 24
    assert {i: (r.text, r.finished_at) for i, r in before.items()} == {
        i: (after[i].text, after[i].finished_at) for i in before
    }
    assert all(a.correct is not None and a.correct.n == 12 for a in results(experiment.id).approaches)


_RUN = """
import sys
from pathlib import Path
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
run_experiment(JobContext("job", {"experiment_id": sys.argv[1]}, Path(sys.argv[2]), project_id=None))
"""


def test_a_killed_run_goes_on_where_it_was(served: Served, tmp_path: Path) -> None:
    experiment = begin("base", "rag", "many_shot", concurrency=2)
    command = [sys.executable, "-c", _RUN, experiment.id, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(answers(experiment, "finished")) < 3:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = answers(experiment, "finished")
    assert before
    assert run_experiment(context(experiment, tmp_path, 2))["failed"] == 0
    after = answers(experiment, "finished")
    assert len(after) == 36
    assert all(after[i].finished_at == row.finished_at for i, row in before.items())
    with read() as session:
        scored = select(func.count(func.distinct(tb.Score.answer_id))).where(tb.Score.metric == "correct")
        assert session.scalar(scored) == 36


def test_a_server_that_is_gone_ends_the_run_and_its_answers_can_be_asked_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.evaluation import running

    monkeypatch.setattr("core.approaches.batch.BACK_OFF_SECONDS", (0.05, 0.1, 0.2))
    project = make_project()
    model = ModelChoice(kind="endpoint", ref="m", url="http://127.0.0.1:9/v1")
    gone = save_approach(project.id, ApproachSpec(name="gone", preset="endpoint", model=model))
    version = datasets.latest_version(project.id)
    assert version is not None
    config = ExperimentConfig(dataset_version_id=version.id, approach_ids=(gone.id,), latency_questions=0)
    experiment = start_experiment(project.id, config, launch=False)
    kept, running.GONE_AFTER = running.GONE_AFTER, 12
    try:
        with pytest.raises(KurabeError, match="server_gone"):
            run_experiment(context(experiment, tmp_path))
    finally:
        running.GONE_AFTER = kept
    found = results(experiment.id).approaches[0]
    assert found.counts.failed == 12 and found.correct is not None and found.correct.estimate == 0
    assert sum(found.failures.values()) == 12 and found.attribution.failed == 12
    run = running.ExperimentRun(context(experiment, tmp_path, 2), experiment.id)
    reopened = run._rows("quality", list(run.examples), 1)
    assert {row.status for row in reopened} == {"pending"}


def test_repetitions_count_a_question_once(served: Served, tmp_path: Path) -> None:
    from core.approaches import Decoding

    experiment = begin("base", repetitions=3, questions=6, decoding=Decoding(temperature=0.8, max_tokens=20))
    assert run_experiment(context(experiment, tmp_path))["answers"] == 18
    [found] = results(experiment.id).approaches
    assert found.correct is not None and found.correct.n == 6 and found.counts.finished == 18
    assert len({row.seed for row in answers(experiment).values()}) == 18
