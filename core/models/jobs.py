"""The job that downloads a model from a hub."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol

from core.errors import KurabeError
from core.models.bases import remember_base, resolve_base
from core.models.hub import DownloadPlan, fetch, plan_download
from core.settings import settings

__all__ = ["download"]


class Context(Protocol):
    """The part of a job's context that a download uses."""

    payload: dict[str, Any]

    def progress(self, done: float, total: float | None, stage: str = "working", **data: Any) -> None:
        """Report how far it is."""

    def stop_requested(self) -> str | None:
        """Tell whether somebody asked to stop."""


def download(ctx: Context) -> dict[str, Any]:
    """Download ``payload["ref"]`` into the hub cache, resuming what an earlier attempt left.

    Raises:
        KurabeError: what planning or fetching says, or ``hub.no_space``.
    """
    ref = str(ctx.payload["ref"])
    if (info := resolve_base(ref)).folder is not None:
        return {"ref": ref, "already_there": True, "hash": info.hash}
    plan = plan_download(ref)
    _check_space(plan)
    folder = fetch(plan, lambda done: ctx.progress(done, plan.size, "download"), lambda: bool(ctx.stop_requested()))
    if folder is None:
        return {"stopped": True}
    info = resolve_base(ref)
    remember_base(info)
    return {"ref": ref, "revision": plan.revision, "bytes": plan.size, "licence": plan.licence, "hash": info.hash}


def _check_space(plan: DownloadPlan) -> None:
    from huggingface_hub.constants import HF_HUB_CACHE

    place = Path(HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < plan.size + settings().free_space_floor_mb * 1_000_000:
        raise KurabeError("hub.no_space", ref=plan.ref, need_gb=round(plan.size / 1e9, 1), free_gb=round(free / 1e9, 1))
