"""The words for a job's state and the pure rule that works a status out from what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Status = Literal[
    "queued", "blocked", "starting", "running",
    "succeeded", "failed", "stopped", "cancelled", "killed", "lost",
]  # fmt: skip
StopMode = Literal["stop", "cancel"]
StopState = Literal["requested", "saved", "unsaved", "cut_short", "cancelled", "killed"]

WAITING: Final[frozenset[str]] = frozenset({"queued", "blocked"})
HOLDING: Final[frozenset[str]] = frozenset({"starting", "running"})
ACTIVE: Final[frozenset[str]] = WAITING | HOLDING
TERMINAL: Final[frozenset[str]] = frozenset({"succeeded", "failed", "stopped", "cancelled", "killed", "lost"})
RESUMABLE: Final[frozenset[str]] = TERMINAL - {"succeeded"}

START_LIMIT_SECONDS: Final = 30.0
"""A worker that has not reported within this time is taken for dead and its job is queued again."""
HEARTBEAT_SECONDS: Final = 1.0
"""How often a worker writes its heartbeat file."""
HEARTBEAT_LIMIT_SECONDS: Final = 60.0
"""A worker on another machine, whose process cannot be looked up here, is lost after this silence."""


@dataclass(frozen=True)
class Observation:
    """What was seen of one job from outside, in the order in which it has to be looked at.

    The liveness of the worker is looked up *before* its outcome file is read: a worker writes
    the file and then ends, so "dead, and no file afterwards" proves that there will be none.
    """

    recorded: str
    """Status in the store."""
    claim_age: float
    """Seconds since the job was claimed; 0 if it never was."""
    launch_dead: bool
    """True if the process that claimed it, or the worker it started, is known to be gone."""
    worker_alive: bool | None
    """Whether the worker's process exists; None if it cannot be known from this machine."""
    heartbeat_age: float | None
    """Seconds since the last heartbeat; None without one."""
    outcome: str | None
    """Terminal status in the outcome file of this attempt, if that file exists."""


def computed_status(seen: Observation) -> str:
    """Work a job's true status out; never trusts a stored `running` by itself."""
    if seen.recorded not in HOLDING:
        return seen.recorded
    if seen.outcome is not None:
        return seen.outcome
    if seen.recorded == "starting":
        stale = seen.launch_dead or seen.claim_age > START_LIMIT_SECONDS
        return "queued" if stale else "starting"
    if seen.worker_alive is None:
        silent = seen.heartbeat_age is None or seen.heartbeat_age > HEARTBEAT_LIMIT_SECONDS
        return "lost" if silent else "running"
    return "running" if seen.worker_alive else "lost"


_STOPPED_AS: Final[dict[str, StopState]] = {"stopped": "saved", "cancelled": "cancelled", "killed": "killed"}


def stop_state(
    status: str, mode: str | None, step: str | None = None, result: Mapping[str, Any] | None = None
) -> StopState | None:
    """Say how far a stop or a cancellation has come; None if nobody asked for one.

    Args:
        status: The job's status.
        mode: `stop` or `cancel`, if somebody asked for it.
        step: How far the supervisor had to go.
        result: What the job itself left; `{"saved": False}` says that there was nothing to save.
    """
    if mode is not None and status in HOLDING:
        return "requested"
    if status == "stopped" and result is None:
        return "cut_short" if step in ("sigterm", "sigkill") else "saved"
    if status == "stopped" and result is not None and result.get("saved") is False:
        return "unsaved"
    if status == "killed" and mode == "stop":
        return "cut_short"
    return _STOPPED_AS.get(status)
