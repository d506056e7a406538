"""Judge retrieval alone: does it bring the passages that hold the answers, and at which rank?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.datasets import Coverage, coverage, examples
from core.errors import KurabeError
from core.knowledge.chunking import chunk_document
from core.knowledge.documents import documents
from core.knowledge.search import Hit, Mode, chunks_of, quote_key, search
from core.knowledge.tokens import TokenCounter, estimate_tokens
from core.store import tables as tb

__all__ = ["Recall", "Retrieval", "as_dict", "dataset_coverage", "retrieval_recall"]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How one question fared."""

    example_id: str
    question: str
    slice: str
    rank: int | None
    """Rank of the first gold passage, from 1; None if it was not among the best `depth`."""
    recall: float
    """Share of the question's gold quotes among the best k passages."""
    gold: tuple[str, ...]
    """Ids of the gold passages."""
    top: str
    """Title of the passage that came first."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How retrieval fared on all questions that name their passages."""

    k: int
    mode: str
    questions: int
    """Questions whose gold passages are in the index."""
    recall: float | None
    """Mean share of gold quotes among the best k; None without questions."""
    hit_rate: float | None
    """Share of questions with at least one gold passage among the best k."""
    mrr: float | None
    """Mean of 1 / rank of the first gold passage."""
    by_slice: dict[str, float]
    """Recall by slice."""
    not_indexed: list[str] = field(default_factory=list)
    """Questions whose gold quote stands in no passage: the documents have changed, or a quote is wrong."""
    failures: list[Retrieval] = field(default_factory=list)
    """Questions whose gold passage is not among the best k, worst first."""


def retrieval_recall(
    index_version_id: str,
    dataset_version_id: str,
    k: int = 4,
    *,
    mode: Mode = "auto",
    split: str = "test",
    rerank: bool = False,
    depth: int = 50,
) -> Recall:
    """Return how well an index version finds the gold passages of a dataset's questions.

    Args:
        index_version_id: Index.
        dataset_version_id: Questions with ``gold`` quotes; others are passed over.
        k: How many passages count as found.
        mode: As `search`.
        split: Split of the questions.
        rerank: As `search`.
        depth: How far down the ranking is looked.

    Raises:
        KurabeError: ``knowledge.no_gold`` if no question names a passage; as `search`.
    """
    asked = [example for example in examples(dataset_version_id, split) if _quotes(example)]
    if not asked:
        raise KurabeError("knowledge.no_gold", split=split)
    places = _Places(chunks_of(index_version_id))
    found: list[Retrieval] = []
    missing: list[str] = []
    used = mode
    for example in asked:
        gold = [ids for quote in _quotes(example) if (ids := places.holding(**quote))]
        if not gold:
            missing.append(example.id)
            continue
        result = search(index_version_id, example.question, k=depth, mode=mode, rerank=rerank)
        used = result.mode  # type: ignore[assignment]  # what was done, in place of "auto"
        found.append(_judged(example, gold, result.hits, k))
    return _summed(found, missing, k, used)


def _quotes(example: tb.Example) -> list[dict[str, str]]:
    return [
        {"document": str(place.get("document") or ""), "quote": str(place["quote"])}
        for place in example.gold
        if place.get("quote")
    ]


class _Places:
    """Finds the passages of many quotes without asking the index for each."""

    def __init__(self, chunks: Sequence[Hit]) -> None:
        self._by_document: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for hit in chunks:
            entry = (hit.chunk_id, quote_key(f"{hit.full_title}\n{hit.text}"))
            for name in {hit.document_name, hit.title, ""}:
                self._by_document[name].append(entry)

    def holding(self, document: str, quote: str) -> set[str]:
        """Return the ids of the passages of a document that hold a quote."""
        key = quote_key(quote)
        return {name for name, text in self._by_document.get(document, []) if key and key in text}


def _judged(example: tb.Example, gold: Sequence[set[str]], hits: Sequence[Hit], k: int) -> Retrieval:
    anywhere = set().union(*gold)
    rank = next((place for place, hit in enumerate(hits, 1) if hit.chunk_id in anywhere), None)
    best = {hit.chunk_id for hit in hits[:k]}
    recall = sum(1 for ids in gold if ids & best) / len(gold)
    top = hits[0].full_title if hits else ""
    return Retrieval(example.id, example.question, example.slice, rank, recall, tuple(sorted(anywhere)), top)


def _summed(found: Sequence[Retrieval], missing: list[str], k: int, mode: str) -> Recall:
    slices: dict[str, list[float]] = defaultdict(list)
    for one in found:
        slices[one.slice].append(one.recall)
    failures = sorted(
        (one for one in found if one.rank is None or one.rank > k), key=lambda one: -(one.rank or 1 << 30)
    )
    return Recall(
        k=k,
        mode=mode,
        questions=len(found),
        recall=_mean([one.recall for one in found]),
        hit_rate=_mean([float(one.rank is not None and one.rank <= k) for one in found]),
        mrr=_mean([1 / one.rank if one.rank else 0.0 for one in found]),
        by_slice={name: sum(values) / len(values) for name, values in sorted(slices.items())},
        not_indexed=missing,
        failures=failures,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def as_dict(recall: Recall) -> dict[str, Any]:
    """Return the summary as JSON values, without the questions."""
    return {
        "k": recall.k,
        "mode": recall.mode,
        "questions": recall.questions,
        "recall": recall.recall,
        "hit_rate": recall.hit_rate,
        "mrr": recall.mrr,
        "by_slice": recall.by_slice,
        "not_indexed": len(recall.not_indexed),
        "failures": len(recall.failures),
    }


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
