"""Checkpoints that can be trusted: a manifest written last says that every file is there and whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.identity import atomic_write, file_hash

__all__ = ["MANIFEST", "Checkpoint", "keep_newest", "newest_valid", "remove_unsealed", "seal", "valid_at"]

MANIFEST = "manifest.json"
"""Name of the manifest in a checkpoint's folder."""

_PREFIX = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint whose manifest agreed with its files."""

    folder: Path
    step: int
    facts: dict[str, Any]
    """What the run noted when it was saved: seconds used, losses."""


def seal(folder: Path, step: int, facts: dict[str, Any]) -> None:
    """Write the manifest of a complete checkpoint: sizes and hashes of all files, then what the run notes."""
    files = {
        str(path.relative_to(folder)): {"size": path.stat().st_size, "hash": file_hash(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    atomic_write(folder / MANIFEST, json.dumps({"step": step, "facts": facts, "files": files}, indent=1))


def newest_valid(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that is whole, and the names of newer ones that are not."""
    broken: list[str] = []
    for path in sorted(folder.glob(f"{_PREFIX}*"), key=_step, reverse=True):
        found = _read(path)
        if found is not None:
            return found, broken
        broken.append(path.name)
    return None, broken


def valid_at(folder: Path, step: int) -> Checkpoint | None:
    """Return the checkpoint of a step; None if it is not there or not whole."""
    return _read(folder / f"{_PREFIX}{step}")


def remove_unsealed(folder: Path) -> None:
    """Delete what was being written when the disk became full; it can never be used, and its space is needed."""
    for path in folder.glob(f"{_PREFIX}*"):
        if not (path / MANIFEST).exists():
            shutil.rmtree(path, ignore_errors=True)


def keep_newest(folder: Path, count: int, *, spare: int | None = None) -> None:
    """Delete older checkpoints; broken ones are kept as they are, they do not count.

    Args:
        folder: the run's checkpoints.
        count: how many of the newest stay.
        spare: step of one that stays as well, however old it is.
    """
    whole = [path for path in sorted(folder.glob(f"{_PREFIX}*"), key=_step) if (path / MANIFEST).exists()]
    for path in whole[:-count]:
        if _step(path) == spare:
            continue
        # The manifest goes first: a deletion cut short must not leave a folder that looks whole.
        (path / MANIFEST).unlink()
        shutil.rmtree(path)


def _step(path: Path) -> int:
    number = path.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else -1


def _read(folder: Path) -> Checkpoint | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        whole = bool(files) and all(_same(folder / name, entry) for name, entry in files.items())
        return Checkpoint(folder, int(manifest["step"]), dict(manifest["facts"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same(path: Path, entry: dict[str, Any]) -> bool:
    return bool(path.stat().st_size == entry["size"] and file_hash(path) == entry["hash"])
