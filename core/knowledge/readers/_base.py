"""What every document reader is: bytes in, one Markdown-like text out, with notes on what was left behind."""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, ClassVar

from core.datasets.encodings import judge_encoding
from core.errors import KurabeError
from core.registry import Registry

__all__ = [
    "DocumentReader",
    "ParsedDocument",
    "cleaned",
    "decoded",
    "document_readers",
    "parse",
    "reader_for",
    "refuse_bomb",
    "stem",
    "table_lines",
]

_TEXT_LIMIT = 20_000_000
_UNPACKED_LIMIT = 512 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ufffe\uffff]")


@dataclass(slots=True)
class ParsedDocument:
    """What a reader made of a file."""

    title: str
    """Title of the document, or its file name without suffix."""
    text: str
    """The whole text: ``#`` headings, ``-`` items, ``| a | b |`` table rows, blank lines between paragraphs."""
    pages: list[int] = field(default_factory=list)
    """Character offsets in `text` at which pages begin; empty where the format has none."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What could not be taken over, as ``{"code", "params"}``."""


class DocumentReader(ABC):
    """Reads one document format."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    media_type: ClassVar[str]

    @abstractmethod
    def read(self, data: bytes, name: str) -> ParsedDocument:
        """Return the document.

        Args:
            data: The file's bytes.
            name: Its name as uploaded, for the title and for errors.

        Raises:
            KurabeError: ``knowledge.…`` if nothing can be read.
        """


document_readers: Registry[DocumentReader] = Registry("core.knowledge.readers", DocumentReader)  # type: ignore[type-abstract]  # only subclasses are built


def reader_for(name: str) -> DocumentReader:
    """Return the reader for a file name's suffix.

    Raises:
        KurabeError: ``knowledge.unknown_format`` with the suffixes that can be read.
    """
    suffix = PurePosixPath(name).suffix.lower()
    known = document_readers.all().values()
    for kind in known:
        if suffix in kind.suffixes:
            return kind()
    suffixes = sorted(suffix for kind in known for suffix in kind.suffixes)
    raise KurabeError("knowledge.unknown_format", name=name, suffix=suffix or "-", known=", ".join(suffixes))


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a document with the reader for its name.

    Raises:
        KurabeError: ``knowledge.empty_document`` if it holds no text; ``knowledge.too_long``;
            ``knowledge.broken_document`` also where a library fails in a way that its reader does not know; or the
            reader's own.
    """
    if not data:
        raise KurabeError("knowledge.empty_document", name=name)
    reader = reader_for(name)
    try:
        parsed = reader.read(data, name)
    except KurabeError:
        raise
    except Exception as error:  # one odd file must not cost the others of its folder or ZIP file
        detail = f"{type(error).__name__}: {error}"[:200]
        raise KurabeError("knowledge.broken_document", name=name, detail=detail) from error
    if not parsed.text.strip():
        raise KurabeError("knowledge.empty_document", name=name)
    if len(parsed.text) > _TEXT_LIMIT:
        raise KurabeError("knowledge.too_long", name=name, characters=len(parsed.text), limit=_TEXT_LIMIT)
    parsed.title = " ".join(parsed.title.split())[:200] or stem(name)
    return parsed


def stem(name: str) -> str:
    """Return a file name without folders and suffix, as a title of last resort."""
    return PurePosixPath(name.replace("\\", "/")).stem or name


def decoded(data: bytes, name: str) -> str:
    """Return the text of a text file, its encoding judged on all of it.

    Raises:
        KurabeError: ``datasets.binary_file`` or ``datasets.unknown_encoding``.
    """
    return cleaned(data.decode(judge_encoding(data, name).encoding))


def cleaned(text: str) -> str:
    """Return text with one kind of line break, without control characters, lone surrogates or runs of blank lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x0c", "\n")
    text = _CONTROL.sub("", text).encode("utf-8", "ignore").decode()
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return Markdown table lines; the first row is the header."""
    width = max((len(row) for row in rows), default=0)
    lines = []
    for index, row in enumerate(rows):
        cells = [" ".join(cell.split()).replace("|", "/") for cell in [*row, *[""] * (width - len(row))]]
        lines.append("| " + " | ".join(cells) + " |")
        if index == 0:
            lines.append("|" + " --- |" * width)
    return lines


def refuse_bomb(data: bytes, name: str) -> None:
    """Refuse a ZIP container that would unpack to far more than it is.

    Raises:
        KurabeError: ``knowledge.archive_bomb``; ``knowledge.broken_document`` if it is no ZIP at all.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise KurabeError("knowledge.encrypted", name=name)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise KurabeError("knowledge.broken_document", name=name, detail=str(error)) from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise KurabeError("knowledge.encrypted", name=name)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _UNPACKED_LIMIT or (unpacked > 32 << 20 and unpacked > 200 * len(data)):
        raise KurabeError("knowledge.archive_bomb", name=name, unpacked_mb=unpacked >> 20)
