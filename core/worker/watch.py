"""A child must not outlive its supervisor unnoticed: three ways, each enough by itself."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Final

from core.identity import ProcessIdentity, alive, process_identity

SUPERVISOR_VARIABLE: Final = "_KURABE_SUPERVISOR"
_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.5


class Guard:
    """A shell that kills the child's process group as soon as the supervisor is gone.

    It waits for the end of a pipe that only the supervisor holds open, so it reacts at once, needs no
    co-operation of the child (whose interpreter may hang in native code), reaches the whole group, and
    works on Linux and macOS alike.
    """

    def __init__(self, pgid: int) -> None:
        """Start guarding a group."""
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'read _; kill -s KILL -- "-$0"', str(pgid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Stop guarding, without letting the shell see the pipe end."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()


def supervisor_mark() -> dict[str, str]:
    """The environment by which a child knows its supervisor: this process."""
    me = process_identity()
    return {SUPERVISOR_VARIABLE: f"{me.pid}:{me.start_time}:{me.pgid}"}


def watch_supervisor() -> None:
    """End this process and its group when the supervisor is gone: by the kernel on Linux, and by looking."""
    pid, start, pgid = os.environ[SUPERVISOR_VARIABLE].split(":")
    supervisor = ProcessIdentity(int(pid), float(start), int(pgid))
    direct = os.getppid() == supervisor.pid
    if direct and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the lines above ran.
    if not _lives(supervisor, direct):
        _end_group()
    threading.Thread(target=_poll, args=(supervisor, direct), name="supervisor-watch", daemon=True).start()


def _lives(supervisor: ProcessIdentity, direct: bool) -> bool:
    # A direct child is handed to another parent when its own dies; that needs no start time.
    return os.getppid() == supervisor.pid if direct else alive(supervisor)


def _poll(supervisor: ProcessIdentity, direct: bool) -> None:
    while _lives(supervisor, direct):
        time.sleep(_POLL_SECONDS)
    _end_group()


def _end_group() -> None:
    # Only a group that this process leads: a launcher may have put it into somebody else's.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
