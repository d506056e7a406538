"""``core.training.trainer.probe:main``: a few real steps, timed, with the memory they took; nothing is kept."""

from __future__ import annotations

import itertools
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.identity import now
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.outlook import rows_for_estimate
from core.training.probing import PROBE_STEPS
from core.training.rows import PreparedRow, PreparedRows
from core.training.trainer.run import import_ahead
from core.training.trainer.task import Task, task_of

__all__ = ["main"]


def main(ctx: JobContext) -> dict[str, Any]:
    """Measure what the payload's ``probe_id`` names, and store what was found with it.

    Returns:
        Seconds and tokens of each step, seconds of loading and of an evaluation, peak memory, device and machine;
        ``{"stopped": True, …}`` if somebody asked to stop.

    Raises:
        KurabeError: what loading, preparing rows and training raise, ``training.out_of_memory…`` above all.
    """
    begun = time.monotonic()
    ctx.progress(0, None, stage="preparing")
    task = _task(ctx)
    heavy = import_ahead()
    rows = rows_for_estimate(task.config, task.template, task.language)
    ctx.progress(0, None, stage="loading")
    heavy.join()
    found = _measured(task, _few(task.config, rows), ctx, begun)
    if found is None:
        return {"stopped": True, "saved": False}
    with write() as session:
        session.get_one(tb.TrainingProbe, ctx.payload["probe_id"]).result = found
    return found


def _task(ctx: JobContext) -> Task:
    """Return the task of a run that is never stored: one epoch over the few rows, without a time limit."""
    with read() as session:
        probe = session.get_one(tb.TrainingProbe, ctx.payload["probe_id"])
    config = replace(TrainingConfig.from_dict(probe.config), epochs=1.0, seconds_limit=None)
    run = tb.TrainingRun(
        id=probe.id,
        project_id=probe.project_id,
        name="",
        dataset_version_id=config.dataset_version_id,
        base_ref=config.base_ref,
        method=config.plugin.name,
        config=config.as_dict(),
    )
    return task_of(run, ctx)


def _few(config: TrainingConfig, rows: PreparedRows) -> PreparedRows:
    """Return the rows of the probe's steps in their order: some, the longest, some."""
    from core.training.trainer.order import RowOrder

    size = config.batch_size * config.accumulation
    order = RowOrder([row.longest for row in rows.train], config.batch_size, config.seed)
    usual = [rows.train[place] for place in order]
    longest = sorted(rows.train, key=lambda row: row.longest, reverse=True)
    some = itertools.cycle(usual)
    first, peak, last = (list(itertools.islice(each, size)) for each in (some, itertools.cycle(longest), some))
    return PreparedRows(train=[*first, *peak, *last], validation=rows.validation)


def _measured(task: Task, rows: PreparedRows, ctx: JobContext, begun: float) -> dict[str, Any] | None:
    from core.training.trainer.session import measure

    seen = measure(task, rows, ctx, begun)
    if seen is None:
        return None
    size = task.config.batch_size * task.config.accumulation
    return {
        **seen,
        "step_tokens": [_tokens(rows.train[step * size : (step + 1) * size]) for step in range(PROBE_STEPS)],
        "machine": platform.node(),
        "measured_at": now().isoformat(),
    }


def _tokens(rows: Sequence[PreparedRow]) -> int:
    return sum(row.read for row in rows)
