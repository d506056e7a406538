"""Downloading a model from a Hugging Face hub: what it takes, and the files one after another, resumable."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from core.errors import KurabeError
from core.identity import atomic_write
from core.settings import settings

__all__ = ["DownloadPlan", "RemoteFile", "fetch", "plan_download"]

_WANTED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "LICENSE*", "README.md", "1_Pooling/*")
_REFUSED = ("*.bin", "*.gguf", "*.onnx", "original/*", "onnx/*", "openvino/*", "consolidated*")
"""Weights in safetensors only: other formats can hold code, or come twice."""

_LARGE = 1 << 20
"""Bytes from which a file is fetched so that a later attempt can go on in the middle of it."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a model at the hub."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What a download will fetch, at one fixed commit."""

    ref: str
    revision: str
    files: tuple[RemoteFile, ...]
    gated: bool
    licence: str

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)


def plan_download(ref: str) -> DownloadPlan:
    """Ask the hub what a model consists of.

    Raises:
        KurabeError: ``hub.offline``, ``hub.unreachable``, ``hub.gated``, ``hub.unknown`` or ``hub.no_safetensors``.
    """
    if settings().hub_offline:
        raise KurabeError("hub.offline", ref=ref)
    with _hub_errors(ref):
        from huggingface_hub import HfApi

        info = HfApi(endpoint=_endpoint()).model_info(ref, files_metadata=True, timeout=20)
    files = tuple(RemoteFile(f.rfilename, f.size or 0) for f in info.siblings or [] if _wanted(f.rfilename))
    if not any(file.name.endswith(".safetensors") for file in files):
        raise KurabeError("hub.no_safetensors", ref=ref)
    licence = str(getattr(info.card_data, "license", None) or "")
    return DownloadPlan(ref, info.sha or "main", files, bool(info.gated), licence)


def _wanted(name: str) -> bool:
    return any(fnmatch.fnmatch(name, p) for p in _WANTED) and not any(fnmatch.fnmatch(name, p) for p in _REFUSED)


def fetch(plan: DownloadPlan, on_bytes: Callable[[int], None], should_stop: Callable[[], bool]) -> Path | None:
    """Fetch every file into the hub cache; return the folder, or None if it was asked to stop.

    Calls `on_bytes` with the number of bytes that are there. What was fetched stays: the next call goes on from it.

    Raises:
        KurabeError: ``hub.unreachable``, ``hub.gated``, ``hub.unknown`` or ``hub.disk``.
    """
    with _hub_errors(plan.ref):
        from huggingface_hub import hf_hub_download

        done, folder = 0, None
        # Small files first: a wrong or gated model shows itself before gigabytes are fetched.
        for file in sorted(plan.files, key=lambda file: file.size):
            if should_stop():
                return None
            bar = _bar(done, on_bytes, should_stop)
            try:
                if file.size >= _LARGE:
                    _fetch_large(plan, file, bar)
                path = hf_hub_download(
                    plan.ref, file.name, revision=plan.revision, endpoint=_endpoint(), tqdm_class=bar
                )
            except _StopAskedError:
                return None
            folder = Path(path).parents[file.name.count("/")]
            done += file.size
            on_bytes(done)
        if folder is not None:
            # Only now does the cache know this commit as the model's newest: half a model is never taken for one.
            atomic_write(folder.parents[1] / "refs" / "main", plan.revision)
    return folder


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _fetch_large(plan: DownloadPlan, file: RemoteFile, bar: Any) -> None:
    """Fetch one large file into the cache's blobs, going on from the part that an earlier attempt left.

    The hub's library starts a file afresh in every process; a file that is in the blobs already it only links to.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils._headers import build_hf_headers

    headers = build_hf_headers()
    url = hf_hub_url(plan.ref, file.name, revision=plan.revision, endpoint=_endpoint())
    found = get_hf_file_metadata(url, headers=headers, endpoint=_endpoint())
    name = (found.etag or "").strip('"')
    # Large files are kept under their SHA-256; anything else is left to the library, which cannot be resumed.
    if len(name) != 64:
        return
    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=plan.ref, repo_type="model") / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    part = blobs / f"{name}.kurabe-part"
    with FileLock(f"{part}.lock"):
        if (blobs / name).exists():
            return
        if urlsplit(found.location).netloc != urlsplit(url).netloc:
            headers.pop("authorization", None)
        with part.open("ab") as out:
            http_get(
                found.location, out, resume_size=out.tell(), headers=headers, expected_size=found.size, tqdm_class=bar
            )
        _take_over(part, blobs / name)


def _take_over(part: Path, blob: Path) -> None:
    """Make a finished part the blob that it claims to be.

    Raises:
        OSError: if its content is not what the hub announced; the part is removed, so that the next attempt is fresh.
    """
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != blob.name:
        part.unlink()
        raise OSError(f"{blob.name[:12]}: the content that came has the hash {digest[:12]}")
    part.replace(blob)


class _StopAskedError(Exception):
    """Leaves a download in the middle of a file; the part that is there is used by the next attempt."""


def _bar(before: int, on_bytes: Callable[[int], None], should_stop: Callable[[], bool]) -> Any:
    """Return the kind of progress bar that the library asks for, which reports instead of drawing."""
    from huggingface_hub.utils.tqdm import tqdm

    class Reporter(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = True
            super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # the library's class
            self.seen = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.seen += int(n or 0)
            on_bytes(before + self.seen)
            if should_stop():
                raise _StopAskedError
            return None

    return Reporter


@contextmanager
def _hub_errors(ref: str) -> Iterator[None]:
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise KurabeError("hub.gated", ref=ref) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise KurabeError("hub.unknown", ref=ref) from error
    except errors.OfflineModeIsEnabled as error:
        raise KurabeError("hub.offline", ref=ref) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, httpx2.HTTPError) as error:
        raise KurabeError("hub.unreachable", ref=ref, detail=f"{type(error).__name__}: {error}"[:300]) from error
    except OSError as error:
        raise KurabeError("hub.disk", ref=ref, detail=str(error)[:300]) from error
