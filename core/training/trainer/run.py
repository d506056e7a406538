"""``core.training.trainer.run:main``: a training job, from its record to its adapter."""

from __future__ import annotations

import importlib
import logging
import os
import threading
import time
from typing import Any

from core.errors import KurabeError
from core.jobs import JobContext
from core.training.rows import PreparedRows, prepare_rows
from core.training.trainer.task import Task, load_task

__all__ = ["import_ahead", "main"]


def main(ctx: JobContext) -> dict[str, Any]:
    """Train what the payload's ``run_id`` names.

    Returns:
        The run's result; ``{"stopped": True, …}`` if somebody asked to stop.

    Raises:
        KurabeError: ``training.base_changed``, what loading, preparing rows and training raise.
    """
    begun = time.monotonic()
    ctx.progress(0, None, stage="preparing")
    task = load_task(ctx)
    _require_same_base(task, ctx)
    if done := _finished_before(task):
        return done
    heavy = import_ahead()
    rows = _rows(task, ctx)
    if ctx.stop_requested() and ctx.processes == 1:  # several must first agree upon it
        return {"stopped": True, "saved": False}
    ctx.progress(0, None, stage="loading")
    heavy.join()
    from core.training.trainer.session import train

    return train(task, rows, ctx, begun)


def _finished_before(task: Task) -> dict[str, Any] | None:
    """Return the result of an attempt that died after everything was done.

    Raises:
        KurabeError: ``training.diverged`` again, if that is how it ended: the same steps lead to the same numbers.
    """
    result = dict(task.run.result or {})
    if not task.run.adapter_id or not result or result.get("stopped"):
        return None
    if result.get("ended") == "diverged":
        told: dict[str, Any] = next((each["params"] for each in result["warnings"] if each["code"] == "diverged"), {})
        raise KurabeError("training.diverged", step=told.get("step"), kept=told.get("kept"))
    return result


def _require_same_base(task: Task, ctx: JobContext) -> None:
    """Refuse to go on with other weights under the same name: a checkpoint holds only what was added to the first.

    Raises:
        KurabeError: ``training.base_changed``.
    """
    if not ctx.resume:
        return
    told = [event["base_hash"] for event in ctx.reported() if event["kind"] == "model" and event.get("base_hash")]
    if told and told[0] != task.base.hash:
        raise KurabeError("training.base_changed", base=task.base.ref, first=told[0], now=task.base.hash)


def import_ahead() -> threading.Thread:
    """Begin the seconds of importing while rows are prepared; what fails there fails again, and is told, later."""
    # Rows, base and tokenizer are files here; libraries must not ask a hub about them.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for name in ("httpx", "datasets", "torch.utils", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
    thread = threading.Thread(target=_import_quietly, name="imports", daemon=True)
    thread.start()
    return thread


def _import_quietly() -> None:
    try:
        importlib.import_module("core.training.trainer.session")
    except ImportError:
        logging.getLogger(__name__).info("importing ahead failed", exc_info=True)


def _rows(task: Task, ctx: JobContext) -> PreparedRows:
    rows = prepare_rows(
        task.config,
        task.template,
        task.language,
        on_progress=lambda done, total: ctx.progress(done, total, stage="preparing"),
    )
    counts = rows.counts()
    if counts["trained"] + counts["listed"] != counts["rows_in"]:
        raise KurabeError("training.rows_lost", **counts)
    ctx.emit("rows", **counts, reasons=_reasons(rows))
    ctx.log(f"rows: {counts['trained']} trained, {counts['listed']} listed, {counts['validation']} for validation")
    return rows


def _reasons(rows: PreparedRows) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for row in rows.listed:
        reasons[row.code] = reasons.get(row.code, 0) + 1
    return reasons
