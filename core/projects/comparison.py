"""The whole comparison as one job: index, train, ask every approach, decide; resumable stage by stage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.approaches import find_approaches
from core.datasets import latest_version
from core.decision import record_decision
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, start_experiment
from core.identity import atomic_write
from core.jobs import JobContext, JobView, cancel, job_view, request_stop, resume, submit, tick
from core.knowledge import dataset_coverage, default_kb, documents, latest_index
from core.projects.records import get_project
from core.store import tables as tb
from core.training import TrainingConfig, promoted_adapter, start_training

__all__ = ["ComparisonConfig", "run", "start_comparison_job"]

_POLL_SECONDS = 0.5
_WEIGHTS = {
    "prepare": 1,
    "index": 4,
    "train_plain": 25,
    "train_raft": 25,
    "approaches": 1,
    "experiment": 42,
    "decide": 2,
}
"""Rough share of the whole that each stage takes, so that progress moves evenly; percent."""
_LONG_PART = {"index": "embedding", "train_plain": "training", "train_raft": "training"}
"""The part of a stage's job that takes its time; the parts before and after it each count from 0 again."""


@dataclass(frozen=True, slots=True)
class ComparisonConfig:
    """What a comparison asks and trains."""

    questions: int | None = None
    """Test questions, drawn evenly over the slices; None asks all."""
    latency_questions: int = 10
    """Questions asked alone, one at a time, to measure waiting time."""
    train: bool = True
    """Train adapters; without it only approaches that need none are compared."""
    raft: bool = True
    """Train a second adapter on rows that carry passages."""
    training_seconds: int | None = None
    """Time limit of each training; None takes the preset's."""
    presets: tuple[str, ...] = ()
    """Approaches to compare, by preset, name or id; empty takes all that can answer."""
    seed: int = 0


def start_comparison_job(project_id: str, config: ComparisonConfig | None = None) -> str:
    """Submit the comparison and return its job's id.

    Raises:
        KurabeError: ``comparison.no_data`` if questions or documents are missing.
    """
    if latest_version(project_id) is None:
        raise KurabeError("comparison.no_data", what="questions")
    if not documents(default_kb(project_id).id):
        raise KurabeError("comparison.no_data", what="documents")
    return submit("comparison", {"config": asdict(config or ComparisonConfig())}, project_id=project_id)


class _State:
    """What finished stages left, kept in a file so that a resumed comparison skips them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stages.json"
        self.stages: dict[str, dict[str, Any]] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def set(self, stage: str, **values: Any) -> None:
        """Remember `values` of a stage, durably."""
        self.stages[stage] = self.stages.get(stage, {}) | values
        atomic_write(self.path, json.dumps(self.stages))

    def get(self, stage: str, name: str) -> Any:
        """Return what a stage left under `name`, or None."""
        return self.stages.get(stage, {}).get(name)

    def done(self, stage: str) -> bool:
        """Tell whether a stage has finished."""
        return "seconds" in self.stages.get(stage, {})


class _Stopped(Exception):
    """The person asked to stop; raised to leave the stages, never shown."""


def run(ctx: JobContext) -> dict[str, Any]:
    """Do the comparison; the job runner calls it.

    Returns:
        Ids of the experiment and the decision, and the seconds of each stage.

    Raises:
        KurabeError: ``comparison.stage_failed`` naming the job to look at.
    """
    return _Comparison(ctx).run()


class _Comparison:
    def __init__(self, ctx: JobContext) -> None:
        values = dict(ctx.payload["config"])
        values["presets"] = tuple(values.get("presets") or ())
        self.ctx = ctx
        self.config = ComparisonConfig(**values)
        self.project: tb.Project = get_project(str(ctx.project_id))
        self.state = _State(ctx.run_dir)
        self._shown = 0.0

    def run(self) -> dict[str, Any]:
        stages: dict[str, Callable[[], dict[str, Any]]] = {"index": self._index}
        if self.config.train:
            stages["train_plain"] = lambda: self._train("train_plain", "plain")
        if self.config.train and self.config.raft:
            stages["train_raft"] = lambda: self._train("train_raft", "raft")
        stages |= {"approaches": self._approaches, "experiment": self._experiment, "decide": self._decide}
        try:
            for stage, work in stages.items():
                self._stage(stage, work)
        except _Stopped:
            return {"stopped": True}
        return {
            "experiment_id": self.state.get("experiment", "experiment_id"),
            "decision_id": self.state.get("decide", "decision_id"),
            "seconds": {stage: self.state.get(stage, "seconds") for stage in stages},
        }

    def _stage(self, stage: str, work: Callable[[], dict[str, Any]]) -> None:
        if self.state.done(stage):
            return
        self._progress(stage, 0.0)
        begun = time.monotonic()
        before = self.state.get(stage, "spent") or 0.0
        try:
            values = work()
        finally:
            spent = before + time.monotonic() - begun
            self.state.set(stage, spent=spent)
        self.state.set(stage, seconds=round(spent, 2), **values)

    def _progress(self, stage: str, share: float) -> None:
        names = list(_WEIGHTS)
        before = sum(_WEIGHTS[name] for name in names[: names.index(stage)])
        self._shown = max(self._shown, round(before + share * _WEIGHTS[stage], 1))
        self.ctx.progress(self._shown, sum(_WEIGHTS.values()), stage=stage)

    def _index(self) -> dict[str, Any]:
        base = default_kb(self.project.id)
        self._follow("index", lambda: submit("index", {"knowledge_base_id": base.id}, step="index"))
        index = latest_index(base.id)
        if (version := latest_version(self.project.id)) is not None:
            dataset_coverage(base.id, version.id)  # documents may have changed since it was last worked out
        return {"index_version_id": index.id if index else None}

    def _train(self, stage: str, style: str) -> dict[str, Any]:
        chosen = promoted_adapter(self.project.id, style)
        if chosen is not None and chosen.base_ref == self.project.base_ref:
            return {"adapter_id": chosen.id}  # the approaches would take no other

        def begin() -> str:
            config = TrainingConfig.preset(
                self.project.id, row_style=style, seconds_limit=self.config.training_seconds, seed=self.config.seed
            )
            started = start_training(self.project.id, config)
            self.state.set(stage, run_id=started.id)
            return str(started.job_id)

        view = self._follow(stage, begin)
        return {"adapter_id": (view.result or {}).get("adapter_id")}

    def _approaches(self) -> dict[str, Any]:
        wanted = find_approaches(self.project.id, self.config.presets or None, presets_may_lack=True)
        return {"approach_ids": [approach.id for approach in wanted]}

    def _experiment(self) -> dict[str, Any]:
        version = latest_version(self.project.id)
        if version is None:
            raise KurabeError("comparison.no_data", what="questions")

        def begin() -> str:
            config = ExperimentConfig(
                dataset_version_id=version.id,
                approach_ids=tuple(self.state.get("approaches", "approach_ids")),
                questions=self.config.questions,
                latency_questions=self.config.latency_questions,
                seed=self.config.seed,
            )
            experiment = start_experiment(self.project.id, config)
            self.state.set("experiment", experiment_id=experiment.id)
            return str(experiment.job_id)

        self._follow("experiment", begin)
        return {}

    def _decide(self) -> dict[str, Any]:
        decision = record_decision(self.project.id, self.state.get("experiment", "experiment_id"))
        return {"decision_id": decision.id}

    def _follow(self, stage: str, begin: Callable[[], str]) -> JobView:
        """Start a stage's job, or go on with the one that an earlier attempt left, and wait for its end."""
        job_id = self.state.get(stage, "job_id")
        if job_id is None:
            job_id = begin()
            self.state.set(stage, job_id=job_id)
        elif (left := job_view(job_id)).can_resume and left.status != "succeeded":
            resume(job_id)
        return self._wait(stage, job_id)

    def _wait(self, stage: str, job_id: str) -> JobView:
        asked: str | None = None
        while True:
            tick()  # nobody else may be there to notice a worker that vanished
            view = job_view(job_id)
            if view.status == "succeeded":
                return view
            if not view.active:
                break
            wish = self.ctx.stop_requested()
            if wish and wish != asked:
                (request_stop if wish == "stop" else cancel)(job_id)
                asked = wish
            self._progress(stage, _share(stage, view))
            time.sleep(_POLL_SECONDS)
        if asked or self.ctx.stop_requested():
            raise _Stopped
        detail = view.error or ""
        raise KurabeError("comparison.stage_failed", stage=stage, job=job_id, status=view.status, detail=detail)


def _share(stage: str, view: JobView) -> float:
    """Return how much of a stage's job is done, as far as its long part tells."""
    if not view.total or view.stage != _LONG_PART.get(stage, view.stage):
        return 0.0
    return (view.done or 0.0) / view.total
