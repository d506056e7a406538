"""Events of a job: an append-only file with sequence numbers, and progress read from it."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
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


class EventTail:
    """Reads an events file as it grows: each call gives what was added since the one before."""

    def __init__(self, path: Path) -> None:
        """Start before the first event; the file need not be there yet."""
        self.path = path
        self._offset = 0

    def further(self) -> list[Event]:
        """Return the whole events added since the last call; a line that is still being written comes with the next."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:  # another file by the same name
                    self._offset = 0
                file.seek(self._offset)
                added = file.read()
        except OSError:
            return []
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(_parsed(whole))


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TOLD_BY_LIBRARIES: Final = (
    *(f"(os error {number})" for number in _FULL),  # safetensors, tokenizers and others written in Rust
    *(os.strerror(number) for number in _FULL),
)
_TORN_ARCHIVE: Final = re.compile(
    r"inline_container|PytorchStreamWriter|unexpected pos|basic_ios|iostream error", re.IGNORECASE
)
"""What torch says when an archive it writes came out shorter than it should: a plain RuntimeError, without a cause."""
_NOTHING_LEFT: Final = 4 * 2**20
"""Free bytes below which an error that nobody foresaw is put down to the full disk."""


def disk_full(error: BaseException, path: Path) -> KurabeError | None:
    """The error for a full disk or quota; None for any other cause.

    Args:
        error: What was raised. Libraries that save weights hide the cause in their words.
        path: The file or folder that was written to; its disk is looked at.
    """
    if isinstance(error, KurabeError):
        return error if error.code == "jobs.disk_full" else None
    seen: BaseException | None = error
    while seen is not None:
        if _says_full(seen):
            return KurabeError("jobs.disk_full", path=path.name)
        seen = seen.__cause__ or seen.__context__
    return KurabeError("jobs.disk_full", path=path.name) if _free(path) < _NOTHING_LEFT else None


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    said = str(error)
    return any(words in said for words in _TOLD_BY_LIBRARIES) or (
        isinstance(error, RuntimeError) and _TORN_ARCHIVE.search(said) is not None
    )


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path if path.is_dir() else path.parent).free
    except OSError:
        return _NOTHING_LEFT


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
