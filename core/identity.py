"""Ids, hashes, time, actors, process identities and atomic files: what every stored thing is known by."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import tempfile
import unicodedata
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil
import uuid6

__all__ = [
    "ProcessIdentity",
    "actor",
    "alive",
    "append_line",
    "as_actor",
    "atomic_write",
    "canonical_json",
    "content_hash",
    "file_hash",
    "match_key",
    "new_id",
    "now",
    "process_identity",
    "read_lines",
]

HASH_SCHEME = "k1"
"""Named in every hash; a change of the canonical form gets a new one, so that old hashes stay comparable."""

_actor: ContextVar[str | None] = ContextVar("kurabe_actor", default=None)


def new_id() -> str:
    """Return a UUIDv7 as text: unique, and in the order of creation."""
    return str(uuid6.uuid7())


def now() -> datetime:
    """Return the present time in UTC with microseconds."""
    return datetime.now(UTC)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces, UTF-8 kept, NaN refused.

    Raises:
        TypeError: if `value` holds something that JSON has no form for.
        ValueError: if it holds NaN or an infinity.
    """
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """Return ``k1:<sha256>``; text and bytes are hashed as they are, anything else as canonical JSON."""
    if isinstance(value, bytes):
        data = value
    else:
        data = (value if isinstance(value, str) else canonical_json(value)).encode()
    return f"{HASH_SCHEME}:{hashlib.sha256(data).hexdigest()}"


def file_hash(path: Path) -> str:
    """Return ``k1:<sha256>`` of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return f"{HASH_SCHEME}:{digest.hexdigest()}"


def match_key(text: str) -> str:
    """Return `text` folded for matching only (NFKC, case, runs of white space); never store it as the text."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def actor() -> str:
    """Return who acts: the person set by `as_actor`, else the account that runs this process."""
    return _actor.get() or _account()


@lru_cache(maxsize=1)
def _account() -> str:
    # Asked for with every row that is written; the system's answer takes a tenth of a millisecond.
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def as_actor(name: str | None) -> None:
    """Name the person on whose behalf this thread or task acts from here on; None: the account again."""
    _actor.set(name)


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be confused with a later one under the same number."""

    pid: int
    """Process id."""
    start_time: float
    """Seconds since the epoch at which it started, as the system tells."""
    pgid: int
    """Process group, the target of signals."""

    def as_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ProcessIdentity:
        """Rebuild an identity from its JSON values."""
        return cls(int(values["pid"]), float(values["start_time"]), int(values["pgid"]))


def process_identity(pid: int | None = None) -> ProcessIdentity:
    """Return the identity of a running process (this one by default).

    Raises:
        psutil.NoSuchProcess: if there is none.
    """
    process = psutil.Process(pid)
    try:
        return ProcessIdentity(process.pid, process.create_time(), os.getpgid(process.pid))
    except ProcessLookupError as error:  # it ended between the two questions
        raise psutil.NoSuchProcess(process.pid) from error


def alive(identity: ProcessIdentity) -> bool:
    """Tell whether exactly this process still runs; a zombie or another process under its number does not count."""
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.start_time) < 1.0
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def atomic_write(path: Path, data: str | bytes, *, mode: int = 0o644) -> None:
    """Replace a file in one step: a reader sees the old or the new content, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can sync folders."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def append_line(path: Path, value: Any) -> None:
    """Append one JSON line and make it durable; a torn line left by a crash is closed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = canonical_json(value).encode() + b"\n"
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of an append-only file; torn lines are left out, a missing file is empty."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            rows.append(value)
    return rows
