"""Process groups of jobs: whether a worker lives, and ending everything that a child left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Final

import psutil

from core.identity import ProcessIdentity, alive

TOKEN_VARIABLE: Final = "_KURABE_LAUNCH_TOKEN"
JOB_VARIABLE: Final = "_KURABE_JOB_ID"
CHILD_MODULE: Final = "core.worker.child"
_FRESH_SECONDS: Final = 10.0


def worker_lives(identity: ProcessIdentity, heartbeat_age: float | None) -> bool:
    """Whether a worker's process exists.

    A stepped system clock shifts the start times that the system tells. So a process under the right
    number that wrote a heartbeat in the last seconds counts as the same one.
    """
    if alive(identity):
        return True
    fresh = heartbeat_age is not None and abs(heartbeat_age) < _FRESH_SECONDS
    return fresh and _running(identity.pid)


def _running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _token_of(process: psutil.Process) -> str | None:
    try:
        token = process.environ().get(TOKEN_VARIABLE)
    except (psutil.Error, OSError):
        return None
    return None if token is None else str(token)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def session_members(token: str, job_id: str, leader: int | None) -> list[psutil.Process]:
    """Processes of the session that a child leads, found also if the leader is gone.

    A session is named by its leader's pid, which may belong to a stranger by now. So each member must
    also carry this launch's token in its environment. Services that a job started in a session of
    their own, such as the host, are not members.
    """
    leaders = _leaders(token, job_id) | ({leader} if leader is not None else set())
    found = []
    for process in psutil.process_iter(["status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE or _session_of(process.pid) not in leaders:
            continue
        if _token_of(process) == token:
            found.append(process)
    return found


def _leaders(token: str, job_id: str) -> set[int]:
    """Sessions of this launch's children: also of a child that its worker had no time to note.

    Launchers for several processes may give each of them a session of its own.
    """
    leaders = set()
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if CHILD_MODULE in line and job_id in line and _token_of(process) == token:
            session = _session_of(process.pid)
            leaders |= {session} if session else set()
    return leaders


def end_session(token: str, job_id: str, leader: int | None, *, limit: float = 5.0) -> bool:
    """Kill what is left of a child's session and wait; True if nothing of it remains."""
    deadline = time.monotonic() + limit
    while members := session_members(token, job_id, leader):
        for process in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def signal_group(pgid: int, number: signal.Signals) -> None:
    """Send a signal to a process group whose leader has not been reaped yet."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)
