"""CSV: comma-separated tables, in whatever encoding a spreadsheet or an old system wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from core.datasets.readers._base import Reader, Source
from core.datasets.readers._delimited import delimited_source

__all__ = ["CsvReader"]


class CsvReader(Reader):
    """Reads comma-separated tables."""

    name: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        return delimited_source(path, encoding, ",")
