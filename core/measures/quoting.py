"""Which passages an answer used: those it cites, and those whose words or values it says again.

Nobody can look into a model. What is found here is where a reader should look first: an answer may use a passage
without repeating it, and two passages may say the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from .case import Language
from .text import citations, without_citations, word_spans
from .values import Quantity, quantities

__all__ = ["PassageUse", "passages_used"]

_ENOUGH = 6
"""Weight from which a run of equal words is no chance: three words, or six characters of Japanese."""

_ENOUGH_WITH_FIGURE = 4
"""Weight that suffices where a figure is among the words: 24 months, AB-200."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005]")
_CJK_TELLING = re.compile(r"[\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
"""Kanji and katakana: hiragana mostly holds the grammar, which every sentence has."""

_TELLING_LETTERS = 4
"""Letters from which a Latin word is likely to mean something of its own."""

_FEWEST_TO_COMPARE = 3
"""Passages from which words that most of them hold count as the documents' way of writing."""

_FEWEST_DIGITS = 3
"""Digits from which a figure without a unit is no chance."""


@dataclass(frozen=True, slots=True)
class PassageUse:
    """What one answer has of one passage."""

    cited: bool = False
    """Whether the answer names the passage's number."""
    spans: tuple[tuple[int, int], ...] = ()
    """Characters of the passage, from and up to, that the answer says again; in order, apart from each other."""

    @property
    def used(self) -> bool:
        """Whether the answer cites the passage or repeats something of it."""
        return self.cited or bool(self.spans)


def passages_used(
    answer: str, passages: Sequence[str], language: Language, *, question: str = "", numbered: bool = True
) -> list[PassageUse]:
    """Return for each passage, in order, what the answer has of it.

    Args:
        answer: the answer as it stands, citations such as ``[2]`` included.
        passages: texts as the model saw them; the first one is number 1.
        language: in which values (numbers with units, dates, money) are read.
        question: what was asked; an answer that repeats only the question has used no passage.
        numbered: whether the model saw the numbers, so that ``[1]`` is a citation.
    """
    cited = set(citations(answer)) if numbered else set()
    said = without_citations(answer)
    words, known = _words(said), set(_words(question)) | _common(passages)
    values = {q.key for q in quantities(said, language) if _distinct(q, said)}
    values -= {q.key for q in quantities(question, language)}
    return [
        PassageUse(number in cited, _merged([*_runs(words, text, known), *_same_values(values, text, language)]))
        for number, text in enumerate(passages, 1)
    ]


def _common(passages: Sequence[str]) -> set[str]:
    """Return the words of most passages: they are how these documents are written, not what one of them says."""
    if len(passages) < _FEWEST_TO_COMPARE:
        return set()
    counts = Counter(word for passage in passages for word in set(_words(passage)))
    return {word for word, count in counts.items() if count > len(passages) / 2}


def _words(text: str) -> list[str]:
    return [_folded(text[start:stop]) for start, stop in word_spans(text)]


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _runs(answer: Sequence[str], passage: str, known: set[str]) -> list[tuple[int, int]]:
    """Return where the passage says words in the order in which the answer says them, and long enough to mean it."""
    places = word_spans(passage)
    words = [_folded(passage[start:stop]) for start, stop in places]
    starts: dict[tuple[str, str], list[int]] = {}
    for at in range(len(answer) - 1):
        starts.setdefault((answer[at], answer[at + 1]), []).append(at)
    found, at = [], 0
    while at < len(words) - 1:
        length = max((_equal(answer, i, words, at) for i in starts.get((words[at], words[at + 1]), ())), default=0)
        if length and _tells(words[at : at + length], known):
            found.append((places[at][0], places[at + length - 1][1]))
            at += length
        else:
            at += 1
    return found


def _equal(answer: Sequence[str], i: int, words: Sequence[str], at: int) -> int:
    """Return how many words are equal from two places on."""
    length = 0
    while i + length < len(answer) and at + length < len(words) and answer[i + length] == words[at + length]:
        length += 1
    return length


def _tells(run: Sequence[str], known: set[str]) -> bool:
    """Tell whether a run is long enough and says something that the question did not say already."""
    new = [word for word in run if word not in known]
    figure = any(word[0].isdigit() for word in new)
    weight = sum(1 if _CJK.fullmatch(word) else 2 for word in run)
    return weight >= (_ENOUGH_WITH_FIGURE if figure else _ENOUGH) and any(map(_telling, new))


def _telling(word: str) -> bool:
    return word[0].isdigit() or bool(_CJK_TELLING.search(word)) or (len(word) >= _TELLING_LETTERS and word.isascii())


def _distinct(quantity: Quantity, text: str) -> bool:
    """Tell whether a value is no chance: it has a unit, or several digits."""
    written = unicodedata.normalize("NFKC", text).casefold()[quantity.start : quantity.end]
    return bool(quantity.dimension) or sum(char.isdigit() for char in written) >= _FEWEST_DIGITS


def _same_values(values: AbstractSet[tuple[str, object]], passage: str, language: Language) -> list[tuple[int, int]]:
    """Return where the passage says one of the values, in whatever spelling."""
    if not values:
        return []
    origin = _origins(passage)
    found = [q for q in quantities(passage, language) if q.key in values]
    if origin is None:
        return []
    return [(origin[q.start], origin[q.end - 1] + 1) for q in found if q.end <= len(origin)]


def _origins(text: str) -> list[int] | None:
    """Return for each character of the matched form where it stands in the text; None where that cannot be told.

    Letters that only their neighbours complete (a kana and its separate voicing mark) change their number.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    origin = [at for at, char in enumerate(text) for _ in unicodedata.normalize("NFKC", char).casefold()]
    return origin if len(origin) == len(plain) else None


def _merged(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return spans in order, those that touch joined."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)
