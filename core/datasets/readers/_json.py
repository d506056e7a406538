"""JSON values with the checks that a careful reader makes: no doubled keys, no NaN, no bottomless nesting."""

from __future__ import annotations

import json
import math
from typing import Any

from core.datasets.cells import shown
from core.datasets.rows import Problem, RawRow

__all__ = ["DECODER", "broken", "raw_row", "too_long"]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DoubledKeyError(twice)
    return value


def _constant(name: str) -> Any:
    raise ConstantError(name)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # 1e999
        raise ConstantError(text[:40])
    return value


class DoubledKeyError(ValueError):
    """An object names a key twice: one of the values would be lost."""


class ConstantError(ValueError):
    """NaN or Infinity, which JSON does not have."""


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_number)
"""Decoder that refuses what plain ``json`` takes over in silence."""


def broken(number: int, text: str, error: Exception) -> RawRow:
    """Return a row with the problem that decoding it met."""
    text = shown(text)
    if isinstance(error, DoubledKeyError):
        key = shown(str(error))
        problem = Problem(number, key, "duplicate_key", key, "unique_keys")
    elif isinstance(error, ConstantError):
        problem = Problem(number, "", "not_a_number", str(error), "json_number")
    elif isinstance(error, RecursionError):
        problem = Problem(number, "", "too_deep", text[:60], "object")
    else:
        place = f"{text[:60]} ({str(error)[:120]})"
        problem = Problem(number, "", "not_json", place, "object")
    return RawRow(number, {}, problem)


def too_long(number: int, text: str) -> RawRow:
    """Return a row that is longer than Kurabe reads."""
    return RawRow(number, {}, Problem(number, "", "too_long", shown(text, 60), "cell_limit"))


def raw_row(number: int, value: Any) -> RawRow:
    """Return the row of a decoded value, which must be an object."""
    if isinstance(value, dict):
        return RawRow(number, value)
    found = shown(json.dumps(value, ensure_ascii=False))
    return RawRow(number, {}, Problem(number, "", "not_object", found, "object"))
