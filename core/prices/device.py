"""What this machine computes with, as far as its price goes; found out without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache

from core.settings import settings

__all__ = ["Device", "local_device"]

_KNOWN = ("H100", "H200", "B200", "A100", "L40S", "L4", "T4", "A10G", "V100", "RTX")


@dataclass(frozen=True, slots=True)
class Device:
    """A device with a price an hour."""

    name: str
    """Key in the price book after ``device/``: ``cpu``, ``L4``, ``A100-80`` …"""
    units: int = 1
    """How many are rented: CPU cores; 1 for a GPU."""
    label: str = ""
    """What the machine calls it."""


def local_device(wanted: str | None = None) -> Device:
    """Return this machine's device; `wanted` is ``cpu``, ``cuda``, the name of a device, or None for the setting's."""
    wanted = wanted or settings().device
    if wanted == "cpu":
        return _cpu()
    if wanted not in ("auto", "cuda"):
        return Device(wanted)
    return _gpu() or _cpu()


def _cpu() -> Device:
    # What is rented is the machine, so all cores that this process may use count, whether or not it did.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Device("cpu", cores)


@lru_cache(maxsize=1)
def _gpu() -> Device | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        label, memory = answer.stdout.splitlines()[0].rsplit(",", 1)
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None
    return Device(_name(label, float(memory)), label=label.strip())


def _name(label: str, megabytes: float) -> str:
    words = label.upper().replace("-", " ").split()
    name = next((known for known in _KNOWN if known in words), label.strip())
    return f"A100-{80 if megabytes > 60_000 else 40}" if name == "A100" else name
