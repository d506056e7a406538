"""Excel workbooks as documents: one table a sheet, under the sheet's name."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from datetime import date, datetime
from io import BytesIO
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.errors import KurabeError
from core.knowledge.readers._base import DocumentReader, ParsedDocument, refuse_bomb, stem, table_lines

__all__ = ["ExcelDocumentReader"]

_BROKEN = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, LookupError, ValueError, ArithmeticError, TypeError,
    AttributeError, OSError, ParseError, EOFError, RuntimeError,
)  # fmt: skip
"""What openpyxl raises on damaged files; its parsers index and convert freely."""
_ROW_LIMIT = 200_000
_SHOWN = 10
"""Most cells that a note names."""


class ExcelDocumentReader(DocumentReader):
    """Reads .xlsx and .xlsm; formulas give the value that was last saved, and those without one are noted."""

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        refuse_bomb(data, name)
        try:
            book = load_workbook(BytesIO(data), read_only=True, data_only=True)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a sheet may claim to be smaller than it is, or to hold 17 billion cells
            sheets = [(sheet.title, _rows(sheet.values, name)) for sheet in book.worksheets]
            book.close()
            unsaved = _unsaved_formulas(data)
        except _BROKEN as error:
            raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error
        filled = [(title, rows) for title, rows in sheets if rows]
        heads = len(filled) > 1
        parts = [f"## {title}\n\n" * heads + "\n".join(table_lines(rows)) for title, rows in filled]
        notes = []
        if unsaved:
            shown = ", ".join(unsaved[:_SHOWN]) + (", …" if len(unsaved) > _SHOWN else "")
            notes.append({"code": "formulas_unsaved", "params": {"n": len(unsaved), "cells": shown}})
        return ParsedDocument(stem(name), "\n\n".join(parts), notes=notes)


def _unsaved_formulas(data: bytes) -> list[str]:
    """Return the places of formulas that were saved without their value, as programs other than Excel write them."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(b"<f" in archive.read(name) for name in sheets):
            return []  # the second reading below takes as long as the first
    written = load_workbook(BytesIO(data), read_only=True)
    saved = load_workbook(BytesIO(data), read_only=True, data_only=True)
    places: list[str] = []
    for formulas, values in zip(written.worksheets, saved.worksheets, strict=True):
        formulas.reset_dimensions()
        values.reset_dimensions()
        for row, known in zip(formulas.iter_rows(), values.iter_rows(values_only=True), strict=False):
            found = (cell for cell, value in zip(row, known, strict=False) if cell.data_type == "f" and value is None)
            places += [f"{formulas.title}!{cell.coordinate}" for cell in found]
    written.close()
    saved.close()
    return places


def _rows(values: Iterable[tuple[Any, ...]], name: str) -> list[list[str]]:
    """Return the rows that hold something; empty cells at the end of a row go."""
    rows = []
    for number, row in enumerate(values):
        if number > _ROW_LIMIT:
            raise KurabeError("knowledge.too_many_rows", name=name, limit=_ROW_LIMIT)
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(cells)
    return rows


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
