"""What each question could be known from, given the documents as they are now."""

from __future__ import annotations

from core.datasets import Coverage, coverage
from core.knowledge.chunking import chunk_document
from core.knowledge.documents import documents
from core.knowledge.tokens import TokenCounter, estimate_tokens

__all__ = ["dataset_coverage"]


def dataset_coverage(kb_id: str, version_id: str, *, training_version_id: str | None = None) -> Coverage:
    """Work out and store what each question could be known from, given the documents as they are now.

    Raises:
        KurabeError: ``store.missing``.
    """
    counter = TokenCounter("estimate", estimate_tokens)
    texts = []
    for found in documents(kb_id):
        # A passage says "Header: value" where the document has a table, and a quote may say either.
        cut = chunk_document(found.id, found.title, found.text, counter)
        passages = "\n\n".join(f"{chunk.full_title}: {chunk.text}" for chunk in cut)
        texts.append((found.name, found.title, f"{found.text}\n\n{passages}"))
    return coverage(version_id, texts, training_version_id=training_version_id)
