"""Every stored answer of an experiment as a file: CSV, Parquet or JSON, written piece by piece."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, Integer, func, select, tuple_

from core.errors import KurabeError, storable
from core.store import read
from core.store import tables as tb
from core.store.tables import Amount, UtcTime

# Arrow is imported where it is used: most visits and commands export nothing.
if TYPE_CHECKING:
    import pyarrow as pa

_LEFT_OUT = ("messages", "owner", "created_by", "reasoning")
_BATCH = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet computes."""
_ROW_GROUP = 20_000
"""Rows that a Parquet file holds together; more compress better, and take more memory."""


def export_rows(experiment_id: str, metrics: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Every stored answer with its scores as one flat row, by phase, approach, question and repetition.

    Scores are columns `score:<metric>`: None for a metric that failed, no column for one that does not apply. Messages
    are left out, everything measured is in. Rows are read in batches,
    each in a transaction of its own: whoever takes them may be slow.

    Args:
        experiment_id: whose answers.
        metrics: whose scores; by default all there are.

    Raises:
        KurabeError: `store.missing`.
    """
    columns, metrics = _answer_columns(), _metrics(experiment_id) if metrics is None else metrics
    a = tb.Answer
    groups = select(a.phase, a.approach_id).where(a.experiment_id == experiment_id).distinct()
    with read() as session:
        found = sorted(tuple(row) for row in session.execute(groups))
    for phase, approach_id in found:
        mine = (a.experiment_id == experiment_id, a.phase == phase, a.approach_id == approach_id)
        after: tuple[str, int] = ("", -1)
        while True:
            following = select(a).where(*mine, tuple_(a.example_id, a.repetition) > after)
            with read() as session:
                rows = list(session.scalars(following.order_by(a.example_id, a.repetition).limit(_BATCH)))
                scores = _scores(session, [row.id for row in rows])
            if not rows:
                break
            for row in rows:
                known = scores.get(row.id, {})
                scored = {f"score:{m}": known[m] for m in metrics if m in known}
                yield {**{c: getattr(row, c) for c in columns}, **scored}
            after = (str(rows[-1].example_id), rows[-1].repetition)


def _answer_columns() -> list[str]:
    return [name for name in tb.Answer.__table__.columns.keys() if name not in _LEFT_OUT]


def _metrics(experiment_id: str) -> list[str]:
    """Names of the metrics that the experiment computes, or was scored with since."""
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
        if experiment is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        scored = select(tb.Score.metric).join(tb.Answer).where(tb.Answer.experiment_id == experiment_id)
        others = session.scalars(scored.group_by(tb.Score.metric).having(func.count() > 0))
        return list(
            dict.fromkeys((experiment.config["primary_metric"], *experiment.config["metrics"], *sorted(others)))
        )


def _scores(session: Any, ids: list[str]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    wanted = select(tb.Score.answer_id, tb.Score.metric, tb.Score.value).where(tb.Score.answer_id.in_(ids))
    for answer_id, metric, value in session.execute(wanted):
        found.setdefault(answer_id, {})[metric] = value
    return found


def export_csv(experiment_id: str) -> Iterator[bytes]:
    """Pieces of a CSV file that Excel reads, with a byte order mark; cells that look like formulas are disarmed."""
    metrics = _metrics(experiment_id)
    names = [*_answer_columns(), *(f"score:{metric}" for metric in metrics)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    yield b"\xef\xbb\xbf"
    for rows in _batches(experiment_id, metrics, _BATCH):
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
        yield out.getvalue().encode(errors="replace")
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode(errors="replace")


def _cell(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return _json(value)
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def export_json(experiment_id: str) -> Iterator[bytes]:
    """Pieces of a JSON list with one object an answer."""
    before = "[\n"
    for rows in _batches(experiment_id, _metrics(experiment_id), _BATCH):
        yield (before + ",\n".join(_json(row) for row in rows)).encode(errors="replace")
        before = ",\n"
    yield ("[]\n" if before == "[\n" else "\n]\n").encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value.isoformat()


def export_parquet(experiment_id: str) -> Iterator[bytes]:
    """Pieces of a Parquet file; nested values are JSON text, times are in UTC."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metrics = _metrics(experiment_id)
    schema, out = _schema(metrics), _Pieces()
    with pq.ParquetWriter(pa.PythonFile(out, mode="w"), schema, compression="zstd") as writer:
        for rows in _batches(experiment_id, metrics, _ROW_GROUP):
            columns = {name: [_flat(row.get(name)) for row in rows] for name in schema.names}
            writer.write_table(pa.table(columns, schema=schema))
            yield out.take()
    yield out.take()


class _Pieces(io.RawIOBase):
    """A file that only grows; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self._written, self._length = bytearray(), 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes in."""
        self._written += data
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far, those taken away included."""
        return self._length

    def take(self) -> bytes:
        """Give what was written since the last time."""
        piece = bytes(self._written)
        self._written.clear()
        return piece


def _schema(metrics: list[str]) -> pa.Schema:
    import pyarrow as pa

    kinds = (
        (Integer, pa.int64()),
        ((Float, Amount), pa.float64()),
        (UtcTime, pa.timestamp("us", "UTC")),
    )

    def kind_of(name: str) -> pa.DataType:
        found = tb.Answer.__table__.columns[name].type
        return next((kind for types, kind in kinds if isinstance(found, types)), pa.string())

    fields = [(name, kind_of(name)) for name in _answer_columns()]
    return pa.schema([*fields, *((f"score:{metric}", pa.float64()) for metric in metrics)])


def _flat(value: Any) -> Any:
    if isinstance(value, (dict, list, str)):
        # Arrow takes no halves of characters, which errors stored long ago may hold
        return storable(value if isinstance(value, str) else _json(value))
    return float(value) if isinstance(value, Decimal) else value


def _batches(experiment_id: str, metrics: Sequence[str], size: int) -> Iterator[list[dict[str, Any]]]:
    rows = export_rows(experiment_id, metrics)
    while batch := list(islice(rows, size)):
        yield batch


EXPORTS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "csv": export_csv,
    "parquet": export_parquet,
    "json": export_json,
}
"""Makers of the pieces of a file by its format, which is also the ending of its name."""


def write_answers(experiment_id: str, file: Path) -> int:
    """Write an experiment's answers in the format that the file's name ends with; returns its bytes.

    The file appears when it is whole.

    Raises:
        KurabeError: `evaluation.export_format`; `store.missing`.
    """
    export = EXPORTS.get(file.suffix.lstrip(".").lower())
    if export is None:
        raise KurabeError("evaluation.export_format", found=file.name, known=", ".join(f".{name}" for name in EXPORTS))
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            written = sum(out.write(piece) for piece in export(experiment_id))
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return written
