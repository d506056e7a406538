"""A folder on the server whose documents may be taken in, because an administrator named it in the settings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.jobs.files import require_free_space
from core.knowledge.archives import name_of_path
from core.knowledge.documents import add_documents, document_ids
from core.knowledge.readers import document_readers
from core.settings import settings

__all__ = ["TakenIn", "offered_folders", "take_in_folder"]

_OFFERED = 500
_RECORDED = 200
"""Failures that a job keeps in words; all of them are counted."""


@dataclass(slots=True)
class TakenIn:
    """What a folder brought."""

    stored: int = 0
    """Documents that are new or have a new version."""
    unchanged: int = 0
    """Documents that were here already."""
    failures: list[KurabeError] = field(default_factory=list)
    """Files that could not be read, and why."""
    passed_over: dict[str, int] = field(default_factory=dict)
    """Endings that no reader knows → number of files."""
    stopped: bool = False

    def as_record(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "stored": self.stored,
            "unchanged": self.unchanged,
            "failures": [error.as_record() for error in self.failures[:_RECORDED]],
            "failed": len(self.failures),
            "passed_over": self.passed_over,
            "stopped": self.stopped,
        }


def offered_folders() -> list[str]:
    """Return ``.`` and the folders below the one that is allowed, at most 500; none where no folder is."""
    root = settings().document_folder
    if root is None or not root.is_dir():
        return []
    found = ["."]
    for place, folders, _ in os.walk(root):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and not Path(place, n).is_symlink())
        found += [Path(place, name).relative_to(root).as_posix() for name in folders]
        if len(found) >= _OFFERED:
            break
    return found[:_OFFERED]


def take_in_folder(
    kb_id: str,
    folder: str = ".",
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TakenIn:
    """Store every readable document of a folder and of those below it; what is here already costs nothing.

    Args:
        kb_id: Knowledge base.
        folder: Below `settings().document_folder`.
        progress: Called with (files read, files in all).
        should_stop: Asked before each file; what was stored until then stays.

    Raises:
        KurabeError: ``knowledge.folder_closed`` if it is not below the folder that is allowed, or hidden, or none is
            allowed; ``jobs.disk_floor`` as soon as the disk is nearly full. What was stored until then stays.
    """
    root, place = _allowed(folder)
    endings = {suffix for reader in document_readers.all().values() for suffix in reader.suffixes} | {".zip"}
    files = list(_files(root, place))
    readable = [file for file in files if file.suffix.lower() in endings]
    taken = TakenIn(
        passed_over=dict(Counter(f.suffix.lower() or "-" for f in files if f.suffix.lower() not in endings))
    )
    known = document_ids(kb_id)
    for number, file in enumerate(readable):
        progress(number, len(readable))
        if should_stop():
            taken.stopped = True
            return taken
        # Not among the failures of single files: every further one would fail as well.
        require_free_space(settings().path("documents"), needed_mb=_megabytes(file))
        for made in _stored(kb_id, root, file, taken.failures):
            taken.unchanged += made in known
            taken.stored += made not in known
            known.add(made)
    progress(len(readable), len(readable))
    return taken


def _stored(kb_id: str, root: Path, file: Path, failures: list[KurabeError]) -> list[str]:
    path = file.relative_to(root).parts
    name = name_of_path(path)
    limit = settings().upload_limit_mb
    try:
        if not _shown_below(root, file.resolve()):  # a link may have been put in its place since it was listed
            raise KurabeError("knowledge.folder_closed", folder=name)
        if file.stat().st_size > limit << 20:
            raise KurabeError("knowledge.too_large", name=name, limit_mb=limit)
        data = file.read_bytes()
    except OSError as error:
        failures.append(KurabeError("knowledge.broken_document", name=name, detail=error.strerror or "?"))
        return []
    except KurabeError as error:
        failures.append(error)
        return []
    return [made.id for made in add_documents(kb_id, [(name, data)], failures=failures, within=path)]


def _megabytes(file: Path) -> int:
    try:
        return file.stat().st_size >> 20
    except OSError:
        return 0  # gone since it was listed; reading it tells


def _allowed(folder: str) -> tuple[Path, Path]:
    root = settings().document_folder
    if root is None:
        raise KurabeError("knowledge.folder_closed", folder=folder)
    place = (root / folder).resolve()
    if not _shown_below(root, place) or not place.is_dir():
        raise KurabeError("knowledge.folder_closed", folder=folder)
    return root, place


def _shown_below(root: Path, place: Path) -> bool:
    """Tell whether a resolved path lies in the folder, and in none that is hidden."""
    return place.is_relative_to(root) and not any(part.startswith(".") for part in place.relative_to(root).parts)


def _files(root: Path, place: Path) -> Iterator[Path]:
    """Yield files in order; hidden ones, what editors leave behind and links that lead out are passed over."""
    for where, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(where, name)
            if not name.startswith((".", "~$")) and file.is_file() and _shown_below(root, file.resolve()):
                yield file
