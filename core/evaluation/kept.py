"""Results as they were computed last, so that opening an experiment reads one document instead of every answer."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from core import __version__
from core.errors import KurabeError
from core.identity import actor, content_hash, new_id, now
from core.prices import price_book
from core.store import read, write
from core.store import tables as tb

from .confusion import Confusion
from .report import Results
from .results import compute_results

SCHEME = 3
"""Of what is kept and how it is computed; a change of either raises it."""

SLOW_SECONDS = 2.0
"""Partial results that took longer are shown again for a while, although answers have come in since."""

AGE_FACTOR = 20
"""For how many times the time that computing them took: watching a run costs it a twentieth at most."""

_BATCH = 2_000


def results(experiment_id: str) -> Results:
    """Everything measured so far: as it was kept, or computed anew when anything that it depends on changed.

    Raises:
        KurabeError: `store.missing`; what computing raises.
    """
    if not is_kept(experiment_id):
        return keep_results(experiment_id)
    with read() as session:
        document = session.scalar(_kept(experiment_id, tb.ExperimentResult.document))
    # another reader may be keeping newer ones at this moment; a project may just be deleted
    return _adapter().validate_json(document) if document else keep_results(experiment_id)


def is_kept(experiment_id: str) -> bool:
    """Whether the kept results, and the cases kept with them, can be shown as they are.

    Raises:
        KurabeError: `store.missing`.
    """
    r = tb.ExperimentResult
    with read() as session:
        kept = session.execute(_kept(experiment_id, r.fingerprint, r.seconds, r.created_at)).one_or_none()
        running = tb.Experiment.id == experiment_id, tb.Experiment.completed_at.is_(None)
        runs = session.scalar(select(tb.Experiment.id).where(*running)) is not None
    if kept is None:
        return False
    if runs and kept.seconds > SLOW_SECONDS and now() - kept.created_at < timedelta(seconds=AGE_FACTOR * kept.seconds):
        return True
    return bool(kept.fingerprint == fingerprint(experiment_id))


def keep_results(experiment_id: str) -> Results:
    """Compute the results from every answer and keep them, with how each question was answered.

    Raises:
        KurabeError: `store.missing`; what computing raises.
    """
    # taken first: what is written meanwhile makes another one, and the next reader computes again
    expected = fingerprint(experiment_id)
    begun = time.monotonic()
    found, cases = compute_results(experiment_id)
    stamp = {"created_by": actor(), "project_id": found.project_id, "experiment_id": experiment_id}
    row = tb.ExperimentResult(
        **stamp,
        fingerprint=expected,
        document=_adapter().dump_json(found).decode(),
        seconds=time.monotonic() - begun,
    )
    with write() as session:
        # the lock keeps two readers of one PostgreSQL store from keeping the same results at once
        if session.get(tb.Experiment, experiment_id, with_for_update=True) is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        for table in (tb.ExperimentResult, tb.ExperimentCase):
            session.execute(delete(table).where(table.experiment_id == experiment_id))
        session.add(row)
        _insert_cases(session, cases, {**stamp, "created_at": now()})
    return found


def confusion(experiment_id: str, approach_id: str) -> Confusion | None:
    """Return the confusion matrix of an approach; None where no question asks for a category."""
    found = results(experiment_id).approach(approach_id)
    return found.confusion if found else None


def fingerprint(experiment_id: str) -> str:
    """Hash of everything that results depend on; cheap, whatever the number of answers.

    A finished experiment's answers and scores change only through functions that note it in `measured_at`. Those of
    one that still runs are counted as well.

    Raises:
        KurabeError: `store.missing`.
    """
    e = tb.Experiment
    columns = (e.name, e.hash, e.measured_at, e.completed_at, e.project_id, e.dataset_version_id, e.provenance)
    wanted = select(*columns, e.config["approach_ids"]).where(e.id == experiment_id)
    with read() as session:
        row = session.execute(wanted).one_or_none()
        if row is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        *facts, approach_ids = row
        a = tb.Approach
        asked = select(a.id, a.name, a.preset, a.version, a.hash).where(a.id.in_(approach_ids)).order_by(a.id)
        approaches = [list(approach) for approach in session.execute(asked)]
        project = session.get_one(tb.Project, row.project_id)
        version = session.get(tb.DatasetVersion, row.dataset_version_id)
        counted = [] if row.completed_at is not None else _counted(session, experiment_id)
    rates = {key: str(entry.amounts) for key, entry in price_book().entries.items() if key.startswith("exchange/")}
    judged = version.judged_at if version else None
    state = [SCHEME, __version__, facts, approaches, project.currency, rates, judged, counted]
    return content_hash(_plain(state))


def _counted(session: Session, experiment_id: str) -> list[list[Any]]:
    """Answers by phase and status of an experiment that still runs."""
    a = tb.Answer
    answers = select(a.phase, a.status, func.count()).where(a.experiment_id == experiment_id)
    answers = answers.group_by(a.phase, a.status).order_by(a.phase, a.status)
    return [list(row) for row in session.execute(answers)]


def _plain(value: Any) -> Any:
    """Turn times into text."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _kept(experiment_id: str, *columns: Any) -> Select[Any]:
    return select(*columns).where(tb.ExperimentResult.experiment_id == experiment_id)


def _insert_cases(session: Session, cases: list[dict[str, Any]], stamp: dict[str, Any]) -> None:
    for start in range(0, len(cases), _BATCH):
        rows = [{**stamp, "id": new_id(), **case} for case in cases[start : start + _BATCH]]
        session.execute(insert(tb.ExperimentCase), rows)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)
