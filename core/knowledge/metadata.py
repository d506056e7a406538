"""What is known about documents besides their words: kind of file, tags, date; and those that fit a filter.

Tags and date come from the front matter of Markdown and are kept with the document's notes. They are looked up in the
store when a search asks for them, so that index versions made before there were any can be filtered too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select

from core.store import read
from core.store import tables as tb

__all__ = ["KEPT_NOTES", "date_of", "documents_that_fit", "kind_of", "kinds_and_tags", "tags_of", "unread_of"]

KEPT_NOTES = ("tags", "dated")
"""Notes that say something about a document whatever its text: an edit of the text keeps them."""


_UNREAD = frozenset(
    ("page_without_text", "page_garbled", "page_broken", "page_scanned", "slide_empty", "formulas_unsaved")
)


def unread_of(notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the notes that name a part of a document which could not be read: no search finds what stands there."""
    return [note for note in notes if note["code"] in _UNREAD]


def kind_of(name: str) -> str:
    """Return the kind of a document: the ending of its file name in lower case, without the dot."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def tags_of(notes: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return a document's tags from its notes."""
    return tuple(tag for note in notes if note["code"] == "tags" for tag in note["params"]["tags"].split(", "))


def date_of(row: tb.Document) -> date:
    """Return the date that a document names itself, else the day (UTC) on which this version came in."""
    named = next((note["params"]["date"] for note in row.notes if note["code"] == "dated"), None)
    return date.fromisoformat(named) if named else row.created_at.date()


def kinds_and_tags(rows: Sequence[tb.Document]) -> tuple[list[str], list[str]]:
    """Return the kinds and the tags that occur among documents, each in order."""
    kinds = {kind_of(row.name) for row in rows}
    return sorted(kinds - {""}), sorted({tag for row in rows for tag in tags_of(row.notes)})


def documents_that_fit(
    ids: Sequence[str], kinds: Sequence[str], tags: Sequence[str], since: date | None, until: date | None
) -> list[str]:
    """Return the ids of the documents for which every condition that is not empty holds.

    Args:
        ids: Documents to choose from.
        kinds: As `kind_of`; one must be the document's.
        tags: One must be among the document's, in any case.
        since: First date.
        until: Last date.
    """
    wanted = {tag.casefold() for tag in tags}
    with read() as session:
        query = select(tb.Document).where(tb.Document.id.in_(ids), tb.Document.deleted_at.is_(None))
        rows = list(session.scalars(query))
    return [
        row.id
        for row in rows
        if (not kinds or kind_of(row.name) in kinds)
        and (not wanted or not wanted.isdisjoint(tag.casefold() for tag in tags_of(row.notes)))
        and (since is None or date_of(row) >= since)
        and (until is None or date_of(row) <= until)
    ]
