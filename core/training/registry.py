"""What becomes of runs: names and notes, the promoted one, the archive, comparison, reproduction and deletion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.identity import now
from core.jobs import delete as delete_job
from core.models import delete_adapter
from core.store import read, write
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.lineage import lineage
from core.training.running import RunView, run_view, start_training

__all__ = [
    "RunComparison",
    "archive_run",
    "compare_runs",
    "delete_run",
    "demote_run",
    "note_run",
    "promote_run",
    "promoted_adapter",
    "rename_run",
    "reproduce",
    "unarchive_run",
]

_NOTE = 4000
"""Most characters of a note."""


@dataclass(frozen=True)
class RunComparison:
    """Runs beside each other."""

    runs: list[RunView]
    """With their curves, in the order asked for."""
    differing: dict[str, list[Any]]
    """Configuration fields that are not the same everywhere, with each run's value."""
    outcome: dict[str, list[Any]]
    """Losses, seconds, tokens, memory, device time and cost of each run; None where a run has none."""


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
    "device_seconds",
    "cost",
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
        outcome={name: [_came_of(view, name) for view in views] for name in _OUTCOME},
    )


def _came_of(view: RunView, name: str) -> Any:
    if name == "device_seconds" and name not in view.result:
        return view.result.get("seconds")  # of a run from before several devices were counted
    return view.result.get(name)


def _flat(config: TrainingConfig) -> dict[str, Any]:
    values = config.as_dict()
    parts: dict[str, dict[str, Any]] = {}
    for part, chosen in (("method", config.plugin), ("objective", config.aim)):
        del values[part]
        parts[part] = {"name": chosen.name, **asdict(chosen)}  # whichever of them were given by name
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
        _found(session, run_id).name = wanted
        adapter = session.get(tb.Adapter, run_id)
        if adapter is not None:
            adapter.name = wanted


def note_run(run_id: str, note: str) -> None:
    """Keep what people wrote about a run in place of what they wrote before; empty removes it.

    Raises:
        KurabeError: ``training.no_run``, ``training.bad_field`` for an overlong note.
    """
    wanted = note.strip()
    if len(wanted) > _NOTE:
        raise KurabeError("training.bad_field", field="note", found=str(len(wanted)), expected=f"0 – {_NOTE}")
    with write() as session:
        _found(session, run_id).note = wanted


def promote_run(run_id: str) -> str:
    """Make this the run whose adapter the project's approaches take, however many newer ones there are.

    There is one for each purpose; it takes the place of the one before, and leaves the archive if it was there.

    Returns:
        The purpose: ``plain`` for approaches that show no passages in training, ``raft`` for those that do.

    Raises:
        KurabeError: ``training.no_run``, ``training.nothing_to_promote`` if its adapter is not there,
            ``training.promote_base`` if it rests on another base than the project's.
    """
    with write() as session:
        run = _found(session, run_id)
        # whoever promotes another run of the project at the same moment waits here
        project = session.get_one(tb.Project, run.project_id, with_for_update=True)
        adapter = session.get(tb.Adapter, run.adapter_id) if run.adapter_id else None
        if adapter is None or adapter.deleted_at is not None:
            raise KurabeError("training.nothing_to_promote", name=run.name)
        if adapter.base_ref != project.base_ref:
            raise KurabeError("training.promote_base", name=run.name, base=adapter.base_ref, wanted=project.base_ref)
        purpose = adapter.row_style
        held = (tb.TrainingRun.project_id == run.project_id, tb.TrainingRun.promoted_for == purpose)
        session.execute(update(tb.TrainingRun).where(*held).values(promoted_for=None))
        run.promoted_for, run.archived_at = purpose, None
    return purpose


def demote_run(run_id: str) -> None:
    """Let the approaches take the newest adapter again; harmless for a run that is not promoted.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with write() as session:
        _found(session, run_id).promoted_for = None


def promoted_adapter(project_id: str, purpose: str) -> tb.Adapter | None:
    """Return the adapter of the run that is promoted for a purpose; None if there is none or it was deleted."""
    query = (
        select(tb.Adapter)
        .join(tb.TrainingRun, tb.TrainingRun.adapter_id == tb.Adapter.id)
        .where(tb.TrainingRun.project_id == project_id, tb.TrainingRun.promoted_for == purpose)
        .where(tb.Adapter.deleted_at.is_(None))
    )
    with read() as session:
        return session.scalars(query).first()


def archive_run(run_id: str) -> None:
    """Put a run away: lists leave it out unless they are asked, nothing is deleted, and it is promoted no longer.

    Raises:
        KurabeError: ``training.no_run``, ``jobs.still_active``.
    """
    view = run_view(run_id)
    if view.job is not None and view.job.active:
        raise KurabeError("jobs.still_active", status=view.status)
    with write() as session:
        run = _found(session, run_id)
        run.archived_at, run.promoted_for = run.archived_at or now(), None


def unarchive_run(run_id: str) -> None:
    """Take a run out of the archive.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with write() as session:
        _found(session, run_id).archived_at = None


def reproduce(run_id: str) -> tb.TrainingRun:
    """Start a run with the same configuration and data; what changed since (base, packages) shows in its record.

    Raises:
        KurabeError: ``training.no_run``, what `start_training` raises.
    """
    run = _run(run_id)
    return start_training(run.project_id, TrainingConfig.from_dict(run.config), launcher=_launcher(run))


def _launcher(run: tb.TrainingRun) -> dict[str, Any] | str:
    """Return how the run was started: as its job has it, as the run kept it if that was deleted, else the usual way."""
    with read() as session:
        job = session.get(tb.Job, run.job_id) if run.job_id else None
    if job is not None and job.launcher:
        return dict(job.launcher)
    kept = run.result.get("launched")
    return dict(kept) if kept else "subprocess"


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
        return _found(session, run_id)


def _found(session: Session, run_id: str) -> tb.TrainingRun:
    run = session.get(tb.TrainingRun, run_id)
    if run is None:
        raise KurabeError("training.no_run", id=run_id)
    return run
