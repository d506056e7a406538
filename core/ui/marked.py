"""Text of models and documents with some of its words on a coloured ground, shown as it stands otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.measures.differences import Piece, differences
from core.ui.parts import plain

__all__ = ["highlighted_text", "left_out_text", "marked_text"]


_GLANCE = 160
"""Characters of what another text says that are shown beside a text."""


def marked_text(before: str, after: str) -> str:
    """Return Markdown that shows a text as it stands, with what another text does not say on a coloured ground."""
    return _markdown(differences(before, after))


def left_out_text(before: str, after: str) -> str:
    """Return, as Markdown, what another text says at places where this one says something else or nothing.

    The words stand in their order; those that would fill more than a glance are cut off.
    """
    words = [" ".join(piece.text.split()) for piece in differences(after, before) if piece.new]
    shown = " … ".join(words)
    return plain(shown if len(shown) <= _GLANCE else f"{shown[:_GLANCE].rstrip()}…")


def highlighted_text(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return Markdown that shows a text as it stands, with some of its characters on a coloured ground.

    Args:
        text: any text; its own Markdown and HTML are shown as signs.
        spans: characters from and up to, in order, apart from each other.
    """
    pieces, at = [], 0
    for start, stop in spans:
        pieces += [Piece(text[at:start], False), Piece(text[start:stop], True)]
        at = stop
    return _markdown([*pieces, Piece(text[at:], False)])


def _markdown(pieces: Iterable[Piece]) -> str:
    lines: list[list[str]] = [[]]
    for piece in pieces:
        for number, line in enumerate(piece.text.split("\n")):
            if number:
                lines.append([])
            if line.strip():
                # the colour's brackets must hold no space at their ends, or Markdown does not see them
                inner = plain(line)
                lead, tail = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
                if not lines[-1]:
                    lead = "\u00a0" * len(lead)  # spaces at the beginning would make it a block of code
                lines[-1].append(f"{lead}:blue-background[{inner}]{tail}" if piece.new else f"{lead}{inner}{tail}")
            else:
                lines[-1].append(line)
    return "  \n".join("".join(line) for line in lines)
