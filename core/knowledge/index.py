"""Build index versions: new documents are cut and embedded, unchanged ones are taken over from the version before.

Every build writes a table of its own, so that a failed or stopped one leaves the served version untouched.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, select

from core.errors import KurabeError
from core.identity import content_hash, new_id
from core.knowledge.chunking import ChunkConfig, chunk_document
from core.knowledge.documents import documents, knowledge_base
from core.knowledge.embedding import batches, embed_texts
from core.knowledge.lease import PATIENCE, Lease, leased
from core.knowledge.leftovers import remove_leftovers
from core.knowledge.tables import VectorIndex, create_table, drop_table, folded, name_tokens, open_table
from core.knowledge.tokens import TokenCounter, counter_for, estimate_tokens
from core.knowledge.unfinished import EVERY, KeptVectors, forget_vectors
from core.knowledge.versions import latest_index
from core.models import EmbedderInfo, embedder_for
from core.store import read, write
from core.store import tables as tb

__all__ = ["IndexConfig", "build_index", "config_of", "counter_of", "refresh_index", "trial_index", "write_version"]

Progress = Callable[[str, int, int], None]
"""Called with a stage (``waiting_for_writer``, ``chunking``, ``embedding``, ``indexing``, ``choosing_index``), how many
are done, and of how many."""

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
    lease: Lease
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
        """Raise when somebody asked to stop, or took over."""
        if self.should_stop():
            raise KurabeError("knowledge.build_stopped")
        if self.lease.lost:
            raise _TakenOverError


class _TakenOverError(Exception):
    """A deletion took the lease, or it expired while this machine slept: nothing of this build may be shown."""


def build_index(
    kb_id: str,
    config: IndexConfig | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    patience: float = PATIENCE,
) -> tb.IndexVersion:
    """Index the current documents and return the new version, or the newest one if nothing changed.

    Args:
        kb_id: Knowledge base.
        config: How to cut and index; default values if not given.
        on_progress: Told how far it is.
        should_stop: Asked between batches.
        patience: Seconds to wait for another writer of the same index.

    Raises:
        KurabeError: ``knowledge.nothing_to_index``, ``knowledge.build_stopped``, ``models.…`` if embedding fails;
            ``knowledge.index_busy_build``, ``knowledge.index_busy_deletion``.
    """
    kb = knowledge_base(kb_id)

    def waiting() -> None:
        (on_progress or _silent)("waiting_for_writer", 0, 1)
        if should_stop and should_stop():
            raise KurabeError("knowledge.build_stopped")

    made = None
    while made is None:  # None: a deletion took over, and this starts again without the document
        with leased(kb, "build", patience=patience, while_waiting=waiting) as lease:
            made = write_version(kb, lease, config, on_progress, should_stop)
    return made


@contextmanager
def trial_index(
    kb_id: str,
    config: IndexConfig,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[tb.IndexVersion]:
    """Give an index version that is never served and removed at the end; the newest one if it is cut in this way.

    Raises:
        KurabeError: as `build_index`.
    """
    kb = knowledge_base(kb_id)
    made = None
    while made is None:  # None: a document was deleted meanwhile, or the lease expired: it never comes back
        with leased(kb, "trial") as lease:
            made = write_version(kb, lease, config, on_progress, should_stop, trial=True)
            if made is None:
                continue
            try:
                yield made
            finally:
                if made.config.get("trial"):
                    _forget(made)


def write_version(
    kb: tb.KnowledgeBase,
    lease: Lease,
    config: IndexConfig | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    trial: bool = False,
    leaving_out: Collection[str] = (),
) -> tb.IndexVersion | None:
    """Write a version and make it the one that is served, unless nothing changed.

    Args:
        kb: Knowledge base.
        lease: The right to do so.
        config: As in `build_index`.
        on_progress: As in `build_index`.
        should_stop: As in `build_index`.
        trial: Make a version that is not served.
        leaving_out: Ids of documents that are about to be deleted.

    Returns:
        The newest version; None, and nothing was done, if a document was deleted meanwhile or the lease was lost.

    Raises:
        KurabeError: as `build_index`.
    """
    build = _prepared(kb, lease, config or IndexConfig(), on_progress, should_stop)
    build.trial = trial
    found = [each for each in documents(kb.id) if each.id not in leaving_out]
    if not found:
        raise KurabeError("knowledge.nothing_to_index")
    before = _usable(latest_index(kb.id))
    hashes = {each.id: each.hash for each in found}
    if before is not None and _same_config(before, build) and before.document_hashes == hashes:
        return before
    if not trial:
        remove_leftovers(kb.id, lease)
    version = _announced(build)
    try:
        made = _written(build, found, before)
    except BaseException as error:
        # Who took over may have removed the tables that this one was at work on.
        if not isinstance(error, Exception) or build.should_stop() or _still_held(lease):
            _forget(version)
            raise
        made = None
    if made is None:
        _forget(version)
    if made is None or not trial:  # a sweep's trials share the vectors that a stopped build left
        forget_vectors(kb.id)
    return made


def _still_held(lease: Lease) -> bool:
    with read() as session:
        return not lease.lost and lease.held(session)


def _written(build: _Build, found: Sequence[tb.Document], before: tb.IndexVersion | None) -> tb.IndexVersion | None:
    chunks = _cut(build, found, _reusable(build, before))
    _embed(build, chunks, before)
    build.progress("indexing", 0, len(chunks))
    step = _steps_of(build, len(chunks))
    vectors = create_table(build.table, _in_batches(build, chunks), _dimension(chunks), step)
    return _shown(build, {each.id: each.hash for each in found}, chunks, vectors)


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
    kb: tb.KnowledgeBase,
    lease: Lease,
    config: IndexConfig,
    on_progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> _Build:
    with read() as session:
        project = session.get_one(tb.Project, kb.project_id)
    config.chunking()  # refuses lengths that do not fit before anything is written
    counter = counter_of(project, config)
    embedder = None if config.embedder == "none" else embedder_for(project.language)
    asked = should_stop or (lambda: False)
    return _Build(kb, lease, project.language, config, counter, embedder, on_progress or _silent, asked)


def counter_of(project: tb.Project, config: IndexConfig) -> TokenCounter:
    """Return what measures the passages of a project's index."""
    if config.tokenizer == "estimate":
        return TokenCounter("estimate", estimate_tokens)
    return counter_for(project.base_ref)


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def _announced(build: _Build) -> tb.IndexVersion:
    version = tb.IndexVersion(
        id=build.version_id,
        project_id=build.kb.project_id,
        knowledge_base_id=build.kb.id,
        hash="",
        table_name=build.table,
        config=build.facts(),
        builder={"lease": build.lease.id},
    )
    with write() as session:
        session.add(version)
    return version


def _forget(version: tb.IndexVersion) -> None:
    """Remove what a failed or stopped build wrote, or a trial that is over."""
    drop_table(version.table_name)
    with write() as session:
        session.execute(delete(tb.IndexVersion).where(tb.IndexVersion.id == version.id))


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
    """Make the finished version the one that is served; None, and nothing done, if that is no longer its right."""
    content = content_hash({"config": build.facts(), "chunks": [(row["chunk_id"], row["text_hash"]) for row in chunks]})
    with write() as session:
        made = session.get(tb.IndexVersion, build.version_id)
        gone = select(tb.Document.id).where(
            tb.Document.knowledge_base_id == build.kb.id, tb.Document.deleted_at.is_not(None)
        )
        # In the same transaction: a deletion from now on finds this version as one that is served.
        if made is None or not build.lease.held(session) or not hashes.keys().isdisjoint(session.scalars(gone)):
            return None
        made.hash, made.chunk_count, made.document_hashes, made.ready = content, len(chunks), hashes, True
        made.embedder = build.embedder.name if build.embedder else None
        made.config = {**made.config, "vector_index": asdict(vectors) if vectors else None, "trial": build.trial}
        made.seconds = time.perf_counter() - build.began
    return made


def refresh_index(kb_id: str) -> tb.IndexVersion:
    """Index what changed since the newest version, cut as before; small edits do not queue behind jobs.

    They wait a little for another writer of the same index: see `PATIENCE`.

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
