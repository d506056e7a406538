"""What people make of drafts: accepted as they are or edited, rejected, and added to the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select, update

from core.datasets import SPLITS, Row, edit_rows, latest_version, rows_of
from core.datasets.versions import VersionWriter
from core.errors import KurabeError
from core.identity import actor, now
from core.knowledge import dataset_coverage, default_kb
from core.store import read, write
from core.store import tables as tb

from .doubts import words_of

DRAFT_SHOW = ("open", "doubtful", "accepted", "rejected", "unreadable")
"""What of the drafts can be listed; accepted ones that were added are among the accepted."""

_NAME = "drafted"
"""Slice of questions from documents, and dataset of a project that had none."""


@dataclass(frozen=True, slots=True)
class DraftPage:
    """Some drafts with what they were drafted from."""

    total: int
    drafts: tuple[tb.Draft, ...]
    sources: dict[str, dict[str, Any]]
    """Source by call id."""
    models: dict[str, str]
    """Model by call id."""


def _which(project_id: str, show: str) -> list[ColumnElement[bool]]:
    empty = cast(tb.Draft.doubts, Text) == "[]"
    mine: list[ColumnElement[bool]] = [tb.Draft.project_id == project_id]
    if show == "doubtful":
        return [*mine, tb.Draft.state == "open", ~empty]
    if show not in DRAFT_SHOW or show == "unreadable":
        raise KurabeError("registry.unknown", kind="drafts", name=show, suggestions="-", known=", ".join(DRAFT_SHOW))
    return [*mine, tb.Draft.state == show]


def drafts(project_id: str, show: str = "open", *, offset: int = 0, limit: int = 10) -> DraftPage:
    """Return drafts in the order in which they were made.

    Args:
        project_id: Whose.
        show: One of `DRAFT_SHOW` but ``unreadable``.
        offset: How many to pass over.
        limit: How many at most.

    Raises:
        KurabeError: `registry.unknown`.
    """
    which = _which(project_id, show)
    with read() as session:
        total = session.scalar(select(func.count(tb.Draft.id)).where(*which)) or 0
        wanted = select(tb.Draft).where(*which).order_by(tb.Draft.id).offset(offset).limit(limit)
        found = tuple(session.scalars(wanted))
        calls = select(tb.DraftCall).where(tb.DraftCall.id.in_({draft.call_id for draft in found}))
        rows = {row.id: row for row in session.scalars(calls)}
    return DraftPage(
        total, found, {key: row.source for key, row in rows.items()}, {key: row.model for key, row in rows.items()}
    )


def unreadable(project_id: str, *, limit: int = 50) -> list[tb.DraftCall]:
    """Return the newest calls whose reply could not be read, or that failed."""
    wanted = select(tb.DraftCall).where(
        tb.DraftCall.project_id == project_id, tb.DraftCall.unreadable | (tb.DraftCall.status == "failed")
    )
    with read() as session:
        return list(session.scalars(wanted.order_by(tb.DraftCall.id.desc()).limit(limit)))


def count_drafts(project_id: str) -> dict[str, int]:
    """Return how many there are of each in `DRAFT_SHOW`, and ``waiting``: accepted ones that are in no version yet."""
    calls = select(func.count(tb.DraftCall.id)).where(
        tb.DraftCall.project_id == project_id, tb.DraftCall.unreadable | (tb.DraftCall.status == "failed")
    )
    waiting = [*_which(project_id, "accepted"), tb.Draft.version_id.is_(None)]
    with read() as session:
        counts = {
            show: session.scalar(select(func.count(tb.Draft.id)).where(*_which(project_id, show))) or 0
            for show in DRAFT_SHOW
            if show != "unreadable"
        }
        counts["unreadable"] = session.scalar(calls) or 0
        counts["waiting"] = session.scalar(select(func.count(tb.Draft.id)).where(*waiting)) or 0
    return counts


def decide(
    project_id: str,
    draft_ids: Sequence[str],
    state: str,
    edits: Mapping[str, str] | None = None,
    *,
    expected: str | None = None,
) -> int:
    """Accept or reject drafts, or open them again: all of them or none; who and when is kept.

    Args:
        project_id: Whose drafts.
        draft_ids: Which.
        state: ``accepted``, ``rejected`` or ``open``.
        edits: ``question``, ``answer`` or ``quote`` in the words of the person.
        expected: State in which the person saw them; None takes whatever others have decided meanwhile.

    Returns:
        How many were decided.

    Raises:
        KurabeError: `drafting.incomplete` when a draft without question or answer is accepted,
            `drafting.quote_elsewhere` when its passage does not hold its quote,
            `drafting.decided_already` when it is no longer as expected, `drafting.in_version` for drafts that were
            added, `store.missing` for ids that there are not.
    """
    changed = {name: text.strip() for name, text in (edits or {}).items() if name in ("question", "answer", "quote")}
    with write() as session:
        wanted = select(tb.Draft).where(tb.Draft.id.in_(draft_ids), tb.Draft.project_id == project_id)
        found = list(session.scalars(wanted.with_for_update()))
        _check(found, draft_ids, expected)
        for row in found:
            for name, text in changed.items():
                setattr(row, name, text)
            if row.quote and state == "accepted":
                row.quote = _as_in_passage(row, session.get_one(tb.DraftCall, row.call_id).source)
            if state == "accepted" and not (row.question and row.answer):
                raise KurabeError("drafting.incomplete", id=row.id)
            row.state, row.decided_by, row.decided_at = state, actor(), now()
    return len(found)


def _check(found: Sequence[tb.Draft], draft_ids: Sequence[str], expected: str | None) -> None:
    """Refuse drafts that there are not, that are in a version, or about which somebody else was quicker."""
    there = {row.id for row in found}
    if missing := [each for each in draft_ids if each not in there] or (not draft_ids and ["-"]):
        raise KurabeError("store.missing", kind="draft", id=", ".join(missing)[:400])
    if added := [row.id for row in found if row.version_id is not None]:
        raise KurabeError("drafting.in_version", ids=", ".join(added)[:400])
    for row in found:
        if expected is not None and row.state != expected:
            raise KurabeError("drafting.decided_already", id=row.id, who=row.decided_by, question=row.question[:200])


def _as_in_passage(row: tb.Draft, source: Mapping[str, Any]) -> str:
    """Return a quote as the passage spells it: search is measured by whether it finds these words."""
    if "text" not in source:
        return row.quote
    words = words_of(str(source["text"]), row.quote)
    if not words:
        raise KurabeError("drafting.quote_elsewhere", id=row.id, quote=row.quote[:200])
    return words


def add_accepted(project_id: str, split: str = "test", slice_name: str = "") -> tb.DatasetVersion:
    """Make the next version of the dataset with the accepted drafts, and work out its coverage.

    Args:
        project_id: Whose.
        split: Part that they join.
        slice_name: Slice; empty: that of the trained question, else ``drafted``.

    Returns:
        The new version.

    Raises:
        KurabeError: `drafting.none_accepted`, `datasets.unknown_split`.
    """
    if split not in SPLITS:
        raise KurabeError("datasets.unknown_split", split=split, known=", ".join(SPLITS))
    wanted = [*_which(project_id, "accepted"), tb.Draft.version_id.is_(None)]
    pairs = select(tb.Draft, tb.DraftCall).join(tb.DraftCall, tb.DraftCall.id == tb.Draft.call_id)
    with read() as session:
        found = [(draft, call) for draft, call in session.execute(pairs.where(*wanted).order_by(tb.Draft.id))]
    if not found:
        raise KurabeError("drafting.none_accepted")
    made = _written(project_id, [_row_of(draft, call, split, slice_name) for draft, call in found])
    with write() as session:
        chosen = tb.Draft.id.in_([draft.id for draft, _ in found])
        session.execute(update(tb.Draft).where(chosen).values(version_id=made.id))
    dataset_coverage(default_kb(project_id).id, made.id)
    return made


def _written(project_id: str, rows: list[Row]) -> tb.DatasetVersion:
    """Write the rows; those that an attempt which was cut short wrote already are left out."""
    newest = latest_version(project_id)
    if newest is None:
        with VersionWriter(project_id, _NAME) as writer:
            writer.add_all(rows)
            return writer.finish({"operation": "edit", "reason": "drafts", "added": len(rows)})
    there = {row.tags.get("draft") for row in rows_of(newest.id)}
    return edit_rows(newest.id, add=[row for row in rows if row.tags["draft"] not in there], reason="drafts")


def _row_of(draft: tb.Draft, call: tb.DraftCall, split: str, slice_name: str) -> Row:
    source = call.source
    tags = {"draft": draft.id, "drafted_by": call.model, "accepted_by": draft.decided_by}
    if "text" in source:
        gold = [{"document": str(source["document"]), "quote": draft.quote}]
        tags |= {"document_id": str(call.document_id), "passage_id": str(source["passage_id"])}
        return Row(draft.question, draft.answer, split=split, slice=slice_name or _NAME, gold=gold, tags=tags)
    return Row(
        draft.question,
        draft.answer,
        split=split,
        slice=slice_name or str(source["slice"]) or _NAME,
        value=source["value"],
        expects=source["expects"],
        gold=source["gold"],
        tags={**source["tags"], **tags, "reworded": str(source["question"])},
    )
