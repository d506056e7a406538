"""Forms made from dataclass fields: their labels, help and bounds are the fields' own metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.i18n import catalogue, t

__all__ = ["field_inputs"]


def field_inputs(kind: Any, values: Mapping[str, Any], key: str, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Draw an input for every field of a dataclass that has a label, and return the entered values.

    Args:
        kind: dataclass type.
        values: what the inputs show at first; fields not in it show their defaults.
        key: prefix of the widgets' keys.
        leave_out: fields that are not drawn.
    """
    found: dict[str, Any] = {}
    with st.grid(3, min_column_width=220):
        for field in dataclasses.fields(kind):
            if "label" in field.metadata and field.name not in leave_out:
                value = values.get(field.name, field.default)
                found[field.name] = _input(field, value, f"{key}_{field.name}")
    return found


def _input(field: dataclasses.Field[Any], value: Any, key: str) -> Any:
    label, choices = t(field.metadata["label"]), field.metadata["choices"]
    help_text = t(field.metadata["help"])
    if choices:
        options = list(choices)
        return st.selectbox(
            label,
            options,
            index=options.index(value),
            key=key,
            help=help_text,
            format_func=lambda option: _choice(field.metadata["label"], option),
        )
    if isinstance(value, bool):
        with st.container():
            st.space("small")
            return st.toggle(label, value, key=key, help=help_text)
    return _number(field, value, label, help_text, key)


def _number(field: dataclasses.Field[Any], value: Any, label: str, help_text: str, key: str) -> Any:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    whole = str(field.type).startswith("int")
    if whole:
        entered: float | None = st.number_input(
            label,
            min_value=None if low is None else int(low),
            max_value=None if high is None else int(high),
            value=value,
            step=1,
            key=key,
            help=help_text,
        )
        return None if entered is None else int(entered)
    entered = st.number_input(
        label,
        min_value=None if low is None else float(low),
        max_value=None if high is None else float(high),
        value=None if value is None else float(value),
        format="%g" if value and abs(value) < 0.01 else None,
        key=key,
        help=help_text,
    )
    return entered


def _choice(label_key: str, option: Any) -> str:
    """Return a choice in words where the catalogue has them, else as it is."""
    for key in (f"{label_key}.{option}", f"{label_key.replace('.field.', '.')}.{option}"):
        if key in catalogue("en"):
            return t(key)
    return str(option)
