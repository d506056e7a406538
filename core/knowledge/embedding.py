"""Vectors for texts, from whichever server declares that it reads the language; nobody else's are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from core.models import EmbedderInfo, ModelClient, embedder_for, ensure_host

__all__ = ["BATCH", "batches", "embed_texts", "pinned_embedder"]

BATCH = 64
"""Texts between two looks at whether to stop."""


def pinned_embedder(language: str, name: str | None, wanted_hash: str = "") -> EmbedderInfo | None:
    """Return the embedder that an index was built with, if it is still the one at hand; else None.

    A query embedded by other weights than the passages would find neighbours by chance.
    """
    if name is None:
        return None
    found = embedder_for(language)
    if found is None or found.name != name or (wanted_hash and found.hash != wanted_hash):
        return None
    return found


def embed_texts(texts: Sequence[str], kind: Literal["query", "document"], embedder: EmbedderInfo) -> list[list[float]]:
    """Return one vector a text.

    Raises:
        KurabeError: ``models.…`` if the server does not answer.
    """
    # Weights that lie here are computed by this home's host, also where an outside server answers questions.
    client = ModelClient(ensure_host(wait_seconds=120, local=embedder.folder is not None))
    return client.embed(list(texts), kind, embedder=embedder)


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield slices of at most `BATCH` texts."""
    for start in range(0, len(texts), BATCH):
        yield texts[start : start + BATCH]
