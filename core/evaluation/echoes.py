"""Which answers follow a change, and which repeat what was true before it, or when the training data was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.approaches import Changed
from core.datasets import example, holds_value, taught_answers
from core.datasets.similarity import distinctive
from core.errors import KurabeError
from core.measures.differences import new_words
from core.store import tables as tb

Says = Literal["after", "before", "taught"]
"""After: what holds now · before: what the document said before · taught: what was true at training time."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What an answer repeats."""

    says: Says
    words: str
    """The words that tell."""


def echo(row: tb.Answer, changed: Changed | None = None) -> Echo | None:
    """Tell whether an answer follows a change or repeats what held before it; None where nothing tells.

    A changed line counts if the document names what the question names and the answer has the words that only one of
    its versions has. Without a change, the training rows about the question's fact are held against its reference.
    """
    if row.status != "finished" or not row.text.strip():
        return None
    asked = _asked(row)
    taught = taught_answers(asked) if asked is not None else []
    if changed is not None and changed.lines and changed.document:
        found = _of_change(row, changed)
        if found is not None and found.says == "before" and _all(found.words, taught):
            return Echo("taught", found.words)
        if found is not None:
            return found
    return _of_training(row, asked, taught) if asked is not None else None


def _asked(row: tb.Answer) -> tb.Example | None:
    if row.example_id is None:
        return None
    try:
        return example(row.example_id)
    except KurabeError:
        return None  # the dataset was deleted since


def _all(words: str, texts: Sequence[str]) -> bool:
    """Whether most of the texts hold the words."""
    return 2 * sum(holds_value(text, words) for text in texts) > len(texts)


def _of_change(row: tb.Answer, changed: Changed) -> Echo | None:
    whole = unicodedata.normalize("NFKC", f"{changed.title}\n{changed.text}").casefold()
    if not all(name in whole for name in distinctive(row.question)):
        return None
    for before, after in changed.lines:
        new, old = new_words(before, after), new_words(after, before)
        for says, words in (("after", new), ("before", old)):
            if words and all(holds_value(row.text, word) for word in words):
                return Echo("after" if says == "after" else "before", ", ".join(words))
    return None


def _of_training(row: tb.Answer, asked: tb.Example, taught: Sequence[str]) -> Echo | None:
    """Whether the answer has what the training rows say and the reference does not."""
    if not asked.value or holds_value(row.text, asked.value):
        return None
    for said in taught:
        words = new_words(asked.answer, said)
        stale = words and not holds_value(said, asked.value)
        if stale and all(holds_value(row.text, word) for word in words):
            return Echo("taught", ", ".join(words))
    return None
