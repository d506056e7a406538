"""Parquet: columns with types, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.readers._base import Reader, Source
from core.datasets.rows import RawRow
from core.errors import KurabeError

__all__ = ["ParquetReader"]


class ParquetReader(Reader):
    """Reads Parquet; rows are numbered from 1."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        try:
            with pq.ParquetFile(path) as file:
                columns = list(file.schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise KurabeError("datasets.broken_file", name=path.name, detail=str(error)[:200]) from error
        if len(set(columns)) != len(columns):
            twice = sorted({name for name in columns if columns.count(name) > 1})
            raise KurabeError("datasets.duplicate_header", name=path.name, row=0, columns=", ".join(twice))

        def rows() -> Iterator[RawRow]:
            return _rows(path)

        return Source(columns, rows)


def _rows(path: Path) -> Iterator[RawRow]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    number += 1
                    yield RawRow(number, values)
    except (pa.ArrowException, OSError) as error:
        raise KurabeError("datasets.broken_file", name=path.name, detail=str(error)[:200]) from error
