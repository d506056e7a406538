"""What is known of the time that a training takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.training.config import TrainingConfig
from core.training.duration import at_once, steps_per_epoch
from core.training.findings import Finding
from core.training.probing import Measured

__all__ = ["series_findings", "time_findings"]


def series_findings(series: Sequence[TrainingConfig]) -> list[Finding]:
    """Say of how many runs the numbers are."""
    return [Finding("go", "series", {"runs": len(series)})] if len(series) > 1 else []


def time_findings(
    config: TrainingConfig,
    counts: dict[str, Any],
    probe: Measured | None,
    seconds: float | None,
    device: str,
    processes: int,
) -> list[Finding]:
    """Say what the time rests on, and how much of the training fits into its limit."""
    if probe is None:
        return [Finding("go", "time_unknown", {})] if seconds is None else []
    each = counts["tokens"] / at_once(device, processes)
    tokens = each / steps_per_epoch(config, counts["trained"], processes)
    low, usual, high = (_short(rate * tokens) for rate in probe.rates)
    params = {
        "steps": len(probe.step_seconds),
        "step": usual,
        "low": low,
        "high": high,
        "evaluation": _short(probe.evaluation_seconds),
        "loading": _short(probe.loading_seconds),
    }
    found = [Finding("go", "time_measured", params)]
    if config.seconds_limit is not None:
        left = max(0.0, config.seconds_limit - (config.evaluations - 1) * probe.evaluation_seconds)
        passes = left / (each * probe.rates[1])
        if config.epochs is None or passes < config.epochs:
            steps = round(passes * steps_per_epoch(config, counts["trained"], processes))
            found.append(Finding("go", "steps_in_time", {"steps": steps, "passes": _short(passes)}))
    return found


def _short(value: float) -> float:
    """Return three digits of a number: more would claim what three steps cannot tell."""
    return float(f"{value:.3g}")
