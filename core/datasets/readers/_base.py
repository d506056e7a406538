"""What every dataset reader is: a suffix, and a stream of rows in bounded memory."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from core.datasets.rows import RawRow
from core.errors import KurabeError
from core.registry import Registry

__all__ = ["CELL_LIMIT", "Reader", "Source", "decoding", "object_source", "reader_for", "readers", "refuse_bomb"]

CELL_LIMIT = 16 << 20
"""Most characters in one cell or JSON row; more is one broken row, not a reason to fill the memory."""

_PEEK = 200
_UNPACKED_LIMIT = 2 << 30
_RATIO_LIMIT = 300


@dataclass(slots=True)
class Source:
    """An opened file: what is known about it, and its rows as often as they are asked for."""

    columns: list[str]
    """Column names in their order; for JSON, those of the first rows."""
    rows: Callable[[], Iterator[RawRow]]
    """Starts a new pass over all rows."""
    encoding: str | None = None
    """How its text was read; None for binary formats."""
    alternatives: tuple[str, ...] = ()
    """Other encodings that would decode it too."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What was set aside on the way, as ``{"code", "params"}``: title rows, empty rows, other sheets."""
    key_sets: list[frozenset[str]] = field(default_factory=list)
    """Keys of each of the first rows, where rows bring their own; empty for tables."""
    sheets: tuple[str, ...] = ()
    """Sheets of a workbook that have cells, in their order; empty for files that have no sheets."""
    sheet: str | None = None
    """The one of them that is read."""


class Reader(ABC):
    """Reads one file format."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    has_sheets: ClassVar[bool] = False
    """Whether a file may hold several tables; the reader then has a field ``sheet`` that chooses one by name."""

    @abstractmethod
    def open(self, path: Path, encoding: str | None = None) -> Source:
        """Return the file's source.

        Args:
            path: The file; its name says nothing, uploaded names never become paths.
            encoding: Codec chosen by hand; None judges the whole file.

        Raises:
            KurabeError: ``datasets.…`` if the file as a whole cannot be read.
        """

    def sheets(self, path: Path) -> tuple[str, ...]:
        """Return the names of the tables in a file of a format that has sheets, those without cells left out.

        Raises:
            KurabeError: as `open`.
        """
        return ()


readers: Registry[Reader] = Registry("core.datasets.readers", Reader)  # type: ignore[type-abstract]  # only subclasses are built


def reader_for(name: str, sheet: str | None = None) -> Reader:
    """Return the reader for a file name's suffix.

    Args:
        name: The file's name.
        sheet: Sheet to read, of a format that has several; None leaves the choice to the reader.

    Raises:
        KurabeError: ``datasets.unknown_format`` with the suffixes that can be read; ``datasets.no_sheets`` if a sheet
            is named of a format that has none.
    """
    suffix = Path(name).suffix.lower()
    known = readers.all()
    for kind in known.values():
        if suffix in kind.suffixes:
            if not sheet:
                return kind()
            if not kind.has_sheets:
                raise KurabeError("datasets.no_sheets", name=name, sheet=sheet)
            return kind(sheet=sheet)  # type: ignore[call-arg]  # a format with sheets has the field
    suffixes = sorted(suffix for kind in known.values() for suffix in kind.suffixes)
    raise KurabeError("datasets.unknown_format", name=name, suffix=suffix or "-", known=", ".join(suffixes))


def object_source(
    rows: Callable[[], Iterator[RawRow]],
    encoding: str | None = None,
    alternatives: tuple[str, ...] = (),
    notes: list[dict[str, Any]] | None = None,
) -> Source:
    """Return the source of rows that each bring their own keys; the first rows tell which there are."""
    columns: dict[str, None] = {}
    key_sets: list[frozenset[str]] = []
    for _, row in zip(range(_PEEK), rows(), strict=False):
        columns.update(dict.fromkeys(row.values))
        if row.values:
            key_sets.append(frozenset(row.values))
    return Source(list(columns), rows, encoding, alternatives, notes or [], key_sets)


@contextmanager
def decoding(path: Path, encoding: str) -> Iterator[None]:
    """Turn bytes that an encoding chosen by hand cannot read into an error that says so.

    Raises:
        KurabeError: ``datasets.wrong_encoding``.
    """
    try:
        yield
    except UnicodeError as error:
        raise KurabeError(
            "datasets.wrong_encoding", name=path.name, encoding=encoding, detail=str(error)[:120]
        ) from error


def refuse_bomb(path: Path, name: str) -> None:
    """Refuse a ZIP container that would unpack to far more than it is.

    Raises:
        KurabeError: ``datasets.archive_bomb``, or ``datasets.broken_file`` if it is no ZIP at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise KurabeError("datasets.broken_file", name=name, detail=str(error)) from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise KurabeError("datasets.encrypted_office", name=name)
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, path.stat().st_size)
    if unpacked > _UNPACKED_LIMIT or (unpacked > 64 << 20 and unpacked / packed > _RATIO_LIMIT):
        raise KurabeError("datasets.archive_bomb", name=name, unpacked_mb=unpacked >> 20)
