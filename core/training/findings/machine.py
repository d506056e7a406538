"""What the machine says: memory, disk, devices, and who else uses them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from core.jobs import list_jobs
from core.models import host_status
from core.training.config import TrainingConfig
from core.training.device import gpu_programs, gpus_found
from core.training.findings import Finding
from core.training.relief import milder

__all__ = [
    "disk_findings",
    "holder_findings",
    "memory_findings",
    "process_findings",
    "queue_findings",
    "relief_findings",
]


def memory_findings(needed: int, free: int | None, *, measured: bool) -> list[Finding]:
    """Say whether the bytes that are needed are free; an estimate may be off, what a probe `measured` is not."""
    if free is None:
        return [Finding("risky", "memory_unknown", {"needed_mb": needed >> 20})]
    params = {"needed_mb": needed >> 20, "free_mb": free >> 20, "percent": round(100 * needed / max(free, 1))}
    if needed > free:
        return [Finding("will_not", "memory", params)]
    # The estimate may be a fifth too low; what was measured held the longest rows, unless they are a sample.
    return [Finding("risky", "memory_tight", params)] if not measured and needed > 0.8 * free else []


_MARGIN = 1.2
"""How many times what is missing a change must save: the estimate may be a fifth off."""


def relief_findings(config: TrainingConfig, folder: Path, longest: int, device: str, missing: float) -> list[Finding]:
    """Say which is the mildest change of settings that saves what is missing; nothing if nothing is missing.

    Args:
        config: what is to be trained.
        folder: of the base.
        longest: tokens of the longest row.
        device: ``cpu`` or ``cuda``.
        missing: bytes that each process lacks.
    """
    if missing <= 0:
        return []
    found = milder(config, folder, longest, device, _MARGIN * missing)
    if found is None:
        return [Finding("will_not", "relief_none", {})]
    kind, params = found
    return [Finding("will_not", f"relief_{kind}", params)]


def disk_findings(needed: int, free: int) -> list[Finding]:
    """Say whether the bytes that checkpoints and adapter need are free."""
    if needed <= free:
        return []
    return [Finding("will_not", "disk", {"needed_mb": needed >> 20, "free_mb": free >> 20})]


def process_findings(config: TrainingConfig, device: str, processes: int) -> list[Finding]:
    """Say what several processes mean for a step, and whether there is a GPU for each."""
    if processes == 1:
        return []
    rows = config.batch_size * config.accumulation * processes
    found = [Finding("go", "processes" if device == "cuda" else "processes_cpu", {"n": processes, "rows": rows})]
    if device == "cuda" and (there := gpus_found()) < processes:
        found.append(Finding("will_not", "too_few_devices", {"n": processes, "there": there}))
    return found


def queue_findings() -> list[Finding]:
    """Say how many jobs come first."""
    ahead: Sequence[Any] = list_jobs(kinds=["train", "merge", "experiment"], active=True)
    return [Finding("go", "queue", {"jobs": len(ahead)})] if ahead else []


def holder_findings(device: str, processes: int) -> list[Finding]:
    """Say what else holds the device: this home's host, other programs on the GPU, other work on the processor."""
    found = []
    host = host_status()
    if host is not None:
        found.append(Finding("go", "host_holds", {"pid": host["pid"]}))
    if device == "cuda":
        others = [other for other in gpu_programs(processes) if host is None or other[0] != host["pid"]]
        if others:
            named = ", ".join(f"{name} ({pid}): {mb} MB" for pid, name, mb in others[:5])
            found.append(Finding("risky", "gpu_shared", {"programs": named}))
        return found
    load, cores = psutil.getloadavg()[0], psutil.cpu_count() or 1
    if load > cores:
        found.append(Finding("go", "processor_busy", {"load": round(load, 1), "cores": cores}))
    return found
