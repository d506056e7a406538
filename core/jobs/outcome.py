"""How an attempt ended: the rule that turns what a child left behind into a terminal status."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import ErrorRecord, KurabeError

StopStep = Literal["asked", "sigterm", "sigkill"]


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt, as stored in its outcome file and then in the store."""

    status: str
    """`succeeded`, `failed`, `stopped`, `cancelled`, `killed` or `lost`."""
    error: ErrorRecord | None = None
    result: dict[str, Any] | None = None
    exit_code: int | None = None
    signal: int | None = None
    stop_step: StopStep | None = None
    elapsed_seconds: float | None = None
    ended_at: str | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True)
class Ending:
    """What is known when a child has ended."""

    left: dict[str, Any] | None
    """The child's own result file; None if it ended without one."""
    returncode: int | None
    """As `subprocess` gives it: below 0 for a signal; None if nobody reaped the child."""
    mode: str | None = None
    """`stop` or `cancel` if somebody asked for it."""
    step: StopStep | None = None
    """How far the supervisor had to go."""
    tail: str = ""
    """End of the log."""


def conclude(ending: Ending) -> Outcome:
    """Work the outcome out; what the child itself left as its result comes first."""
    code = ending.returncode
    exit_code = code if code is not None and code >= 0 else None
    number = -code if code is not None and code < 0 else None
    status, error, result = _by_result(ending) if ending.left is not None else _by_exit(ending)
    return Outcome(status=status, error=error, result=result, exit_code=exit_code, signal=number, stop_step=ending.step)


def _by_result(ending: Ending) -> tuple[str, ErrorRecord | None, dict[str, Any] | None]:
    left = ending.left or {}
    error, result = left.get("error"), left.get("result") or {}
    if error is not None:
        return ("cancelled" if ending.mode == "cancel" else "failed"), error, None
    if result.get("stopped") is True:
        return ("cancelled" if ending.mode == "cancel" else "stopped"), None, result
    return "succeeded", None, result


def _by_exit(ending: Ending) -> tuple[str, ErrorRecord | None, None]:
    if ending.step == "sigkill":
        return "killed", None, None
    if ending.mode is not None and ending.step == "sigterm":
        # Who asked it to save did not cancel it: it was ended because it took too long, without a result.
        return ("stopped" if ending.mode == "stop" else "cancelled"), None, None
    return "failed", _child_error(ending).as_record(), None


def _child_error(ending: Ending) -> KurabeError:
    code = ending.returncode
    if code is not None and code < 0:
        return KurabeError("jobs.child_killed", signal=signal_name(-code), tail=ending.tail)
    return KurabeError("jobs.child_exited", exit_code=code, tail=ending.tail)


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; the number itself if it has no name here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
