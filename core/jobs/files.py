"""The files of one job: where they lie and how they are read without trusting them."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import KurabeError
from core.identity import ProcessIdentity, atomic_write, new_id, now
from core.settings import settings

TAIL_BYTES: Final = 256 * 1024
RESERVE_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class RunFiles:
    """Paths of one attempt of one job; `events` and `log` run on over all attempts."""

    folder: Path
    attempt: int

    @classmethod
    def of(cls, job_id: str, attempt: int) -> RunFiles:
        """Files of a job in the current home."""
        return cls(settings().path("jobs") / job_id, attempt)

    @property
    def events(self) -> Path:
        """Append-only events, one JSON object a line."""
        return self.folder / "events.jsonl"

    @property
    def log(self) -> Path:
        """What the real work wrote to stdout and stderr."""
        return self.folder / "log.txt"

    @property
    def worker_log(self) -> Path:
        """What the supervisor wrote to stdout and stderr."""
        return self.folder / "worker.log"

    def part(self, name: str) -> Path:
        """A part by its name.

        `task`, `launch`, `child`, `heartbeat`, `limits`, `stop`, `escalation`, `result`, `broken`, `outcome` or
        `reserve`.
        """
        return self.folder / "attempts" / str(self.attempt) / f"{name}.json"

    def create(self) -> None:
        """Make the folders."""
        self.part("task").parent.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> dict[str, Any] | None:
        """Read one small JSON file; None if it is missing or not whole."""
        try:
            data = json.loads(self.part(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) else None

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Write one small JSON file atomically."""
        atomic_write(self.part(name), json.dumps(data, ensure_ascii=False))

    def beat(self, data: dict[str, Any]) -> None:
        """Write the heartbeat: whole or not at all, but not forced to the disk each second."""
        path = self.part("heartbeat")
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(data), encoding="utf-8")
        fresh.replace(path)

    def set_reserve(self) -> None:
        """Keep some space for the outcome, so that a full disk can still be reported."""
        self.part("reserve").write_bytes(os.urandom(RESERVE_BYTES))

    def free_reserve(self) -> None:
        """Give the kept space back."""
        self.part("reserve").unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes of everything in the folder."""
        found = (Path(base) / name for base, _, names in os.walk(self.folder) for name in names)
        return sum(path.lstat().st_size for path in found if path.exists())


def write_stop_file(files: RunFiles, mode: str, who: str) -> None:
    """Tell a running job to stop; a cancellation is never weakened to a stop."""
    present = files.read("stop") or {}
    if present.get("mode") not in ("cancel", mode):
        files.write("stop", {"mode": mode, "by": who, "at": now().isoformat()})


def text_tail(path: Path, lines: int) -> str:
    """The last lines of a text file, at most `TAIL_BYTES` of them; empty without a file."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def lines_with(path: Path, words: str, lines: int) -> str:
    """The last lines of a whole text file that hold these words, in any case, each behind its number."""
    wanted = words.strip().casefold()
    found: deque[str] = deque(maxlen=lines)
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if wanted in line.casefold():
                    found.append(f"{number}: {line.rstrip()}")
    except OSError:
        return ""
    return "\n".join(found)


def require_free_space(path: Path, needed_mb: int = 0) -> None:
    """Refuse to start a writer on a disk that is nearly full, or would be after `needed_mb` megabytes more.

    Raises:
        KurabeError: `jobs.disk_floor`.
    """
    free = shutil.disk_usage(path).free // 2**20
    floor = settings().free_space_floor_mb
    if free - needed_mb < floor:
        raise KurabeError("jobs.disk_floor", free_mb=free, floor_mb=floor, path=str(path))


def identity_record(identity: ProcessIdentity) -> dict[str, Any]:
    """A process identity as stored; the host name says on which machine the pid means something."""
    return {
        "pid": identity.pid,
        "start_time": identity.start_time,
        "pgid": identity.pgid,
        "host": socket.gethostname(),
    }


def identity_from(record: dict[str, Any] | None) -> ProcessIdentity | None:
    """The process of a stored record; None if there is none or it belongs to another machine."""
    if not record or record.get("host") != socket.gethostname():
        return None
    return ProcessIdentity(pid=int(record["pid"]), start_time=float(record["start_time"]), pgid=int(record["pgid"]))


def home_id() -> str:
    """The id of this home. Several homes may use one PostgreSQL; each runs the jobs given to it."""
    path = settings().path("run") / "home_id"
    if not path.exists():
        fresh = path.with_name(f"home_id.{os.getpid()}.{new_id()}")
        atomic_write(fresh, new_id())
        try:
            os.link(fresh, path)  # fails if another process was first: its id is the one
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="utf-8").strip()
