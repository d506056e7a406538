"""What a folder of weights says about itself without loading it: its hash and its number of parameters."""

from __future__ import annotations

import json
import math
import struct
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.identity import atomic_write, content_hash, file_hash
from core.settings import settings

__all__ = ["folder_hash", "parameter_count"]

_KINDS = ("*.safetensors", "config.json", "generation_config.json", "tokenizer.json", "adapter_config.json", "*.jinja")
"""Files that change what a model answers."""

_lock = threading.Lock()


def folder_hash(folder: Path) -> str:
    """Return one hash of all files in a folder that change what the model answers.

    Large files are read once; their hash is remembered by size and time of change.
    """
    return content_hash({path.name: _hash_of(path) for kind in _KINDS for path in sorted(folder.glob(kind))})


def _hash_of(path: Path) -> str:
    stat = path.stat()
    return _remembered(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _remembered(path: str, size: int, changed: int) -> str:
    if size < 1 << 24:
        return file_hash(Path(path))
    record = settings().path("cache") / "hashes.json"
    key = f"{path}:{size}:{changed}"
    with _lock:
        known = _read(record)
        if key not in known:
            known[key] = file_hash(Path(path))
            atomic_write(record, json.dumps(known))
        return str(known[key])


def _read(record: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values


def parameter_count(folder: Path) -> int:
    """Count parameters from the headers of the safetensors files; a byte of packed 4-bit weights counts twice."""
    return sum(_count(str(path), path.stat().st_mtime_ns) for path in folder.glob("*.safetensors"))


@lru_cache(maxsize=256)
def _count(path: str, _changed: int) -> int:
    # A safetensors file begins with the length of its JSON header (8 bytes, little endian) and the header itself.
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    packed = {name.split(".quant_state.")[0] for name in header if ".quant_state." in name}
    # beside a packed weight lie its scales, under names that begin with its own
    own = {name: entry for name, entry in header.items() if name.partition(".weight.")[0] + ".weight" not in packed}
    return sum(math.prod(entry["shape"]) * (2 if name in packed else 1) for name, entry in own.items())
