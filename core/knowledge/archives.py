"""ZIP files of documents: unpacked in memory, within limits, and never onto a path that the archive names."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import PurePosixPath

from core.errors import KurabeError
from core.settings import settings

__all__ = ["NAME_LIMIT", "name_of_path", "unpacked"]

NAME_LIMIT = 300
"""Characters that a document's name may have in the store."""

_ENTRIES = 5000
_UTF8_NAME = 0x800


def name_of_path(parts: Sequence[str]) -> str:
    """Return the name of the document at this path: ``hr - rules - leave.md``; different paths have different names.

    A name from which the path could not be told (too long, " - " inside a part, spaces in a row) ends with a short hash
    of the path; a name that is too long loses its front and keeps its ending.
    """
    exact = "/".join(parts).encode(errors="surrogatepass")
    plain = " - ".join(parts).encode(errors="replace").decode()
    tidy = " ".join(plain.replace("\\", " ").split())
    if len(tidy) <= NAME_LIMIT and tuple(tidy.split(" - ")) == tuple(parts):
        return tidy
    ending = PurePosixPath(tidy).suffix[-20:].rstrip()
    mark = f" ({hashlib.sha256(exact).hexdigest()[:8]}){ending}"
    stem = tidy.removesuffix(ending) if ending else tidy
    room = NAME_LIMIT - len(mark)
    return (stem if len(stem) <= room else f"…{stem[1 - room :]}") + mark


def unpacked(name: str, data: bytes, *, within: Sequence[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, bytes) of the documents in a ZIP file; any other file is yielded as it is.

    Folders inside the archive become part of the name, so that two files of one name stay two documents.

    Args:
        name: File name; tells whether it is a ZIP file.
        data: Its bytes.
        within: Path to put in front of the names of what a ZIP file holds.

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
                yield _name(entry, within), archive.read(entry)
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


def _name(entry: zipfile.ZipInfo, within: Sequence[str]) -> str:
    """Return a name that people read: Japanese Windows writes CP932 where the standard says CP437."""
    called = entry.filename
    if not entry.flag_bits & _UTF8_NAME:
        try:
            called = called.encode("cp437").decode("cp932")
        except UnicodeError:
            pass
    parts = [part for part in called.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return name_of_path([*within, *(parts or ["document"])])
