"""The experiment's job: quality phase at full speed, then waiting times one at a time; resumable anywhere."""

from __future__ import annotations

from typing import Any

from core.errors import KurabeError
from core.jobs import JobContext

from .running import ExperimentRun


def run_experiment(ctx: JobContext) -> dict[str, Any]:
    """Run or resume the experiment named in the payload.

    Returns:
        `{"experiment_id", "answers", "failed"}`, or `{"stopped": True}` when it was asked to stop; what
        was answered until then is stored and not asked again.

    Raises:
        KurabeError: `store.missing`, `evaluation.server_gone`, and what loading an approach raises.
    """
    experiment_id = ctx.payload.get("experiment_id")
    if not experiment_id:
        raise KurabeError("store.missing", kind="experiment", id="")
    return ExperimentRun(ctx, str(experiment_id)).run()
