"""Correct: the primary metric; asks of each answer what its question asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from ..expectation import Expectation
from ..text import abstains, contains_phrase, normal, tokens
from .category import Category
from .field_accuracy import FieldAccuracy
from .json_valid import JsonValid
from .token_f1 import overlap
from .value_match import ValueMatch

_SENTENCE_END = re.compile(r"[。！？]+|[.!?]+(?=\s|$)")


@dataclass(frozen=True)
class Correct(Metric):
    """1 when the answer does what was asked, 0 otherwise; every question counts the same.

    By what the example expects: no answer exists → it says so; JSON → valid and every field right;
    category → the right code; value → the value and no rival, without declining; reference only →
    the same text or enough of its words. Phrases that the house rules demand or forbid, and the
    length they allow, count as well.
    """

    name: ClassVar[str] = "correct"

    text_overlap: float = field(default=0.6, metadata={"help": "measures.field.correct.text_overlap.help"})
    """Token F1 from which an answer counts as right when nothing but a reference is known."""

    def score(self, case: Case) -> Measured:
        """Check the house rules, then what is expected."""
        if not case.answer_text.strip():
            return yes_no(False, "empty_answer")
        expected = case.expected
        return self._rules(case, expected) or self._content(case, expected)

    def _rules(self, case: Case, expected: Expectation) -> Measured | None:
        for phrase in expected.contains:
            if not contains_phrase(case.answer_text, phrase):
                return yes_no(False, "phrase_missing", phrase=phrase)
        for phrase in expected.contains_not:
            if contains_phrase(case.answer_text, phrase):
                return yes_no(False, "phrase_forbidden", phrase=phrase)
        if expected.max_sentences and sentences(case.answer_text) > expected.max_sentences:
            return yes_no(False, "too_long", most=expected.max_sentences)
        return None

    def _content(self, case: Case, expected: Expectation) -> Measured:
        declined = abstains(case.answer_text)
        if expected.kind == "abstain":
            return yes_no(declined, "declined_rightly" if declined else "answered_without_source")
        if expected.kind == "json":
            return self._json(case, expected)
        if expected.kind == "category":
            return Category().score(case)
        if declined and not abstains(case.reference):
            return yes_no(False, "declined_needlessly")
        return ValueMatch().score(case) if expected.kind == "value" else self._text(case)

    def _json(self, case: Case, expected: Expectation) -> Measured:
        valid = JsonValid().score(case)
        if valid.value != 1:
            return valid
        if not expected.fields:
            # only keys or a schema are known: the value must stand in one of the fields
            return ValueMatch().score(case) if expected.values else valid
        fields = FieldAccuracy().score(case)
        return yes_no(fields.value == 1, fields.reason, **fields.params)

    def _text(self, case: Case) -> Measured:
        if not tokens(case.reference):
            return Measured(None, "not_applicable_reference")
        if normal(case.answer_text) == normal(case.reference):
            return yes_no(True, "same_text")
        f1 = overlap(case.answer_text, case.reference)[2]
        reason = "text_close" if f1 >= self.text_overlap else "text_far"
        return yes_no(f1 >= self.text_overlap, reason, overlap=round(f1, 3), needed=self.text_overlap)


def sentences(text: str) -> int:
    """Number of sentences, by their closing marks; text without one is one sentence."""
    return max(1, sum(1 for part in _SENTENCE_END.split(text) if part.strip(" []［］0123456789\n")))
