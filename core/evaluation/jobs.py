"""The experiment's job: quality phase at full speed, then waiting times one at a time; resumable anywhere."""

from __future__ import annotations

from typing import Any

from core.errors import KurabeError
from core.jobs import JobContext

from .running import ExperimentRun


def run_experiment(ctx: JobContext) -> dict[str, Any]:
    """Run or resume the experiment named in the payload.

    An answer is durable before the next question takes its place, and a durable one is never asked for again. What is
    asked again: a call that was under way when the process was killed (at most `concurrency` of them: whether the
    server had answered it, nobody here knows), one that failed in a way that may pass, and before each block of waiting
    times one question whose answer is thrown away.

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
