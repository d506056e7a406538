"""Search an index version by words, by vectors, or by both; every hit says how it was found."""

from __future__ import annotations

import heapq
import re
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import accumulate
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from core.errors import KurabeError
from core.knowledge.checking import instructions_in
from core.knowledge.embedding import batches, embed_texts, pinned_embedder
from core.knowledge.metadata import documents_that_fit
from core.knowledge.tables import folded, name_tokens, names_in, open_table, query_table
from core.knowledge.versions import Served, index_version, served_index
from core.models import Endpoint, ModelClient, ensure_host
from core.settings import settings

__all__ = [
    "RRF_K",
    "Embedded",
    "Filter",
    "Hit",
    "Mode",
    "SearchResult",
    "chunks_for_quote",
    "embed_questions",
    "get_chunks",
    "search",
    "search_many",
]

Mode = Literal["auto", "vector", "text", "hybrid"]

RRF_K = 10
"""Constant of reciprocal rank fusion: score = Σ 1 / (10 + rank).

Cormack, Clarke and Büttcher (2009) took 60 for many long rankings. With two rankings of 50, that lets a passage that is
middling in both pass one that is first in either: on manuals of Debian (`make bench-hybrid`), both together then found
9 points less than words alone. With 10, a first place beats any passage that is not among the first twelve of both.
"""

_POOL = 50
"""Candidates that each way of searching brings into the fusion."""

_RERANKED = 30
"""Candidates that a reranking model reads: each costs it as much as a short prompt."""

Row = dict[str, Any]

_SHOWN = ["chunk_id", "document_id", "document_name", "position", "title", "heading", "text", "tokens", "page"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage that was found."""

    chunk_id: str
    document_id: str
    document_name: str
    """File name of its document."""
    title: str
    """Title of its document."""
    heading: str
    """Headings above it, joined with " > "; may be empty."""
    text: str
    score: float = 0.0
    """What it was ranked by; comparable within one result only."""
    vector_rank: int | None = None
    """From 1; None if the vector search did not bring it or was not made."""
    vector_score: float | None = None
    """Cosine similarity."""
    text_rank: int | None = None
    """From 1; None if the full-text search did not bring it or was not made."""
    text_score: float | None = None
    """BM25."""
    rerank_score: float | None = None
    """How well it answers, by the reranking model; None if none was asked."""
    position: int = 0
    """Order in its document."""
    tokens: int = 0
    """Length by the index's tokenizer."""
    page: int = 0
    """Page it begins on, from 1; 0 where the format has no pages."""

    @property
    def full_title(self) -> str:
        """Title and heading as the prompt shows them."""
        return f"{self.title} > {self.heading}" if self.heading else self.title


@dataclass(frozen=True, slots=True)
class Filter:
    """Which passages may be found; all conditions must hold, and an empty one holds for all."""

    documents: tuple[str, ...] = ()
    """File names of documents."""
    heading: str = ""
    """Words that stand in the title or the headings above the passage, in any case."""
    pages: tuple[int, int] | None = None
    """First and last page on which it may begin."""
    kinds: tuple[str, ...] = ()
    """Kinds of files, by their endings: ``pdf``, ``md``."""
    tags: tuple[str, ...] = ()
    """Tags of which a document bears one, in any case."""
    since: date | None = None
    """First date of its document: the one that it names itself, else when this version came in."""
    until: date | None = None
    """Last date of its document."""

    @property
    def about_documents(self) -> bool:
        """Whether it asks for what the store knows of documents, not their passages."""
        return bool(self.kinds or self.tags or self.since or self.until)

    def sql(self, fitting: Sequence[str] | None = None) -> str:
        """Return the condition for LanceDB; empty if everything may be found.

        Args:
            fitting: Ids of the documents that fit in kind, tags and date; None if all do.
        """
        parts = []
        if self.documents:
            parts.append(f"document_name IN ({', '.join(map(_quoted, self.documents))})")
        if self.heading:
            words = _quoted(self.heading.lower())
            parts.append(f"(contains(lower(title), {words}) OR contains(lower(heading), {words}))")
        if self.pages is not None:
            parts.append(f"page >= {int(self.pages[0])} AND page <= {int(self.pages[1])}")
        if fitting is not None:
            parts.append(f"document_id IN ({', '.join(map(_quoted, fitting or ['']))})")
        return " AND ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A question's vector, made before it is searched for."""

    vector: Sequence[float] | None
    """None where the index has no vectors that read its language."""
    seconds: float
    """Its share of the time that all of its batch took."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, how, and how long it took."""

    hits: list[Hit]
    """Best first."""
    spans: dict[str, float]
    """Seconds: ``embed``, ``search``, ``rerank``."""
    mode: str
    """What was done: ``vector``, ``text`` or ``hybrid``."""
    embedder: str | None
    """Name of the embedding model, where vectors were used."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What a person should know, as ``{"code", "params"}``: that vectors are off, and why."""


def search(
    index_version_id: str,
    query: str,
    *,
    k: int = 4,
    mode: Mode = "auto",
    rerank: bool = False,
    embedded: Embedded | None = None,
    only: Filter | None = None,
    budget: int | None = None,
) -> SearchResult:
    """Return the `k` best passages for a question.

    Args:
        index_version_id: What is searched.
        query: Question in the words of a person.
        k: Most passages.
        mode: ``auto`` takes both ways where the index has vectors that read the language, else full text.
        rerank: Order the best candidates again: by the reranking model that the settings name, else passages that
            hold the question's names and numbers before others.
        embedded: The question's vector, if `embed_questions` has made it; else it is asked for.
        only: Which passages may be found; all by default.
        budget: Most tokens of all passages together, by the index's tokenizer: passages are left out from the end,
            and a note says how many; any number by default.

    Raises:
        KurabeError: ``store.missing``, ``knowledge.source_removed``, ``knowledge.no_vectors`` if vectors were asked
            for by name and there are none, ``knowledge.unknown_mode``, ``models.…``.
    """
    return _within(budget, _Searcher(index_version_id, k, mode, rerank, only).search(query, embedded))


def _within(budget: int | None, found: SearchResult) -> SearchResult:
    """Leave out what no longer fits, from the first passage that does not, as an approach's prompt does."""
    used = list(accumulate(hit.tokens for hit in found.hits))
    kept = len(used) if budget is None else bisect_right(used, budget)
    if kept == len(used):
        return found
    note = {"code": "over_budget", "params": {"n": len(used) - kept, "budget": budget}}
    return replace(found, hits=found.hits[:kept], notes=[*found.notes, note])


def embed_questions(index_version_id: str, queries: Sequence[str]) -> list[Embedded]:
    """Return a vector for each question in few calls; their time is shared out evenly.

    Raises:
        KurabeError: ``store.missing``, ``models.…``.
    """
    searcher = _Searcher(index_version_id, 1, "auto")
    made: list[Embedded] = []
    for batch in batches(queries):
        began = time.perf_counter()
        vectors = searcher.vectors([folded(query).strip() for query in batch])
        seconds = (time.perf_counter() - began) / len(batch)
        made += [Embedded(vector, seconds) for vector in vectors]
    return made


def has_vectors(index_version_id: str) -> bool:
    """Tell whether an index can be searched by meaning here and now.

    Raises:
        KurabeError: as `core.knowledge.index_version`.
    """
    return _Searcher(index_version_id, 1, "auto").embedder is not None


def search_many(index_version_id: str, queries: Sequence[str], *, k: int = 4) -> list[SearchResult]:
    """Search for many questions, whose vectors come in batches; their time is shared out evenly.

    Raises:
        KurabeError: as `search`.
    """
    searcher = _Searcher(index_version_id, k, "auto")
    pairs = zip(queries, embed_questions(index_version_id, queries), strict=True)
    return [searcher.search(query, embedded) for query, embedded in pairs]


class _Searcher:
    """One way of searching one index version."""

    def __init__(
        self, index_version_id: str, k: int, mode: Mode, rerank: bool = False, only: Filter | None = None
    ) -> None:
        if mode not in get_args(Mode):
            raise KurabeError("knowledge.unknown_mode", mode=mode, known=", ".join(get_args(Mode)))
        self.version = version = served_index(index_version_id)
        self.embedder = pinned_embedder(version.config["language"], version.embedder, version.config["embedder_hash"])
        if self.embedder is None and mode in ("vector", "hybrid"):
            raise KurabeError("knowledge.no_vectors", language=version.config["language"], mode=mode)
        self.k, self.mode, self.rerank = k, mode, rerank
        self.pool = max(_POOL, k)
        self.condition = _condition(index_version_id, only) if only else ""

    def vectors(self, words: Sequence[str]) -> Sequence[Sequence[float] | None]:
        """Return one vector a question; None where this search uses none, or there are no words."""
        if self.embedder is None or self.mode == "text":
            return [None] * len(words)
        filled = [text for text in words if text]
        found = iter(embed_texts(filled, "query", self.embedder) if filled else [])
        return [next(found) if text else None for text in words]

    def search(self, query: str, embedded: Embedded | None = None) -> SearchResult:
        """Return what is found; a vector that is not given is asked for."""
        words = folded(query).strip()
        vector, spent = (embedded.vector, embedded.seconds) if embedded and self.mode != "text" else (None, 0.0)
        spans = {"embed": spent, "search": 0.0, "rerank": 0.0}
        if not words:
            return SearchResult([], spans, "text", None)
        if vector is None:
            began = time.perf_counter()
            [vector] = self.vectors([words])
            spans["embed"] = time.perf_counter() - began
        began = time.perf_counter()
        asked = words if self.mode != "vector" else None
        near, worded = _found(self.version, vector, asked, self.pool, self.condition)
        hits = fused(near, worded, self.pool * 2 if self.rerank else self.k)
        spans["search"] = time.perf_counter() - began
        if self.rerank:
            began = time.perf_counter()
            hits = reranked(words, hits)
            spans["rerank"] = time.perf_counter() - began
        done = "vector" if self.mode == "vector" else "hybrid" if near else "text"
        name = self.embedder.name if self.embedder and done != "text" else None
        notes = _notes(self.version, self.embedder is None)
        shown = hits[: self.k]
        return SearchResult(shown, spans, done, name, [*notes, *_instructing(shown)])


def _condition(index_version_id: str, only: Filter) -> str:
    if not only.about_documents:
        return only.sql()
    held = list(index_version(index_version_id).document_hashes)
    return only.sql(documents_that_fit(held, only.kinds, only.tags, only.since, only.until))


def _notes(version: Served, text_only: bool) -> list[dict[str, Any]]:
    if not text_only:
        return []
    code = "embedder_gone" if version.embedder else "vectors_off"
    return [{"code": code, "params": {"language": version.config["language"], "embedder": version.embedder or "-"}}]


def _instructing(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return a note where passages seem to instruct the model that will read them."""
    names = dict.fromkeys(hit.document_name for hit in hits if instructions_in(f"{hit.full_title}\n{hit.text}"))
    return [{"code": "instructions", "params": {"documents": ", ".join(names)}}] if names else []


def _found(
    version: Served, vector: Sequence[float] | None, words: str | None, limit: int, condition: str
) -> tuple[list[Row], list[Row]]:
    """Return what each way of searching finds, asked at once; a way without a question finds nothing."""

    def by_vector(table: Any) -> Any:
        query = table.query().nearest_to(list(vector or ())).column("vector").distance_type("cosine")
        query = version.vectors.asked(query, limit, filtered=bool(condition))
        query = query.where(condition) if condition else query
        return query.select([*_SHOWN, "_distance"])

    def by_text(table: Any) -> Any:
        query = table.query().nearest_to_text(f"{words} {name_tokens(words or '')}", columns="search_text")
        query = query.where(condition) if condition else query
        return query.select([*_SHOWN, "_score"]).limit(limit)

    asked = {"vector": by_vector} if vector is not None else {}
    asked |= {"text": by_text} if words is not None else {}
    rows = dict(zip(asked, query_table(version.table_name, *asked.values()), strict=True))
    return _by_distance(rows.get("vector", [])), _by_score(rows.get("text", []))


def _by_distance(rows: list[Row]) -> list[Row]:
    rows.sort(key=lambda row: (row["_distance"], row["chunk_id"]))
    for rank, row in enumerate(rows, 1):
        row["vector_rank"], row["vector_score"] = rank, 1.0 - float(row.pop("_distance"))
    return rows


def _by_score(rows: list[Row]) -> list[Row]:
    rows.sort(key=lambda row: (-row["_score"], row["chunk_id"]))
    for rank, row in enumerate(rows, 1):
        row["text_rank"], row["text_score"] = rank, float(row.pop("_score"))
    return rows


def hit_of(row: Row) -> Hit:
    """Return a table's row (columns of `_SHOWN`, and the ranks and scores that it was found with) as a hit."""
    return Hit(**row)


def fused(near: Sequence[Row], worded: Sequence[Row], most: int) -> list[Hit]:
    """Join both rankings by reciprocal rank; ties go to the better text rank, then to the smaller id.

    One ranking alone keeps its own scores.

    Args:
        near: Rows with ``vector_rank`` and ``vector_score``, best first.
        worded: Rows with ``text_rank`` and ``text_score``, best first.
        most: How many are wanted: of a hundred candidates, only these are made into hits.
    """
    if not near or not worded:
        alone = "vector_score" if near else "text_score"
        return [hit_of({**row, "score": row[alone]}) for row in (near or worded)[:most]]
    found = {row["chunk_id"]: row for row in near}
    for row in worded:
        found[row["chunk_id"]] = {**found.get(row["chunk_id"], {}), **row}
    order = []
    for chunk_id, row in found.items():
        rank = row.get("text_rank")
        order.append((-_reciprocal(row.get("vector_rank")) - _reciprocal(rank), rank or 1 << 30, chunk_id))
    best = heapq.nsmallest(most, order)
    return [hit_of({**found[chunk_id], "score": -score}) for score, _, chunk_id in best]


def _reciprocal(rank: int | None) -> float:
    return 0.0 if rank is None else 1.0 / (RRF_K + rank)


def reranked(words: str, hits: Sequence[Hit]) -> list[Hit]:
    """Order the best candidates by the reranking model that the settings name; without one, by names and numbers.

    Raises:
        KurabeError: ``models.…`` if the server does not answer.
    """
    named, url = settings().reranker, settings().reranker_url
    if named is None or not hits:
        return by_names(words, hits)
    endpoint = Endpoint(url, _reranker_key(url), named) if url else ensure_host()
    best, rest = hits[:_RERANKED], hits[_RERANKED:]
    scores = ModelClient(endpoint).rerank(named, words, [f"{hit.full_title}\n{hit.text}" for hit in best])
    scored = [replace(hit, rerank_score=score, score=score) for hit, score in zip(best, scores, strict=True)]
    return [*sorted(scored, key=lambda hit: -(hit.rerank_score or 0.0)), *rest]


def _reranker_key(url: str) -> str | None:
    """Return the key for a reranking server; the model server's own goes to no other server."""
    key, chat = settings().reranker_key, settings().model_url
    if key is None and chat is not None and _origin(chat) == _origin(url):
        key = settings().model_key
    return key.get_secret_value() if key else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def by_names(words: str, hits: Iterable[Hit]) -> list[Hit]:
    """Put passages first that hold the question's names as they are written, more of them before fewer."""
    names = set(names_in(words))

    def held(hit: Hit) -> int:
        return len(names & set(names_in(f"{hit.full_title}\n{hit.text}")))

    return sorted(hits, key=lambda hit: -held(hit))


def get_chunks(index_version_id: str, ids: Sequence[str]) -> list[Hit]:
    """Return passages by id, in the order asked for; ids that the version does not hold are left out.

    Raises:
        KurabeError: as `core.knowledge.index_version`.
    """
    if not ids:
        return []
    wanted = ", ".join("'" + name.replace("'", "''") + "'" for name in ids)
    table = open_table(served_index(index_version_id).table_name)
    rows = table.search().where(f"chunk_id IN ({wanted})").select(_SHOWN).limit(len(ids) * 2).to_list()
    found = {row["chunk_id"]: hit_of(row) for row in rows}
    return [found[name] for name in ids if name in found]


_MARKS = re.compile(r"[\s#*_`|>・•\-–—]+")


def quote_key(text: str) -> str:
    """Return text for finding quotes: NFKC, lower case, without spaces, Markdown marks or bullets."""
    return _MARKS.sub("", folded(text)).casefold()


def quote_parts(quote: str) -> list[str]:
    """Return the sentences, lines and cells of a quote as `quote_key` writes them: what a cut leaves whole."""
    parts = [quote_key(part) for part in re.split(r"[\n。|]|(?<=[.!?])\s", quote)]
    return [part for part in parts if len(part) >= 4]


def chunks_for_quote(index_version_id: str, document_name: str, quote: str) -> list[Hit]:
    """Return the passages of a document that hold a quote; a quote that a cut divided gives both sides.

    Args:
        index_version_id: Where to look.
        document_name: File name or title of the document; empty looks in all.
        quote: Words as they stand in the document, spaces and Markdown aside.

    Raises:
        KurabeError: as `core.knowledge.index_version`.
    """
    chunks = chunks_of(index_version_id, document_name)
    key = quote_key(quote)
    if not key:
        return []
    whole = [hit for hit in chunks if key in quote_key(hit.text) or key in quote_key(hit.full_title + hit.text)]
    if whole:
        return whole
    parts = quote_parts(quote)
    return [hit for hit in chunks if any(part in quote_key(hit.text) for part in parts)]


def chunks_of(index_version_id: str, document_name: str = "") -> list[Hit]:
    """Return all passages of one document (by file name or title), or of all documents, in their order."""
    table = open_table(served_index(index_version_id).table_name)
    query = table.search()
    if document_name:
        name = document_name.replace("'", "''")
        query = query.where(f"document_name = '{name}' OR title = '{name}'")
    rows = query.select(_SHOWN).limit(table.count_rows()).to_list()
    return [hit_of(row) for row in sorted(rows, key=lambda row: (row["document_name"], row["position"]))]
