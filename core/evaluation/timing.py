"""Waiting times of an approach, from answers that were asked alone; nothing else ever enters them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select

from core.measures import Interval, mean_interval, percentile_interval
from core.store import read
from core.store import tables as tb

from .report import Latency

SPANS = ("embed", "search", "rerank", "prepare", "queue", "first_token", "decode")
"""Parts of a waiting time in their order."""


def latency(experiment_id: str, approach_id: str) -> Latency:
    """Percentiles, means and parts of the waiting time of one approach.

    A call that only a second try answered counts as failed: the time of that try alone is nobody's waiting time.
    """
    a = tb.Answer
    wanted = select(
        a.status,
        a.first_token_seconds,
        a.total_seconds,
        a.spans,
        a.completion_tokens,
        a.serving,
        a.attempts,
        a.prompt_tokens,
        a.cached_tokens,
    ).where(a.experiment_id == experiment_id, a.phase == "latency", a.approach_id == approach_id)
    with read() as session:
        rows = session.execute(wanted).all()
    again = [row for row in rows if row.status == "finished" and (row.attempts or 1) > 1]
    done = [row for row in rows if row.status == "finished" and row.total_seconds is not None and row not in again]
    first = [float(row.first_token_seconds) for row in done if row.first_token_seconds is not None]
    total = [float(row.total_seconds) for row in done]
    prompts = [(row.cached_tokens, row.prompt_tokens) for row in done if row.cached_tokens is not None]
    read_tokens = sum(prompt or 0 for _, prompt in prompts)
    lengths = [row.completion_tokens for row in done if row.completion_tokens is not None]
    return Latency(
        n=len(done),
        failed=len(again) + sum(1 for row in rows if row.status == "failed"),
        first_token=_summary(first),
        total=_summary(total),
        spans={
            name: float(np.mean([float(row.spans.get(name) or 0.0) for row in done])) if done else 0.0
            for name in SPANS
            if any(name in row.spans for row in done)
        },
        seconds=tuple(total),
        first_token_seconds=tuple(first),
        completion_tokens=float(np.mean(lengths)) if lengths else None,
        cached=sum(kept for kept, _ in prompts) / read_tokens if read_tokens else None,
        cold=sum(1 for row in done if row.serving.get("warm") is False),
    )


def _summary(seconds: Sequence[float]) -> dict[str, Interval | None]:
    if not seconds:
        return {"p50": None, "p95": None, "mean": None}
    return {
        "p50": percentile_interval(seconds, 0.5),
        "p95": percentile_interval(seconds, 0.95),
        "mean": mean_interval(seconds, bounds=(0.0, np.inf)),
    }
