"""Uploading to a model hub: off until a setting names the account, private, with the card."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.jobs import JobContext, find_secret, submit
from core.models import adapter, adapter_folder, describe_folder, merged_folder
from core.models.adapters import CARD
from core.settings import settings
from core.training.card import model_card

__all__ = ["start_upload", "upload"]


def start_upload(adapter_id: str, name: str = "") -> str:
    """Submit the job that uploads an adapter or merged model; return the job's id.

    It is private there; who may read it is for the account's owner to say. Without the token that the settings name,
    the job waits as ``blocked``.

    Args:
        adapter_id: the adapter or merged model.
        name: of the repository; by default that of the adapter and the beginning of its hash.

    Raises:
        KurabeError: ``training.upload_off``, ``models.adapter_missing``, what `submit` raises.
    """
    row = adapter(adapter_id)
    account = settings().hub_account
    if account is None or settings().hub_offline:
        raise KurabeError("training.upload_off")
    usual = f"{_slug(row.name)}-{row.hash.rpartition(':')[2][:8]}".strip("-")
    payload = {"adapter_id": row.id, "repository": f"{account}/{_slug(name) or usual}"}
    return submit("upload", payload, project_id=row.project_id, needs_secret=settings().hub_token_name)


def _slug(name: str) -> str:
    """Return the letters, digits, dots and dashes of a name: what a hub allows."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:80]


def upload(ctx: JobContext) -> dict[str, Any]:
    """Upload what the payload's ``adapter_id`` names into its ``repository``, as one commit.

    Raises:
        KurabeError: ``training.upload_unreachable``, ``training.upload_refused``, ``models.adapter_missing``.
    """
    row, repository = adapter(ctx.payload["adapter_id"]), str(ctx.payload["repository"])
    folder = merged_folder(row.id) if row.kind == "merged" else adapter_folder(row.id)
    describe_folder(folder)
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "README.md")
    ctx.progress(0, len(files) + 1, stage="uploading")
    with _hub_errors(repository):
        commit = _commit(repository, files, model_card(row.id))
    ctx.progress(len(files) + 1, len(files) + 1, stage="uploading")
    ctx.log(f"uploaded to {commit}")
    return {"repository": repository, "url": commit, "files": len(files) + 1}


def _commit(repository: str, files: list[Path], card: str) -> str:
    from huggingface_hub import CommitOperationAdd, HfApi

    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=find_secret(settings().hub_token_name))
    hub.create_repo(repository, private=True, exist_ok=True)
    # One that was there already stays as it is, and what is uploaded once is public for good.
    if hub.repo_info(repository).private is not True:
        raise KurabeError("training.upload_refused", repository=repository, detail="the repository is public")
    added = [CommitOperationAdd(path.name, _handed_on(path)) for path in files]
    added.append(CommitOperationAdd("README.md", card.encode()))
    return str(hub.create_commit(repository, added, commit_message="Trained with Kurabe").commit_url)


def _handed_on(path: Path) -> str | bytes:
    """Return a file as it is uploaded: the record of an adapter goes without the project's own prompt."""
    if path.name != CARD:
        return str(path)
    record = describe_folder(path.parent)
    kept = {name: value for name, value in record.items() if name not in ("instructions", "house_rules")}
    return json.dumps(kept, ensure_ascii=False, indent=1).encode()


@contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except (errors.OfflineModeIsEnabled, httpx2.TransportError) as error:
        raise KurabeError("training.upload_unreachable", repository=repository, detail=str(error)[:200]) from error
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        raise KurabeError("training.upload_refused", repository=repository, detail=str(error)[:300]) from error
