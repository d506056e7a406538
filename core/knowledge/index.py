"""Build index versions: new documents are cut and embedded, unchanged ones are taken over from the version before.

Every build writes a table of its own, so that a failed or stopped one leaves the served version untouched.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import bindparam, select

from core.errors import KurabeError
from core.identity import ProcessIdentity, alive, content_hash, new_id, now, process_identity
from core.knowledge.chunking import ChunkConfig, chunk_document
from core.knowledge.documents import document, document_versions, documents, erase, remove_erased_originals
from core.knowledge.embedding import batches, embed_texts
from core.knowledge.tables import VectorIndex, create_table, drop_table, folded, name_tokens, open_table, table_names
from core.knowledge.tokens import TokenCounter, counter_for, estimate_tokens
from core.knowledge.unfinished import EVERY, KeptVectors, forget_vectors
from core.models import EmbedderInfo, embedder_for
from core.store import look_up, read, write
from core.store import tables as tb

__all__ = [
    "IndexConfig",
    "Served",
    "build_index",
    "delete_document",
    "delete_index",
    "index_version",
    "index_versions",
    "latest_index",
    "refresh_index",
    "served_index",
    "stale_documents",
]

Progress = Callable[[str, int, int], None]
"""Called with a stage (``chunking``, ``embedding``, ``indexing``, ``choosing_index``), how many are done, and of how
many."""

_ADD_BATCH = 5000

_ROWS = 2
"""Raised when the code makes other rows of the same document, so that those of an older version are not taken over.

2: names end where kana begin; tables behind a line of words keep their header.
"""


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """How a knowledge base is cut and indexed."""

    min_tokens: int = 60
    """Sections shorter than this are joined with the next one."""
    max_tokens: int = 200
    """Longest passage."""
    embedder: str = "auto"
    """``auto``: the one that reads the project's language, if there is one; ``none``: full text alone."""
    tokenizer: str = "base"
    """``base``: the tokenizer of the project's base model; ``estimate``: by script, for any model."""
    overlap_tokens: int | None = None
    """Most tokens of whole sentences that a passage repeats from the one before in the same section; 0: none, None: a
    fifth of the longest passage."""

    def chunking(self) -> ChunkConfig:
        """Return the part that decides where documents are cut.

        Raises:
            KurabeError: ``knowledge.overlap_range``.
        """
        overlap = self.max_tokens // 5 if self.overlap_tokens is None else self.overlap_tokens
        return ChunkConfig(self.min_tokens, self.max_tokens, overlap)


@dataclass(slots=True)
class _Build:
    """One build in progress."""

    kb: tb.KnowledgeBase
    language: str
    config: IndexConfig
    counter: TokenCounter
    embedder: EmbedderInfo | None
    progress: Progress
    should_stop: Callable[[], bool]
    trial: bool = False
    version_id: str = field(default_factory=new_id)
    began: float = field(default_factory=time.perf_counter)

    @property
    def table(self) -> str:
        """Name of the table that is written."""
        return "index_" + self.version_id.replace("-", "")

    def facts(self) -> dict[str, Any]:
        """Return the stored configuration: everything that decides the content besides the documents."""
        return {
            **asdict(self.config),
            "overlap_tokens": self.config.chunking().overlap_tokens,
            "rows": _ROWS,
            "tokenizer": self.counter.name,
            "embedder_hash": self.embedder.hash if self.embedder else "",
            "dimension": self.embedder.dimension if self.embedder else None,
            "language": self.language,
        }

    def check(self) -> None:
        """Raise when somebody asked to stop."""
        if self.should_stop():
            raise KurabeError("knowledge.build_stopped")


def build_index(
    kb_id: str,
    config: IndexConfig | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    trial: bool = False,
    leaving_out: Collection[str] = (),
) -> tb.IndexVersion:
    """Index the current documents and return the new version, or the newest one if nothing changed.

    Args:
        kb_id: Knowledge base.
        config: How to cut and index; default values if not given.
        on_progress: Told how far it is.
        should_stop: Asked between batches.
        trial: Make a version that is never served, to be removed with `delete_index`, or once this process is gone.
        leaving_out: Ids of documents that are about to be deleted.

    Raises:
        KurabeError: ``knowledge.nothing_to_index``, ``knowledge.build_stopped``, ``models.…`` if embedding fails.
    """
    build = _prepared(kb_id, config or IndexConfig(), on_progress, should_stop)
    build.trial = trial
    found = [each for each in documents(kb_id) if each.id not in leaving_out]
    if not found:
        raise KurabeError("knowledge.nothing_to_index")
    before = _usable(latest_index(kb_id))
    hashes = {each.id: each.hash for each in found}
    if before is not None and _same_config(before, build) and before.document_hashes == hashes:
        return before
    _sweep()
    _announce(build)
    try:
        chunks = _cut(build, found, _reusable(build, before))
        _embed(build, chunks, before)
        build.progress("indexing", 0, len(chunks))
        step = _steps_of(build, len(chunks))
        vectors = create_table(build.table, _in_batches(build, chunks), _dimension(chunks), step)
        made = _shown(build, hashes, chunks, vectors)
    except BaseException:
        _forget(build)
        raise
    if made is None:  # a document was deleted meanwhile: nothing of it may stay, and it may not be found
        _forget(build)
        forget_vectors(kb_id)
        return build_index(kb_id, config, on_progress, should_stop, trial=trial, leaving_out=leaving_out)
    if not trial:  # a sweep's trials share the vectors that a stopped build left
        forget_vectors(kb_id)
    return made


def _usable(version: tb.IndexVersion | None) -> tb.IndexVersion | None:
    """Return a version unless its table is lost: then everything is built afresh."""
    if version is None:
        return None
    try:
        open_table(version.table_name)
    except KurabeError:
        return None
    return version


def _same_config(version: tb.IndexVersion, build: _Build) -> bool:
    return all(version.config.get(name) == value for name, value in build.facts().items())


def _prepared(
    kb_id: str, config: IndexConfig, on_progress: Progress | None, should_stop: Callable[[], bool] | None
) -> _Build:
    with read() as session:
        kb = session.get(tb.KnowledgeBase, kb_id)
        project = session.get(tb.Project, kb.project_id) if kb else None
    if kb is None or project is None:
        raise KurabeError("store.missing", kind="knowledge base", id=kb_id)
    config.chunking()  # refuses lengths that do not fit before anything is written
    counter = counter_of(project, config)
    embedder = None if config.embedder == "none" else embedder_for(project.language)
    return _Build(
        kb, project.language, config, counter, embedder, on_progress or _silent, should_stop or (lambda: False)
    )


def counter_of(project: tb.Project, config: IndexConfig) -> TokenCounter:
    """Return what measures the passages of a project's index."""
    if config.tokenizer == "estimate":
        return TokenCounter("estimate", estimate_tokens)
    return counter_for(project.base_ref)


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def _announce(build: _Build) -> None:
    with write() as session:
        session.add(
            tb.IndexVersion(
                id=build.version_id,
                project_id=build.kb.project_id,
                knowledge_base_id=build.kb.id,
                hash="",
                table_name=build.table,
                config=build.facts(),
                builder=process_identity().as_dict(),
            )
        )


def _forget(build: _Build) -> None:
    """Remove what a failed or stopped build wrote."""
    drop_table(build.table)
    with write() as session:
        row = session.get(tb.IndexVersion, build.version_id)
        if row is not None:
            session.delete(row)


def _sweep() -> None:
    """Remove what builds and trials left whose process is gone, and the tables of deleted versions."""
    with read() as session:
        rows = list(session.scalars(select(tb.IndexVersion)))
    passing = [row for row in rows if row.deleted_at is None and (not row.ready or row.config.get("trial"))]
    dead = [row for row in passing if not row.builder or not alive(ProcessIdentity.from_dict(row.builder))]
    there = set(table_names())
    for row in [*dead, *(row for row in rows if row.deleted_at is not None)]:
        if row.table_name in there:
            drop_table(row.table_name)
    with write() as session:
        for row in dead:
            if (found := session.get(tb.IndexVersion, row.id)) is not None:
                session.delete(found)
    for kb_id in {row.knowledge_base_id for row in rows}:
        remove_erased_originals(kb_id)


Row = dict[str, Any]


def _reusable(build: _Build, before: tb.IndexVersion | None) -> dict[str, list[Row]]:
    """Return the rows of the version before by document, if they were cut in the same way."""
    cutting = ("min_tokens", "max_tokens", "overlap_tokens", "tokenizer", "rows")
    if before is None or any(before.config.get(name) != build.facts()[name] for name in cutting):
        return {}
    rows: dict[str, list[Row]] = {}
    table = open_table(before.table_name).to_arrow()
    for row in table.drop_columns(["vector"] if _has_vectors(before) else []).to_pylist():
        rows.setdefault(row["document_id"], []).append(row)
    return rows


def _has_vectors(version: tb.IndexVersion) -> bool:
    return version.embedder is not None


def _cut(build: _Build, found: Sequence[tb.Document], reusable: Mapping[str, list[Row]]) -> list[Row]:
    """Return the rows of all passages, cutting only documents that the version before does not hold."""
    rows: list[Row] = []
    for number, each in enumerate(found):
        build.check()
        build.progress("chunking", number, len(found))
        rows += reusable.get(each.id) or _rows(build, each)
    build.progress("chunking", len(found), len(found))
    return rows


def _rows(build: _Build, of: tb.Document) -> list[Row]:
    cut = chunk_document(of.id, of.title, of.text, build.counter, build.config.chunking())
    return [
        {
            "chunk_id": chunk.id,
            "document_id": of.id,
            "document_name": of.name,
            "position": chunk.position,
            "title": chunk.title,
            "heading": chunk.heading,
            "text": chunk.text,
            "tokens": chunk.tokens,
            "offset": chunk.offset,
            "page": bisect_right(of.pages, chunk.offset) if of.pages else 0,
            "text_hash": content_hash(f"{chunk.full_title}\n{chunk.text}"),
            "search_text": _searched(f"{chunk.full_title}\n{chunk.text}"),
        }
        for chunk in cut
    ]


def _searched(text: str) -> str:
    return f"{folded(text)}\n{name_tokens(text)}"


def _embed(build: _Build, chunks: Sequence[Row], before: tb.IndexVersion | None) -> None:
    """Give every row its vector; words that the version before holds keep theirs."""
    if build.embedder is None:
        return
    kept = KeptVectors(build.kb.id, build.embedder.hash)
    known = {**kept.load(), **_known_vectors(build, before)}
    missing = sorted({row["text_hash"]: row for row in chunks if row["text_hash"] not in known}.items())
    texts = [folded(_full(row)) for _, row in missing]
    fresh: dict[str, Any] = {}
    done = 0
    try:
        for batch in batches(texts):
            build.check()
            build.progress("embedding", done, len(texts))
            for vector in embed_texts(batch, "document", build.embedder):
                fresh[missing[done][0]] = vector
                done += 1
            if len(fresh) >= EVERY:
                kept.keep(fresh)
                known, fresh = known | fresh, {}
    except BaseException:
        kept.keep(fresh)
        raise
    kept.keep(fresh)  # choosing a vector index may take minutes yet, and be stopped
    known |= fresh
    build.progress("embedding", len(texts), len(texts))
    for row in chunks:
        row["vector"] = known[row["text_hash"]]


def _full(row: Row) -> str:
    """Return what a passage's vector stands for: its title, headings and text."""
    title = f"{row['title']} > {row['heading']}" if row["heading"] else row["title"]
    return f"{title}\n{row['text']}"


def _known_vectors(build: _Build, before: tb.IndexVersion | None) -> dict[str, Any]:
    if before is None or not _has_vectors(before) or build.embedder is None:
        return {}
    if before.config.get("embedder_hash") != build.embedder.hash:
        return {}
    table = open_table(before.table_name).to_arrow().select(["text_hash", "vector"])
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
    return dict(zip(table["text_hash"].to_pylist(), vectors, strict=True))


def _dimension(chunks: Sequence[Row]) -> int | None:
    return len(chunks[0]["vector"]) if chunks and "vector" in chunks[0] else None


def _in_batches(build: _Build, chunks: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(chunks), _ADD_BATCH):
        build.check()
        yield chunks[start : start + _ADD_BATCH]
        build.progress("indexing", min(start + _ADD_BATCH, len(chunks)), len(chunks))


def _steps_of(build: _Build, rows: int) -> Callable[[], None]:
    """Return what is called before each step once all rows are written: it says so, and raises to stop."""

    def before_step() -> None:
        build.check()
        build.progress("choosing_index", rows, rows)

    return before_step


def _shown(
    build: _Build, hashes: dict[str, str], chunks: Sequence[Row], vectors: VectorIndex | None
) -> tb.IndexVersion | None:
    """Make the finished version the one that is served; None, and nothing done, if a document in it was deleted."""
    content = content_hash({"config": build.facts(), "chunks": [(row["chunk_id"], row["text_hash"]) for row in chunks]})
    with write() as session:
        made = session.get_one(tb.IndexVersion, build.version_id)
        gone = select(tb.Document.id).where(
            tb.Document.knowledge_base_id == build.kb.id, tb.Document.deleted_at.is_not(None)
        )
        # In the same transaction: a deletion from now on finds this version as one that is served.
        if not hashes.keys().isdisjoint(session.scalars(gone)):
            return None
        made.hash, made.chunk_count, made.document_hashes, made.ready = content, len(chunks), hashes, True
        made.embedder = build.embedder.name if build.embedder else None
        made.config = {**made.config, "vector_index": asdict(vectors) if vectors else None, "trial": build.trial}
        made.seconds = time.perf_counter() - build.began
    return made


def latest_index(kb_id: str) -> tb.IndexVersion | None:
    """Return the newest finished version of a knowledge base, or None."""
    versions = index_versions(kb_id)
    return versions[0] if versions else None


def index_versions(kb_id: str) -> list[tb.IndexVersion]:
    """Return the finished versions whose table still exists, newest first."""
    return [version for version in _finished(kb_id) if not version.config.get("trial")]


def _finished(kb_id: str) -> list[tb.IndexVersion]:
    query = select(tb.IndexVersion).where(
        tb.IndexVersion.knowledge_base_id == kb_id, tb.IndexVersion.ready, tb.IndexVersion.deleted_at.is_(None)
    )
    with read() as session:
        return list(session.scalars(query.order_by(tb.IndexVersion.id.desc())))


def index_version(version_id: str) -> tb.IndexVersion:
    """Return a finished version.

    Raises:
        KurabeError: ``store.missing``; ``knowledge.source_removed`` if a document in it was deleted since.
    """
    with read() as session:
        found = session.get(tb.IndexVersion, version_id)
    if found is None or not found.ready:
        raise KurabeError("store.missing", kind="index version", id=version_id)
    if found.deleted_at is not None:
        raise KurabeError("knowledge.source_removed", id=version_id)
    return found


@dataclass(frozen=True, slots=True)
class Served:
    """What a search needs to know of an index version."""

    id: str
    table_name: str
    embedder: str | None
    config: dict[str, Any]

    @property
    def vectors(self) -> VectorIndex:
        """How its vectors are searched."""
        kept = self.config.get("vector_index")
        return VectorIndex(**kept) if kept else VectorIndex()


# Made once: making it takes longer than asking the store.
_SERVED = select(
    tb.IndexVersion.table_name,
    tb.IndexVersion.embedder,
    tb.IndexVersion.config,
    tb.IndexVersion.ready,
    tb.IndexVersion.deleted_at,
).where(tb.IndexVersion.id == bindparam("id"))


def served_index(version_id: str) -> Served:
    """Return what a search needs of a version, without the list of its documents, which is long.

    Raises:
        KurabeError: as `index_version`.
    """
    found = look_up(_SERVED, id=version_id)
    if found is None or not found.ready:
        raise KurabeError("store.missing", kind="index version", id=version_id)
    if found.deleted_at is not None:
        raise KurabeError("knowledge.source_removed", id=version_id)
    return Served(version_id, found.table_name, found.embedder, found.config)


def stale_documents(kb_id: str) -> list[str]:
    """Return the names of documents that the newest index version does not hold as they are now."""
    current = {each.id: each.name for each in documents(kb_id)}
    latest = latest_index(kb_id)
    held = set(latest.document_hashes) if latest else set()
    return sorted(name for document_id, name in current.items() if document_id not in held)


def refresh_index(kb_id: str) -> tb.IndexVersion:
    """Index what changed since the newest version, cut as before; small edits do not queue behind jobs.

    Raises:
        KurabeError: as `build_index`.
    """
    latest = latest_index(kb_id)
    return build_index(kb_id, config_of(latest) if latest else None)


def config_of(version: tb.IndexVersion) -> IndexConfig:
    """Return how an index version was cut and indexed."""
    kept = version.config
    tokenizer = "estimate" if kept["tokenizer"] == "estimate" else "base"
    overlap = kept.get("overlap_tokens", 0)  # versions of before there was one
    return IndexConfig(kept["min_tokens"], kept["max_tokens"], kept["embedder"], tokenizer, overlap)


def delete_document(document_id: str) -> tb.IndexVersion | None:
    """Delete a document for good: its text, its original, and every index version that holds it.

    A new index version without it is built first, if one was served, so that search goes on. Then the text goes and
    the versions that hold it stop being served, both in one moment: killed before it, nothing was deleted; killed
    after it, what is left of files and tables is removed by the next build or deletion.

    Returns:
        The index version that is served now, or None.

    Raises:
        KurabeError: ``store.missing``; as `build_index`, after the document was deleted all the same.
    """
    kb_id = document(document_id).knowledge_base_id
    ids = {version.id for version in document_versions(document_id)}
    served = latest_index(kb_id)
    try:
        if served is not None and ids & set(served.document_hashes) and {d.id for d in documents(kb_id)} - ids:
            build_index(kb_id, config_of(served), leaving_out=ids)
    finally:
        forget_vectors(kb_id)
        erase(document_id)
        _sweep()
    return latest_index(kb_id)


def delete_index(version_id: str) -> None:
    """Delete an index version's table; its row stays, so that experiments can say that their source was removed."""
    with write() as session:
        row = session.get_one(tb.IndexVersion, version_id)
        row.deleted_at = now()
        name = row.table_name
    drop_table(name)
