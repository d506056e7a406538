"""Settings and outcomes of runs in words: the label and the value of each, as pages and commands show them."""

from __future__ import annotations

from typing import Any

from core.errors import KurabeError
from core.i18n import catalogue, format_bytes, format_duration, format_money, format_number, format_percent, t
from core.models import resolve_base
from core.store import read
from core.store import tables as tb

__all__ = ["outcome_text", "setting_name", "setting_text"]

_NONE = "–"


def setting_name(field: str) -> str:
    """Return the label of a configuration's field; ``method.`` or ``objective.`` may stand before it."""
    if field in ("method.name", "objective.name"):
        return t(f"training.setting.{field.partition('.')[0]}")
    own = field.rpartition(".")[2]
    key = f"training.field.{own}"
    return t(key) if key in catalogue("en") else t(f"training.setting.{own}")


def setting_text(field: str, value: Any) -> str:
    """Return a configuration's value as a reader knows it from the form."""
    if value is None or value == "":
        return _NONE
    if field in _LOOKED_UP:
        return _LOOKED_UP[field](str(value))
    if isinstance(value, bool):
        return t(f"training.value.{'on' if value else 'off'}")
    if isinstance(value, int | float):
        return _number(value)
    own = field.partition(".")[0] if field.endswith(".name") else field.rpartition(".")[2]
    for key in (f"training.field.{own}.{value}", f"training.{own}.{value}"):
        if key in catalogue("en"):
            return t(key)
    return str(value)


def outcome_text(field: str, value: Any) -> str:
    """Return what came of a run: losses with three decimals, sizes, times, speeds and money with units."""
    if value is None:
        return _NONE
    if field == "ended":
        return t(f"training.ended.{value}")
    if field == "device_seconds":
        return t("training.value.hours", hours=format_number(float(value) / 3600, digits=3))
    if field == "cost":
        return format_money(float(value["amount"]), str(value["currency"]))
    if field == "seconds":
        return format_duration(float(value))
    if field == "peak_memory_bytes":
        return format_bytes(int(value))
    if field == "accuracy":
        return format_percent(float(value), digits=1)
    digits = 0 if isinstance(value, int) or field == "tokens_per_second" else 3
    return format_number(value, digits=digits)


def _number(value: float) -> str:
    """Return a setting's number with the digits that somebody chose, not those of its type."""
    if value == int(value):
        return format_number(int(value))
    return format_number(value, digits=1) if abs(value) >= 1000 else f"{value:.6g}"


def _base(ref: str) -> str:
    try:
        base = resolve_base(ref)
    except KurabeError:
        return ref  # its files were removed since
    return t("ui.practice.name") if base.is_practice else base.name


def _version(version_id: str) -> str:
    with read() as session:
        row = session.get(tb.DatasetVersion, version_id)
    if row is None:
        return t("training.value.gone", id=version_id[:8])
    return t("training.value.version", n=format_number(row.row_count), hash=row.hash.rpartition(":")[2][:8])


def _index(index_id: str) -> str:
    with read() as session:
        row = session.get(tb.IndexVersion, index_id)
    if row is None:
        return t("training.value.gone", id=index_id[:8])
    return t("training.value.index", n=format_number(row.chunk_count), id=row.id[-8:])


_LOOKED_UP = {"base_ref": _base, "dataset_version_id": _version, "index_version_id": _index}
"""Fields that hold a name or an id of something with words of its own."""
