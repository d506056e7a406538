"""JSON Lines as a document: records with a text become sections, plain records the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from core.datasets.cells import shown
from core.datasets.encodings import judge_encoding
from core.datasets.readers._json import DECODER
from core.errors import KurabeError
from core.identity import match_key
from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, stem, table_lines

__all__ = ["JsonLinesDocumentReader"]

_TITLES = ("title", "heading", "subject", "question", "タイトル", "題名", "見出し", "件名", "質問")
_TEXTS = (
    "text",
    "content",
    "contents",
    "body",
    "page_content",
    "passage",
    "answer",
    "本文",
    "内容",
    "テキスト",
    "回答",
)


class JsonLinesDocumentReader(DocumentReader):
    """Reads JSON Lines; a line that cannot be read is named, since what it says would be missing in every search."""

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    media_type: ClassVar[str] = "application/jsonl"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        records = list(_records(data.decode(judge_encoding(data, name).encoding), name))
        if any(_named(record, _TEXTS) for record in records) or not all(map(_plain, records)):
            return ParsedDocument(stem(name), cleaned("\n\n".join(filter(None, map(_section, records)))))
        columns = list(dict.fromkeys(key for record in records for key in record))
        rows = [[_words(record.get(key)) for key in columns] for record in records]
        return ParsedDocument(stem(name), cleaned("\n".join(table_lines([columns, *rows]))) if columns else "")


def _records(text: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the object of every line that is not empty; a text alone is a record of nothing but it."""
    for number, line in enumerate(text.split("\n"), 1):  # by line feeds alone: JSON may hold other breaks in its texts
        if not (said := line.strip("\r\t \ufeff")):
            continue
        try:
            value = DECODER.decode(said)
        except (ValueError, RecursionError) as error:
            detail = shown(f"{number}: {error}")
            raise KurabeError("knowledge.broken_document", name=name, detail=detail) from error
        yield value if isinstance(value, dict) else {"text": value}


def _named(record: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the first key of a record that has one of these names and a text."""
    said = (key for key in record if match_key(key) in names)
    return next((key for key in said if isinstance(record[key], str) and record[key].strip()), "")


def _plain(record: dict[str, Any]) -> bool:
    return not any(isinstance(value, (list, dict)) for value in record.values())


def _section(record: dict[str, Any]) -> str:
    """Return a record as a section: its title above, its text, and under them what else it says."""
    title, text = _named(record, _TITLES), _named(record, _TEXTS)
    rest = [f"- {key}: {_words(value)}" for key, value in record.items() if key not in (title, text) and _words(value)]
    head = f"## {' '.join(record[title].split())}" if title else ""
    said = record[text] if text else ""
    return "\n\n".join(part for part in (head, said, "\n".join(rest)) if part)


def _words(value: Any) -> str:
    """Return a value as a reader would write it on one line."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(map(str, value))
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
