"""`python -m core.worker.child JOB_ID`: the process in which a job's target runs."""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final, cast

from core.errors import KurabeError, as_kurabe_error
from core.jobs.context import JobContext
from core.jobs.event_log import disk_full, plain
from core.jobs.files import RunFiles, write_stop_file
from core.jobs.kinds import load_kind_modules
from core.jobs.secrets import RedactingStream, redacted, secret_values
from core.settings import settings
from core.worker.watch import watch_supervisor

ATTEMPT_VARIABLE: Final = "_KURABE_JOB_ATTEMPT"
_TERMINATED: Final = 143
_ONE_REQUEST_SECONDS: Final = 5.0
Target = Callable[[JobContext], dict[str, Any] | None]


class Terminated(BaseException):
    """SIGTERM arrived; lets `finally` blocks of the target run."""


def main(job_id: str) -> int:
    """Run the target and leave its result file; returns 0, 1 for an error, 143 after the supervisor's SIGTERM."""
    # Threads of a numeric library that spin while they wait take the processor from the very thread they wait for, as
    # soon as anything else runs beside them: answers of the practice model then took four times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    watch_supervisor()
    faulthandler.enable()
    _blank_out_secrets()
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    files = RunFiles.of(job_id, int(os.environ[ATTEMPT_VARIABLE]))
    task = json.loads(files.part("task").read_text(encoding="utf-8"))
    context = _context(task, files)
    signal.signal(signal.SIGTERM, _Terminator(context, files, task["token"]))
    left: dict[str, Any]
    try:
        left = {"result": _run(task, context), "error": None}
    except Terminated:
        logging.getLogger(__name__).warning("ended by SIGTERM")
        return _TERMINATED
    except Exception as error:  # whatever the target raises is recorded as the job's error
        traceback.print_exc()
        left = {"result": None, "error": dict(_readable(error, files).as_record())}
    return _leave(context, files, {**left, "token": task["token"]})


def _run(task: dict[str, Any], context: JobContext) -> dict[str, Any]:
    load_kind_modules()
    module, _, name = task["target"].partition(":")
    target = cast(Target, getattr(importlib.import_module(module), name))
    return cast(dict[str, Any], plain(target(context) or {}))


def _context(task: dict[str, Any], files: RunFiles) -> JobContext:
    return JobContext(
        task["job_id"],
        task["payload"],
        files.folder,
        project_id=task["project_id"],
        attempt=task["attempt"],
        stop_file=files.part("stop"),
    )


def _readable(error: Exception, files: RunFiles) -> KurabeError:
    return disk_full(error, files.folder) or as_kurabe_error(error)


def _leave(context: JobContext, files: RunFiles, left: dict[str, Any]) -> int:
    """Write the result file; of several processes the first one does, and the others leave only what broke them."""
    told = cast(dict[str, Any], redacted(left, secret_values()))
    if context.first:
        files.free_reserve()
        files.write("result", told)
    elif left["error"] is not None:
        if (files.read("broken") or {}).get("token") != left["token"]:
            files.write("broken", told)
        _let_first_tell(files, left["token"])
    return 0 if left["error"] is None else 1


def _let_first_tell(files: RunFiles, token: str) -> None:
    """Stay a moment: when one process has gone, the launcher ends the first one, perhaps before its result is written.

    What all of them found at once, such as weights that became no numbers, the first one is to tell.
    """
    deadline = time.monotonic() + _ONE_REQUEST_SECONDS
    while time.monotonic() < deadline and (files.read("result") or {}).get("token") != token:
        time.sleep(0.1)


class _Terminator:
    """What SIGTERM means: from its supervisor, the end; from elsewhere, a request to save first.

    A machine that goes down and a container that is stopped send it to every process at once: the child must not
    be gone before its supervisor could ask it to save.
    """

    def __init__(self, context: JobContext, files: RunFiles, token: str) -> None:
        self._context, self._files, self._token = context, files, token
        self._asked_at: float | None = None

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self._ends_it():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a further one must not break a `finally`
            raise Terminated
        self._asked_at = self._asked_at or time.monotonic()
        self._context.ask_to_stop()
        with suppress(OSError):  # so that its supervisor waits, and ends it if it never does
            write_stop_file(self._files, "stop", "system")

    def _ends_it(self) -> bool:
        if (self._files.read("escalation") or {}).get("token") == self._token:
            return True
        # Several at once are one request, passed on by a launcher; a later one is meant, marked or not.
        return self._asked_at is not None and time.monotonic() - self._asked_at > _ONE_REQUEST_SECONDS


def _blank_out_secrets() -> None:
    values = secret_values()
    if values:
        sys.stdout = RedactingStream(sys.stdout, values)
        sys.stderr = RedactingStream(sys.stderr, values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
