"""What is asked again, and under which changed circumstances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Probe = Literal["shuffled", "outage", "reworded", "repeated", "abilities"]
PROBES: tuple[Probe, ...] = ("shuffled", "outage", "reworded", "repeated", "abilities")
"""Passages in another order · search down · the question in other words · several times at a temperature · general
tasks that have nothing to do with the project. Each is the phase of its answers, so none is ever pooled."""


class RobustnessConfig(BaseModel):
    """A frozen second look at an experiment's approaches; a new one takes the place of the earlier one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment_id: str
    """Experiment whose questions and approaches are looked at again."""
    probes: tuple[Probe, ...] = PROBES
    """What to change."""
    questions: int = Field(default=20, gt=0)
    """Most questions, drawn in proportion to the slices."""
    repetitions: int = Field(default=5, gt=1, le=50)
    """Answers per question in the probe `repeated`."""
    temperature: float = Field(default=0.7, gt=0, le=2)
    """Temperature of the probe `repeated`; all others keep the experiment's decoding."""
    concurrency: int = Field(default=64, gt=0, le=256)
    """Requests on their way at the same time."""
    seed: int = 0
    """Seed of the draw and of the order of passages."""


@dataclass(frozen=True, slots=True)
class RobustnessPlan:
    """What it will take, shown before the start."""

    calls: int
    by_probe: dict[str, int]
