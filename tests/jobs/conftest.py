"""Jobs in tests: the small targets are registered, and no test may leave a process behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import tests.jobs.targets  # noqa: F401  # registers the kinds


def job_processes(home: Path) -> list[psutil.Process]:
    """Workers, children and what they started, known by the home in their environment."""
    found = []
    for process in psutil.process_iter(["pid", "status", "cmdline"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if environment.get("KURABE_HOME") == str(home) and "_KURABE_JOB_ID" in environment:
            found.append(process)
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind(home: Path) -> Iterator[None]:
    yield
    left = job_processes(home)
    _, alive = psutil.wait_procs(left, timeout=20)  # a worker may still be ticking as it ends
    for process in alive:
        process.kill()
    assert not alive, [process.info["cmdline"] for process in alive]
