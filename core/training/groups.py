"""Runs that belong together: a learning curve over shares of the data, or one configuration with several seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import KurabeError
from core.store import read
from core.store import tables as tb
from core.training.running import RunView, runs

__all__ = ["GroupPoint", "RunGroup", "run_group"]

WORTH = 0.02
"""Share by which the validation loss must fall from the last step but one to the last for more data to help."""

Finding = Literal["waiting", "helps", "enough", "spread"]


@dataclass(frozen=True)
class GroupPoint:
    """One run of a group, as its figure shows it."""

    run_id: str
    share: float
    """Share of the training rows, from 0 to 1."""
    examples: int
    """Rows that were trained on."""
    seed: int
    loss: float
    """Validation loss of the weights that the run left, in nats per token."""


@dataclass(frozen=True)
class RunGroup:
    """Runs that differ in one thing."""

    key: str
    kind: Literal["shares", "seeds"]
    runs: list[RunView]
    """In the order of their shares or seeds, without their curves."""
    points: list[GroupPoint]
    """Those that ended with a validation loss, in the same order."""

    @property
    def finding(self) -> Finding:
        """What the ended runs say; ``waiting`` before there are two of them, or before the largest share is done."""
        if len(self.points) < 2 or (self.kind == "shares" and not self._reached_its_end):
            return "waiting"
        if self.kind == "seeds":
            return "spread"
        return "helps" if self.last_gain >= WORTH else "enough"

    @property
    def _reached_its_end(self) -> bool:
        """Whether the run on the largest share was started, is still there, and has ended."""
        last = self.points[-1]
        return last.run_id == self.runs[-1].id and last.share > _largest_share(self.key) - 1e-5

    @property
    def last_gain(self) -> float:
        """Share by which the last step to more data lowered the loss; negative where it rose."""
        before, after = self.points[-2].loss, self.points[-1].loss
        return (before - after) / before if before else 0.0

    @property
    def spread(self) -> float:
        """Distance between the highest and the lowest loss, as a share of their mean."""
        losses = [point.loss for point in self.points]
        return (max(losses) - min(losses)) / (sum(losses) / len(losses))


def run_group(run_id: str) -> RunGroup | None:
    """Return the group that a run belongs to; None for a run that stands alone.

    Raises:
        KurabeError: ``training.no_run``.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
    if run is None:
        raise KurabeError("training.no_run", id=run_id)
    return None if run.group_key is None else _gathered(run.group_key, runs(run.project_id, group=run.group_key))


def _largest_share(key: str) -> float:
    """Return the share that a group's key ends with, as `start_learning_curve` writes it; all rows if it has none."""
    share = key.rpartition(":")[2] if ":" in key else "1"
    return float(share)


def _gathered(key: str, found: list[RunView]) -> RunGroup | None:
    if len(found) < 2:
        return None
    shares = len({run.config.data_share for run in found}) > 1
    found = sorted(found, key=lambda run: (run.config.data_share, run.config.seed))
    points = [point for run in found if (point := _point(run)) is not None]
    return RunGroup(key, "shares" if shares else "seeds", found, points)


def _point(run: RunView) -> GroupPoint | None:
    loss, rows = run.result.get("eval_loss"), run.result.get("rows") or {}
    if loss is None:
        return None
    return GroupPoint(run.id, run.config.data_share, int(rows.get("trained", 0)), run.config.seed, float(loss))
