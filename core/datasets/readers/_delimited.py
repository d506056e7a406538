"""CSV and TSV: records with their spreadsheet row numbers, quotes respected, nothing swallowed by a lost quote."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.datasets.columns import header_score
from core.datasets.encodings import encoding_of
from core.datasets.readers._base import CELL_LIMIT, Source, decoding
from core.datasets.readers._tables import Record, table_source
from core.errors import KurabeError

__all__ = ["delimited_source"]


def delimited_source(path: Path, encoding: str | None, usual: str) -> Source:
    """Return the source of a delimited file; `usual` separates its cells unless its lines show another mark."""
    judged = encoding_of(path, encoding)
    chosen = judged.encoding
    separator = _delimiter(path, chosen, usual)

    def records() -> Iterator[Record]:
        return _records(path, chosen, separator)

    return table_source(records, path.name, chosen, judged.alternatives)


def _delimiter(path: Path, encoding: str, usual: str) -> str:
    """Return the separator that most of the first lines hold equally often; the usual one in doubt."""
    with decoding(path, encoding), path.open(encoding=encoding, newline="") as file:
        lines = [line for line in (file.readline(1 << 16) for _ in range(30)) if line.strip()]
    best, best_share = usual, 0.0
    for candidate in dict.fromkeys(usual + ",\t;|"):
        counts = Counter(_outside_quotes(line).count(candidate) for line in lines)
        number, times = counts.most_common(1)[0] if counts else (0, 0)
        if number and times / len(lines) > best_share + 0.2:
            best, best_share = candidate, times / len(lines)
    wide = lines[0].split("，") if lines and not best_share else []
    # Typed by hand with a Japanese keyboard; a sentence may hold this comma too, so the header must tell.
    return "，" if header_score([name.strip() for name in wide]) >= 2 else best


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
