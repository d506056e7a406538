"""What an example expects of an answer, read from its `expects`, `value` and reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["abstain", "json", "category", "value", "text"]
"""Abstain: no answer exists · json: an object · category: one of a list of codes · value: a fact
to be named · text: only the reference is known."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The readable form of `Example.expects`.

    Keys of `expects`, all optional: `abstain` (true: the answer is in no document), `json`
    (mapping of expected fields), `json_keys` (list of keys an object must have; `value` must then stand
    in one of its fields), `schema` (JSON schema), `category` (the right code) with
    `categories` (all codes), `alternatives` (other spellings of `value`), `contains` and
    `contains_not` (phrases that the answer must and must not have), `max_sentences`, and `sql` (true, or the dialect
    in which the answer must be SQL: read by the metric `sql_valid` alone).
    """

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Expected fields of a JSON answer; nested values are compared as they are."""
    keys: tuple[str, ...] = ()
    """Keys that a JSON answer must have."""
    schema: Mapping[str, Any] | None = None
    """JSON schema the answer must satisfy."""
    category: str = ""
    """The right category code."""
    categories: tuple[str, ...] = ()
    """All category codes an answer may choose from."""
    values: tuple[str, ...] = ()
    """The value and its alternative spellings; any of them is right."""
    contains: tuple[str, ...] = ()
    """Phrases every right answer has (house rules: greeting, closing words, warning)."""
    contains_not: tuple[str, ...] = ()
    """Phrases no right answer has."""
    max_sentences: int | None = None
    """Most sentences a right answer has."""


def expectation(expects: Mapping[str, Any], value: str | None) -> Expectation:
    """Work out what is expected; the first of abstain, JSON, category, value, text that applies."""
    fields, schema = _json_fields(expects), expects.get("schema")
    values = tuple(v for v in (value, *_strings(expects.get("alternatives"))) if v)
    return Expectation(
        kind=_kind(expects, fields, values),
        fields=fields,
        keys=tuple(dict.fromkeys((*fields, *_strings(expects.get("json_keys"))))),
        schema=schema if isinstance(schema, Mapping) else None,
        category=str(expects.get("category") or ""),
        categories=_strings(expects.get("categories")),
        values=values,
        contains=_strings(expects.get("contains")),
        contains_not=_strings(expects.get("contains_not")),
        max_sentences=int(expects["max_sentences"]) if expects.get("max_sentences") else None,
    )


def _kind(expects: Mapping[str, Any], fields: Mapping[str, Any], values: tuple[str, ...]) -> Kind:
    if expects.get("abstain") or expects.get("kind") == "abstain":
        return "abstain"
    if (
        fields
        or expects.get("schema")
        or expects.get("json_keys")
        or expects.get("json") is True
        or expects.get("kind") == "json"
    ):
        return "json"
    if expects.get("category"):
        return "category"
    return "value" if values else "text"


def _json_fields(expects: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in ("json", "fields", "json_keys"):
        if isinstance(expects.get(key), Mapping):
            return dict(expects[key])
    return {}


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()
