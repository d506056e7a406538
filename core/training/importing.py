"""Adapters that were trained elsewhere: taken in only if they are whole, safe, and fit the base."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.identity import new_id
from core.models import adapter_folder, register_adapter, resolve_base, write_adapter_card
from core.settings import settings
from core.store import tables as tb
from core.training.fitting import require_fitting
from core.training.methods import build_method

__all__ = ["import_adapter"]

_ALLOWED = {".safetensors", ".json", ".md", ".jinja", ".txt"}
"""What an imported archive may hold; weights in other formats can run code when they are loaded."""


def import_adapter(
    project_id: str, source: Path, name: str, *, base_ref: str, row_style: str = "plain", other_base: bool = False
) -> tb.Adapter:
    """Take in a peft adapter that was trained elsewhere.

    Args:
        project_id: the project that gets it.
        source: its folder, or a zip archive of it.
        name: what people call it.
        base_ref: the base that it was trained on.
        row_style: ``raft`` if it was trained to answer with passages.
        other_base: take it although its own configuration names another base: the same weights go by several names.

    Raises:
        KurabeError: ``training.import_base``, ``training.import_unreadable``, ``training.import_unsafe``,
            ``training.import_kind``, ``training.import_shape``, and what `resolve_base` raises.
    """
    base = resolve_base(base_ref)
    adapter_id = new_id()
    with tempfile.TemporaryDirectory(dir=settings().path("adapters"), prefix=".import") as scratch:
        folder = _unpacked(source, Path(scratch))
        config = _adapter_config(folder)
        said = str(config.get("base_model_name_or_path") or "")
        if not other_base and not _same_name(said, base.ref):
            raise KurabeError("training.import_base", said=said, base=base.ref)
        draft = Path(scratch) / "draft"
        draft.mkdir()
        for path in folder.iterdir():
            if path.suffix in _ALLOWED - {".md", ".txt"}:
                shutil.copyfile(path, draft / path.name)
        kind = _kind(config)
        require_fitting(draft, base)
        write_adapter_card(
            draft,
            base_ref=base.ref,
            base_hash=base.hash,
            kind=kind,
            mixable=build_method({"name": kind}).mixable,
            facts={"imported_from": source.name, "licence": base.licence, "row_style": row_style},
        )
        shutil.move(draft, adapter_folder(adapter_id))
    return register_adapter(
        project_id, adapter_id, name, licence=base.licence, row_style=row_style, facts={"imported_from": source.name}
    )


def _same_name(said: str, ref: str) -> bool:
    """Tell whether an adapter's own configuration may mean this base; a path means its folder's name."""
    names = [name.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold() for name in (said, ref)]
    return not said or names[0] == names[1]


def _unpacked(source: Path, scratch: Path) -> Path:
    """Return the folder that holds the adapter; an archive's names never become paths outside `scratch`."""
    if source.is_dir():
        return source
    flat = scratch / "archive"
    flat.mkdir()
    limit = settings().upload_limit_mb << 20
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > limit:
                raise KurabeError("training.import_large", limit_mb=limit >> 20)
            for entry in entries:
                with archive.open(entry) as packed, (flat / Path(entry.filename).name).open("wb") as out:
                    shutil.copyfileobj(packed, out)
    except (OSError, zipfile.BadZipFile) as error:
        raise KurabeError("training.import_unreadable", name=source.name, detail=str(error)) from error
    return flat


def _adapter_config(folder: Path) -> dict[str, Any]:
    unsafe = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix not in _ALLOWED)
    if unsafe:
        raise KurabeError("training.import_unsafe", files=", ".join(unsafe[:5]))
    if not (folder / "adapter_model.safetensors").exists():
        raise KurabeError("training.import_unreadable", name=folder.name, detail="adapter_model.safetensors")
    try:
        config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KurabeError("training.import_unreadable", name=folder.name, detail="adapter_config.json") from error
    return config


def _kind(config: dict[str, Any]) -> str:
    kind = config.get("peft_type")
    if kind == "LORA":
        return "dora" if config.get("use_dora") else "rslora" if config.get("use_rslora") else "lora"
    if kind == "PREFIX_TUNING":
        return "prefix"
    raise KurabeError("training.import_kind", kind=str(kind))
