"""Write a version to files that other tools read; JSON Lines that Kurabe exports, it imports again unchanged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from core.datasets.rows import Row, rejected_answer
from core.datasets.versions import rows_of
from core.errors import KurabeError

__all__ = ["EXPORT_FORMATS", "export_rows", "export_text"]

ExportFormat = Literal["jsonl", "csv", "chat", "prompt_completion", "preference", "alpaca"]


def _own(row: Row) -> dict[str, Any]:
    """Return a row as Kurabe's own JSON; empty fields are left out."""
    values = {"id": row.key, **{name: value for name, value in row.columns().items() if name != "key"}}
    own = {name: value for name, value in values.items() if value or name in ("question", "answer")}
    return own | {"gold": row.gold}


def _chat(row: Row) -> dict[str, Any]:
    messages = row.messages or [
        {"role": "user", "content": row.question},
        {"role": "assistant", "content": row.answer},
    ]
    return {"messages": messages}


def _prompt(row: Row) -> dict[str, Any]:
    return {"prompt": row.question, "completion": row.answer}


def _preference(row: Row) -> dict[str, Any] | None:
    """Return the pair as TRL reads it; a row without a rejected answer is none."""
    if not (rejected := rejected_answer(row.tags)):
        return None
    prompt = row.messages[:-1] or [{"role": "user", "content": row.question}]
    chosen, worse = ([{"role": "assistant", "content": text}] for text in (row.answer, rejected))
    return {"prompt": prompt, "chosen": chosen, "rejected": worse}


def _alpaca(row: Row) -> dict[str, Any]:
    return {"instruction": row.question, "input": "", "output": row.answer}


_JSON: dict[str, Callable[[Row], dict[str, Any] | None]] = {
    "jsonl": _own,
    "chat": _chat,
    "prompt_completion": _prompt,
    "preference": _preference,
    "alpaca": _alpaca,
}
EXPORT_FORMATS = ("jsonl", "csv", "chat", "prompt_completion", "preference", "alpaca")
"""Kurabe's own rows, a table for Excel, and what OpenAI, TRL and Axolotl read."""


def export_rows(version_id: str, kind: str = "jsonl", split: str | None = None) -> Iterator[bytes]:
    """Yield the file piece by piece; CSV begins with a byte order mark, so that Excel reads Japanese.

    Raises:
        KurabeError: ``datasets.unknown_export``, ``store.missing``.
    """
    if kind not in EXPORT_FORMATS:
        raise KurabeError("datasets.unknown_export", kind=kind, known=", ".join(EXPORT_FORMATS))
    if kind == "csv":
        yield from _csv(version_id, split)
        return
    for row in rows_of(version_id, split):
        if (line := _JSON[kind](row)) is not None:
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


def _plain(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula: a leading mark gets an apostrophe, as OWASP advises."""
    return "'" + cell if cell.startswith(("=", "+", "@", "\t", "\r")) else cell
