"""What the real work of a job is given: its payload, its folder, and ways to report and to listen."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, Literal

from core.identity import atomic_write, now
from core.jobs.event_log import Event, EventLog, plain, read_events
from core.jobs.secrets import redact, redacted, secret_values

_PROGRESS_SECONDS: Final = 0.5


class JobContext:
    """Handed to a job's target as its only argument; also usable without a runner, in tests."""

    def __init__(
        self,
        job_id: str,
        payload: dict[str, Any],
        run_dir: Path,
        *,
        project_id: str | None = None,
        attempt: int = 1,
        stop_file: Path | None = None,
    ) -> None:
        """Describe one attempt; `stop_file` appears when somebody asks the job to stop."""
        self.job_id = job_id
        """Id of the job."""
        self.project_id = project_id
        """Project it belongs to; None for work outside any project."""
        self.payload = payload
        """What was given to `submit`."""
        self.run_dir = run_dir
        """Folder of the job, the same in every attempt; exists."""
        self.attempt = attempt
        """1 for the first attempt."""
        self._stop_file = stop_file or run_dir / "stop.json"
        self._stop_seen: Literal["stop", "cancel"] | None = None
        self._reported = float("-inf")
        self._stage: str | None = None
        self._secrets = secret_values()
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))
        """How many processes do the job together, as `accelerate launch` starts them."""
        self.first = os.environ.get("RANK", "0") == "0"
        """True in the process that writes and speaks for all of them."""
        self._log = EventLog(run_dir / "events.jsonl") if self.first else None

    @property
    def resume(self) -> bool:
        """True if an earlier attempt may have left something to go on from."""
        return self.attempt > 1

    def emit(self, kind: str, **data: Any) -> None:
        """Append one event; it is on the disk when this returns.

        Raises:
            KurabeError: `jobs.disk_full`.
        """
        if self._log is not None:
            self._log.append(kind, **redacted({**plain(data), "attempt": self.attempt}, self._secrets))

    def progress(self, done: float, total: float | None, stage: str = "working", **data: Any) -> None:
        """Report how far the stage is; may be called often, is written at most twice a second.

        `stage` is a code with a sentence at `jobs.stage.<code>`. The first and the last report
        of a stage are always written.
        """
        instant = time.monotonic()
        due = stage != self._stage or done == total or instant - self._reported >= _PROGRESS_SECONDS
        if due:
            self._stage, self._reported = stage, instant
            self.emit("progress", **{**data, "done": done, "total": total, "stage": stage})

    def stop_requested(self) -> Literal["stop", "cancel"] | None:
        """`stop` (save, then return `{"stopped": True}`), `cancel` (end soon) or None.

        Looks whether a file exists: a few microseconds, so it may be called in every step.
        """
        if self._stop_seen != "cancel":
            self._stop_seen = _stop_mode(self._stop_file) or self._stop_seen
        return self._stop_seen

    def reported(self) -> list[Event]:
        """Return the events of all attempts so far, in the order written."""
        return read_events(self.run_dir / "events.jsonl")

    def ask_to_stop(self) -> None:
        """Take it as a request to save and end, as from a machine that goes down; a cancellation stays one."""
        self._stop_seen = self._stop_seen or "stop"

    def allow_saving(self, seconds: float) -> None:
        """Say how long saving may take after a stop, before the job is terminated; the kind's own limit is the least.

        For work that only knows once it runs how much it will have to write.
        """
        if self.first:
            atomic_write(self._stop_file.with_name("limits.json"), json.dumps({"save_seconds": seconds}))

    def log(self, text: str) -> None:
        """Write one line with the time to the job's log, secrets blanked out; of several processes the first does."""
        if not self.first:
            return
        sys.stdout.write(f"{now().isoformat(timespec='seconds')} {redact(text, self._secrets)}\n")
        sys.stdout.flush()


def _stop_mode(path: Path) -> Literal["stop", "cancel"] | None:
    try:
        mode = json.loads(path.read_text(encoding="utf-8")).get("mode")
    except (OSError, ValueError):
        return None
    return mode if mode in ("stop", "cancel") else None
