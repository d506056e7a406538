"""Datasets of the Hugging Face hub, or a folder that the ``datasets`` library saved, as one version of all splits."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.datasets.cells import RowProblem, split_of
from core.datasets.importing import ImportOptions, OnProblem, import_parts
from core.errors import KurabeError
from core.jobs.files import require_free_space
from core.settings import settings
from core.store import tables as tb

__all__ = ["import_hub_dataset"]

_ID = re.compile(r"[A-Za-z0-9][\w\-.]*/[A-Za-z0-9][\w\-.]*")
"""Always with an owner: the library takes names such as ``csv`` and ``text`` for readers of its working folder."""

_FILE = re.compile(r"(?:.*::)?hf://datasets/(?P<ref>[^@]+)@(?P<revision>[^/]+)/(?P<path>.+)")
"""A data file of the hub as the library writes it, perhaps one inside an archive."""


def import_hub_dataset(
    project_id: str,
    ref: str,
    *,
    config: str | None = None,
    split: str | None = None,
    dataset: str | None = None,
    on_problem: OnProblem = "stop",
    folders: bool = False,
    licence: str = "",
) -> tb.DatasetVersion:
    """Store a dataset of the hub as a new version; its splits become the splits of the rows.

    Args:
        project_id: Project that owns it.
        ref: Id on the hub, such as ``rajpurkar/squad``; with `folders` also a folder of this machine.
        config: Configuration, for datasets that have several.
        split: Split for the rows of splits whose names Kurabe does not know (``train`` if not given).
        dataset: Name of the dataset; the id's last part if not given.
        on_problem: As for `import_file`.
        folders: Whether `ref` may be a folder, and the hub is asked with this machine's own token; never for what
            comes from a page.
        licence: The dataset's; what its card at the hub says if not given.

    Raises:
        KurabeError: ``datasets.hub_offline``, ``datasets.hub_unreachable``, ``datasets.hub_unknown``,
            ``datasets.hub_refused``, ``datasets.hub_id``, ``datasets.hub_library``, ``datasets.too_large``,
            ``jobs.disk_floor``; as `import_file`.
    """
    parts, told = _loaded(ref, config, folders)
    with tempfile.TemporaryDirectory(dir=settings().path("run"), prefix="upload-") as folder:
        files = []
        for number, (name, rows) in enumerate(parts.items()):
            path = Path(folder) / f"{number}.parquet"
            rows.to_parquet(path)
            options = ImportOptions(split=_known_split(name) or split, on_problem=on_problem)
            files.append((path, f"{ref} ({name}).parquet", options))
        return import_parts(project_id, files, dataset or Path(ref).name, None, licence or told)


def _known_split(name: str) -> str:
    try:
        return split_of(name)
    except RowProblem:
        return ""


def _loaded(ref: str, config: str | None, folders: bool) -> tuple[dict[str, Any], str]:
    """Return split → rows, and the licence that the hub's card names."""
    folder = Path(ref)
    if folders and folder.is_dir():
        with _problems(ref):
            from datasets import load_from_disk

            return _splits(load_from_disk(str(folder))), ""
    # The library would take an existing folder for a dataset, so an id must not name one.
    if not _ID.fullmatch(ref) or folder.exists():
        raise KurabeError("datasets.hub_id", ref=ref)
    if settings().hub_offline:
        raise KurabeError("datasets.hub_offline", ref=ref)
    with _problems(ref):
        from datasets import load_dataset_builder

        token = None if folders else False
        builder = load_dataset_builder(ref, config or None, token=token)
        revision, files = _hub_files(ref, builder.config.data_files or {})
        licence = _require_room(ref, revision, files, token)
        builder.download_and_prepare()
        return _splits(builder.as_dataset()), licence


def _hub_files(ref: str, data_files: dict[str, list[str]]) -> tuple[str, set[str]]:
    """Return revision and paths of the files that a dataset consists of; all of them must be its own.

    The card of a dataset says which files these are, and may name files of this machine or of any address.
    """
    found = [_FILE.fullmatch(str(name)) for names in data_files.values() for name in names]
    own = [match for match in found if match and match["ref"].casefold() == ref.casefold()]
    revisions = {unquote(match["revision"]) for match in own}
    if not found or len(own) < len(found) or len(revisions) != 1:
        raise KurabeError("datasets.hub_refused", ref=ref, detail="data_files outside the dataset")
    return revisions.pop(), {match["path"] for match in own}


def _require_room(ref: str, revision: str, paths: Iterable[str], token: bool | None) -> str:
    """Refuse before the download what is too large to import, or would fill the disk; return the card's licence."""
    import httpx2
    from huggingface_hub import HfApi

    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token)
    try:
        info = hub.dataset_info(ref, revision=revision, files_metadata=True, timeout=20)
    except httpx2.TransportError as error:
        raise KurabeError("datasets.hub_unreachable", ref=ref, detail=str(error)[:300]) from error
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    size = sum(sizes.get(path, 0) for path in paths)
    if size > settings().upload_limit_mb << 20:
        raise KurabeError("datasets.too_large", name=ref, limit_mb=settings().upload_limit_mb)
    # Three times: as it comes, as the library keeps it, and as it is read from here.
    require_free_space(settings().path("run"), needed_mb=3 * size >> 20)
    named = getattr(info.card_data, "license", None) or ()
    return " + ".join([named] if isinstance(named, str) else map(str, named))[:120]


def _splits(found: Any) -> dict[str, Any]:
    return dict(found) if hasattr(found, "items") else {"train": found}


@contextmanager
def _problems(ref: str) -> Iterator[None]:
    """Turn what the library raises into errors that say what to do."""
    try:
        yield
    except ImportError as error:
        raise KurabeError("datasets.hub_library", ref=ref) from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        kind, detail = type(error).__name__, f"{type(error).__name__}: {error}"[:300]
        if kind in ("DatasetNotFoundError", "RepositoryNotFoundError", "GatedRepoError"):
            raise KurabeError("datasets.hub_unknown", ref=ref) from error
        away = isinstance(error, (ConnectionError, TimeoutError)) or "reach" in str(error) or "Connection" in kind
        code = "datasets.hub_unreachable" if away else "datasets.hub_refused"
        raise KurabeError(code, ref=ref, detail=detail) from error
