"""JSON values with the checks that a careful reader makes: no doubled keys, no NaN, no bottomless nesting."""

from __future__ import annotations

import json
from typing import Any

from core.datasets.rows import Problem, RawRow

__all__ = ["DECODER", "broken", "raw_row"]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DoubledKeyError(twice)
    return value


def _constant(name: str) -> Any:
    raise ConstantError(name)


class DoubledKeyError(ValueError):
    """An object names a key twice: one of the values would be lost."""


class ConstantError(ValueError):
    """NaN or Infinity, which JSON does not have."""


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
"""Decoder that refuses what plain ``json`` takes over in silence."""


def broken(number: int, text: str, error: Exception) -> RawRow:
    """Return a row with the problem that decoding it met."""
    if isinstance(error, DoubledKeyError):
        problem = Problem(number, str(error), "duplicate_key", str(error), "unique_keys")
    elif isinstance(error, ConstantError):
        problem = Problem(number, "", "not_a_number", str(error), "json_number")
    elif isinstance(error, RecursionError):
        problem = Problem(number, "", "too_deep", text[:60], "object")
    else:
        place = f"{text[:60]} ({error})"
        problem = Problem(number, "", "not_json", place, "object")
    return RawRow(number, {}, problem)


def raw_row(number: int, value: Any) -> RawRow:
    """Return the row of a decoded value, which must be an object."""
    if isinstance(value, dict):
        return RawRow(number, value)
    found = json.dumps(value, ensure_ascii=False)[:60]
    return RawRow(number, {}, Problem(number, "", "not_object", found, "object"))
