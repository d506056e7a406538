"""JSON: one array of objects, streamed; or an object that holds one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, TextIO

from core.datasets.encodings import judge_encoding
from core.datasets.readers._base import CELL_LIMIT, Reader, Source, decoding, object_source
from core.datasets.readers._json import DECODER, broken, raw_row
from core.datasets.readers.jsonl import lines_as_rows
from core.datasets.rows import RawRow
from core.errors import KurabeError

__all__ = ["JsonReader"]

_OBJECT_LIMIT = 64 << 20
_SPACE = " \t\r\n\ufeff"


class JsonReader(Reader):
    """Reads an array of objects element by element, and recognises JSON Lines under the wrong name."""

    name: ClassVar[str] = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def open(self, path: Path, encoding: str | None = None) -> Source:
        """See `Reader.open`."""
        judged = judge_encoding(path)
        chosen = encoding or judged.encoding
        with decoding(path, chosen), path.open(encoding=chosen) as file:
            first = file.read(1 << 16).lstrip(_SPACE)[:1]
        notes: list[dict[str, object]] = []

        def rows() -> Iterator[RawRow]:
            if first == "[":
                return _elements(path, chosen)
            return iter(found)

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
        text = path.read_text(encoding=encoding).strip(_SPACE)
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        notes.append({"code": "read_as_jsonl", "params": {}})
        return list(lines_as_rows(path, encoding))
    arrays = [name for name, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)]
    if len(arrays) == 1 and "messages" not in arrays and "conversations" not in arrays:
        notes.append({"code": "array_inside", "params": {"key": arrays[0]}})
        return [raw_row(number, item) for number, item in enumerate(value[arrays[0]], 1)]
    return [raw_row(1, value)]


def _elements(path: Path, encoding: str) -> Iterator[RawRow]:
    """Yield the elements of a top-level array; a broken one ends the file, because its end is not known."""
    with decoding(path, encoding), path.open(encoding=encoding) as file:
        stream = _Stream(file)
        stream.skip("[")
        number = 0
        while stream.more():
            if stream.peek() == "]":
                stream.skip("]")
                yield from _after_end(stream, number)
                return
            number += 1
            row = stream.element(number)
            yield row
            if row.problem is not None and row.problem.code not in ("not_object", "duplicate_key", "not_a_number"):
                return
            if stream.more() and stream.peek() == ",":
                stream.skip(",")
        yield broken(number + 1, "", ValueError("the array is not closed"))


def _after_end(stream: _Stream, number: int) -> Iterator[RawRow]:
    if stream.more():
        yield broken(number + 1, stream.buffer[stream.at : stream.at + 60], ValueError("text after the array"))


class _Stream:
    """A text file with a buffer that grows only as far as one element needs."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.buffer = ""
        self.at = 0

    def _fill(self) -> bool:
        piece = self.file.read(1 << 18)
        self.buffer = self.buffer[self.at :] + piece
        self.at = 0
        return bool(piece)

    def more(self) -> bool:
        """Skip white space; tell whether anything is left."""
        while True:
            while self.at < len(self.buffer) and self.buffer[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.buffer):
                return True
            if not self._fill():
                return False

    def peek(self) -> str:
        """Return the next character."""
        return self.buffer[self.at]

    def skip(self, character: str) -> None:
        """Pass over an expected character."""
        if self.more() and self.peek() == character:
            self.at += 1

    def element(self, number: int) -> RawRow:
        """Decode one element, reading on while it is incomplete and within the limit."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.buffer, self.at)
            except (ValueError, RecursionError) as error:
                if len(self.buffer) - self.at < CELL_LIMIT and not isinstance(error, RecursionError) and self._fill():
                    continue
                return broken(number, self.buffer[self.at : self.at + 60], error)
            if end == len(self.buffer) and self._fill():
                continue
            self.at = end
            return raw_row(number, value)
