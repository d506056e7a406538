"""Semantic similarity: closeness of meaning to the reference, by an embedder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import KurabeError

from ..case import Case, Measured, Metric
from ..text import without_citations


def cosine(first: list[float], second: list[float]) -> float | None:
    """Cosine of the angle between two vectors; None when one of them is zero."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else None


@dataclass(frozen=True)
class SemanticSimilarity(Metric):
    """Cosine similarity of answer and reference embeddings, negative values counted as 0.

    It tells paraphrase from change of subject, not right from wrong: two different numbers in the
    same sentence are nearly alike to it. Never the primary metric.
    """

    name: ClassVar[str] = "semantic_similarity"
    binary: ClassVar[bool] = False
    primary: ClassVar[bool] = False

    def score(self, case: Case) -> Measured:
        """Embed both texts with the case's embedder."""
        if not case.reference.strip():
            return Measured(None, "not_applicable_reference")
        if case.embed is None:
            return Measured(None, "no_embedder", {"language": case.language})
        if not case.answer_text.strip():
            return Measured(0.0, "empty_answer")
        try:
            first, second = case.embed([without_citations(case.answer_text), without_citations(case.reference)])
        except KurabeError as error:
            return Measured(None, "embedder_failed", {"code": error.code})
        value = cosine(first, second)
        return Measured(None, "embedder_zero") if value is None else Measured(max(0.0, min(1.0, value)), "similarity")
