"""Field accuracy: the share of expected JSON fields that hold the right value."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from ..case import Case, Language, Measured, Metric
from ..text import normal
from ..values import quantities
from .json_valid import parse_json


def field_equal(given: Any, wanted: Any, language: Language) -> bool:
    """Equality of one field: numbers by value, text by normal form or quantity, lists and objects by parts."""
    if isinstance(wanted, bool) or isinstance(given, bool) or wanted is None or given is None:
        return given is wanted
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(field_equal(given[k], wanted[k], language) for k in wanted)
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(lambda g, w: field_equal(g, w, language), given, wanted))
    if isinstance(wanted, int | float) and isinstance(given, int | float | str):
        return _decimal(given) == Decimal(str(wanted))
    return isinstance(given, str | int | float) and _text_equal(str(given), str(wanted), language)


def _decimal(value: int | float | str) -> Decimal | None:
    try:
        return Decimal(str(value).replace(",", "").strip())
    except InvalidOperation:
        return None


def _text_equal(given: str, wanted: str, language: Language) -> bool:
    if normal(given) == normal(wanted):
        return True
    first, second = quantities(given, language), quantities(wanted, language)
    alone = len(first) == len(second) == 1
    return alone and bool(first[0].dimension) and first[0].key == second[0].key


@dataclass(frozen=True)
class FieldAccuracy(Metric):
    """Share of the expected fields that are present and right; an answer that is no JSON object scores 0."""

    name: ClassVar[str] = "field_accuracy"
    binary: ClassVar[bool] = False

    allow_fence: bool = field(default=True, metadata={"help": "measures.field.json_valid.allow_fence.help"})
    """Accept JSON inside one Markdown code fence."""

    def score(self, case: Case) -> Measured:
        """Compare field by field."""
        fields = case.expected.fields
        if not fields:
            return Measured(None, "not_applicable_fields")
        try:
            parsed = parse_json(case.answer_text, allow_fence=self.allow_fence)
        except ValueError as error:
            return Measured(0.0, "json_broken", {"detail": str(error)})
        if not isinstance(parsed, dict):
            return Measured(0.0, "json_no_object")
        wrong = [k for k, v in fields.items() if k not in parsed or not field_equal(parsed[k], v, case.language)]
        value = 1 - len(wrong) / len(fields)
        return Measured(value, "fields_wrong" if wrong else "fields_right", {"keys": ", ".join(wrong)})
