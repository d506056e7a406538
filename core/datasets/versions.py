"""Immutable versions of datasets: written in batches, shown only when whole, named by the hash of their content."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, cast, delete, func, insert, select
from sqlalchemy.orm import Session

from core.datasets.licences import inherited_licence
from core.datasets.profile import Profile
from core.datasets.rows import REJECTED, Row, rejected_answer
from core.errors import KurabeError
from core.identity import HASH_SCHEME, actor, content_hash, new_id, now
from core.store import engine, read, write
from core.store import tables as tb

__all__ = [
    "ABANDONED",
    "VersionWriter",
    "dataset_versions",
    "datasets",
    "delete_dataset",
    "drawn_examples",
    "example",
    "examples",
    "examples_at",
    "latest_version",
    "project_versions",
    "count_examples",
    "count_pairs",
    "count_profile",
    "profile_of",
    "rows_of",
    "tag_columns",
    "version",
]

_BATCH = 2000
ABANDONED = timedelta(hours=6)
"""An unfinished version older than this has no writer any more: the longest import takes minutes."""


class VersionWriter:
    """Writes the rows of one new version; leaving its ``with`` block early leaves nothing behind."""

    def __init__(self, project_id: str, name: str, *, dataset_id: str | None = None) -> None:
        """Name the dataset that the version belongs to; it is made if the project has none of that name."""
        self.project_id = project_id
        self.name = name[:200]
        self.dataset_id = dataset_id
        self.version_id = new_id()
        self.count = 0
        self._digest = hashlib.sha256()
        self._batch: list[dict[str, Any]] = []
        self._splits: Counter[str] = Counter()
        self._slices: dict[str, Counter[str]] = defaultdict(Counter)
        self._profile = Profile()
        self._finished = False

    def __enter__(self) -> VersionWriter:
        """Make the dataset and its unfinished version."""
        with write() as session:
            _sweep(session)
            dataset = self._dataset(session)
            self.dataset_id = dataset.id
            session.add(
                tb.DatasetVersion(
                    id=self.version_id,
                    project_id=self.project_id,
                    dataset_id=dataset.id,
                    hash=f"writing:{self.version_id}",
                    row_count=0,
                )
            )
        return self

    def _dataset(self, session: Session) -> tb.Dataset:
        query = select(tb.Dataset).where(tb.Dataset.project_id == self.project_id)
        query = query.where(tb.Dataset.id == self.dataset_id if self.dataset_id else tb.Dataset.name == self.name)
        found = session.scalars(query.limit(1)).first()
        if found is None:
            found = tb.Dataset(project_id=self.project_id, name=self.name)
            session.add(found)
            session.flush()
        return found

    def __exit__(self, *_: object) -> None:
        """Remove what was written if the version was not finished."""
        if self._finished:
            return
        with write() as session:
            session.execute(delete(tb.DatasetVersion).where(tb.DatasetVersion.id == self.version_id))
            _drop_empty_dataset(session, self.dataset_id)

    def add_all(self, rows: Iterable[Row]) -> None:
        """Append rows; they go to the store two thousand at a time."""
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Append one row."""
        values = row.columns()
        self._digest.update(content_hash(values).encode())
        self._splits[row.split] += 1
        self._slices[row.split][row.slice] += 1
        self._profile.add(row.question, row.answer)
        self._batch.append(values | {"position": self.count})
        self.count += 1
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._batch:
            return
        shared = {
            "project_id": self.project_id,
            "version_id": self.version_id,
            "created_at": now(),
            "created_by": actor(),
        }
        rows = [{**row, **shared, "id": new_id()} for row in self._batch]
        with write() as session:
            session.execute(insert(tb.Example), rows)
        self._batch.clear()

    def finish(self, lineage: dict[str, Any], *, follows: str | None = None) -> tb.DatasetVersion:
        """Show the version; if the dataset already has one of the same content, that one is returned instead.

        A version that is made of another one has its licence, unless the lineage names one. It counts as made when it
        is shown, so that the newest is the one that was shown last, however long it took to write.

        Args:
            lineage: What the version was made of.
            follows: The version that must still be the newest of its dataset.

        Raises:
            KurabeError: ``datasets.moved_on`` if another one was shown since `follows`.
        """
        self._flush()
        if "licence" not in lineage:
            lineage = {**lineage, "licence": inherited_licence(lineage.get("parent"))}
        name = f"{HASH_SCHEME}:{self._digest.hexdigest()}"
        with write() as session:
            # PostgreSQL would let two writers each find the other's version not there yet.
            session.execute(select(tb.Dataset.id).where(tb.Dataset.id == self.dataset_id).with_for_update())
            same = session.scalars(
                select(tb.DatasetVersion).where(
                    tb.DatasetVersion.dataset_id == self.dataset_id, tb.DatasetVersion.hash == name
                )
            ).first()
            if same is not None:
                return same
            if follows is not None and session.scalar(_newest_id(self.dataset_id)) != follows:
                raise KurabeError("datasets.moved_on", name=self.name)
            made = session.get_one(tb.DatasetVersion, self.version_id)
            made.created_at = now()
            made.hash, made.row_count, made.lineage, made.ready = name, self.count, lineage, True
            made.counts = {
                "splits": dict(self._splits),
                "slices": {split: dict(names) for split, names in self._slices.items()},
                "profile": self._profile.as_dict(),
            }
        self._finished = True
        return made


_NEWEST_FIRST = tb.DatasetVersion.created_at.desc(), tb.DatasetVersion.id.desc()


def _newest_id(dataset_id: str | None) -> Select[str]:
    query = select(tb.DatasetVersion.id).where(tb.DatasetVersion.dataset_id == dataset_id, tb.DatasetVersion.ready)
    return query.order_by(*_NEWEST_FIRST).limit(1)


def _sweep(session: Session) -> None:
    """Remove versions whose writer died."""
    old = now() - ABANDONED
    session.execute(
        delete(tb.DatasetVersion).where(tb.DatasetVersion.ready.is_(False), tb.DatasetVersion.created_at < old)
    )


def _drop_empty_dataset(session: Session, dataset_id: str | None) -> None:
    left = session.scalar(select(func.count()).where(tb.DatasetVersion.dataset_id == dataset_id))
    if not left:
        session.execute(delete(tb.Dataset).where(tb.Dataset.id == dataset_id))


def datasets(project_id: str) -> list[tb.Dataset]:
    """Return a project's datasets that have a version, oldest first."""
    ready = select(tb.DatasetVersion.dataset_id).where(tb.DatasetVersion.ready)
    query = select(tb.Dataset).where(tb.Dataset.project_id == project_id, tb.Dataset.id.in_(ready))
    with read() as session:
        return list(session.scalars(query.order_by(tb.Dataset.id)))


def dataset_versions(dataset_id: str) -> list[tb.DatasetVersion]:
    """Return the versions of a dataset, newest first."""
    query = select(tb.DatasetVersion).where(tb.DatasetVersion.dataset_id == dataset_id, tb.DatasetVersion.ready)
    with read() as session:
        return list(session.scalars(query.order_by(*_NEWEST_FIRST)))


def project_versions(project_id: str) -> list[tb.DatasetVersion]:
    """Return the versions of all datasets of a project, newest first: by when they were shown, not begun."""
    query = select(tb.DatasetVersion).where(tb.DatasetVersion.project_id == project_id, tb.DatasetVersion.ready)
    with read() as session:
        return list(session.scalars(query.order_by(*_NEWEST_FIRST)))


def version(version_id: str) -> tb.DatasetVersion:
    """Return a version by its id or by its content hash.

    Raises:
        KurabeError: ``store.missing``.
    """
    with read() as session:
        found = session.get(tb.DatasetVersion, version_id)
        if found is None:
            found = session.scalars(
                select(tb.DatasetVersion).where(tb.DatasetVersion.hash == version_id).limit(1)
            ).first()
    if found is None or not found.ready:
        raise KurabeError("store.missing", kind="dataset version", id=version_id)
    return found


def latest_version(project_id: str, dataset_id: str | None = None) -> tb.DatasetVersion | None:
    """Return the newest version of a project's datasets (of one of them, if told), or None."""
    query = select(tb.DatasetVersion).where(tb.DatasetVersion.project_id == project_id, tb.DatasetVersion.ready)
    if dataset_id:
        query = query.where(tb.DatasetVersion.dataset_id == dataset_id)
    with read() as session:
        return session.scalars(query.order_by(*_NEWEST_FIRST).limit(1)).first()


def _chosen(
    version_id: str, split: str | None, slices: Sequence[str] | None, search: str | None, coverage: str | None = None
) -> Any:
    query = select(tb.Example).where(tb.Example.version_id == version_id)
    if coverage:
        query = query.where(tb.Example.coverage == coverage)
    if split:
        query = query.where(tb.Example.split == split)
    if slices:
        query = query.where(tb.Example.slice.in_(slices))
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        # SQLite's LIKE tells no cases apart already; folding both sides first would double the time.
        like = "like" if engine().dialect.name == "sqlite" else "ilike"
        question, answer = (
            getattr(column, like)(pattern, escape="\\") for column in (tb.Example.question, tb.Example.answer)
        )
        query = query.where(question | answer)
    return query


def examples(
    version_id: str,
    split: str | None = None,
    slices: Sequence[str] | None = None,
    *,
    search: str | None = None,
    coverage: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[tb.Example]:
    """Return examples in the order of the file.

    Args:
        version_id: Dataset version.
        split: Only this split.
        slices: Only these slices.
        search: Only rows whose question or answer holds this text.
        coverage: Only questions that could be known from this, one of `COVERAGE`.
        offset: Rows to pass over.
        limit: Most rows to return; pages give one, None returns all.
    """
    query = _chosen(version_id, split, slices, search, coverage).order_by(tb.Example.position)
    if split or slices or search or coverage:
        query = query.offset(offset)
    else:
        query = query.where(tb.Example.position >= offset)  # positions count from 0: nothing is passed over
    with read() as session:
        return list(session.scalars(query.limit(limit)))


def examples_at(version_id: str, positions: Sequence[int]) -> list[tb.Example]:
    """Return the examples at these positions, in the order of the file."""
    found: list[tb.Example] = []
    with read() as session:
        for start in range(0, len(positions), _BATCH):
            chosen = tb.Example.position.in_(positions[start : start + _BATCH])
            rows = _chosen(version_id, None, None, None).where(chosen)
            found += session.scalars(rows.order_by(tb.Example.position))
    return found


def count_examples(
    version_id: str,
    split: str | None = None,
    slices: Sequence[str] | None = None,
    *,
    search: str | None = None,
    coverage: str | None = None,
) -> int:
    """Return how many examples `examples` would find."""
    query = _chosen(version_id, split, slices, search, coverage).with_only_columns(func.count())
    with read() as session:
        found = session.get(tb.DatasetVersion, version_id)
        if (
            found is not None and "slices" in found.counts and not search and not coverage
        ):  # counted when it was written
            return _counted(found.counts["slices"], split, slices)
        return int(session.scalar(query) or 0)


def drawn_examples(version_id: str, split: str, most: int, seed: int = 0) -> tuple[list[tb.Example], int]:
    """Return at most so many examples of a split, drawn by a seed and in their order, and how many it has in all.

    No more rows than these are read, however large the version is.
    """
    query = select(tb.Example.position).where(tb.Example.version_id == version_id, tb.Example.split == split)
    with read() as session:
        places = list(session.scalars(query.order_by(tb.Example.position)))
        chosen = places if len(places) <= most else sorted(random.Random(seed).sample(places, most))
        found: list[tb.Example] = []
        for start in range(0, len(chosen), _BATCH):
            part = chosen[start : start + _BATCH]
            rows = _chosen(version_id, split, None, None).where(tb.Example.position.in_(part))
            found += session.scalars(rows.order_by(tb.Example.position))
    return found, len(places)


def count_pairs(version_id: str, split: str = "train") -> int:
    """Return how many examples of a split have a rejected answer beside the reference: preference pairs."""
    with read() as session:
        version = session.get(tb.DatasetVersion, version_id)
    # What is ready never changes, and every redrawing of a page asks.
    return (_pairs if version is not None and version.ready else _pairs.__wrapped__)(version_id, split)


@lru_cache(maxsize=64)
def _pairs(version_id: str, split: str) -> int:
    query = select(tb.Example.tags).where(
        tb.Example.version_id == version_id,
        tb.Example.split == split,
        cast(tb.Example.tags, Text).contains(f'"{REJECTED}"', autoescape=True),
    )
    with read() as session:
        return sum(bool(rejected_answer(tags)) for tags in session.scalars(query).yield_per(1000))


def tag_columns(version_id: str, rows: int = 200) -> list[str]:
    """Return the further columns that the first rows of a version have, by name."""
    query = select(tb.Example.tags).where(tb.Example.version_id == version_id).order_by(tb.Example.position)
    with read() as session:
        found = {name for tags in session.scalars(query.limit(rows)) for name in tags}
    return sorted(found - {REJECTED})


def _counted(counts: dict[str, dict[str, int]], split: str | None, slices: Sequence[str] | None) -> int:
    chosen = [counts.get(split, {})] if split else list(counts.values())
    return sum(n for by_slice in chosen for name, n in by_slice.items() if not slices or name in slices)


def example(example_id: str) -> tb.Example:
    """Return one example.

    Raises:
        KurabeError: ``store.missing``.
    """
    with read() as session:
        found = session.get(tb.Example, example_id)
    if found is None:
        raise KurabeError("store.missing", kind="example", id=example_id)
    return found


def profile_of(row: tb.DatasetVersion) -> Profile | None:
    """Return how long a version's texts are and in which languages; None for a version from before it was counted."""
    kept = (row.counts or {}).get("profile")
    return Profile.from_dict(kept) if kept else None


def count_profile(version_id: str) -> Profile:
    """Count the profile of a version that has none, and keep it: the rows stream by, and are read this once."""
    found = Profile()
    query = select(tb.Example.question, tb.Example.answer).where(tb.Example.version_id == version_id)
    with read() as session:
        for question, answer in session.execute(query).yield_per(_BATCH):
            found.add(question, answer)
    with write() as session:
        made = session.get_one(tb.DatasetVersion, version_id)
        made.counts = {**made.counts, "profile": found.as_dict()}
    return found


def rows_of(version_id: str, split: str | None = None) -> Iterator[Row]:
    """Yield a version's rows without holding more than a batch of them."""
    after = -1
    while batch := _batch_after(version_id, split, after):
        yield from (row_of(found) for found in batch)
        after = batch[-1].position


def _batch_after(version_id: str, split: str | None, after: int) -> list[tb.Example]:
    query = _chosen(version_id, split, None, None).where(tb.Example.position > after)
    with read() as session:
        return list(session.scalars(query.order_by(tb.Example.position).limit(_BATCH)))


def row_of(found: tb.Example) -> Row:
    """Return a stored example as the row it was."""
    return Row(**{name: getattr(found, name) for name in Row.__slots__})


def delete_dataset(dataset_id: str) -> None:
    """Delete a dataset with all its versions and examples; answers keep the questions they were asked."""
    with write() as session:
        session.execute(delete(tb.Dataset).where(tb.Dataset.id == dataset_id))
