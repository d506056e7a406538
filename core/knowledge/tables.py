"""LanceDB tables: one for each index version, written once and never changed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from core.errors import KurabeError
from core.settings import settings

__all__ = [
    "EXACT_UP_TO",
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

_RECALL = 0.985
"""Share of the exact ten nearest that a vector index must find, measured when it is built."""

_SAMPLE = 60
"""Vectors on which that is measured."""


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


_NAMES = re.compile(
    r"[A-Za-z]+[ \-]?[\u30a1-\u30fa\u30fc]{2,}"  # Bibone デュオ
    r"|(?:[A-Z][\w']*|[\u30a1-\u30fa\u30fc]{2,})(?:[ \-]?[A-Za-z]{0,3}\d[\dA-Za-z]*)+"  # Koridel 205, アオバクリーン 30
    r"|[A-Za-z]{1,6}-?\d[\w\-]*"  # E-17, x80
    r"|[A-Z][\w']+(?: (?:of |the )?[A-Z][\w']+)+"  # Customer Care
    r"|(?<=[a-z,0-9] )[A-Z][\w']+"  # Koridel, inside a sentence
    r"|[\u4e00-\u9fff々]+[\u30a1-\u30fa\u30fc]{2,}"  # 本町センター
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


def create_table(name: str, rows: Iterable[Sequence[dict[str, Any]]], dimension: int | None) -> int | None:
    """Write batches of rows and build the full-text index (and for many rows the vector index).

    Args:
        name: Table; must not exist.
        rows: Batches of rows with the columns of `_schema`, and ``vector`` where `dimension` is given.
        dimension: Length of the vectors; None for full text alone.

    Returns:
        How many partitions a vector search must probe to reach the wanted recall; None where it is exact.
    """
    import pyarrow as pa
    from lancedb.index import FTS, IvfFlat

    schema = _schema(dimension)
    table = connect().create_table(name, schema=schema)
    count = 0
    for batch in rows:
        if batch:
            table.add(pa.Table.from_pylist(list(batch), schema=schema))
            count += len(batch)
    # `with_position=True` breaks compaction in some versions of Lance, and phrases are not searched here.
    text_index = FTS(base_tokenizer="icu", stem=False, remove_stop_words=False, with_position=False)
    table.create_index("search_text", config=text_index)
    if not dimension or count <= EXACT_UP_TO:
        return None
    partitions = max(8, count // 1500)
    table.create_index("vector", config=IvfFlat(distance_type="cosine", num_partitions=partitions))
    return _probes(table, partitions)


def _probes(table: Any, partitions: int) -> int:
    """Return the fewest probes that reach the wanted recall@10 on a sample of the table's own vectors."""
    step = max(1, table.count_rows() // _SAMPLE)
    sample = (
        table.search().select(["vector"]).limit(table.count_rows()).to_arrow()["vector"].to_pylist()[::step][:_SAMPLE]
    )
    exact = [_nearest(table.search(vector).bypass_vector_index()) for vector in sample]
    probes = 8
    while probes < partitions:
        found = [_nearest(table.search(vector).nprobes(probes)) for vector in sample]
        shared = sum(len(a & b) / max(1, len(a)) for a, b in zip(exact, found, strict=True))
        if shared / len(sample) >= _RECALL:
            break
        probes = probes * 3 // 2
    return min(probes, partitions)


def _nearest(query: Any) -> set[str]:
    return {
        row["chunk_id"] for row in query.distance_type("cosine").select(["chunk_id", "_distance"]).limit(10).to_list()
    }


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
