"""Excel workbooks: the first sheet with cells, or one named by hand."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from core.datasets.readers._base import Reader, Source, refuse_bomb
from core.datasets.readers._tables import Merge, Record, UnsavedFormula, table_source
from core.errors import KurabeError

__all__ = ["ExcelReader"]

_BROKEN = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, LookupError, ValueError, ArithmeticError, TypeError,
    AttributeError, OSError, ParseError, EOFError, RuntimeError,
)  # fmt: skip
"""What openpyxl raises on damaged files; its parsers index and convert freely."""
_FACTS = re.compile(rb'<(?:\w+:)?(?:mergeCell [^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"|(f)[ />]|row [^>]*?\br="(\d+)")')
_MERGES = 100_000
"""Most merged ranges that are followed; no office makes so many."""


@dataclass(frozen=True)
class ExcelReader(Reader):
    """Reads .xlsx and .xlsm; formulas give the value that Excel last saved."""

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    has_sheets: ClassVar[bool] = True

    sheet: str = ""
    """Sheet to read; empty takes the first one that has cells."""

    def sheets(self, path: Path) -> tuple[str, ...]:
        """See `Reader.sheets`."""
        with path.open("rb") as file:
            if file.read(4) == b"\xd0\xcf\x11\xe0":
                locked = "EncryptedPackage".encode("utf-16-le") in file.read(64 << 20)
                raise KurabeError("datasets.encrypted_office" if locked else "datasets.old_office", name=path.name)
        refuse_bomb(path, path.name)
        return _filled_sheets(path)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        sheets = self.sheets(path)
        if not sheets:
            raise KurabeError("datasets.no_rows", name=path.name)
        sheet = self.sheet or sheets[0]
        if sheet not in sheets:
            raise KurabeError("datasets.unknown_sheet", name=path.name, sheet=sheet, known=", ".join(sheets))
        facts = _facts(path, sheet)

        def records() -> Iterator[Record]:
            return _records(path, sheet, facts.formulas)

        source = table_source(records, path.name, merges=facts.merges)
        source.sheets, source.sheet = sheets, sheet
        if others := [name for name in sheets if name != sheet]:
            source.notes.append({"code": "other_sheets", "params": {"sheet": sheet, "others": ", ".join(others)}})
        return source


def _filled_sheets(path: Path) -> tuple[str, ...]:
    with _opened(path) as book:
        return tuple(s.title for s in book.worksheets if any(any(c is not None for c in row) for row in s.values))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What only the XML of a sheet tells."""

    formulas: bool
    merges: list[Merge]


def _facts(path: Path, sheet: str) -> _Facts:
    """Read through a sheet's XML once; rows out of order are refused, because openpyxl would pass over them."""
    formulas, merges, before = False, list[Merge](), 0
    with _opened(path) as book:
        with _sheet(book, sheet)._get_source() as part:  # openpyxl tells neither in its streaming mode
            tail = b""
            while block := part.read(1 << 20):
                text, end = tail + block, 0
                for found in _FACTS.finditer(text):
                    end = found.end()
                    formulas |= found[2] is not None
                    if found[3] and int(found[3]) <= before:
                        raise ValueError(f"row {int(found[3])} after row {before}")
                    before = int(found[3] or before)
                    if found[1] and len(merges) < _MERGES:
                        left, top, _, bottom = range_boundaries(found[1].decode())
                        merges += [(int(top), int(bottom), int(left) - 1)] * (bottom > top)
                tail = text[max(end, len(text) - 300) :]
    return _Facts(formulas, merges)


@contextmanager
def _opened(path: Path, data_only: bool = True) -> Iterator[Any]:
    """Open a workbook by its bytes: an upload's path has no suffix, and openpyxl would look at that."""
    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=data_only)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a sheet may claim to be smaller than it is, or to hold 17 billion cells
            try:
                yield book
            finally:
                book.close()
    except _BROKEN as error:
        raise KurabeError("datasets.broken_file", name=path.name, detail=str(error)[:200]) from error


def _sheet(book: Any, name: str) -> Any:
    found = {sheet.title: sheet for sheet in book.worksheets}
    if name not in found:
        raise KurabeError("datasets.unknown_sheet", sheet=name, known=", ".join(found))
    return found[name]


def _records(path: Path, sheet: str, formulas: bool) -> Iterator[Record]:
    with _opened(path) as book:
        if not formulas:
            yield from enumerate(_sheet(book, sheet).values, 1)
            return
        with _opened(path, data_only=False) as written:
            both = zip(_sheet(book, sheet).rows, _sheet(written, sheet).rows, strict=True)
            for number, (values, texts) in enumerate(both, 1):
                yield number, [_value(value, text) for value, text in zip(values, texts, strict=True)]


def _value(cell: Any, written: Any) -> Any:
    """Return a cell's saved value; a formula that no program has worked out yet is marked, not taken for empty.

    Excel saves an empty text as the type ``str`` without a value; a program that only writes formulas saves neither.
    """
    if cell.value is None and written.value is not None and cell.data_type != "str":
        return UnsavedFormula(getattr(written.value, "text", None) or str(written.value))
    return cell.value
