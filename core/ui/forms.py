"""Forms made from dataclass fields, whose metadata are their labels, help and bounds; and the choice of a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from core.approaches import ModelChoice, check_key_name
from core.errors import KurabeError
from core.i18n import catalogue, describe, t
from core.store import tables as tb
from core.ui.findings import base_name
from core.ui.parts import error_text

__all__ = ["choose_model", "field_inputs"]


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


def choose_model(
    project: tb.Project, key: str, label: str, missing: str, default: Literal["endpoint", "base"] = "endpoint"
) -> ModelChoice | None:
    """Draw the choice of a model that helps, here or at an address; None while its address is missing.

    Args:
        project: whose base model is offered.
        key: prefix of the widgets' keys.
        label: what the model does.
        missing: said while the address is missing.
        default: which of both is chosen at first.
    """
    kind = st.segmented_control(
        label,
        ("endpoint", "base"),
        default=default,
        required=True,
        format_func=lambda kind: t(f"ui.judge.model.{kind}", name=base_name(project.base_ref)),
        key=f"{key}_kind",
    )
    if kind == "base":
        return ModelChoice(ref=project.base_ref, base_ref=project.base_ref)
    with st.grid(3, min_column_width=220):
        url = st.text_input(t("ui.judge.url"), key=f"{key}_url", placeholder="https://api.example.com/v1")
        ref = st.text_input(t("ui.judge.ref"), key=f"{key}_ref", placeholder="gpt-4.1-mini")
        name = st.text_input(t("ui.judge.key"), key=f"{key}_key", help=t("ui.judge.key.help"))
    if not url.strip() or not ref.strip():
        st.caption(missing)
        return None
    try:
        check_key_name(name.strip())
    except KurabeError as error:
        st.error(error_text(*describe(error)))
        return None
    return ModelChoice(kind="endpoint", ref=ref.strip(), url=url.strip(), key_name=name.strip() or None)
