"""A text under construction that remembers where its marked pieces stand."""

from __future__ import annotations

import re
from functools import lru_cache

from core.starter.conversation import Span

_FIELD = re.compile(r"(\{[pvea<>]\})")


@lru_cache(maxsize=200_000)
def _pieces(template: str) -> tuple[str, ...]:
    return tuple(piece for piece in _FIELD.split(template) if piece)


class Text:
    """The content of one message, written piece by piece."""

    def __init__(self, message: int) -> None:
        """Starts an empty content of message number ``message``."""
        self.message = message
        self.size = 0
        self._parts: list[str] = []

    def add(self, text: str) -> Span:
        """Appends text and tells where it stands."""
        start = self.size
        self._parts.append(text)
        self.size += len(text)
        return Span(self.message, start, self.size)

    def since(self, start: int) -> Span:
        """The span from ``start`` to the present end."""
        return Span(self.message, start, self.size)

    def fill(self, template: str, **fields: str) -> dict[str, Span]:
        """Appends a template with its fields; "{<}" and "{>}" enclose the span named "a"."""
        spans: dict[str, Span] = {}
        opened = 0
        for piece in _pieces(template):
            if piece == "{<}":
                opened = self.size
            elif piece == "{>}":
                spans["a"] = self.since(opened)
            elif len(piece) == 3 and piece[0] == "{" and piece[1] in fields:
                spans[piece[1]] = self.add(fields[piece[1]])
            else:
                self.add(piece)
        return spans

    def text(self) -> str:
        """The whole content so far."""
        return "".join(self._parts)
