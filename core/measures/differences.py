"""What one text says that another does not, word by word; characters stand for words in Japanese and Chinese."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

from .text import word_spans

__all__ = ["Piece", "changed_lines", "differences", "new_words"]

_TOO_SHORT = 2
"""Equal words between two changes below which the changes are shown as one: single shared letters are chance."""

_SENTENCE = re.compile(r"\n+|(?<=[。\uff01\uff1f])|(?<=[.!?])\s+(?=\S)")
"""Where a document's sentences and lines end."""

_LONG = 400
"""Words from which differences are approximate."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text as it stands."""

    text: str
    new: bool
    """Whether the other text does not have it at this place."""


def differences(before: str, after: str) -> list[Piece]:
    """Return `after` in pieces, those marked that `before` does not have; together they are `after` to the letter.

    Case and width of letters do not count as differences, nor do spaces and punctuation.
    """
    spans = word_spans(after)
    if not spans or before == after:
        return [Piece(after, False)] if after else []
    changed = _changed([_folded(before[a:b]) for a, b in word_spans(before)], [_folded(after[a:b]) for a, b in spans])
    pieces: list[Piece] = []
    at = 0
    for first, last in changed:
        start, stop = spans[first][0], spans[last - 1][1]
        pieces += [Piece(after[at:start], False), Piece(after[start:stop], True)]
        at = stop
    pieces.append(Piece(after[at:], False))
    return [piece for piece in pieces if piece.text]


def new_words(before: str, after: str) -> list[str]:
    """Return what `after` says at places where `before` says something else, a figure with the word that follows it.

    A figure alone proves nothing: 8 is in many sentences, "8 times" and 8回 are in few.
    """
    pieces = differences(before, after)
    found = []
    for piece, following in zip(pieces, [*pieces[1:], Piece("", False)], strict=True):
        if piece.new:
            unit = word_spans(following.text)[:1] if piece.text[-1:].isdigit() else []
            found.append(piece.text + (following.text[: unit[0][1]] if unit else ""))
    return found


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """Return the sentences and lines that differ, as (before, after); one side is empty where some came or went."""
    old, new = ([part.strip() for part in _SENTENCE.split(text) if part.strip()] for text in (before, after))
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if b - a == d - c:
            found += list(zip(old[a:b], new[c:d], strict=True))
        else:
            found.append(("\n".join(old[a:b]), "\n".join(new[c:d])))
    return found


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _changed(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """Return the ranges of words in `after` that are new, those with next to nothing between them joined."""
    found: list[tuple[int, int]] = []
    # in long texts words that come again and again are no anchors: comparing them all takes seconds
    matcher = SequenceMatcher(None, before, after, autojunk=max(len(before), len(after)) > _LONG)
    for kind, _, _, start, stop in matcher.get_opcodes():
        if kind in ("equal", "delete"):
            continue
        near = found and start - found[-1][1] < _TOO_SHORT
        found = [*found[:-1], (found[-1][0], stop)] if near else [*found, (start, stop)]
    return found
