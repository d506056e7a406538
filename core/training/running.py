"""Runs: starting them, and everything that pages and commands read about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.datasets import count_examples, count_pairs
from core.errors import ErrorRecord, KurabeError
from core.identity import new_id
from core.jobs import JobView, cancel, job_view, submit
from core.models import adapters as registered
from core.models import resolve_base
from core.settings import settings
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.course import course_of
from core.training.launching import processes_of

__all__ = [
    "RunView",
    "adapters",
    "curve_series",
    "listed_rows",
    "require_libraries",
    "run_named",
    "run_view",
    "runs",
    "seed_series",
    "start_learning_curve",
    "start_merge",
    "start_seeds",
    "start_training",
]


@dataclass(frozen=True)
class RunView:
    """One run at one moment; curves are lists of ``(step, value)``."""

    id: str
    name: str
    created_at: datetime
    created_by: str
    config: TrainingConfig
    method: str
    row_style: str
    base_ref: str
    status: str
    """The job's computed status; ``unknown`` if its job was deleted."""
    job: JobView | None
    """The job behind it: stage, place in the queue, what can be done with it."""
    stage: str | None
    done: float | None
    total: float | None
    eta_seconds: float | None
    error: ErrorRecord | None
    launcher: str = "subprocess"
    """What starts its processes."""
    processes: int = 1
    """How many of them train together."""
    loss: list[tuple[int, float]] = field(default_factory=list)
    eval_loss: list[tuple[int, float]] = field(default_factory=list)
    learning_rate: list[tuple[int, float]] = field(default_factory=list)
    grad_norm: list[tuple[int, float]] = field(default_factory=list)
    tokens_per_second: list[tuple[int, float]] = field(default_factory=list)
    margin: list[tuple[int, float]] = field(default_factory=list)
    """Reward of the chosen less that of the rejected answer, on training pairs; empty unless pairs are learned."""
    eval_margin: list[tuple[int, float]] = field(default_factory=list)
    """The same on validation pairs."""
    accuracy: list[tuple[int, float]] = field(default_factory=list)
    """Share of training pairs whose chosen answer has the higher reward."""
    eval_accuracy: list[tuple[int, float]] = field(default_factory=list)
    memory_bytes: int | None = None
    """Highest so far."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    """``{"step", "base", "answers": [{"question", "reference", "answer"}]}``, oldest first; the first is the base's."""
    checkpoints: list[int] = field(default_factory=list)
    """Steps of the checkpoints that were sealed."""
    rows: dict[str, Any] = field(default_factory=dict)
    """Counts of rows in, trained and listed, and reasons."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Device and trained parameters."""
    preflight: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    adapter_id: str | None = None
    dataset_version_id: str = ""
    group: str | None = None
    note: str = ""
    promoted_for: str | None = None
    """Purpose for which the project's approaches take its adapter: ``plain`` or ``raft``; None: not promoted."""
    archived: bool = False
    warnings: list[dict[str, Any]] = field(default_factory=list)
    """What a reader should know: ``{"code", "params"}``, worded at ``training.warning.<code>``."""


def require_libraries() -> None:
    """Refuse where the libraries that train are not installed, as with requirements-app.txt.

    Raises:
        KurabeError: ``training.no_torch``.
    """
    if missing := [name for name in ("torch", "transformers", "trl", "peft") if find_spec(name) is None]:
        raise KurabeError("training.no_torch", missing=", ".join(missing))


def start_training(
    project_id: str,
    config: TrainingConfig,
    *,
    group: str | None = None,
    launcher: str | dict[str, Any] = "subprocess",
    preflight: dict[str, Any] | None = None,
) -> tb.TrainingRun:
    """Record a run and submit its job; it starts when the device is free.

    Args:
        project_id: the project.
        config: what to train.
        group: key of runs that belong together.
        launcher: how its processes are started, as `launch_spec` gives it.
        preflight: what `preflight` said, kept with the run, above all if one goes ahead against ``risky``.

    Raises:
        KurabeError: ``training.no_torch``, ``training.no_index``, ``training.no_pairs``, ``training.base_missing``,
            what `submit` raises.
    """
    require_libraries()
    if config.row_style != "plain" and config.index_version_id is None:
        raise KurabeError("training.no_index")
    if config.aim.pairs and not count_pairs(config.dataset_version_id):
        raise KurabeError("training.no_pairs", rows=count_examples(config.dataset_version_id, "train"))
    if resolve_base(config.base_ref).folder is None:
        raise KurabeError("training.base_missing", base=config.base_ref)
    run = tb.TrainingRun(
        id=new_id(),
        project_id=project_id,
        name=config.name or _named(config),
        dataset_version_id=config.dataset_version_id,
        index_version_id=config.index_version_id,
        base_ref=config.base_ref,
        method=config.plugin.name,
        row_style=config.row_style,
        seed=config.seed,
        config=config.as_dict(),
        preflight=preflight or {},
        group_key=group,
    )
    return _submit(run, launcher)


def _named(config: TrainingConfig) -> str:
    parts = [config.plugin.name, config.aim.name if config.aim.pairs else "", config.row_style]
    return " · ".join(part for part in parts if part)


def _submit(run: tb.TrainingRun, launcher: str | dict[str, Any]) -> tb.TrainingRun:
    """Store the run and queue its job in one transaction: neither is ever there without the other."""

    def record(session: Session, job_id: str) -> None:
        run.job_id = job_id
        session.add(run)

    payload = {"run_id": run.id}
    submit("train", payload, project_id=run.project_id, launcher=launcher, group=run.group_key, record=record)
    return run


SEEDS = (0, 1, 2)
SHARES = (0.1, 0.25, 0.5, 1.0)


def seed_series(config: TrainingConfig, seeds: Sequence[int] = SEEDS) -> list[TrainingConfig]:
    """Return the same run with each of several seeds."""
    name = config.name or config.plugin.name
    return [replace(config, seed=seed, name=f"{name} · seed {seed}") for seed in seeds]


def curve_series(config: TrainingConfig, shares: Sequence[float] = SHARES) -> list[TrainingConfig]:
    """Return the same run on each of several shares of the data."""
    name = config.name or config.plugin.name
    return [replace(config, data_share=share, name=f"{name} · {share:.0%}") for share in shares]


def start_seeds(
    project_id: str, config: TrainingConfig, seeds: Sequence[int] = SEEDS, **options: Any
) -> list[tb.TrainingRun]:
    """Start the same run with several seeds, to see how much one training differs from the next.

    `options` are those of `start_training`.
    """
    return _start_together(project_id, seed_series(config, seeds), options, new_id())


def start_learning_curve(
    project_id: str, config: TrainingConfig, shares: Sequence[float] = SHARES, **options: Any
) -> list[tb.TrainingRun]:
    """Start the same run on growing shares of the data, to see how many examples are enough.

    `options` are those of `start_training`.
    """
    # The largest share stands in the key: a curve that lost its end then does not pass for a whole one.
    return _start_together(project_id, curve_series(config, shares), options, f"{new_id()}:{max(shares):g}")


def _start_together(
    project_id: str, configs: Sequence[TrainingConfig], options: dict[str, Any], group: str
) -> list[tb.TrainingRun]:
    """Start all of them, or none: one alone would train for nothing."""
    started: list[tb.TrainingRun] = []
    try:
        for each in configs:
            started.append(start_training(project_id, each, group=group, **options))
    except BaseException:
        for run in started:
            with suppress(KurabeError):
                cancel(str(run.job_id))
        raise
    return started


def start_merge(project_id: str, adapter_id: str) -> str:
    """Submit the job that merges an adapter into weights of their own; return the job's id."""
    return submit("merge", {"adapter_id": adapter_id, "merged_id": new_id()}, project_id=project_id)


def adapters(project_id: str) -> list[tb.Adapter]:
    """Return the project's adapters and merged models, newest first."""
    return registered(project_id)


def runs(
    project_id: str, *, group: str | None = None, dataset_version_id: str | None = None, archived: bool = True
) -> list[RunView]:
    """Return the project's runs, newest first, without their curves: `run_view` reads those.

    Args:
        project_id: the project.
        group: only runs that belong together.
        dataset_version_id: only runs trained on this version.
        archived: whether those that were put away are among them.
    """
    query = select(tb.TrainingRun).where(tb.TrainingRun.project_id == project_id)
    if group is not None:
        query = query.where(tb.TrainingRun.group_key == group)
    if dataset_version_id is not None:
        query = query.where(tb.TrainingRun.dataset_version_id == dataset_version_id)
    if not archived:
        query = query.where(tb.TrainingRun.archived_at.is_(None))
    with read() as session:
        found = list(session.scalars(query.order_by(tb.TrainingRun.id.desc())))
    return [_view(run) for run in found]


def run_named(text: str) -> str:
    """Return the id of the one run whose id begins or ends so: pages and files show a part of it.

    Raises:
        KurabeError: ``training.no_run``, ``training.several_runs``.
    """
    key = tb.TrainingRun.id
    parts = key.startswith(text, autoescape=True) | key.endswith(text, autoescape=True)
    with read() as session:
        found = list(session.scalars(select(key).where(parts if text else key == text).order_by(key.desc()).limit(20)))
    if not found:
        raise KurabeError("training.no_run", id=text)
    if len(found) > 1 and text not in found:
        raise KurabeError("training.several_runs", id=text, n=len(found))
    return text if text in found else found[0]


def run_view(run_id: str) -> RunView:
    """Return one run with everything it reported.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
    if run is None:
        raise KurabeError("training.no_run", id=run_id)
    view = _view(run)
    return replace(view, **course_of(_run_dir(run.job_id) / "events.jsonl")) if run.job_id else view


def _view(run: tb.TrainingRun) -> RunView:
    job = _job_of(run)
    launched = job.launcher if job else run.result.get("launched") or {"name": "subprocess"}
    return RunView(
        id=run.id,
        name=run.name,
        created_at=run.created_at,
        created_by=run.created_by,
        config=TrainingConfig.from_dict(run.config),
        method=run.method,
        row_style=run.row_style,
        base_ref=run.base_ref,
        status=job.status if job else "unknown",
        job=job,
        stage=job.stage if job else None,
        done=job.done if job else None,
        total=job.total if job else None,
        eta_seconds=job.eta_seconds if job else None,
        error=job.error if job else None,
        launcher=str(launched["name"]),
        processes=processes_of(launched),
        preflight=run.preflight,
        result=run.result,
        adapter_id=run.adapter_id,
        dataset_version_id=run.dataset_version_id,
        group=run.group_key,
        note=run.note,
        promoted_for=run.promoted_for,
        archived=run.archived_at is not None,
        warnings=list(run.result.get("warnings", [])),
    )


def _job_of(run: tb.TrainingRun) -> JobView | None:
    if run.job_id is None:
        return None
    try:
        return job_view(run.job_id)
    except KurabeError:
        return None


def _run_dir(job_id: str) -> Path:
    """Return the folder of a run's job, which may have been deleted."""
    folder: Path = settings().path("jobs") / job_id
    return folder


def listed_rows(run_id: str) -> list[dict[str, Any]]:
    """Return the rows that a run did not train on, each with the code of its reason.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
    if run is None:
        raise KurabeError("training.no_run", id=run_id)
    if run.job_id is None:
        return []
    path = _run_dir(run.job_id) / "listed.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
