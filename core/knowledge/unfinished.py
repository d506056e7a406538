"""Vectors of builds that were stopped or killed: what took longest to compute is not computed twice."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from core.identity import atomic_write, content_hash, new_id
from core.settings import settings

__all__ = ["KeptVectors", "forget_vectors"]

EVERY = 512
"""Vectors after which a build writes them down: about what a kill can cost."""


class KeptVectors:
    """Vectors that unfinished builds of one knowledge base made with one embedder, by the hash of their text."""

    def __init__(self, kb_id: str, embedder_hash: str) -> None:
        self._folder = _of(kb_id) / content_hash(embedder_hash).rsplit(":", 1)[-1][:16]

    def load(self) -> dict[str, Any]:
        """Return what was kept; a file that is damaged, as a full disk leaves it, is removed."""
        import numpy as np

        found: dict[str, Any] = {}
        for path in sorted(self._folder.glob("*.npz")):
            try:
                with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as held:
                    found |= dict(zip(held["hashes"].tolist(), held["vectors"], strict=True))
            except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
                path.unlink(missing_ok=True)
            except OSError:
                continue
        return found

    def keep(self, made: Mapping[str, Any]) -> None:
        """Write vectors down."""
        import numpy as np

        if not made:
            return
        packed = BytesIO()
        np.savez(packed, hashes=np.array(list(made)), vectors=np.array(list(made.values()), dtype=np.float32))
        self._folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self._folder / f"{new_id()}.npz", packed.getvalue())


def forget_vectors(kb_id: str) -> None:
    """Remove what was kept for a knowledge base: its index holds the vectors now, or a document was deleted."""
    shutil.rmtree(_of(kb_id), ignore_errors=True)


def _of(kb_id: str) -> Path:
    return settings().path("cache") / "vectors" / kb_id
