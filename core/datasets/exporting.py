"""Write a version to files that other tools read; JSON Lines that Kurabe exports, it imports again unchanged."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Literal, get_args

from core.datasets.rows import Row, rejected_answer
from core.datasets.versions import rows_of
from core.errors import KurabeError

__all__ = ["EXPORT_FORMATS", "export_rows", "export_skips", "export_text"]

ExportFormat = Literal[
    "jsonl", "csv", "parquet", "chat", "prompt_completion", "preference", "unpaired_preference", "alpaca"
]
_Json = dict[str, Any]


def _own(row: Row) -> list[_Json]:
    """Return a row as Kurabe's own JSON; empty fields are left out."""
    values = {"id": row.key, **{name: value for name, value in row.columns().items() if name != "key"}}
    own = {name: value for name, value in values.items() if value or name in ("question", "answer")}
    return [own | {"gold": row.gold}]


def _messages(row: Row) -> list[_Json]:
    asked = [{"role": "user", "content": row.question}, {"role": "assistant", "content": row.answer}]
    return row.messages or (asked if row.answer else asked[:1])


def _turns(row: Row) -> tuple[list[_Json], list[_Json]]:
    """Return what comes before the answer, and the answer: the first reply to the last question, with what follows."""
    messages = _messages(row)
    asked = max((index for index, message in enumerate(messages) if message["role"] == "user"), default=-1)
    replies = (index for index, message in enumerate(messages) if index > asked and message["role"] == "assistant")
    cut = next(replies, len(messages))
    return messages[:cut], messages[cut:]


def _chat(row: Row) -> list[_Json]:
    tools = row.tags.get("tools")
    return [{"messages": _messages(row)} | ({"tools": tools} if tools else {})]


def _prompt(row: Row) -> list[_Json]:
    """Return prompt and completion: as messages where there are instructions, earlier turns or tools, else as text."""
    before, answer = _turns(row)
    if len(before) == 1 and len(answer) == 1 and not row.tags.get("tools"):
        return [{"prompt": row.question, "completion": row.answer}]
    tools = row.tags.get("tools")
    return [{"prompt": before, "completion": answer} | ({"tools": tools} if tools else {})]


def _preference(row: Row) -> list[_Json]:
    """Return the pair as TRL reads it; a row without a rejected answer is none."""
    if not (rejected := rejected_answer(row.tags)):
        return []
    chosen, worse = ([{"role": "assistant", "content": text}] for text in (row.answer, rejected))
    return [{"prompt": _turns(row)[0], "chosen": chosen, "rejected": worse}]


def _unpaired(row: Row) -> list[_Json]:
    """Return an answer with what people thought of it, as TRL's KTO reads it; both answers of a pair."""
    judged = [(row.answer, True), (rejected_answer(row.tags), False), (str(row.tags.get("disliked") or ""), False)]
    prompt = _turns(row)[0]
    return [
        {"prompt": prompt, "completion": [{"role": "assistant", "content": text}], "label": liked}
        for text, liked in judged
        if text.strip()
    ]


def _alpaca(row: Row) -> list[_Json]:
    """Return instruction and output; instructions and earlier turns as LLaMA-Factory names them."""
    found: _Json = {"instruction": row.question, "input": "", "output": row.answer}
    before = _turns(row)[0][:-1]
    system = "\n\n".join(message["content"] for message in before if message["role"] == "system")
    said = [message["content"] for message in before if message["role"] in ("user", "assistant")]
    history = [list(pair) for pair in zip(said[::2], said[1::2], strict=False)]
    return [found | ({"system": system} if system else {}) | ({"history": history} if history else {})]


_JSON: dict[str, Callable[[Row], list[_Json]]] = {
    "jsonl": _own,
    "chat": _chat,
    "prompt_completion": _prompt,
    "preference": _preference,
    "unpaired_preference": _unpaired,
    "alpaca": _alpaca,
}
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
"""Kurabe's own rows, a table for Excel, columns, and what OpenAI, TRL, Axolotl and LLaMA-Factory read."""


def export_skips(version_id: str, kind: str, split: str | None = None) -> int:
    """Return how many rows a format cannot hold: those without a rejected answer are no pairs, for example."""
    if kind not in ("preference", "unpaired_preference"):
        return 0
    return sum(not _JSON[kind](row) for row in rows_of(version_id, split))


def export_rows(version_id: str, kind: str = "jsonl", split: str | None = None) -> Iterator[bytes]:
    """Yield the file piece by piece; CSV begins with a byte order mark, so that Excel reads Japanese.

    Raises:
        KurabeError: ``datasets.unknown_export``, ``store.missing``.
    """
    if kind not in EXPORT_FORMATS:
        raise KurabeError("datasets.unknown_export", kind=kind, known=", ".join(EXPORT_FORMATS))
    if kind in ("csv", "parquet"):
        yield from (_csv if kind == "csv" else _parquet)(version_id, split)
        return
    for row in rows_of(version_id, split):
        for line in _JSON[kind](row):
            yield (json.dumps(line, ensure_ascii=False) + "\n").encode()


def export_text(version_id: str, kind: str = "jsonl", split: str | None = None) -> bytes:
    """Return the whole file.

    Raises:
        KurabeError: as `export_rows`.
    """
    return b"".join(export_rows(version_id, kind, split))


def _csv(version_id: str, split: str | None) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(["id", "question", "answer", "slice", "split", "value", "document", "quote"])
    for row in rows_of(version_id, split):
        names = "; ".join(place.get("document", "") for place in row.gold)
        quote = row.gold[0].get("quote", "") if row.gold else ""
        cells = [row.key, row.question, row.answer, row.slice, row.split, row.value or "", names, quote]
        writer.writerow([_plain(cell) for cell in cells])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


_TEXTS = ("id", "question", "answer", "slice", "split", "value")
_NESTED = ("expects", "gold", "messages", "tags")
_GROUP = 10_000


def _parquet(version_id: str, split: str | None) -> Iterator[bytes]:
    """Write columns of text; what is nested stands in them as JSON, which the import reads again."""
    import pyarrow as pa  # brings half a second that other formats need not wait for
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in (*_TEXTS, *_NESTED)])
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema) as writer:
            rows = rows_of(version_id, split)
            while group := [_cells(row) for row in islice(rows, _GROUP)]:
                writer.write_table(pa.Table.from_pylist(group, schema))
        file.seek(0)
        while piece := file.read(1 << 16):
            yield piece


def _cells(row: Row) -> dict[str, str | None]:
    texts = {"id": row.key or None, "question": row.question, "answer": row.answer, "slice": row.slice or None}
    texts |= {"split": row.split, "value": row.value}
    nested = {name: getattr(row, name) for name in _NESTED}
    return texts | {name: json.dumps(found, ensure_ascii=False) if found else None for name, found in nested.items()}


_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


def _plain(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula: a leading mark gets an apostrophe, as OWASP advises."""
    formula = cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(cell)
    return "'" + cell if formula else cell
