"""Questions to the device that a training would use: how many there are, what is free, who else is there; no torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from core.settings import settings

__all__ = ["device_count", "free_memory", "gpu_programs", "gpus_found", "paid_devices", "training_device"]


def training_device(processes: int = 1) -> tuple[str, int | None]:
    """Return where a training would compute, ``cuda`` or ``cpu``, and the bytes free there; None if nobody can say.

    Args:
        processes: how many train together, one a GPU: free is what the fullest of their GPUs has left.
    """
    wanted = settings().device
    free = None if wanted == "cpu" else _free_gpu_memory(processes)
    if free is not None:
        return "cuda", free
    return ("cuda", None) if wanted == "cuda" else ("cpu", free_memory())


def device_count() -> int:
    """Return on how many devices at once one training may run: as set, else the GPUs that are found, at least 1."""
    return settings().training_devices or max(1, gpus_found())


def gpus_found() -> int:
    """Return how many GPUs a training would find; 0 where it would compute on the processor."""
    if settings().device == "cpu":
        return 0
    tool = shutil.which("nvidia-smi")
    there = len(_ran([tool, "--query-gpu=index", "--format=csv,noheader"])) if tool else 0
    visible = _visible()
    return there if visible is None else min(there, len(visible))


def paid_devices(device: str, processes: int) -> int:
    """Return how many devices are paid for while so many processes train: processes on a CPU share one machine."""
    return processes if device == "cuda" else 1


_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
"""Limit, use and its parts of the container that this runs in, in the second and the first version of cgroups."""


def free_memory(cgroups: Sequence[tuple[str, str, str]] = _CGROUPS) -> int:
    """Return the bytes that may still be taken: of the machine, or of a container that allows less."""
    free: int = psutil.virtual_memory().available
    for limit, used, parts in cgroups:
        try:
            most, taken = int(Path(limit).read_text()), int(Path(used).read_text())
            # file pages that nobody has used for a while are given up before anything is killed
            named = dict(line.split()[:2] for line in Path(parts).read_text().splitlines() if " " in line)
            free = min(free, max(0, most - taken + int(named.get("inactive_file", 0))))
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
    return free


def gpu_programs(processes: int = 1) -> list[tuple[int, str, int]]:
    """Return pid, name and megabytes of every program on the GPUs that would be used; empty if nobody can say."""
    rows = [line.split(",") for line in _asked("--query-compute-apps=pid,process_name,used_memory", processes)]
    try:
        return [(int(row[0]), Path(row[1].strip()).name, int(row[-1])) for row in rows if len(row) >= 3]
    except ValueError:
        return []


def _visible() -> list[str] | None:
    """Return the GPUs that torch is allowed to see, as nvidia-smi is asked for them; None: all."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return None
    named: list[str] = []
    for each in map(str.strip, visible.split(",")):
        if each in ("", "-1", "NoDevFiles"):  # what stands behind it is hidden as well
            break
        named.append(each)
    return named


def _gpus(processes: int) -> list[str]:
    """Return the GPUs that torch would take first; none if all are hidden from it."""
    visible = _visible()
    return ([str(n) for n in range(processes)] if visible is None else visible)[:processes]


def _asked(query: str, processes: int) -> list[str]:
    """Return what nvidia-smi answers of the GPUs that would be used, line by line; nothing if it cannot be asked."""
    tool, gpus = shutil.which("nvidia-smi"), _gpus(processes)
    return _ran([tool, query, "--format=csv,noheader,nounits", "-i", ",".join(gpus)]) if tool and gpus else []


def _ran(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def _free_gpu_memory(processes: int = 1) -> int | None:
    try:
        return min(int(line) for line in _asked("--query-gpu=memory.free", processes)) << 20
    except ValueError:
        return None
