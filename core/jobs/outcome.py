"""How an attempt ended: the rule that turns what a child left behind into a terminal status."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.errors import ErrorRecord, KurabeError

StopStep = Literal["asked", "sigterm", "sigkill"]

MEMORY_KILLED: Final = "jobs.memory_killed"
"""Code of the error of a job that the system probably killed for lack of memory."""


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
    between: bool = False
    """Whether a launcher stood between, which ends with a code of its own when a process that it started is killed."""
    kills: int | None = None
    """Kills for lack of memory that the system counted meanwhile; None if nobody looked or its count cannot be read."""
    held_bytes: int | None = None
    """What its processes held when they were last looked at; None if nobody looked."""

    @property
    def short_of_memory(self) -> bool:
        """Whether the system probably killed it: SIGKILL that nobody here sent, and a count that does not deny it.

        Nobody is told so who cancelled it, and after a request to save, as of a machine that goes down, the count
        must say it.
        """
        if self.mode == "cancel" or self.step == "sigkill":
            return False
        counted = bool(self.kills)
        if self.returncode == -signal.SIGKILL:
            unseen = self.kills is None and self.mode is None and self.held_bytes is not None
            return counted or unseen
        return counted and self.between and self.returncode not in (0, None)


def conclude(ending: Ending) -> Outcome:
    """Work the outcome out; what the child itself left as its result comes first."""
    code = ending.returncode
    exit_code = code if code is not None and code >= 0 else None
    number = -code if code is not None and code < 0 else None
    error_left = (ending.left or {}).get("error") or {}
    # A process that waits for one that was killed fails too, with words about a closed connection.
    outdone = error_left.get("code") == "internal" and ending.short_of_memory
    status, error, result = _by_result(ending) if ending.left is not None and not outdone else _by_exit(ending)
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
    if ending.short_of_memory:
        held = "?" if ending.held_bytes is None else ending.held_bytes >> 20
        return KurabeError(
            MEMORY_KILLED, held_mb=held, kills="?" if ending.kills is None else ending.kills, tail=ending.tail
        )
    if code is not None and code < 0:
        if ending.kills != 0:  # nobody read a count, or it does not say whom it counts
            return KurabeError("jobs.child_killed_unseen", signal=signal_name(-code), tail=ending.tail)
        return KurabeError("jobs.child_killed", signal=signal_name(-code), tail=ending.tail)
    return KurabeError("jobs.child_exited", exit_code=code, tail=ending.tail)


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; the number itself if it has no name here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
