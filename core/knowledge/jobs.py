"""The jobs that take in a folder, build an index version, and try passage lengths and ways of searching."""

from __future__ import annotations

from math import inf
from typing import Any

from core.datasets import latest_version
from core.errors import KurabeError
from core.jobs import JobContext
from core.knowledge.documents import default_kb
from core.knowledge.folders import take_in_folder
from core.knowledge.index import IndexConfig
from core.knowledge.index import build_index as build
from core.knowledge.judging import questions_with_gold
from core.knowledge.sweeping import SweepConfig, sweep_search

__all__ = ["build_index", "sweep", "take_in"]


def take_in(ctx: JobContext) -> dict[str, Any]:
    """Store the documents of a folder on the server; payload: ``folder`` and optional ``knowledge_base_id``.

    Raises:
        KurabeError: as `take_in_folder`.
    """
    return take_in_folder(
        _knowledge_base(ctx),
        str(ctx.payload.get("folder", ".")),
        progress=lambda done, total: ctx.progress(done, total, "reading"),
        should_stop=lambda: ctx.stop_requested() is not None,
    ).as_record()


def build_index(ctx: JobContext) -> dict[str, Any]:
    """Index a knowledge base; payload: ``knowledge_base_id`` (or the project's own) and optional ``config``.

    Raises:
        KurabeError: as `core.knowledge.build_index`.
    """
    kb_id = _knowledge_base(ctx)
    config = IndexConfig(**ctx.payload.get("config", {}))

    def report(stage: str, done: int, total: int) -> None:
        ctx.progress(done, total, stage)

    try:
        made = build(kb_id, config, report, lambda: ctx.stop_requested() is not None, patience=inf)
    except KurabeError as error:
        # Nothing of a stopped build is shown; the vectors made so far wait for the next one.
        if error.code == "knowledge.build_stopped":
            return {"stopped": True}
        raise
    return {
        "index_version_id": made.id,
        "chunks": made.chunk_count,
        "documents": len(made.document_hashes),
        "embedder": made.embedder,
        "seconds": made.seconds,
    }


def sweep(ctx: JobContext) -> dict[str, Any]:
    """Try lengths × ways × numbers of passages; finished lengths are kept for the next attempt.

    Payload: ``knowledge_base_id`` (or the project's own), ``dataset_version_id`` (or the newest), ``split``, ``sizes``,
    ``ks`` and optional ``tokenizer`` and ``embedder``.

    Raises:
        KurabeError: as `sweep_search`; ``comparison.no_data`` without questions.
    """
    payload = ctx.payload
    version = payload.get("dataset_version_id")
    if version is None:
        newest = latest_version(ctx.project_id) if ctx.project_id else None
        if newest is None:
            raise KurabeError("comparison.no_data", what="questions")
        version = newest.id
    split = str(payload.get("split", "validation"))
    chosen: dict[str, Any] = {name: tuple(payload[name]) for name in ("sizes", "ks") if name in payload}
    chosen |= {name: payload[name] for name in ("tokenizer", "embedder") if name in payload}
    try:
        report = sweep_search(
            _knowledge_base(ctx),
            questions_with_gold(str(version), split),
            SweepConfig(**chosen),
            ctx.run_dir,
            progress=lambda stage, done, total: ctx.progress(done, total, stage),
            should_stop=lambda: ctx.stop_requested() is not None,
        )
    except KurabeError as error:
        if error.code == "knowledge.build_stopped":
            return {"stopped": True}
        raise
    return {"dataset_version_id": version, "split": split, **report.as_record()}


def _knowledge_base(ctx: JobContext) -> str:
    if (named := ctx.payload.get("knowledge_base_id")) is not None:
        return str(named)
    if ctx.project_id is None:
        raise KurabeError("store.missing", kind="knowledge base", id="-")
    return str(default_kb(ctx.project_id).id)
