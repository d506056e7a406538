"""What lies in files of weights, read from their headers; no weight is loaded."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["stored_tensors"]

_STATE = ".quant_state.bitsandbytes__"
_COMPANIONS = ("absmax", "quant_map", "nested_absmax", "nested_quant_map", "quant_state")
"""What bitsandbytes stores beside a packed weight."""


def stored_tensors(folder: Path) -> Iterator[tuple[str, list[int], bool]]:
    """Give the name and shape of every weight, and whether it is packed into 4 bits.

    bitsandbytes stores a packed weight as one column of bytes, its scales under ``<name>.<part>``, and what shape it
    really has as JSON in ``<name>.quant_state.bitsandbytes__<type>``.

    Raises:
        ValueError: if a file is cut short or is no safetensors file.
    """
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            length, header = _header(file, path.stat().st_size)
            states = {name.split(_STATE)[0]: entry for name, entry in header.items() if _STATE in name}
            for name, entry in header.items():
                if name in states:
                    start, end = states[name]["data_offsets"]
                    file.seek(8 + length + start)
                    yield name, json.loads(file.read(end - start))["shape"], True
                elif not any(f".weight.{part}" in name for part in _COMPANIONS):
                    yield name, entry["shape"], False


def _header(file: BinaryIO, size: int) -> tuple[int, dict[str, Any]]:
    """Return how long a file's header is, and the header: name, shape and place of each tensor.

    A safetensors file begins with the length of its JSON header (8 bytes, little endian) and the header itself.
    """
    begin = file.read(8)
    length = struct.unpack("<Q", begin)[0] if len(begin) == 8 else size
    if 8 + length > size:
        raise ValueError(f"{size} bytes")
    header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if 8 + length + end > size:
        raise ValueError(f"{size} / {8 + length + end} bytes")
    return length, header
