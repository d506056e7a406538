"""Out of memory: by how much, and which setting would have been enough."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import torch

from core.errors import KurabeError
from core.training.config import TrainingConfig
from core.training.relief import milder
from core.training.trainer.watch import memory_bytes

__all__ = ["is_shortage", "shortage"]

_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_ASKED = re.compile(r"tried to allocate ([\d.]+) (bytes|KiB|MiB|GiB)", re.IGNORECASE)
_FREE = re.compile(r"of which ([\d.]+) (bytes|KiB|MiB|GiB) is free")
_CPU = "can't allocate memory"
"""What torch says where the processor's memory is short: a plain RuntimeError."""
_MARGIN = 1.2
"""How many times the shortage a change must save: the estimate may be a fifth off."""


def is_shortage(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _CPU in str(error)


def shortage(error: BaseException, config: TrainingConfig, folder: Path, longest: int, device: str) -> KurabeError:
    """Return the error that says by how much memory fell short and the mildest change that saves as much.

    Args:
        error: what torch raised.
        config: what was trained.
        folder: of the base.
        longest: tokens of the longest row.
        device: ``cpu`` or ``cuda``.
    """
    said = str(error)
    asked = _bytes(_ASKED, said)
    free = _bytes(_FREE, said) if device == "cuda" else psutil.virtual_memory().available
    short = max(asked - (free or 0), 0) if asked is not None else None
    facts = {
        "used_mb": memory_bytes() >> 20,
        "short_mb": "?" if short is None else max(1, short >> 20),
        "detail": said.split("\n")[0][:200],
    }
    found = milder(config, folder, longest, device, _MARGIN * (short or 0))
    if found is None:
        return KurabeError("training.out_of_memory", **facts)
    kind, params = found
    return KurabeError(f"training.out_of_memory_{kind}", **params, **facts)


def _bytes(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return None if found is None else int(float(found[1]) * _UNITS[found[2]])
