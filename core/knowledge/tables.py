"""LanceDB tables: one for each index version, written once and never changed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from core.errors import KurabeError
from core.settings import settings

__all__ = [
    "EXACT_UP_TO",
    "VectorIndex",
    "connect",
    "create_table",
    "drop_table",
    "folded",
    "name_tokens",
    "names_in",
    "open_table",
    "query_table",
    "table_names",
]

EXACT_UP_TO = 20_000
"""Rows up to which an exact scan answers fast enough to need no vector index."""

_RECALL = 0.99
"""Share of the exact ten nearest that a vector index must find, measured when it is built."""

_SAMPLE = 100
"""Vectors on which that is measured."""

_NEAREST = 10

_REFINED = 2
"""Candidates for each wanted row that a graph finds with coarse vectors, to be compared by the exact ones."""

_PARTITION = 1500
"""Rows of one partition: 66 partitions for 100,000 rows."""

_LARGE = 1_000_000
"""Rows of one graph (HNSW)."""


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """How the nearest vectors are found; kept with the index version, whose searches ask in the same way."""

    kind: str = "exact"
    """``exact``: every row is compared; ``ivf_flat``: the nearest partitions; ``ivf_hnsw_sq``: a graph."""
    partitions: int | None = None
    probes: int | None = None
    """Partitions that a search looks into."""
    ef: int | None = None
    """Candidates that a search of a graph keeps."""
    recall: float = 1.0
    """Share of the ten nearest that it finds, measured on vectors of the table itself, each without itself."""

    def asked(self, query: Any, k: int, *, filtered: bool = False) -> Any:
        """Return a vector query of LanceDB for the nearest k that searches in this way.

        With a filter, more partitions are looked into until enough rows pass it.
        """
        if self.kind == "exact":
            return query.bypass_vector_index().limit(k)
        query = query.nprobes(self.probes)
        query = query.maximum_nprobes(self.partitions) if filtered else query
        if self.ef:  # a graph refuses to keep fewer candidates than are asked of it
            query = query.ef(max(self.ef, _REFINED * k)).refine_factor(_REFINED)
        return query.limit(k)


def _schema(dimension: int | None) -> Any:
    """Return the columns of an index table."""
    import pyarrow as pa

    words = ("chunk_id", "document_id", "document_name", "title", "heading", "text", "text_hash", "search_text")
    fields = [pa.field(name, pa.string()) for name in words]
    fields += [pa.field(name, pa.int32()) for name in ("position", "tokens", "offset", "page")]
    if dimension:
        fields.append(pa.field("vector", pa.list_(pa.float32(), dimension)))
    return pa.schema(fields)


def folded(text: str) -> str:
    """Return text as it is indexed and searched: NFKC, so that half-width kana and full-width digits meet theirs."""
    return unicodedata.normalize("NFKC", text)


# Latin letters are named one by one: \w would take in the kana that stand behind a code without a space. Runs have a
# longest length, and most are possessive, so that a run of thousands of letters costs no more than one pass.
_LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
_WORD = f"[{_LATIN}0-9_']"
_NAMES = re.compile(
    r"[A-Za-z]{1,40}+[ \-]?[\u30a1-\u30fa\u30fc]{2,}"  # Bibone デュオ
    rf"|(?:[A-Z][{_LATIN}']{{0,40}}+|[\u30a1-\u30fa\u30fc]{{2,40}}+)"
    r"(?:[ \-]?[A-Za-z]{0,3}[0-9][0-9A-Za-z]*+)+"  # Koridel 205, アオバクリーン 30
    r"|[A-Za-z]{1,6}-?[0-9][0-9A-Za-z_\-]*"  # E-17, x80
    rf"|[A-Z]{_WORD}{{1,40}}+(?: (?:of |the )?[A-Z]{_WORD}{{1,40}}+)+"  # Customer Care
    rf"|(?<=[a-z,0-9] )[A-Z]{_WORD}{{1,40}}+"  # Koridel, inside a sentence
    r"|[\u4e00-\u9fff々]{1,20}+[\u30a1-\u30fa\u30fc]{2,}"  # 本町センター
    r"|[\u30a1-\u30fa\u30fc]{3,}"  # アオバクリーン
)
_OPENERS = re.compile(
    r"^(?:What|Which|Who|Whom|Whose|When|Where|Why|How|Is|Are|Was|Were|Do|Does|Did|Can|Could|May|Will|Would|Should|Has|Have"
    r"|The|A|An|In|On|At|For|From|To|By|With|Please|Tell|I|If|Of|And|Hello|Hi|Must|Let|About)\b[ ]?"
)


def names_in(text: str) -> list[str]:
    """Return what looks like a name, a code or a product in a text, without spaces and hyphens, in lower case.

    "Koridel 205" gives ``koridel205``; an opening word of the sentence is no part of a name.
    """
    found = []
    for match in _NAMES.finditer(folded(text)):
        name = match.group(0)
        while opener := _OPENERS.match(name):
            name = name[opener.end() :]
        key = re.sub(r"[ \-]", "", name).casefold()
        if len(key) >= 2:
            found.append(key)
    return found


def name_tokens(text: str) -> str:
    """Return one word for each name in a text, which no tokenizer divides.

    A tokenizer divides "Koridel 205" and "アオバクリーン 30" into pieces that other names share; indexed beside
    the text, these words let full text weigh a name by how rare the whole name is.
    """
    return " ".join("n" + hashlib.sha256(name.encode()).hexdigest()[:12] for name in names_in(text))


def connect() -> Any:
    """Return this process's connection to the index URI; readers always see the newest state of a table."""
    return _connection(settings().index(), os.getpid())


@lru_cache(maxsize=4)
def _connection(uri: str, pid: int) -> Any:
    import lancedb  # takes a second to load; pages that do not search are spared it

    return lancedb.connect(uri, read_consistency_interval=timedelta(0))


def table_names() -> list[str]:
    """Return the names of all tables at the index URI."""
    names: list[str] = []
    token: str | None = None
    while True:
        page = connect().list_tables(page_token=token, limit=500)
        names += list(page.tables)
        token = page.page_token
        if not token:
            return names


def create_table(
    name: str,
    rows: Iterable[Sequence[dict[str, Any]]],
    dimension: int | None,
    before_step: Callable[[], None] = lambda: None,
) -> VectorIndex | None:
    """Write batches of rows and build the full-text index (and for many rows the vector index).

    Args:
        name: Table; must not exist.
        rows: Batches of rows with the columns of `_schema`, and ``vector`` where `dimension` is given.
        dimension: Length of the vectors; None for full text alone.
        before_step: Called before each step of building and choosing indexes, which take seconds to minutes; what it
            raises ends the work.

    Returns:
        How vectors are searched; None where there are none.
    """
    import pyarrow as pa
    from lancedb.index import FTS

    schema = _schema(dimension)
    table = connect().create_table(name, schema=schema)
    count = 0
    for batch in rows:
        if batch:
            table.add(pa.Table.from_pylist(list(batch), schema=schema))
            count += len(batch)
    before_step()
    # `with_position=True` breaks compaction in some versions of Lance, and phrases are not searched here.
    text_index = FTS(base_tokenizer="icu", stem=False, remove_stop_words=False, with_position=False)
    table.create_index("search_text", config=text_index)
    if not dimension:
        return None
    return VectorIndex() if count <= EXACT_UP_TO else _vector_index(table, name, count, before_step)


def _vector_index(table: Any, name: str, count: int, before_step: Callable[[], None]) -> VectorIndex:
    """Build the cheapest index that finds what an exact search finds, as measured; leave none if none does.

    Partitions are built in seconds and are fast where vectors lie in clusters. Where most partitions would have to be
    looked into, a graph is tried, which takes minutes to build.
    """
    from lancedb.index import HnswSq, IvfFlat

    before_step()
    sample = _sample(table, count)
    before_step()
    partitions = max(8, count // _PARTITION)
    table.create_index("vector", config=IvfFlat(distance_type="cosine", num_partitions=partitions), replace=True)
    ladder = sorted({max(1, round(partitions * share)) for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)})
    flat = [VectorIndex("ivf_flat", partitions, probes) for probes in ladder]
    if (found := _first_that_reaches(name, flat, sample, before_step)) is not None:
        return found
    graphs = -(-count // _LARGE)
    before_step()
    table.create_index("vector", config=HnswSq(distance_type="cosine", num_partitions=graphs), replace=True)
    graph = [VectorIndex("ivf_hnsw_sq", graphs, graphs, ef) for ef in (64, 128, 256, 512)]
    if (found := _first_that_reaches(name, graph, sample, before_step)) is not None:
        return found
    for kept in table.list_indices():
        if kept.columns == ["vector"]:
            table.drop_index(kept.name)
    return VectorIndex()


_Sample = list[tuple[str, list[float], set[str], float]]
"""Chunk id, vector, the ids of the nearest other chunks, and the cosine distance of the farthest of them."""

_EQUAL = 1e-5
"""Cosine distances that differ by less are equal: both are sums in single precision."""


def _sample(table: Any, count: int) -> _Sample:
    """Return some of the table's vectors with their exact nearest, found in one pass that holds few rows at a time."""
    import numpy as np

    places = list(range(0, count, max(1, count // _SAMPLE)))[:_SAMPLE]
    rows = table.take_offsets(places).select(["chunk_id", "vector"]).to_arrow()
    names, vectors = rows["chunk_id"].to_pylist(), _matrix(rows["vector"].combine_chunks())
    best = np.full((len(names), _NEAREST + 1), -np.inf)
    ids = np.full(best.shape, "", dtype=object)
    for batch in table.search().select(["chunk_id", "vector"]).limit(count).to_batches():
        scores = np.hstack([best, vectors @ _matrix(batch["vector"]).T])
        held = np.hstack([ids, np.tile(np.array(batch["chunk_id"].to_pylist(), dtype=object), (len(names), 1))])
        top = np.argsort(-scores, axis=1, kind="stable")[:, : _NEAREST + 1]
        best, ids = np.take_along_axis(scores, top, 1), np.take_along_axis(held, top, 1)
    sample: _Sample = []
    for name, vector, others, scored in zip(names, vectors.tolist(), ids.tolist(), best.tolist(), strict=True):
        near = [(i, score) for i, score in zip(others, scored, strict=True) if i and i != name][:_NEAREST]
        sample.append((name, vector, {i for i, _ in near}, 1 - near[-1][1] if near else 0.0))
    return sample


def _matrix(column: Any) -> Any:
    """Return a column of vectors as unit vectors in the rows of a matrix."""
    import numpy as np

    values = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def _first_that_reaches(
    name: str, ladder: Sequence[VectorIndex], sample: _Sample, before_step: Callable[[], None]
) -> VectorIndex | None:
    """Return the first step of a ladder that reaches the wanted recall@10 with what it measured; None if none does."""
    measured = [replace(step, recall=-1.0) for step in ladder]

    def reaches(place: int) -> bool:
        before_step()
        measured[place] = replace(ladder[place], recall=_recall(name, ladder[place], sample))
        return measured[place].recall >= _RECALL

    first = bisect_left(range(len(ladder)), True, key=reaches)  # more effort never finds less
    return measured[first] if first < len(ladder) else None


def _recall(name: str, how: VectorIndex, sample: _Sample) -> float:
    """Return the share of the exact nearest that a way of searching finds; others as near count as they do."""

    def nearest(vector: Sequence[float]) -> Callable[[Any], Any]:
        def query(table: Any) -> Any:
            asked = table.query().nearest_to(list(vector)).column("vector").distance_type("cosine")
            return how.asked(asked, _NEAREST + 1).select(["chunk_id", "_distance"])

        return query

    shares: list[float] = []
    found = query_table(name, *(nearest(vector) for _, vector, _, _ in sample))
    for (own, _, exact, far), rows in zip(sample, found, strict=True):
        others = [row for row in rows if row["chunk_id"] != own][:_NEAREST]
        near = sum(row["chunk_id"] in exact or row["_distance"] <= far + _EQUAL for row in others)
        shares.append(min(near, len(exact)) / max(1, len(exact)))
    return sum(shares) / len(shares)


@lru_cache(maxsize=64)
def _table(uri: str, pid: int, name: str) -> Any:
    return connect().open_table(name)


@lru_cache(maxsize=64)
def _table_for_queries(uri: str, pid: int, name: str) -> Any:
    return _wait_for(_connection_for_queries(uri, pid).open_table(name))


@lru_cache(maxsize=4)
def _connection_for_queries(uri: str, pid: int) -> Any:
    import lancedb

    return _wait_for(lancedb.connect_async(uri, read_consistency_interval=timedelta(0)))


def _wait_for(coroutine: Any) -> Any:
    from lancedb.background_loop import LOOP  # where LanceDB itself runs what is asked synchronously

    run: Callable[[Any], Any] = LOOP.run
    return run(coroutine)


def open_table(name: str) -> Any:
    """Return a table; handles are kept, because the tables never change.

    Raises:
        KurabeError: ``knowledge.index_lost`` if the store knows it but the index URI does not.
    """
    return _opened(_table, name)


def query_table(name: str, *queries: Callable[[Any], Any]) -> list[list[dict[str, Any]]]:
    """Send queries to a table at once, and return the rows of each.

    LanceDB's synchronous queries fetch the table's schema several times each, which costs more than the search of a
    small table; its asynchronous ones do not.

    Args:
        name: Which table.
        queries: Each makes a query of LanceDB's asynchronous table.

    Raises:
        KurabeError: as `open_table`.
    """
    table = _opened(_table_for_queries, name)

    async def all_of_them() -> list[list[dict[str, Any]]]:
        return list(await asyncio.gather(*(query(table).to_list() for query in queries)))

    found: list[list[dict[str, Any]]] = _wait_for(all_of_them())
    return found


def _opened(open_by_name: Callable[[str, int, str], Any], name: str) -> Any:
    uri = settings().index()
    try:
        return open_by_name(uri, os.getpid(), name)
    except (ValueError, FileNotFoundError, OSError, RuntimeError) as error:
        raise KurabeError("knowledge.index_lost", table=name, uri_kind=uri.split(":", 1)[0][:8]) from error


def drop_table(name: str) -> None:
    """Remove a table with everything in it; one that is not there is fine."""
    _table.cache_clear()
    _table_for_queries.cache_clear()
    connect().drop_table(name, ignore_missing=True)
