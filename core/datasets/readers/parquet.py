"""Parquet: columns with types, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.cells import shown
from core.datasets.readers._base import Reader, Source
from core.datasets.rows import Problem, RawRow
from core.errors import KurabeError

__all__ = ["ParquetReader"]


class ParquetReader(Reader):
    """Reads Parquet; rows are numbered from 1."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        if not path.stat().st_size:
            raise KurabeError("datasets.empty_file", name=path.name)
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
                for row in _batch(batch, number):
                    number += 1
                    yield row
    except (pa.ArrowException, OSError) as error:
        raise KurabeError("datasets.broken_file", name=path.name, detail=str(error)[:200]) from error


_UNREADABLE = (ValueError, OverflowError, ArithmeticError, TypeError, pa.ArrowException)
"""What a cell raises whose value Python has no form for: years after 9999, bytes that are no UTF-8."""


def _batch(batch: pa.RecordBatch, before: int) -> Iterator[RawRow]:
    try:
        rows = batch.to_pylist()
    except _UNREADABLE:
        yield from (_cell_by_cell(batch, index, before + index + 1) for index in range(batch.num_rows))
        return
    for number, values in enumerate(rows, before + 1):
        yield RawRow(number, values)


def _cell_by_cell(batch: pa.RecordBatch, index: int, number: int) -> RawRow:
    values, problem = {}, None
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            values[name] = column[index].as_py()
        except _UNREADABLE as error:
            problem = problem or Problem(number, name, "unreadable_cell", shown(str(error), 80), "text")
    return RawRow(number, values, problem)
