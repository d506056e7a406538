"""A preflight's numbers in words, as pages and commands show them below what it found."""

from __future__ import annotations

from core.i18n import format_bytes, format_duration, format_money, format_number, format_percent, t
from core.training.outlook import Preflight

__all__ = ["numbers_told"]


def numbers_told(found: Preflight) -> list[str]:
    """Return a sentence each for memory, disk, rows, time and licences."""
    return [_memory(found), _disk(found), _rows(found), *_time(found), _licences(found)]


def _memory(found: Preflight) -> str:
    parts = [(part, size) for part, size in found.memory.items() if part != "total" and size]
    return t(
        "training.numbers.memory",
        needed=format_bytes(found.memory_needed),
        free="–" if found.memory_free is None else format_bytes(found.memory_free),
        parts=" + ".join(f"{t(f'training.memory.{part}')} {format_bytes(size)}" for part, size in parts),
    )


def _disk(found: Preflight) -> str:
    return t("training.numbers.disk", needed=format_bytes(found.disk_needed), free=format_bytes(found.disk_free))


def _rows(found: Preflight) -> str:
    return t(
        "training.numbers.rows",
        rows=format_number(found.rows["trained"]),
        tokens=format_number(found.rows["tokens"]),
        learned=format_percent(found.trained_share, digits=1),
        left_out=format_percent(found.left_out_share, digits=1),
        padding=format_percent(found.padding_share, digits=1),
    )


def _time(found: Preflight) -> list[str]:
    told = [] if found.steps is None else [t("training.numbers.steps", steps=format_number(found.steps))]
    if found.seconds is None or found.seconds_low is None or found.seconds_high is None:
        return told
    seconds = (found.seconds, found.seconds_low, found.seconds_high)
    cost = "–"
    if found.cost:
        money = (format_money(float(found.cost[name]), found.cost["currency"]) for name in ("amount", "low", "high"))
        cost = _ranged(*money)
    return [*told, t("training.numbers.time", time=_ranged(*map(format_duration, seconds)), cost=cost)]


def _ranged(usual: str, low: str, high: str) -> str:
    """Return a value, with its range where it has one."""
    return usual if low == high else f"{usual} ({t('ui.training.range', low=low, high=high)})"


def _licences(found: Preflight) -> str:
    unknown = t("training.card.unknown")
    return t("training.numbers.licences", base=found.licence or unknown, data=found.data_licence or unknown)
