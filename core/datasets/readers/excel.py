"""Excel workbooks: the first sheet with cells, or one named by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.datasets.readers._base import Reader, Source, refuse_bomb
from core.datasets.readers._tables import Record, table_source
from core.errors import KurabeError

__all__ = ["ExcelReader"]

_BROKEN = (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, ParseError, EOFError)


@dataclass(frozen=True)
class ExcelReader(Reader):
    """Reads .xlsx and .xlsm; formulas give the value that Excel last saved."""

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")

    sheet: str = ""
    """Sheet to read; empty takes the first one that has cells."""

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        with path.open("rb") as file:
            if file.read(4) == b"\xd0\xcf\x11\xe0":
                raise KurabeError("datasets.encrypted_office", name=path.name)
        refuse_bomb(path, path.name)
        sheets = _filled_sheets(path)
        if not sheets:
            raise KurabeError("datasets.no_rows", name=path.name)
        sheet = self.sheet or sheets[0]

        def records() -> Iterator[Record]:
            return _records(path, sheet)

        source = table_source(records, path.name)
        if others := [name for name in sheets if name != sheet]:
            source.notes.append({"code": "other_sheets", "params": {"sheet": sheet, "others": ", ".join(others)}})
        return source


def _filled_sheets(path: Path) -> list[str]:
    with _opened(path) as book:
        return [s.title for s in book.worksheets if any(any(c is not None for c in row) for row in s.values)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a workbook by its bytes: an upload's path has no suffix, and openpyxl would look at that."""
    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=True)
            try:
                yield book
            finally:
                book.close()
    except _BROKEN as error:
        raise KurabeError("datasets.broken_file", name=path.name, detail=str(error)[:200]) from error


def _records(path: Path, sheet: str) -> Iterator[Record]:
    with _opened(path) as book:
        if sheet not in book.sheetnames:
            raise KurabeError("datasets.unknown_sheet", sheet=sheet, known=", ".join(book.sheetnames))
        yield from enumerate(book[sheet].values, 1)
