"""JSON: one array of objects, streamed; or an object that holds one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from core.datasets.encodings import encoding_of
from core.datasets.readers._base import Reader, Source, decoding, object_source
from core.datasets.readers._elements import SPACE, elements_as_rows
from core.datasets.readers._json import DECODER, raw_row
from core.datasets.readers.jsonl import lines_as_rows
from core.datasets.rows import RawRow
from core.errors import KurabeError

__all__ = ["JsonReader"]

_OBJECT_LIMIT = 64 << 20


class JsonReader(Reader):
    """Reads an array of objects element by element, and recognises JSON Lines under the wrong name."""

    name: ClassVar[str] = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        judged = encoding_of(path, encoding)
        chosen = judged.encoding
        with decoding(path, chosen), path.open(encoding=chosen) as file:
            first = file.read(1 << 16).lstrip(SPACE)[:1]
        notes: list[dict[str, object]] = []

        def rows() -> Iterator[RawRow]:
            return elements_as_rows(path, chosen) if first == "[" else iter(found)

        found: list[RawRow] = []
        if first == "{":
            found = _from_object(path, chosen, notes)
        elif first != "[":
            raise KurabeError("datasets.not_json", name=path.name, found=first)
        return object_source(rows, chosen, judged.alternatives, notes)


def _from_object(path: Path, encoding: str, notes: list[dict[str, object]]) -> list[RawRow]:
    """Take the one array of objects inside an object, or the lines of JSON Lines."""
    if path.stat().st_size > _OBJECT_LIMIT:
        raise KurabeError("datasets.json_too_large", name=path.name, limit_mb=_OBJECT_LIMIT >> 20)
    with decoding(path, encoding):
        text = path.read_text(encoding=encoding).strip(SPACE)
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        notes.append({"code": "read_as_jsonl", "params": {}})
        return list(lines_as_rows(path, encoding))
    return _rows_inside(path.name, value, notes)


def _rows_inside(name: str, value: dict[str, Any], notes: list[dict[str, object]]) -> list[RawRow]:
    arrays = [key for key, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)]
    if not arrays or "messages" in arrays or "conversations" in arrays or "question" in value:
        return [raw_row(1, value)]
    if len(arrays) > 1:
        raise KurabeError("datasets.several_arrays", name=name, keys=", ".join(arrays))
    items = value[arrays[0]]
    if "paragraphs" in items[0]:
        notes.append({"code": "squad_inside", "params": {}})
        return [raw_row(number, item) for number, item in enumerate(_squad(items), 1)]
    notes.append({"code": "array_inside", "params": {"key": arrays[0]}})
    return [raw_row(number, item) for number, item in enumerate(items, 1)]


def _squad(articles: list[Any]) -> Iterator[Any]:
    """Flatten SQuAD as published: articles of paragraphs of questions; what has another form is yielded as it is."""
    for article in articles:
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        for paragraph in paragraphs if isinstance(paragraphs, list) else [article]:
            asked = paragraph.get("qas") if isinstance(paragraph, dict) else None
            for question in asked if isinstance(asked, list) else [paragraph]:
                yield _squad_row(article, paragraph, question)


def _squad_row(article: Any, paragraph: Any, question: Any) -> Any:
    if not isinstance(question, dict) or question is article or question is paragraph:
        return question
    kept = {key: item for key, item in question.items() if key in ("id", "question")}
    answers = question.get("answers")
    if isinstance(answers, list) and all(isinstance(answer, dict) for answer in answers):
        answers = {"text": [answer.get("text") for answer in answers]}
    return {**kept, "title": article.get("title"), "context": paragraph.get("context"), "answers": answers}
