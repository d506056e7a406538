"""ZIP files of documents: unpacked in memory, within limits, and never onto a path that the archive names."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from core.errors import KurabeError
from core.settings import settings

__all__ = ["unpacked"]

_ENTRIES = 5000
_UTF8_NAME = 0x800


def unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, bytes) of the documents in a ZIP file; any other file is yielded as it is.

    Folders inside the archive become part of the name, so that two files of one name stay two documents.

    Raises:
        KurabeError: ``knowledge.broken_document``, ``knowledge.encrypted``, ``knowledge.archive_bomb``.
    """
    if not name.lower().endswith(".zip"):
        yield name, data
        return
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if _wanted(entry)]
            _refuse(name, entries)
            for entry in entries:
                yield _name(entry), archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error


def _refuse(name: str, entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.flag_bits & 1 for entry in entries):
        raise KurabeError("knowledge.encrypted", name=name)
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _ENTRIES or size > settings().upload_limit_mb << 20:
        raise KurabeError("knowledge.archive_bomb", name=name, unpacked_mb=size >> 20)


def _wanted(entry: zipfile.ZipInfo) -> bool:
    """Pass over folders and what macOS and editors leave behind."""
    last = entry.filename.rsplit("/", 1)[-1]
    return not entry.is_dir() and not last.startswith((".", "~$")) and "__MACOSX" not in entry.filename


def _name(entry: zipfile.ZipInfo) -> str:
    """Return a name that people read: Japanese Windows writes CP932 where the standard says CP437."""
    called = entry.filename
    if not entry.flag_bits & _UTF8_NAME:
        try:
            called = called.encode("cp437").decode("cp932")
        except UnicodeError:
            pass
    parts = [part for part in called.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return " - ".join(parts[-3:]) or "document"
