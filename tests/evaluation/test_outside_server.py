"""A server that is not Kurabe's: `transformers serve` answers as an endpoint, and cannot pass the base off as tuned."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import datasets
from core.approaches import (
    ApproachSpec,
    Decoding,
    ModelChoice,
    comparison,
    ensure_presets,
    is_running,
    save_approach,
    start_comparison,
)
from core.evaluation import ExperimentConfig, results, start_experiment
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
from core.settings import DATA
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served, make_adapter
from tests.approaches.world import make_project
from tests.e2e.running import free_port
from tests.ui.conftest import Visitor

WITHOUT_EFFECT = "0193-no-effect"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelChoice]:
    """`transformers serve` under the name of a tuned model, with nothing but the base behind it."""
    folder = tmp_path_factory.mktemp("outside")
    name = folder / "our-tuned-model"
    name.symlink_to(DATA / "starter")
    (folder / "cache").mkdir()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    port = free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(name), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield ModelChoice(kind="endpoint", ref=str(name), url=f"http://127.0.0.1:{port}/v1")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def with_model(project: tb.Project, name: str, model: ModelChoice) -> tb.Approach:
    """The plain model's approach with other weights: same prompt, same context, same decoding."""
    base = next(a for a in ensure_presets(project.id) if a.preset == "base")
    changes = {"name": name, "model": model, "managed": False}
    changes["preset"] = "endpoint" if model.kind == "endpoint" else "fine_tuned"
    return save_approach(project.id, ApproachSpec.model_validate(base.spec).model_copy(update=changes))


def adapter_of(project: tb.Project, adapter_id: str) -> ModelChoice:
    """The weights of an adapter in the host's home, known to this project's store."""
    with write() as session:
        session.merge(
            tb.Adapter(
                id=adapter_id, project_id=project.id, name=adapter_id, base_ref="starter", base_hash="h", kind="lora",
                hash=f"k1:{adapter_id}", size=1,
            )
        )  # fmt: skip
    return ModelChoice(kind="adapter", ref=adapter_id, base_ref="starter")


def answers(experiment_id: str) -> list[tb.Answer]:
    with read() as session:
        return list(session.scalars(select(tb.Answer).where(tb.Answer.experiment_id == experiment_id)))


def measure(project: tb.Project, folder: Path, *approaches: tb.Approach, **changes: Any) -> tb.Experiment:
    version = datasets.latest_version(project.id)
    assert version is not None
    config = ExperimentConfig(
        dataset_version_id=version.id,
        approach_ids=tuple(a.id for a in approaches),
        decoding=Decoding(max_tokens=40),
        **changes,
    )
    experiment = start_experiment(project.id, config, launch=False)
    outcome = run_experiment(JobContext("job", {"experiment_id": experiment.id}, folder, project_id=project.id))
    assert outcome["failed"] == 0, [row.error for row in answers(experiment.id) if row.error]
    return experiment


def test_an_outside_server_answers_beside_kurabes_own_host(served: Served, outside: ModelChoice) -> None:
    project = make_project()
    base, theirs = ensure_presets(project.id)[0], with_model(project, "Their service", outside)
    compare_id = start_comparison(project.id, "How long is the warranty of the Cedar Fan?", [base.id, theirs.id])
    deadline = time.monotonic() + 120
    while is_running(rows := comparison(compare_id)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [row.status for row in rows] == ["finished", "finished"], [row.error for row in rows]
    own, other = rows
    assert other.text == own.text != "" and other.finish_reason == own.finish_reason == "stop"
    assert other.serving["endpoint"] == "Their service" and other.token_source["counted_by"] == "server"
    assert other.prompt_tokens == own.prompt_tokens and other.completion_tokens
    assert other.first_token_seconds is not None and other.total_seconds is not None
    assert 0 < other.first_token_seconds < other.total_seconds
    assert other.cost is None and "price" in other.notes, "what nobody has priced costs nothing known, not nothing"


def test_tuned_columns_that_the_base_answers_in_secret_are_pointed_out(
    host: Served, served: Served, adapter_id: str, outside: ModelChoice, tmp_path: Path
) -> None:
    project = make_project(only_test=True)
    base = ensure_presets(project.id)[0]
    theirs = with_model(project, "Their tuned model", outside)
    idle = with_model(project, "Tuned in vain", adapter_of(project, make_adapter(host, WITHOUT_EFFECT, 0.0)))
    tuned = with_model(project, "Really tuned", adapter_of(project, adapter_id))
    experiment = measure(project, tmp_path, base, theirs, idle, tuned, latency_questions=6)
    found = results(experiment.id)
    assert found.complete and all(a.latency.n == 6 and a.counts.finished == 24 for a in found.approaches)
    alike = {frozenset((twins.first, twins.second)): (twins.same, twins.n) for twins in found.twins}
    assert alike.keys() == {
        frozenset(pair) for pair in ((base.id, theirs.id), (base.id, idle.id), (theirs.id, idle.id))
    }, "and the adapter that changes the weights is not among them"
    assert all(n == 24 and same >= 23 for same, n in alike.values())
    _both_faces_say_so(project, experiment)


def _both_faces_say_so(project: tb.Project, experiment: tb.Experiment) -> None:
    app = Visitor("en", project).open("test_run", experiment=experiment.id)
    warned = [warning.value for warning in app.warning if "Their tuned model" in warning.value]
    assert warned and "same weights" in warned[0]
