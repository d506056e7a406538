"""Adapters and merged models: where their files lie, what they rest on, and their rows in the store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from core.errors import KurabeError
from core.identity import atomic_write, now
from core.models.bases import catalogue
from core.models.embedders import embedders
from core.models.files import folder_hash
from core.settings import settings
from core.store import read, write
from core.store import tables as tb

__all__ = [
    "AdapterFiles",
    "adapter",
    "adapter_files",
    "adapter_folder",
    "adapters",
    "delete_adapter",
    "describe_folder",
    "folder_hash",
    "merged_folder",
    "register_adapter",
    "served_names",
    "write_adapter_card",
]

CARD = "kurabe.json"
"""File beside the weights that says what they rest on."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """An adapter as it lies on the disk."""

    id: str
    folder: Path
    base_ref: str
    base_hash: str
    kind: str
    mixable: bool
    hash: str
    """Hash of its weights and configuration."""


def adapter_folder(adapter_id: str) -> Path:
    """Return ``<home>/adapters/<id>``, whether or not it is there.

    Raises:
        KurabeError: ``models.adapter_missing`` for an id that could leave the folder.
    """
    return _inside("adapters", adapter_id)


def merged_folder(merged_id: str) -> Path:
    """Return ``<home>/merged/<id>``, the folder of weights of their own.

    Raises:
        KurabeError: ``models.adapter_missing`` for an id that could leave the folder.
    """
    return _inside("merged", merged_id)


def _inside(kind: str, name: str) -> Path:
    # The name may come from a request; it must not become a path elsewhere.
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise KurabeError("models.adapter_missing", id=name)
    return settings().path(kind) / name


def write_adapter_card(
    folder: Path, *, base_ref: str, base_hash: str, kind: str, mixable: bool = False, facts: Mapping[str, Any] = {}
) -> None:
    """Write ``kurabe.json`` beside an adapter's weights; without it the host refuses the adapter."""
    content = {"base_ref": base_ref, "base_hash": base_hash, "kind": kind, "mixable": mixable, **facts}
    atomic_write(folder / CARD, json.dumps(content, ensure_ascii=False, indent=1))


def describe_folder(folder: Path) -> dict[str, Any]:
    """Return what ``kurabe.json`` in a folder says.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KurabeError("models.adapter_missing", id=folder.name) from error
    return card


def adapter_files(adapter_id: str) -> AdapterFiles:
    """Return where an adapter lies and what it rests on.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    folder = adapter_folder(adapter_id)
    card = describe_folder(folder)
    return AdapterFiles(
        id=adapter_id,
        folder=folder,
        base_ref=str(card["base_ref"]),
        base_hash=str(card.get("base_hash", "")),
        kind=str(card.get("kind", "")),
        mixable=bool(card.get("mixable", False)),
        hash=folder_hash(folder),
    )


def register_adapter(
    project_id: str,
    adapter_id: str,
    name: str,
    *,
    licence: str = "",
    training_run_id: str | None = None,
    row_style: str = "plain",
    facts: Mapping[str, Any] = {},
) -> tb.Adapter:
    """Store the row of an adapter whose files lie complete in its folder.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    files = adapter_files(adapter_id)
    row = tb.Adapter(
        id=adapter_id,
        project_id=project_id,
        name=name,
        training_run_id=training_run_id,
        base_ref=files.base_ref,
        base_hash=files.base_hash,
        kind=files.kind,
        row_style=row_style,
        hash=files.hash,
        size=_size(files.folder),
        mixable=files.mixable,
        licence=licence,
        facts=dict(facts),
    )
    with write() as session:
        session.add(row)
    return row


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def adapters(project_id: str | None = None, *, deleted: bool = False) -> list[tb.Adapter]:
    """Return a project's adapters and merged models (or all projects'), newest first."""
    query = select(tb.Adapter).order_by(tb.Adapter.id.desc())
    if project_id is not None:
        query = query.where(tb.Adapter.project_id == project_id)
    if not deleted:
        query = query.where(tb.Adapter.deleted_at.is_(None))
    with read() as session:
        return list(session.scalars(query))


def adapter(adapter_id: str) -> tb.Adapter:
    """Return one adapter's row.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    with read() as session:
        row = session.get(tb.Adapter, adapter_id)
    if row is None:
        raise KurabeError("models.adapter_missing", id=adapter_id)
    return row


def delete_adapter(adapter_id: str) -> None:
    """Delete an adapter's files and mark its row: answers that it wrote keep their provenance.

    The run that left it is promoted no longer.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    row = adapter(adapter_id)
    with write() as session:
        session.merge(row).deleted_at = now()
        left_by = tb.TrainingRun.adapter_id == adapter_id
        session.execute(update(tb.TrainingRun).where(left_by).values(promoted_for=None))
    folder = merged_folder(adapter_id) if row.kind == "merged" else adapter_folder(adapter_id)
    shutil.rmtree(folder, ignore_errors=True)


def served_names() -> list[str]:
    """Return every model name that this home's host can answer for: bases, adapters, merged models, embedders."""
    bases = [info.ref for info in catalogue() if info.folder is not None]
    tuned = [
        f"{kind[:-1] if kind == 'adapters' else kind}:{name}"
        for kind in ("adapters", "merged")
        for name in _cards(kind)
    ]
    return bases + tuned + [info.name for info in embedders() if info.folder is not None]


def _cards(kind: str) -> list[str]:
    return sorted(path.parent.name for path in settings().path(kind).glob(f"*/{CARD}"))
