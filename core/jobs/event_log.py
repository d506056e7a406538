"""Events of a job: an append-only file with sequence numbers, and progress read from it."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import KurabeError
from core.identity import now

SCHEMA: Final = 1
_TAIL: Final = 64 * 1024
_SPOIL: Final = b"#\n"
"""Closes a torn line so that it can never pass for an event: its writer was never told that it is durable."""

Event = dict[str, Any]


def plain(value: Any) -> Any:
    """The value with only JSON types; a float that is not finite becomes None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _parsed(raw: bytes) -> Iterator[Event]:
    """Whole lines only: what a crash cut off, and what follows it on that line, is left out."""
    for line in raw.split(b"\n")[:-1]:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("seq"), int):
            yield event


def read_events(path: Path, after: int = 0) -> list[Event]:
    """All events with a sequence number above `after`, in the order written."""
    try:
        raw = path.read_bytes()
    except OSError:
        return []
    return [event for event in _parsed(raw) if event["seq"] > after]


def recent_events(path: Path) -> list[Event]:
    """The events in the last 64 KiB of the file; the first line there may be cut and is left out."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            raw = file.read()
    except OSError:
        return []
    return list(_parsed(raw if size <= _TAIL else raw.partition(b"\n")[2]))


def disk_full(error: OSError, path: Path) -> KurabeError | None:
    """The error for a full disk or quota; None for any other cause."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return KurabeError("jobs.disk_full", path=path.name)
    return None


class EventLog:
    """The one writer of an events file. Each event is on the disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open for appending and go on after the last whole event."""
        self.path = path
        self._lock = threading.Lock()
        events = recent_events(path) or read_events(path)
        self._seq = max((event["seq"] for event in events), default=0)
        self._torn = _ends_torn(path)

    def append(self, kind: str, **data: Any) -> int:
        """Write one event; returns its sequence number.

        Raises:
            KurabeError: `jobs.disk_full`; the file stays readable.
        """
        with self._lock:
            event = {**plain(data), "schema": SCHEMA, "seq": self._seq + 1, "at": now().isoformat(), "kind": kind}
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            self._write(_SPOIL + line if self._torn else line)
            self._seq += 1
            return self._seq

    def _write(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            written = os.write(descriptor, line)
            # A short write means that the disk became full in the middle of the line.
            self._torn = written < len(line)
            if self._torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError as error:
            raise disk_full(error, self.path) or error from error
        finally:
            os.close(descriptor)


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return False


@dataclass(frozen=True)
class Progress:
    """How far a job has come in its present stage."""

    stage: str | None = None
    done: float | None = None
    total: float | None = None
    eta_seconds: float | None = None
    """Seconds until `done` reaches `total` at the rate seen in this stage; None if unknown."""


def _rate(series: list[Event]) -> float | None:
    """Units per second between the first and the last event of one stage."""
    span = (_at(series[-1]) - _at(series[0])).total_seconds()
    gained = series[-1]["done"] - series[0]["done"]
    return gained / span if span > 0 and gained > 0 else None


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event["at"])


def progress_of(events: list[Event], attempt: int) -> Progress:
    """Stage, done, total and remaining time from the recent events of one attempt."""
    steps = [e for e in events if e["kind"] == "progress" and e.get("attempt") == attempt]
    if not steps:
        return Progress()
    last = steps[-1]
    stage, done, total = last.get("stage"), last.get("done"), last.get("total")
    series = [e for e in steps if e.get("stage") == stage and e.get("total") == total]
    rate = _rate(series) if done is not None else None
    if rate is None or total is None or done is None:
        return Progress(stage, done, total)
    waited = (now() - _at(last)).total_seconds()
    return Progress(stage, done, total, max(0.0, (total - done) / rate - waited))
