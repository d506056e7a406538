"""JSON validity: the answer parses, and satisfies the schema where there is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jsonschema
from referencing import Registry
from referencing.exceptions import Unresolvable

from ..case import Case, Measured, Metric, yes_no
from ..text import without_fence


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def parse_json(text: str, *, allow_fence: bool) -> Any:
    """Parse strict JSON; NaN and Infinity are refused.

    Raises:
        ValueError: with the parser's message.
    """
    try:
        return json.loads(without_fence(text) if allow_fence else text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


@dataclass(frozen=True)
class JsonValid(Metric):
    """1 when the whole answer is one JSON value that satisfies the expected schema or has the expected keys."""

    name: ClassVar[str] = "json_valid"

    allow_fence: bool = field(default=True, metadata={"help": "measures.field.json_valid.allow_fence.help"})
    """Accept JSON inside one Markdown code fence."""

    def score(self, case: Case) -> Measured:
        """Parse, then check schema and keys."""
        expected = case.expected
        if expected.kind != "json":
            return Measured(None, "not_applicable_json")
        try:
            parsed = parse_json(case.answer_text, allow_fence=self.allow_fence)
        except ValueError as error:
            return yes_no(False, "json_broken", detail=str(error))
        if expected.schema is not None:
            return self._against_schema(parsed, dict(expected.schema))
        missing = [k for k in expected.keys if not isinstance(parsed, dict) or k not in parsed]
        if missing:
            return yes_no(False, "json_keys_missing", keys=", ".join(missing))
        return yes_no(True, "json_ok")

    def _against_schema(self, parsed: Any, schema: dict[str, Any]) -> Measured:
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            # a schema comes with the data: without a registry of its own, a reference in it would be fetched
            checker = jsonschema.Draft202012Validator(schema, registry=Registry())
            first = min(checker.iter_errors(parsed), key=lambda e: list(map(str, e.absolute_path)), default=None)
        except jsonschema.SchemaError as broken:
            return Measured(None, "schema_broken", {"detail": broken.message})
        except Unresolvable as lost:
            return Measured(None, "schema_broken", {"detail": f"$ref {lost.ref}"})
        except RecursionError:
            return Measured(None, "schema_broken", {"detail": "$ref …"})
        return yes_no(
            first is None, "json_ok" if first is None else "json_against_schema", detail=getattr(first, "message", "")
        )
