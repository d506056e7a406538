"""Answer language: the answer is written in the language of its reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Language, Measured, Metric, yes_no
from ..text import without_citations

_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}(?![\w-]*\d)")
_FEWEST_WORDS = 3


def language_of(text: str, least: float) -> Language | None:
    """Return the language that a text is written in by its letters; None where they do not tell.

    A name, a unit or a code in Latin letters stands in Japanese answers too: English takes a few words.

    Args:
        text: Any text.
        least: Share of Japanese letters from which a text counts as Japanese.
    """
    japanese, words = len(_JAPANESE.findall(text)), _WORD.findall(text)
    if japanese >= 2 and japanese / (japanese + sum(map(len, words))) >= least:
        return "ja"
    return "en" if len(words) >= _FEWEST_WORDS else None


@dataclass(frozen=True)
class AnswerLanguage(Metric):
    """1 when the answer is written in the language of the reference (without one: of the question)."""

    name: ClassVar[str] = "answer_language"

    japanese_share: float = field(default=0.2, metadata={"help": "measures.field.answer_language.japanese_share.help"})
    """Share of Japanese letters from which a text counts as Japanese."""

    def score(self, case: Case) -> Measured:
        """Compare scripts; a bare number, code or name has no language to judge."""
        share = self.japanese_share
        wanted = language_of(case.reference, share) or (None if case.reference else language_of(case.question, share))
        given = language_of(without_citations(case.answer_text), share)
        if wanted is None or given is None:
            return Measured(None, "not_applicable_language")
        return yes_no(given == wanted, "language_right" if given == wanted else "language_wrong")
