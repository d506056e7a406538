"""Value match: the fact that was asked for stands in the answer, however it is written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Language, Measured, Metric, yes_no
from ..text import contains_phrase, tokens, without_citations
from ..values import Quantity, quantities

_HEDGES = frozenset("about approximately around approx up to within at least most of from the a an".split())
_HEDGES_JA = re.compile(r"約|およそ|以内|以上|以下|未満|まで|から|程度|ほど|で|の|に|を|は|が|、|間")


def states_value(text: str, value: str, language: Language) -> bool:
    """Whether `text` contains `value` as a phrase or as equal quantities of the same language."""
    answer = without_citations(text)
    if contains_phrase(answer, value):
        return True
    wanted = quantities(value, language)
    if not wanted:
        return False
    given = {q.key for q in quantities(answer, language)}
    return {q.key for q in wanted} <= given and all(contains_phrase(answer, w) for w in _rest(value, wanted, language))


def _rest(value: str, found: list[Quantity], language: Language) -> list[str]:
    """Words of the value outside its quantities ("5 devices" → "devices"): they must be there too."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    for quantity in reversed(found):
        plain = plain[: quantity.start] + " " + plain[quantity.end :]
    if language == "ja":
        return [w for w in _HEDGES_JA.sub(" ", plain).split() if tokens(w)]
    return [w for w in tokens(plain) if w not in _HEDGES]


def rivals(case: Case, values: tuple[str, ...]) -> list[Quantity]:
    """Quantities in the answer of the expected kind that neither value, question nor reference holds.

    They are how a guess hedges ("12, 24 or 36 months"). Bare numbers are no rivals.
    """
    language = case.language
    wanted = [q for v in values for q in quantities(v, language)]
    kinds = {q.dimension for q in wanted if q.dimension}
    known = {q.key for q in wanted}
    for text in (case.question, without_citations(case.reference)):
        known |= {q.key for q in quantities(text, language)}
    given = quantities(without_citations(case.answer_text), language)
    return [q for q in given if q.dimension in kinds and q.key not in known]


@dataclass(frozen=True)
class ValueMatch(Metric):
    """1 when the answer states the expected value and no other value of its kind."""

    name: ClassVar[str] = "value_match"

    allow_rivals: bool = field(default=False, metadata={"help": "measures.field.value_match.allow_rivals.help"})
    """Accept an answer that names other values of the same kind beside the right one."""

    def score(self, case: Case) -> Measured:
        """Look for the value or one of its alternative spellings."""
        values = case.expected.values
        if not values:
            return Measured(None, "not_applicable_value")
        params = {"expected": values[0]}
        if not any(states_value(case.answer_text, v, case.language) for v in values):
            return yes_no(False, "value_missing", **params)
        if not self.allow_rivals and rivals(case, values):
            return yes_no(False, "value_among_others", **params)
        return yes_no(True, "value_found", **params)
