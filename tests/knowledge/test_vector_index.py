"""How the nearest vectors are found is chosen by size and by what it was measured to find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from lancedb.index import HnswSq

from core.errors import KurabeError
from core.knowledge import tables

SIZE = 32


def rows(vectors: Any) -> Iterator[Sequence[dict[str, Any]]]:
    names = ("document_id", "document_name", "title", "heading", "text", "text_hash", "search_text")
    numbers = {"position": 0, "tokens": 1, "offset": 0, "page": 0}
    for start in range(0, len(vectors), 500):
        batch = enumerate(vectors[start : start + 500], start)
        yield [{"chunk_id": f"c{n:05}", **dict.fromkeys(names, "x"), **numbers, "vector": v} for n, v in batch]


def clustered(count: int) -> Any:
    chance = np.random.default_rng(1)
    centres = chance.standard_normal((40, SIZE))
    return (centres[chance.integers(40, size=count)] + 0.2 * chance.standard_normal((count, SIZE))).astype(np.float32)


def recall(name: str, how: tables.VectorIndex, vectors: Any) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = []
    for question in clustered(len(vectors))[:30] + 0.01:
        exact = {f"c{place:05}" for place in np.argsort(-(unit @ question), kind="stable")[:10]}

        def query(table: Any, question: Any = question) -> Any:
            asked = table.query().nearest_to(question.tolist()).column("vector").distance_type("cosine")
            return how.asked(asked, 10).select(["chunk_id", "_distance"])

        [found] = tables.query_table(name, query)
        shares.append(len(exact & {row["chunk_id"] for row in found}) / 10)
    return sum(shares) / len(shares)


def test_a_small_table_is_searched_exactly() -> None:
    vectors = clustered(600)
    how = tables.create_table("small", rows(vectors), SIZE)
    assert how == tables.VectorIndex("exact", None, None, None, 1.0)
    assert recall("small", how, vectors) == 1.0


def test_a_large_clustered_table_gets_partitions_and_as_few_probes_as_its_recall_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(tables, "_PARTITION", 150)
    vectors = clustered(3000)
    how = tables.create_table("large", rows(vectors), SIZE)
    assert how is not None and how.kind == "ivf_flat" and how.partitions == 20
    assert how.probes and how.probes <= 10
    assert how.recall >= 0.99
    assert recall("large", how, vectors) >= 0.97


def test_where_partitions_find_too_little_another_kind_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(tables, "_PARTITION", 30)
    vectors = np.random.default_rng(3).standard_normal((3000, SIZE)).astype(np.float32)
    how = tables.create_table("even", rows(vectors), SIZE)
    assert how is not None and how.kind in ("ivf_hnsw_sq", "exact"), how
    assert how.recall >= 0.99
    kinds = [index.index_type for index in tables.open_table("even").list_indices() if index.columns == ["vector"]]
    assert len(kinds) == (how.kind != "exact")


def test_a_graph_gives_as_many_rows_as_a_hybrid_search_asks_for() -> None:
    vectors = clustered(600)
    tables.create_table("graph", rows(vectors), SIZE)
    tables.open_table("graph").create_index("vector", config=HnswSq(distance_type="cosine", num_partitions=1))
    how = tables.VectorIndex("ivf_hnsw_sq", 1, 1, ef=64)

    def query(table: Any) -> Any:
        asked = table.query().nearest_to(vectors[0].tolist()).column("vector").distance_type("cosine")
        return how.asked(asked, 50).select(["chunk_id", "_distance"])

    [found] = tables.query_table("graph", query)
    assert len(found) == 50 and found[0]["chunk_id"] == "c00000"


def test_choosing_can_be_stopped_before_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(tables, "_PARTITION", 150)
    steps = []

    def stop_at_the_fourth() -> None:
        steps.append(1)
        if len(steps) == 4:
            raise KurabeError("knowledge.build_stopped")

    with pytest.raises(KurabeError, match="build_stopped"):
        tables.create_table("stopped", rows(clustered(3000)), SIZE, stop_at_the_fourth)


def test_neighbours_as_near_as_the_wanted_ones_count_as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(tables, "_PARTITION", 150)
    same = np.repeat(clustered(60), 50, axis=0)  # boilerplate: every passage stands there fifty times
    how = tables.create_table("same", rows(same), SIZE)
    assert how is not None and how.kind == "ivf_flat" and how.recall == 1.0


def test_without_vectors_there_is_nothing_to_choose() -> None:
    batches = [
        [{name: value for name, value in row.items() if name != "vector"} for row in batch]
        for batch in rows(clustered(10))
    ]
    assert tables.create_table("words", batches, None) is None
