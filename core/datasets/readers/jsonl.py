"""JSON Lines: one object a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TextIO

from core.datasets.encodings import encoding_of
from core.datasets.readers._base import CELL_LIMIT, Reader, Source, decoding, object_source
from core.datasets.readers._elements import elements_as_rows
from core.datasets.readers._json import DECODER, broken, raw_row, too_long
from core.datasets.rows import RawRow

__all__ = ["JsonLinesReader"]


class JsonLinesReader(Reader):
    """Reads JSON Lines; empty lines are passed over, a line that is no object becomes a problem."""

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        judged = encoding_of(path, encoding)
        chosen = judged.encoding
        array = _is_array(path, chosen)

        def rows() -> Iterator[RawRow]:
            return elements_as_rows(path, chosen) if array else lines_as_rows(path, chosen)

        notes: list[dict[str, Any]] = [{"code": "read_as_json", "params": {}}] if array else []
        return object_source(rows, chosen, judged.alternatives, notes)


def _is_array(path: Path, encoding: str) -> bool:
    """Tell whether the file is one array of objects: no line of JSON Lines begins with two brackets."""
    with decoding(path, encoding), path.open(encoding=encoding) as file:
        return re.match(r"[\s\ufeff]*\[\s*\{", file.read(1 << 12)) is not None


def lines_as_rows(path: Path, encoding: str) -> Iterator[RawRow]:
    """Yield a row for every line that is not empty; numbers are line numbers."""
    with decoding(path, encoding), path.open(encoding=encoding, newline="\n") as file:
        number = 0
        while line := file.readline(CELL_LIMIT):
            number += 1
            if (row := _row(file, number, line)) is not None:
                yield row


def _row(file: TextIO, number: int, line: str) -> RawRow | None:
    if len(line) >= CELL_LIMIT and not line.endswith("\n"):
        _skip_line(file)
        return too_long(number, line)
    text = line.strip("\r\n \t\ufeff")
    if not text:
        return None
    try:
        return raw_row(number, DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        return broken(number, text, error)


def _skip_line(file: TextIO) -> None:
    """Read on to the end of an overlong line, in pieces."""
    while (piece := file.readline(CELL_LIMIT)) and not piece.endswith("\n"):
        pass
