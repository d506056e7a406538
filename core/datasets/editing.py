"""Change rows of a dataset: every change makes a new version that says what was done."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from core.datasets.cells import gold_of
from core.datasets.rows import SPLITS, Row
from core.datasets.versions import VersionWriter, rows_of, version
from core.errors import KurabeError
from core.store import tables as tb

__all__ = ["VersionDifference", "edit_rows", "version_difference"]

_EDITABLE = ("question", "answer", "slice", "split", "value", "expects", "gold", "messages", "tags")

_LISTED = 1000
"""Rows that a lineage or a comparison names of each kind."""


def edit_rows(
    version_id: str,
    changes: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    drop: Collection[int] = (),
    add: Collection[Row] = (),
    rewrite: Callable[[Row], Mapping[str, Any]] | None = None,
    reason: str = "edit",
    made_by: Mapping[str, Any] | None = None,
    newest: bool = False,
    watch: Callable[[int], None] | None = None,
) -> tb.DatasetVersion:
    """Return a new version with some rows changed, left out or added.

    Args:
        version_id: Version to start from.
        changes: Row position → field → new value.
        drop: Positions of rows to leave out.
        add: Rows to append.
        rewrite: Returns the fields of a row that change, for changes that depend on the row and are many.
        reason: Kept in the lineage; the name of a check for its repair.
        made_by: More for the lineage: which check's repair it was, which job made it.
        newest: Refuse where another version of the dataset was shown before the rows were written.
        watch: Told how many rows were gone through; what it raises ends the work, and nothing of it stays.

    Raises:
        KurabeError: ``datasets.bad_edit`` for a field that cannot be edited, ``store.missing``; ``datasets.moved_on``,
            see `newest`.
    """
    base = version(version_id)
    changes, dropped = changes or {}, frozenset(drop)
    if unknown := {name for fields in changes.values() for name in fields} - set(_EDITABLE):
        raise KurabeError("datasets.bad_edit", fields=", ".join(sorted(unknown)), known=", ".join(_EDITABLE))
    rewritten: list[int] = []
    with VersionWriter(base.project_id, "", dataset_id=base.dataset_id) as writer:
        for position, row in enumerate(rows_of(version_id)):
            if watch is not None:
                watch(position + 1)
            if position in dropped:
                continue
            fields = changes.get(position, {}) or (rewrite(row) if rewrite else {})
            rewritten += [position] if fields and position not in changes and len(rewritten) < _LISTED else []
            writer.add(_changed(row, fields))
        writer.add_all(add)
        if writer.count == 0:
            raise KurabeError("datasets.no_rows", name=reason)
        return writer.finish(
            {
                "operation": "edit",
                "reason": reason,
                "parent": version_id,
                "changed": sorted([*changes, *rewritten])[:_LISTED],
                "dropped": sorted(dropped)[:_LISTED],
                "added": len(add),
                **(made_by or {}),
            },
            follows=version_id if newest else None,
        )


def _changed(row: Row, fields: Mapping[str, Any]) -> Row:
    """Apply changes; the chat of a row follows its question and answer, so that both stay the same row."""
    if fields.get("split", row.split) not in SPLITS:
        raise KurabeError("datasets.unknown_split", split=str(fields["split"]), known=", ".join(SPLITS))
    before = (row.question, row.answer)
    for name, value in fields.items():
        setattr(row, name, gold_of(value) if name == "gold" else value)
    if row.messages and "messages" not in fields and before != (row.question, row.answer):
        messages = [dict(message) for message in row.messages]
        asked = max((index for index, message in enumerate(messages) if message["role"] == "user"), default=None)
        if asked is None:  # a chat in which nobody asks: the question stands beside it
            return row
        messages[asked]["content"] = row.question
        for message in reversed(messages[asked:]):
            if message["role"] == "assistant":
                message["content"] = row.answer
                break
        row.messages = messages
    return row


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """Rows that only one of two versions has; each is ``{"position", "question", "answer", "split"}``."""

    removed: list[dict[str, Any]]
    """The first 1,000 that only the first version has."""
    added: list[dict[str, Any]]
    """The first 1,000 that only the second one has."""
    removed_count: int
    """How many there are in all."""
    added_count: int
    """How many there are in all."""


def version_difference(left_id: str, right_id: str) -> VersionDifference:
    """Return the rows that only one of two versions has.

    A row that stands three times in one version and once in the other counts as two that only the one has.
    """
    left: dict[str, deque[int]] = defaultdict(deque)
    for position, row in enumerate(rows_of(left_id)):
        left[row.hash()].append(position)
    added: list[dict[str, Any]] = []
    count = 0
    for position, row in enumerate(rows_of(right_id)):
        if same := left.get(row.hash()):
            same.popleft()
            continue
        count += 1
        if len(added) < _LISTED:
            added.append(_place(position, row))
    gone = {position for positions in left.values() for position in positions}
    removed = (_place(position, row) for position, row in enumerate(rows_of(left_id)) if position in gone)
    return VersionDifference(list(islice(removed, min(_LISTED, len(gone)))), added, len(gone), count)


def _place(position: int, row: Row) -> dict[str, Any]:
    return {"position": position, "question": row.question, "answer": row.answer, "split": row.split}
