"""Settings of a training as text, ``rank=8``: read by the type of their field, checked by its bounds."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from typing import Any

from core.errors import KurabeError
from core.training.config import TrainingConfig
from core.training.methods import METHODS
from core.training.objectives import OBJECTIVES

__all__ = ["assigned"]

_TEXTS = ("name", "instructions", "house_rules", "base_ref", "dataset_version_id", "index_version_id")
"""Fields without bounds that can be set all the same."""

_SWITCHES = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}

_Fields = dict[str, tuple[str, "dataclasses.Field[Any]"]]
"""Where a field belongs, ``config``, ``method`` or ``objective``, and the field, by its name."""


def assigned(texts: Sequence[str], method: str, objective: str) -> dict[str, Any]:
    """Return what `TrainingConfig.preset` takes for assignments such as ``batch_size=4`` or ``method.rank=8``.

    Args:
        texts: one assignment each; a later one of the same field takes the place of an earlier one.
        method: name of the method, whose fields can be set as well.
        objective: name of the objective, whose fields can be set as well.

    Raises:
        KurabeError: ``training.bad_assignment``, ``training.unknown_field``, ``training.bad_field``,
            ``registry.unknown``.
    """
    known = _fields(method, objective)
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise KurabeError("training.bad_assignment", found=text)
        part, field = _field(name.strip(), known)
        read = _read(field, value.strip())
        if part == "config":
            found[field.name] = read
        else:
            found.setdefault(f"{part}_fields", {})[field.name] = read
    return found


def _fields(method: str, objective: str) -> _Fields:
    kinds: tuple[tuple[str, Any], ...] = (
        ("config", TrainingConfig),
        ("method", METHODS.get(method)),
        ("objective", OBJECTIVES.get(objective)),
    )
    return {
        field.name: (part, field)
        for part, kind in kinds
        for field in dataclasses.fields(kind)
        if "label" in field.metadata or (part == "config" and field.name in _TEXTS)
    }


def _field(name: str, known: _Fields) -> tuple[str, dataclasses.Field[Any]]:
    part, dot, own = name.rpartition(".")
    if own in known and (not dot or known[own][0] == part):
        return known[own]
    near = difflib.get_close_matches(own, known, n=3)
    raise KurabeError(
        "training.unknown_field", field=name, suggestions=", ".join(near) or "-", known=", ".join(sorted(known))
    )


def _read(field: dataclasses.Field[Any], text: str) -> Any:
    """Return the value that a text stands for; bounds and choices are checked where the configuration is made."""
    kind = str(field.type)
    if kind.endswith("| None") and text.lower() in ("", "none"):
        return None
    if kind == "bool":
        if text.lower() not in _SWITCHES:
            raise KurabeError("training.bad_field", field=field.name, found=text, expected="true, false")
        return _SWITCHES[text.lower()]
    for number in (int, float):
        if kind.startswith(number.__name__):
            try:
                return number(text)
            except ValueError as error:
                raise KurabeError(
                    "training.bad_field", field=field.name, found=text, expected=_expected(field)
                ) from error
    return text


def _expected(field: dataclasses.Field[Any]) -> str:
    """Return kind and bounds of a number, as `check_fields` tells them."""
    low, high = (field.metadata.get(name) for name in ("minimum", "maximum"))
    whole = "…, -1, 0, 1, …" if str(field.type).startswith("int") else "0.5, 1e-4, …"
    return f"{whole} ({'' if low is None else low} – {'' if high is None else high})"
