"""How long a training takes and what it costs: by its time limit, a measured probe, or the speed of earlier runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from core.errors import KurabeError
from core.prices import price_training
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.device import paid_devices
from core.training.objectives import build_objective
from core.training.probing import Measured

__all__ = ["at_once", "cost_of", "shares_of", "steps_of", "steps_per_epoch", "times_of"]


def steps_of(config: TrainingConfig, rows: int, processes: int) -> int | None:
    """Return the steps of a run over so many rows; None if only time limits it."""
    if config.epochs is None:
        return None
    return max(1, math.ceil(steps_per_epoch(config, rows, processes) * config.epochs))


def steps_per_epoch(config: TrainingConfig, rows: int, processes: int) -> int:
    """Return the steps of one pass over so many rows."""
    return -(-rows // (config.batch_size * config.accumulation * processes))


def at_once(device: str, processes: int) -> int:
    """Return by how much so many processes may be faster than one: on a CPU they share its cores, and are not."""
    return processes if device == "cuda" else 1


_Range = tuple[float | None, float | None, float | None]


def shares_of(series: Sequence[TrainingConfig], config: TrainingConfig) -> float:
    """Return how many times the rows of `config` all runs of a series read."""
    return sum(run.data_share for run in series) / config.data_share


def times_of(
    series: Sequence[TrainingConfig],
    config: TrainingConfig,
    counts: dict[str, Any],
    device: str,
    probe: Measured | None,
    processes: int,
) -> _Range:
    """Return the least, the expected and the most seconds of all runs, one after another."""
    found = []
    for run in series:
        # Each process reads its part of an epoch's tokens while the others read theirs.
        share = run.data_share / config.data_share / at_once(device, processes)
        found.append(_time(run, {**counts, "tokens": max(1, round(counts["tokens"] * share))}, device, probe))
    low, usual, high = (None if None in each else sum(filter(None, each)) for each in zip(*found, strict=True))
    return low, usual, high


def _time(config: TrainingConfig, counts: dict[str, Any], device: str, probe: Measured | None) -> _Range:
    """Return the least, the expected and the most seconds."""
    if probe is None:
        seconds = _seconds(config, counts["tokens"], device)
        return seconds, seconds, seconds
    low, usual, high = (_extrapolated(config, counts["tokens"], probe, rate) for rate in probe.rates)
    return low, usual, high


def _extrapolated(config: TrainingConfig, tokens: int, probe: Measured, rate: float) -> float:
    """Return the seconds of the whole run: loading, an evaluation before, then steps and evaluations.

    A time limit is counted from the first step on and cuts those short; one evaluation then comes on top.
    """
    each, limit = probe.evaluation_seconds, config.seconds_limit
    whole = None if config.epochs is None else tokens * config.epochs * rate + config.evaluations * each
    if limit is not None and (whole is None or whole > limit):
        whole = limit + each
    assert whole is not None, "a configuration has an end"
    return probe.loading_seconds + each + whole


def _seconds(config: TrainingConfig, tokens: int, device: str) -> float | None:
    """Return the expected seconds: the limit, or tokens by the speed that earlier runs of this kind measured."""
    speed = _measured_speed(config, device)
    by_tokens = None if speed is None or config.epochs is None else tokens * config.epochs / speed
    if config.seconds_limit is None:
        return by_tokens
    return config.seconds_limit if by_tokens is None else min(config.seconds_limit, by_tokens)


def _measured_speed(config: TrainingConfig, device: str) -> float | None:
    """Return tokens a second of one device in earlier runs; other objectives count by the passes a token costs."""
    query = (
        select(tb.TrainingRun)
        .where(tb.TrainingRun.base_ref == config.base_ref, tb.TrainingRun.method == config.plugin.name)
        .order_by(tb.TrainingRun.id.desc())
        .limit(20)
    )
    with read() as session:
        found = list(session.scalars(query))
    speeds: dict[bool, list[float]] = {True: [], False: []}
    for run in found:
        together = at_once(device, run.result.get("processes", 1))
        speed = (run.result.get("tokens_per_second") or 0.0) / together
        if speed and run.result.get("device") == device:
            aim = build_objective(run.config.get("objective") or {"name": "sft"})
            speeds[aim.name == config.aim.name].append(speed * aim.passes / config.aim.passes)
    known = speeds[True] or speeds[False]
    return statistics.median(known) if known else None


def cost_of(
    low: float | None, seconds: float | None, high: float | None, tokens: int, device: str, processes: int
) -> dict[str, Any] | None:
    """Return what the least, the expected and the most seconds cost; None if they or a price are not known."""
    if low is None or seconds is None or high is None:
        return None
    try:
        paid = paid_devices(device, processes)
        least, cost, most = (price_training(each * paid, tokens, device) for each in (low, seconds, high))
    except KurabeError:
        return None
    return {
        "amount": str(cost.amount),
        "low": str(least.amount),
        "high": str(most.amount),
        "currency": cost.currency,
        "price_version": cost.price_version,
    }
