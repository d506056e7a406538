"""The sample projects that Kurabe ships: fictional companies, one in English and one in Japanese."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.datasets import import_files, latest_version
from core.errors import KurabeError
from core.identity import atomic_write
from core.knowledge import add_documents, default_kb, documents
from core.projects.records import create_project, projects, update_project
from core.settings import DATA, settings
from core.store import tables as tb

__all__ = ["SAMPLES", "ensure_samples", "load_sample", "sample_folder", "second_versions"]

SAMPLES = {"en": "aoba-en", "ja": "aoba-ja"}
"""Folder of each language's sample in ``data/samples``."""

_SPLITS = ("train", "validation", "test")

_LICENCE = "Apache-2.0"
"""Of the samples, which are part of Kurabe."""


def ensure_samples() -> list[tb.Project]:
    """Load the samples that are not there yet; a sample that someone deleted does not come back by itself."""
    lock = FileLock(settings().path("run") / "samples.lock", timeout=300)
    done = settings().path("run") / "samples.json"
    with lock:
        loaded: list[str] = json.loads(done.read_text()) if done.exists() else []
        for language, name in SAMPLES.items():
            if name not in loaded:
                load_sample(language)
                loaded.append(name)
                atomic_write(done, json.dumps(loaded))
    return [project for project in projects() if project.sample]


def load_sample(language: str) -> tb.Project:
    """Load one sample, or finish loading it; return its project.

    Args:
        language: ``en`` or ``ja`` (or the sample's own name).

    Raises:
        KurabeError: ``project.sample`` or ``project.sample_files``.
    """
    name = SAMPLES.get(language, language)
    folder = sample_folder(name)
    facts: dict[str, Any] = json.loads((folder / "project.json").read_text(encoding="utf-8"))
    project = _existing(name) or create_project(facts["name"], facts["language"], sample=name)
    update_project(
        project.id,
        description=facts["description"],
        instructions=facts["instructions"],
        house_rules=facts["house_rules"],
        currency={"en": "USD", "ja": "JPY"}[facts["language"]],
    )
    _load_documents(project, folder)
    if latest_version(project.id) is None:
        import_files(
            project.id, {split: folder / f"{split}.jsonl" for split in _SPLITS}, facts["name"], licence=_LICENCE
        )
    return _existing(name) or project


def _existing(name: str) -> tb.Project | None:
    return next((project for project in projects() if project.sample == name), None)


def sample_folder(name: str) -> Path:
    """Return a sample's folder.

    Raises:
        KurabeError: ``project.sample`` for an unknown name, ``project.sample_files`` if files are missing.
    """
    if name not in SAMPLES.values():
        raise KurabeError("project.sample", name=name, known=", ".join(SAMPLES.values()))
    folder = DATA / "samples" / name
    wanted = ["project.json", "documents", *(f"{split}.jsonl" for split in _SPLITS)]
    if missing := [item for item in wanted if not (folder / item).exists()]:
        raise KurabeError("project.sample_files", name=name, missing=", ".join(missing))
    return folder


def _load_documents(project: tb.Project, folder: Path) -> None:
    base = default_kb(project.id)
    known = {document.name for document in documents(base.id)}
    files = [file for file in sorted((folder / "documents").iterdir()) if file.name not in known]
    add_documents(base.id, [(file.name, file.read_bytes()) for file in files])


def second_versions(project: tb.Project) -> dict[str, Path]:
    """Return the files that the sample brings as later versions of its documents, by document name."""
    if project.sample is None:
        return {}
    folder = sample_folder(project.sample) / "documents_v2"
    return {file.name: file for file in sorted(folder.iterdir())} if folder.is_dir() else {}
