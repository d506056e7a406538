"""Licences of datasets: who may use the rows for what; kept with each version, and handed on to those made of it."""

from __future__ import annotations

from core.errors import KurabeError
from core.store import read, write
from core.store import tables as tb

__all__ = ["LICENCES", "joined_licence", "kept_licence", "licence_of", "set_licence"]

LICENCES = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "Apache-2.0",
    "MIT",
    "ODC-By-1.0",
    "PDL-1.0",
)
"""SPDX ids that are offered first; any other text may be given. ``PDL-1.0`` is Japan's Public Data License."""

_LONGEST = 120


def licence_of(row: tb.DatasetVersion) -> str:
    """Return a version's licence, an SPDX id or its own name; empty if nobody has said it."""
    return str((row.lineage or {}).get("licence") or "")


def kept_licence(row: tb.DatasetVersion, named: str) -> str:
    """Return the licence that a version had before its rows were imported again under another one; empty otherwise."""
    had, named = licence_of(row), " ".join(named.split())
    return had if had and named and not set(named.split(" + ")) <= set(had.split(" + ")) else ""


def set_licence(version_id: str, licence: str) -> tb.DatasetVersion:
    """Keep the licence of a version; its rows and its hash stay. An empty one is unknown again.

    Versions that were made of it before keep theirs.

    Raises:
        KurabeError: ``store.missing``, ``datasets.licence_long``.
    """
    named = checked_licence(licence)
    with write() as session:
        row = session.get(tb.DatasetVersion, version_id)
        if row is None or not row.ready:
            raise KurabeError("store.missing", kind="dataset version", id=version_id)
        row.lineage = {**(row.lineage or {}), "licence": named}
    return row


def checked_licence(licence: str) -> str:
    """Return a licence's name in one line.

    Raises:
        KurabeError: ``datasets.licence_long``: a name is wanted, not the text.
    """
    named = " ".join(licence.split())
    if len(named) > _LONGEST:
        raise KurabeError("datasets.licence_long", length=len(named), most=_LONGEST)
    return named


def joined_licence(before: str, added: str) -> str:
    """Return the licence of rows from two sources: both names if they differ, unknown if either is."""
    if before == added or not before or not added:
        return before if before == added else ""
    names = dict.fromkeys([*before.split(" + "), *added.split(" + ")])
    return " + ".join(names)


def inherited_licence(parent_id: str | None) -> str:
    """Return the licence of the version that another one is made of."""
    if parent_id is None:
        return ""
    with read() as session:
        parent = session.get(tb.DatasetVersion, parent_id)
    return licence_of(parent) if parent is not None else ""
