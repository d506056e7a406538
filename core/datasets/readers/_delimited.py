"""CSV and TSV: records with their spreadsheet row numbers, quotes respected, nothing swallowed by a lost quote."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.datasets.encodings import judge_encoding
from core.datasets.readers._base import CELL_LIMIT, Source, decoding
from core.datasets.readers._tables import Record, table_source
from core.errors import KurabeError

__all__ = ["delimited_source"]


def delimited_source(path: Path, encoding: str | None, delimiter: str | None) -> Source:
    """Return the source of a delimited file; `delimiter` None finds it among comma, semicolon, tab and bar."""
    judged = judge_encoding(path)
    chosen = encoding or judged.encoding
    separator = delimiter or _delimiter(path, chosen)

    def records() -> Iterator[Record]:
        return _records(path, chosen, separator)

    return table_source(records, path.name, chosen, judged.alternatives)


def _delimiter(path: Path, encoding: str) -> str:
    """Return the separator that most of the first lines hold equally often; a comma in doubt."""
    with decoding(path, encoding), path.open(encoding=encoding, newline="") as file:
        lines = [line for line in (file.readline(1 << 16) for _ in range(30)) if line.strip()]
    best, best_share = ",", 0.0
    for candidate in ",\t;|":
        counts = Counter(_outside_quotes(line).count(candidate) for line in lines)
        usual, times = counts.most_common(1)[0] if counts else (0, 0)
        if usual and times / len(lines) > best_share + 0.2:
            best, best_share = candidate, times / len(lines)
    return best


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[Record]:
    """Yield records; their number counts records, as a spreadsheet does where cells hold line breaks.

    Raises:
        KurabeError: ``datasets.broken_csv`` with the line, where a quote is lost: what follows cannot be told apart.
    """
    csv.field_size_limit(CELL_LIMIT)
    try:
        with decoding(path, encoding), path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            yield from enumerate(reader, 1)
    except csv.Error as error:
        raise KurabeError("datasets.broken_csv", name=path.name, line=reader.line_num, detail=str(error)) from error
