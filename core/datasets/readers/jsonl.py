"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, TextIO

from core.datasets.encodings import judge_encoding
from core.datasets.readers._base import CELL_LIMIT, Reader, Source, decoding, object_source
from core.datasets.readers._json import DECODER, broken, raw_row
from core.datasets.rows import Problem, RawRow

__all__ = ["JsonLinesReader"]


class JsonLinesReader(Reader):
    """Reads JSON Lines; empty lines are passed over, a line that is no object becomes a problem."""

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        judged = judge_encoding(path)
        chosen = encoding or judged.encoding

        def rows() -> Iterator[RawRow]:
            return lines_as_rows(path, chosen)

        return object_source(rows, chosen, judged.alternatives)


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
        return RawRow(number, {}, Problem(number, "", "too_long", line[:60], "cell_limit"))
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
