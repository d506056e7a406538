"""The elements of a JSON array, one by one in bounded memory; a broken one is named and the next one read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from core.datasets.cells import shown
from core.datasets.readers._base import CELL_LIMIT, decoding
from core.datasets.readers._json import DECODER, broken, raw_row, too_long
from core.datasets.rows import Problem, RawRow

__all__ = ["SPACE", "elements_as_rows"]

SPACE = " \t\r\n\ufeff"
_PIECE = 1 << 18
_STRUCTURE = re.compile(r'["\\\[\]{},]')


def elements_as_rows(path: Path, encoding: str) -> Iterator[RawRow]:
    """Yield the elements of a top-level array; numbers count from 1."""
    with decoding(path, encoding), path.open(encoding=encoding) as file:
        stream = _Stream(file)
        stream.skip("[")
        number = 0
        while stream.more():
            if stream.peek() == "]":
                stream.skip("]")
                if stream.more():
                    yield broken(number + 1, stream.rest(), ValueError("text after the array"))
                return
            number += 1
            yield (row := stream.element(number))
            if row.problem is not None and not stream.more():
                return  # the broken element reached to the end of the file
            stream.skip(",")
        yield RawRow(number + 1, {}, Problem(number + 1, "", "rest_unread", "", "closed_array"))


class _Stream:
    """A text file with a buffer that grows only as far as one element needs."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.buffer = ""
        self.at = 0

    def _fill(self) -> bool:
        """Read on; twice as much each time, so that a long element is not searched again for every little piece."""
        self.buffer = self.buffer[self.at :]
        self.at = 0
        piece = self.file.read(max(_PIECE, len(self.buffer)))
        self.buffer += piece
        return bool(piece)

    def more(self) -> bool:
        """Skip white space; tell whether anything is left."""
        while True:
            while self.at < len(self.buffer) and self.buffer[self.at] in SPACE:
                self.at += 1
            if self.at < len(self.buffer):
                return True
            if not self._fill():
                return False

    def peek(self) -> str:
        """Return the next character."""
        return self.buffer[self.at]

    def rest(self) -> str:
        """Return the beginning of what comes next."""
        return self.buffer[self.at : self.at + 60]

    def skip(self, character: str) -> None:
        """Pass over a character if it comes next."""
        if self.more() and self.peek() == character:
            self.at += 1

    def element(self, number: int) -> RawRow:
        """Decode one element, reading on while it is incomplete and within the limit."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.buffer, self.at)
            except (ValueError, RecursionError) as error:
                text = self.rest()
                if len(self.buffer) - self.at <= CELL_LIMIT and not self._has_end() and self._fill():
                    continue
                return self._passed_over(number, text, error)
            if end == len(self.buffer) and self._fill():
                continue
            text, length, self.at = self.rest(), end - self.at, end
            return too_long(number, text) if length > CELL_LIMIT else raw_row(number, value)

    def _has_end(self) -> bool:
        return _End().find(self.buffer, self.at) is not None

    def _passed_over(self, number: int, text: str, error: Exception) -> RawRow:
        """Go on behind a broken element, where its brackets are balanced, however long it is."""
        end, length = _End(), 0
        while (found := end.find(self.buffer, self.at)) is None:
            length += len(self.buffer) - self.at
            self.at = len(self.buffer)
            if not self._fill():
                if isinstance(error, RecursionError):
                    return broken(number, text, error)
                return RawRow(number, {}, Problem(number, "", "rest_unread", shown(text, 60), "closed_array"))
        length += found - self.at
        self.at = found
        if length > CELL_LIMIT:
            return too_long(number, text)
        return broken(number, text, error)


class _End:
    """Finds where an element ends: at a comma or bracket outside of its own brackets and strings."""

    def __init__(self) -> None:
        self.depth = 0
        self.quoted = False
        self.skip = 0

    def find(self, text: str, start: int) -> int | None:
        """Return the place of the end, or None if it comes in a later piece; call again with that piece."""
        at = start + self.skip
        while (found := _STRUCTURE.search(text, at)) is not None:
            at = found.end()
            mark = found[0]
            if mark == "\\":
                at += 1
            elif mark == '"':
                self.quoted = not self.quoted
            elif self.quoted:
                continue
            elif mark in "[{":
                self.depth += 1
            elif self.depth == 0 and mark != "}":  # a brace too many ends no element: nobody would get past it
                return found.start()
            elif mark in "]}":
                self.depth = max(0, self.depth - 1)
        self.skip = max(0, at - len(text))
        return None
