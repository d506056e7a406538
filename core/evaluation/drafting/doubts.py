"""Why a person should look twice at a draft: what the passage does not say, what was asked before, what is missing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from core.datasets import holds_value, plain_key
from core.datasets.similarity import asks_the_same, bare_letters, distinctive, shingles
from core.datasets.words import figures_of

_ALIKE = 0.7
"""Similarity of character n-grams from which two wordings are nearly the same, as the checks of a dataset take it."""

_SAID = 0.6
"""Share of an answer's n-grams that a passage must hold where it does not hold the answer word for word."""

_POINTS = re.compile(
    r"\b(?:the|this|above|given) (?:passage|text|document|excerpt|paragraph|material|section)\b"
    r"|(?:この|上記の|上の|与えられた)(?:資料|文章|文書|本文|テキスト|段落)|(?:資料|本文|文章)に(?:よる|よれ|書かれ)",
    re.IGNORECASE,
)

Doubt = dict[str, Any]


class Known:
    """Wordings that there are already: those that differ in a name or number ask something else."""

    def __init__(self, questions: Iterable[str]) -> None:
        """Take questions up."""
        self._exact: dict[str, str] = {}
        self._named: dict[frozenset[str], list[tuple[set[str], str]]] = defaultdict(list)
        for question in questions:
            self.add(question)

    def add(self, question: str) -> None:
        """Take one question up."""
        key = plain_key(question)
        if key and key not in self._exact:
            self._exact[key] = question
            self._named[figures_of(question)].append((shingles(question), question))

    def like(self, question: str) -> str | None:
        """Return a question of the same or nearly the same wording, or None."""
        if (same := self._exact.get(plain_key(question))) is not None:
            return same
        grams = shingles(question)
        for other, words in self._named.get(figures_of(question), ()):
            alike = grams and len(grams & other) >= _ALIKE * len(grams | other)
            if alike and asks_the_same(question, words):
                return words
        return None


def doubts_of(draft: dict[str, str], source: dict[str, Any], known: Known) -> list[Doubt]:
    """Return what is doubtful about a draft, as ``{"code", "params"}`` of ``drafting.doubt.<code>``."""
    question, answer = draft["question"], draft["answer"]
    if not question:
        return [_doubt("no_question")]
    found: list[Doubt] = []
    if (same := known.like(question)) is not None:
        found.append(_doubt("asked_before", question=same[:300]))
    found += _of_passage(draft, str(source["text"])) if "text" in source else _of_rewording(question, source)
    if not answer:
        found.append(_doubt("no_answer"))
    return found


def _doubt(code: str, **params: str) -> Doubt:
    return {"code": code, "params": params}


def _of_passage(draft: dict[str, str], text: str) -> Iterable[Doubt]:
    question, answer, quote = draft["question"], draft["answer"], draft["quote"]
    if answer and not says(text, answer):
        yield _doubt("not_in_passage")
    if quote and plain_key(quote) not in plain_key(text):
        yield _doubt("quote_not_in_passage")
    if answer and holds_value(question, answer):
        yield _doubt("answer_in_question")
    if _POINTS.search(question):
        yield _doubt("points_to_passage")


def _of_rewording(question: str, source: dict[str, Any]) -> Iterable[Doubt]:
    missing = _names(str(source["question"])) ^ _names(question)
    if missing:
        yield _doubt("names_differ", names=", ".join(sorted(missing)))


def _names(question: str) -> set[str]:
    """Names and figures of a question, its first word aside: every sentence begins with a capital letter."""
    return {name for name in distinctive(question) if not question.strip().casefold().startswith(name)}


def says(text: str, answer: str) -> bool:
    """Tell whether a passage says an answer: word for word, else all its names and figures and most of its letters."""
    if holds_value(text, answer) or plain_key(answer) in plain_key(text):
        return bool(plain_key(answer))
    grams = shingles(answer)
    names = all(plain_key(name) in plain_key(text) for name in distinctive(answer))
    return names and bool(grams) and len(grams & shingles(text)) >= _SAID * len(grams)


_SENTENCE = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+|\n+")


_LETTER = re.compile(r"\s*\S[\u0300-\u036f\u3099\u309a\uff9e\uff9f]*")
"""A letter with the marks that belong to it: half-width ｶﾞ is one letter when it is compared."""


def gold_quote(text: str, quote: str, answer: str) -> str:
    """Return the words of a passage that hold an answer: those that the model quotes, else a sentence; or ""."""
    if words := words_of(text, quote):
        return words
    sentences = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    return next((part for part in sentences if answer and holds_value(part, answer)), "")


def words_of(text: str, quote: str) -> str:
    """Return a quote as the passage spells it, or "" if it does not stand there; an index finds no other spelling.

    Models and people copy with other quotation marks, brackets, dashes and letter case than the passage has.
    """
    bare = quote.strip()
    if not bare_letters(bare) or bare in text:
        return bare if bare_letters(bare) else ""
    letters = [(match.span(), bare_letters(match.group())) for match in _LETTER.finditer(text)]
    begin = "".join(key for _, key in letters).find(bare_letters(bare))
    if begin < 0:
        return ""
    spans, place, end = [], 0, begin + len(bare_letters(bare))
    for span, key in letters:
        if key and place < end and place + len(key) > begin:
            spans.append(span)
        place += len(key)
    return text[spans[0][0] : spans[-1][1]].strip()
