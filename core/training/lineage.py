"""Where a run came from and what rests on it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.store import read
from core.store import tables as tb

__all__ = ["Lineage", "approaches_with", "lineage"]


@dataclass(frozen=True)
class Lineage:
    """Where a run came from and what rests on it; the way back is `runs` of a dataset version."""

    dataset_version_id: str
    index_version_id: str | None
    base_ref: str
    base_hash: str | None
    """None until the run left an adapter."""
    adapters: list[tb.Adapter]
    """What it left: its adapter and models merged from it."""
    approaches: list[tb.Approach]
    """Approaches that answer with one of them, every version."""
    experiments: list[tb.Experiment]
    """Test runs that asked one of these approaches, newest first."""
    answers: int
    """Stored answers of those approaches."""


def lineage(run_id: str, *, deleted: bool = False) -> Lineage:
    """Return what a run rests on and what rests on it.

    Args:
        run_id: the run.
        deleted: count its deleted adapters too, whose approaches and answers are still stored.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
        if run is None:
            raise KurabeError("training.no_run", id=run_id)
        query = select(tb.Adapter).where(tb.Adapter.training_run_id == run_id)
        if not deleted:
            query = query.where(tb.Adapter.deleted_at.is_(None))
        left = list(session.scalars(query))
        using = _using(session, run.project_id, {adapter.id for adapter in left})
        names = {approach.id for approach in using}
        counted = select(func.count()).where(tb.Answer.approach_id.in_(names))
        return Lineage(
            dataset_version_id=run.dataset_version_id,
            index_version_id=run.index_version_id,
            base_ref=run.base_ref,
            base_hash=left[0].base_hash if left else None,
            adapters=left,
            approaches=using,
            experiments=_asking(session, run.project_id, names),
            answers=session.scalar(counted) or 0,
        )


def approaches_with(adapter: tb.Adapter) -> list[tb.Approach]:
    """Return the approaches that answer with an adapter or merged model, wherever it was trained; every version."""
    with read() as session:
        return _using(session, adapter.project_id, {adapter.id})


def _using(session: Session, project_id: str, adapters: set[str]) -> list[tb.Approach]:
    every = session.scalars(select(tb.Approach).where(tb.Approach.project_id == project_id).order_by(tb.Approach.id))
    return [approach for approach in every if approach.spec.get("model", {}).get("ref") in adapters]


def _asking(session: Session, project_id: str, approaches: set[str]) -> list[tb.Experiment]:
    # The configuration holds every question's id; only the part that is looked at is read.
    every = session.execute(
        select(tb.Experiment.id, tb.Experiment.config["approach_ids"]).where(tb.Experiment.project_id == project_id)
    )
    found = [key for key, asked in every if approaches & set(asked or ())]
    wanted = select(tb.Experiment).where(tb.Experiment.id.in_(found)).order_by(tb.Experiment.id.desc())
    return list(session.scalars(wanted))
