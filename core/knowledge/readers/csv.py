"""CSV and TSV as documents: a table whose rows keep their header."""

from __future__ import annotations

import csv
from io import StringIO
from typing import ClassVar

from core.errors import KurabeError
from core.knowledge.readers._base import DocumentReader, ParsedDocument, decoded, stem, table_lines

__all__ = ["CsvReader"]

_CELL_LIMIT = 1 << 20


class CsvReader(DocumentReader):
    """Reads delimited tables; lines above the header that fill one cell become the title."""

    name: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")
    media_type: ClassVar[str] = "text/csv"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        rows = [row for row in _rows(decoded(data, name), name) if any(cell.strip() for cell in row)]
        title = stem(name)
        while rows and len(rows) > 2 and sum(1 for cell in rows[0] if cell.strip()) == 1 and len(rows[1]) > 1:
            title = next(cell for cell in rows.pop(0) if cell.strip())
        notes = []
        if rows and len(set(rows[0])) != len(rows[0]):
            twice = sorted({cell for cell in rows[0] if rows[0].count(cell) > 1})
            notes.append({"code": "duplicate_columns", "params": {"columns": ", ".join(twice)}})
        return ParsedDocument(title, "\n".join(table_lines(rows)), notes=notes)


def _rows(text: str, name: str) -> list[list[str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count) if any(mark in first for mark in ",\t;") else ","
    # The limit holds for the whole process: lowering it would break an import that runs beside this.
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_LIMIT))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(len(cell) > _CELL_LIMIT for cell in row):
                raise csv.Error(f"field larger than field limit ({_CELL_LIMIT})")
            rows.append(row)
    except csv.Error as error:
        detail = f"{reader.line_num}: {error}"
        raise KurabeError("knowledge.broken_document", name=name, detail=detail) from error
    return rows
