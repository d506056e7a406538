"""Whether an adapter's weights fit a base: its matrices must have the shapes of the layers that they stand beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.errors import KurabeError
from core.models import BaseModelInfo
from core.training.tensors import stored_tensors

__all__ = ["require_fitting"]

_MATRIX = re.compile(r"(?P<layer>.*)\.lora_(?P<side>[AB])\.(?:\w+\.)?weight$")
_BLOCK = re.compile(r"layers\.\d+\..*")
"""A layer's name from its block on; what stands before it differs between ways to save the same model."""


def require_fitting(folder: Path, base: BaseModelInfo) -> None:
    """Refuse an adapter whose weights are cut short, or whose matrices do not fit the layers of the base.

    Layers that the base names otherwise are passed over; a base that is not on this machine cannot be compared.

    Raises:
        KurabeError: ``training.import_unreadable``, ``training.import_shape``.
    """
    try:
        matrices = list(_matrices(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        detail = f"adapter_model.safetensors: {error}"
        raise KurabeError("training.import_unreadable", name=folder.name, detail=detail) from error
    layers = _layers(base.folder) if matrices and base.folder is not None else {}
    for layer, side, width in matrices:
        there = layers.get(layer, set())
        expected = {shape[1 if side == "A" else 0] for shape in there}
        if expected and width not in expected:
            raise KurabeError("training.import_shape", layer=layer, found=width, expected=min(expected), base=base.ref)


def _matrices(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Give each low-rank matrix: its layer, which of both it is, and its width on the layer's side."""
    for name, shape, _ in stored_tensors(folder):
        found, block = _MATRIX.match(name), _BLOCK.search(name)
        if found and block and len(shape) == 2:
            layer = _BLOCK.search(found["layer"])
            if layer:
                yield layer.group(), found["side"], shape[1] if found["side"] == "A" else shape[0]


def _layers(folder: Path) -> dict[str, set[tuple[int, int]]]:
    """Return the shapes of a base's linear layers by name; towers of several kinds may name theirs alike."""
    layers: dict[str, set[tuple[int, int]]] = {}
    for name, shape, _ in stored_tensors(folder):
        block = _BLOCK.search(name.removesuffix(".weight"))
        if block and len(shape) == 2 and name.endswith(".weight"):
            layers.setdefault(block.group(), set()).add((shape[0], shape[1]))
    return layers
