"""Answer language: the answer is written in the language of its reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Language, Measured, Metric, yes_no
from ..text import without_citations

_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def language_of(text: str, least: float) -> Language | None:
    """Return the language that a text is written in by its letters; None where there are too few to tell.

    Args:
        text: Any text; names and units in Latin letters are usual in Japanese.
        least: Share of Japanese letters from which a text counts as Japanese.
    """
    japanese, latin = len(_JAPANESE.findall(text)), len(_LATIN.findall(text))
    if japanese + latin < 4:
        return None
    return "ja" if japanese / (japanese + latin) >= least else "en"


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
