"""The job that builds an index version."""

from __future__ import annotations

from typing import Any

from core.errors import KurabeError
from core.jobs import JobContext
from core.knowledge.documents import default_kb
from core.knowledge.index import IndexConfig
from core.knowledge.index import build_index as build

__all__ = ["build_index"]


def build_index(ctx: JobContext) -> dict[str, Any]:
    """Index a knowledge base; payload: ``knowledge_base_id`` (or the project's own) and optional ``config``.

    Raises:
        KurabeError: as `core.knowledge.build_index`.
    """
    kb_id = ctx.payload.get("knowledge_base_id")
    if kb_id is None:
        if ctx.project_id is None:
            raise KurabeError("store.missing", kind="knowledge base", id="-")
        kb_id = default_kb(ctx.project_id).id
    config = IndexConfig(**ctx.payload.get("config", {}))

    def report(stage: str, done: int, total: int) -> None:
        ctx.progress(done, total, stage)

    try:
        made = build(str(kb_id), config, report, lambda: ctx.stop_requested() is not None)
    except KurabeError as error:
        # A stopped build leaves nothing behind: vectors made so far are cheap compared with a half-shown index.
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
