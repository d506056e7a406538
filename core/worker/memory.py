"""Memory of a job's processes: how much they held last, and whether the system ended one for lack of it."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import psutil

from core.errors import KurabeError
from core.jobs.files import RunFiles
from core.jobs.kinds import JobKind
from core.jobs.outcome import MEMORY_KILLED, Outcome
from core.store import tables as tb

logger = logging.getLogger(__name__)
_OWN: Final = Path("/proc/self/cgroup")
_MACHINE: Final = Path("/proc/vmstat")
Relief = Callable[[tb.Job, Path, int | None, int | None], KurabeError]
"""What a kind names: from the job, its events, bytes held last and kills counted to what should be changed."""


def counters(own: Path = _OWN) -> list[Path]:
    """Return the files in which the system may count what it killed for lack of memory, those of this group first.

    The control group's counter names its own processes alone; the machine's holds where there are no groups.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":  # the second version
            found += [Path(f"/sys/fs/cgroup{group}") / "memory.events", Path("/sys/fs/cgroup/memory.events")]
        elif "memory" in controllers.split(","):
            root = Path("/sys/fs/cgroup/memory")
            found += [Path(f"{root}{group}") / "memory.oom_control", root / "memory.oom_control"]
    return [*found, _MACHINE]


def kills_counted(files: Sequence[Path]) -> int | None:
    """Return the first count of kills that can be read; None if none can be."""
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            continue
        for line in text.splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.strip().isdigit():
                return int(count)
    return None


class MemoryWatch:
    """Looks at one attempt of a job from before its child starts."""

    def __init__(self) -> None:
        """Note what the system has counted until now."""
        self._files = counters()
        self._before = kills_counted(self._files)
        self.held: int | None = None
        """Bytes that the child and what it started held at the last look."""

    @property
    def kills(self) -> int | None:
        """Kills for lack of memory since the attempt began; None where the system lets nobody read its count."""
        after = kills_counted(self._files)
        return None if after is None or self._before is None else max(0, after - self._before)

    def look(self, pid: int | None) -> None:
        """Measure the child and what it started, while they are there."""
        if pid is None:
            return
        try:
            child = psutil.Process(pid)
            self.held = sum(_resident(each) for each in (child, *child.children(recursive=True))) or self.held
        except (psutil.Error, OSError):
            return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def with_relief(outcome: Outcome, kind: JobKind, job: tb.Job, files: RunFiles, watch: MemoryWatch) -> Outcome:
    """Let the kind of a job that was killed for lack of memory say which setting to change."""
    if kind.relief is None or outcome.error is None or outcome.error["code"] != MEMORY_KILLED:
        return outcome
    module, _, name = kind.relief.partition(":")
    try:
        relief = cast(Relief, getattr(importlib.import_module(module), name))
        return replace(outcome, error=relief(job, files.events, watch.held, watch.kills).as_record())
    except Exception:  # the plain sentence stands; advice must not cost the record of the end
        logger.exception("advice for %s", job.id)
        return outcome
