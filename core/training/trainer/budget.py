"""How much of a run's budget is used: the one clock that stops it and lets its learning rate fall."""

from __future__ import annotations

import math
import time

from core.training.config import TrainingConfig

__all__ = ["UNLIMITED", "Budget"]

UNLIMITED = 10**9
"""Steps of a run that only time limits."""


class Budget:
    """Steps, seconds, or both: whichever share is larger counts."""

    def __init__(self, config: TrainingConfig, rows: int, spent: float = 0.0, processes: int = 1) -> None:
        """Plan a run.

        Args:
            config: the run's configuration.
            rows: training rows.
            spent: seconds that earlier attempts used up to the checkpoint this one resumes from.
            processes: how many train together; each step takes the batches of all of them.
        """
        self.config = config
        batches = math.ceil(math.ceil(rows / config.batch_size) / processes)
        self.steps_per_epoch = math.ceil(batches / config.accumulation)
        self.steps = UNLIMITED if config.epochs is None else max(1, math.ceil(self.steps_per_epoch * config.epochs))
        self.spent = spent
        self._begun: float | None = None
        self._agreed: float | None = None

    def begin(self) -> None:
        """Start the clock."""
        self._begun = time.monotonic()

    def agree(self, seconds: float) -> None:
        """Go by the clock of the first of several processes: their rates and their end must be the same."""
        self._agreed = seconds

    @property
    def seconds(self) -> float:
        """Seconds of training so far, earlier attempts included; of several processes, as last agreed upon."""
        return self.clock if self._agreed is None else self._agreed

    @property
    def clock(self) -> float:
        """Seconds of training so far by this process's own clock."""
        return self.spent + (0.0 if self._begun is None else time.monotonic() - self._begun)

    def share(self, step: int) -> float:
        """Return how much of the budget is used after `step` steps, from 0 to 1."""
        limit = self.config.seconds_limit
        by_time = 0.0 if limit is None else self.seconds / limit
        return min(1.0, max(step / self.steps, by_time))

    def rate(self, step: int) -> float:
        """Return the learning rate of the step after `step`, as a share of its peak.

        It rises over the first steps and then falls with the share of the budget that is used, so that it reaches
        zero when the time is up, however fast the machine is.
        """
        warm = min(1.0, (step + 1) / self.config.warmup_steps) if self.config.warmup_steps else 1.0
        share = self.share(step)
        if self.config.schedule == "linear":
            return warm * (1.0 - share)
        if self.config.schedule == "cosine":
            return warm * 0.5 * (1.0 + math.cos(math.pi * share))
        return warm

    def remaining(self, step: int) -> float | None:
        """Return the seconds left at the rate so far; None before anything is known."""
        share = self.share(step)
        if share <= 0:
            return None
        return self.seconds * (1.0 - share) / share

    def progress(self, step: int) -> tuple[float, float, str]:
        """Return what is done, of how much, and the unit: steps, or seconds if the time limit comes first."""
        limit = self.config.seconds_limit
        if limit is not None and (self.steps == UNLIMITED or self.seconds / limit > step / self.steps):
            return round(min(self.seconds, limit), 1), limit, "seconds"
        return step, self.steps, "steps"
