"""How a training's processes are started: by which launcher, and how many."""

from __future__ import annotations

from typing import Any

from core.errors import KurabeError
from core.jobs import LAUNCHERS
from core.training.device import device_count, gpus_found

__all__ = ["launch_spec", "processes_of"]


def launch_spec(processes: int | None = None, launcher: str | None = None) -> dict[str, Any]:
    """Return the stored form of the launcher that starts a training.

    Args:
        processes: how many train together, one a device; None: one, or all devices if the launcher is for several.
        launcher: its name; None: the one that suits the number.

    Raises:
        KurabeError: ``training.too_many_processes``, ``training.one_process``, ``registry.unknown``.
    """
    name = launcher or ("subprocess" if processes in (None, 1) else "accelerate")
    several = hasattr(LAUNCHERS.get(name), "processes")
    number = processes if processes is not None else (device_count() if several else 1)
    if not 1 <= number <= device_count():
        raise KurabeError("training.too_many_processes", wanted=number, there=device_count())
    if not several:
        if number > 1:
            raise KurabeError("training.one_process", launcher=name, wanted=number)
        return {"name": name}
    return {"name": name, "processes": number, "cpu": gpus_found() == 0}


def processes_of(launcher: str | dict[str, Any]) -> int:
    """Return how many processes a launcher starts."""
    return 1 if isinstance(launcher, str) else int(launcher.get("processes", 1))
