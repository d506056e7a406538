"""What becomes of runs: names, comparison, reproduction, lineage and deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from core.errors import KurabeError
from core.jobs import delete as delete_job
from core.models import delete_adapter
from core.store import read, write
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.running import RunView, run_view, start_training

__all__ = ["Lineage", "RunComparison", "compare_runs", "delete_run", "lineage", "rename_run", "reproduce"]


@dataclass(frozen=True)
class RunComparison:
    """Runs beside each other."""

    runs: list[RunView]
    """With their curves, in the order asked for."""
    differing: dict[str, list[Any]]
    """Configuration fields that are not the same everywhere, with each run's value."""
    outcome: dict[str, list[Any]]
    """Losses, seconds, tokens and memory of each run; None where a run has none."""


@dataclass(frozen=True)
class Lineage:
    """Where a run came from and what rests on it."""

    dataset_version_id: str
    index_version_id: str | None
    base_ref: str
    base_hash: str | None
    """None until the run left an adapter."""
    adapters: list[tb.Adapter]
    """What it left: its adapter and models merged from it."""
    approaches: list[tb.Approach]
    """Approaches that answer with one of them."""
    answers: int
    """Stored answers of those approaches."""


_OUTCOME = (
    "eval_loss_before",
    "eval_loss",
    "loss",
    "margin",
    "accuracy",
    "steps",
    "tokens",
    "tokens_per_second",
    "seconds",
    "peak_memory_bytes",
    "ended",
)


def compare_runs(run_ids: list[str]) -> RunComparison:
    """Return runs with their curves, what differs in their configurations, and what came of each.

    Raises:
        KurabeError: ``training.no_run``.
    """
    views = [run_view(run_id) for run_id in run_ids]
    configs = [_flat(view.config) for view in views]
    names = sorted({name for config in configs for name in config} - {"name"})
    values = {name: [config.get(name) for config in configs] for name in names}
    return RunComparison(
        runs=views,
        differing={name: found for name, found in values.items() if any(value != found[0] for value in found)},
        outcome={name: [view.result.get(name) for view in views] for name in _OUTCOME},
    )


def _flat(config: TrainingConfig) -> dict[str, Any]:
    values = config.as_dict()
    parts = {part: values.pop(part) for part in ("method", "objective")}
    named = {f"{part}.{name}": value for part, spec in parts.items() for name, value in spec.items()}
    return {**values, **named}


def rename_run(run_id: str, name: str) -> None:
    """Give a run, and the adapter it left, another name.

    Raises:
        KurabeError: ``training.no_run``, ``training.bad_field`` for an empty or overlong name.
    """
    wanted = name.strip()
    if not 0 < len(wanted) <= 200:
        raise KurabeError("training.bad_field", field="name", found=str(len(wanted)), expected="1 – 200")
    with write() as session:
        run = session.get(tb.TrainingRun, run_id)
        if run is None:
            raise KurabeError("training.no_run", id=run_id)
        run.name = wanted
        adapter = session.get(tb.Adapter, run_id)
        if adapter is not None:
            adapter.name = wanted


def reproduce(run_id: str) -> tb.TrainingRun:
    """Start a run with the same configuration and data; what changed since (base, packages) shows in its record.

    Raises:
        KurabeError: ``training.no_run``, what `start_training` raises.
    """
    run = _run(run_id)
    return start_training(run.project_id, TrainingConfig.from_dict(run.config))


def lineage(run_id: str) -> Lineage:
    """Return what a run rests on and what rests on it.

    Raises:
        KurabeError: ``training.no_run``.
    """
    run = _run(run_id)
    with read() as session:
        query = select(tb.Adapter).where(tb.Adapter.training_run_id == run_id, tb.Adapter.deleted_at.is_(None))
        left = list(session.scalars(query))
        ids = {adapter.id for adapter in left}
        every = session.scalars(select(tb.Approach).where(tb.Approach.project_id == run.project_id))
        using = [approach for approach in every if approach.spec.get("model", {}).get("ref") in ids]
        counted = select(func.count()).where(tb.Answer.approach_id.in_([approach.id for approach in using]))
        answers = session.scalar(counted) or 0
    return Lineage(
        dataset_version_id=run.dataset_version_id,
        index_version_id=run.index_version_id,
        base_ref=run.base_ref,
        base_hash=left[0].base_hash if left else None,
        adapters=left,
        approaches=using,
        answers=answers,
    )


def delete_run(run_id: str) -> None:
    """Delete a run with its log, events, checkpoints, adapter and merged models; stored answers stay.

    Raises:
        KurabeError: ``training.no_run``, ``jobs.still_active``.
    """
    run = _run(run_id)
    if run.job_id is not None:
        _delete_job(run.job_id)
    for adapter in lineage(run_id).adapters:
        delete_adapter(adapter.id)
    with write() as session:
        session.delete(session.merge(run))


def _delete_job(job_id: str) -> None:
    try:
        delete_job(job_id)
    except KurabeError as error:
        if error.code != "store.missing":
            raise


def _run(run_id: str) -> tb.TrainingRun:
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
    if run is None:
        raise KurabeError("training.no_run", id=run_id)
    return run
