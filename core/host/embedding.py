"""Embeddings on the CPU: they answer while the engine is busy, and are not evicted for training."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from core.errors import KurabeError
from core.models import find_embedder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["Embeddings"]


class Embeddings:
    """Embedders by name, loaded when first asked."""

    def __init__(self) -> None:
        self._loaded: dict[str, SentenceTransformer] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the embedders in memory."""
        return sorted(self._loaded)

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        """Return one unit vector for each text, and how many tokens were read. Blocks; call it in a thread.

        Raises:
            KurabeError: ``models.embedder_missing``.
        """
        with self._lock:
            embedder = self._get(model)
            # Dot product equals cosine similarity for unit vectors, whatever the index uses.
            vectors = embedder.encode(texts, normalize_embeddings=True, show_progress_bar=False, batch_size=32)
            tokens = sum(len(ids) for ids in embedder.tokenizer(texts, truncation=True)["input_ids"])
        rows: list[list[float]] = vectors.tolist()
        return rows, tokens

    def _get(self, model: str) -> SentenceTransformer:
        if model not in self._loaded:
            info = find_embedder(model)
            if info is None or info.folder is None:
                raise KurabeError("models.embedder_missing", name=model)
            self._loaded[model] = _load(str(info.folder))
        return self._loaded[model]


def _load(folder: str) -> Any:
    # The import takes seconds, and most work needs no embeddings.
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(folder, device="cpu", local_files_only=True, trust_remote_code=False)
