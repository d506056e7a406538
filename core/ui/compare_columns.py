"""The order of a comparison's columns and which of them is the baseline: both live in the page's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.approaches import variant_of
from core.i18n import t
from core.store import tables as tb
from core.ui.approaches import approach_label
from core.ui.parts import draw_approach, presenting, remember

__all__ = ["Columns", "columns_of", "draw_column_head", "in_order", "moved", "named"]

_ORDER, _BASELINE = "columns", "baseline"


@dataclass(frozen=True, slots=True)
class Columns:
    """How a comparison's columns stand."""

    order: tuple[str, ...]
    """Ids of the approaches, leftmost first."""
    baseline: str
    """Id of the approach that the others are held against."""

    def rows(self, rows: Sequence[tb.Answer]) -> list[tb.Answer]:
        """Return answers in the order of the columns, repetitions after each other."""
        return sorted(rows, key=lambda row: (row.repetition, self.order.index(row.approach_id)))


def named(asked: str | None) -> list[str]:
    """Return the ids that a part of the address names, each once."""
    return list(dict.fromkeys(part for part in (asked or "").split(",") if part))


def in_order(ids: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Return ids in the order asked for; those that nobody asked for follow as they stood."""
    wanted = [key for key in asked if key in ids]
    return [*wanted, *(key for key in ids if key not in wanted)]


def moved(order: Sequence[str], key: str, by: int) -> list[str]:
    """Return an order with one id moved by some places; it stops at the ends."""
    rest = [other for other in order if other != key]
    place = min(max(order.index(key) + by, 0), len(rest))
    return [*rest[:place], key, *rest[place:]]


def columns_of(rows: Sequence[tb.Answer]) -> Columns:
    """Return how the columns stand: as the address says, else as they were asked, the first one being the baseline."""
    ids = list(dict.fromkeys(row.approach_id for row in rows))
    order = in_order(ids, named(st.query_params.get(_ORDER)))
    asked = st.query_params.get(_BASELINE)
    return Columns(tuple(order), asked if asked in ids else order[0])


def draw_column_head(approach: tb.Approach, columns: Columns, *, fixed: bool = False) -> None:
    """Draw a column's name, whether it is the baseline, and what moves it.

    Args:
        approach: whose column.
        columns: how all of them stand.
        fixed: draw nothing to press: the column is still being written.
    """
    note = t("ui.compare.baseline") if approach.id == columns.baseline else ""
    draw_approach(approach.preset, approach_label(approach), note, variant=variant_of(approach.project_id, approach.id))
    if fixed or presenting():
        return
    place = columns.order.index(approach.id)
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
        for sign, by, off in (("←", -1, place == 0), ("→", 1, place == len(columns.order) - 1)):
            st.button(
                sign, key=f"move_{by}_{approach.id}", type="tertiary", disabled=off, on_click=_move,
                args=(columns, approach.id, by), help=t(f"ui.compare.move.{'left' if by < 0 else 'right'}"),
            )  # fmt: skip
        if approach.id != columns.baseline:
            st.button(
                t("ui.compare.baseline.make"), key=f"baseline_{approach.id}", type="tertiary",
                icon=":material/flag:", help=t("ui.compare.baseline.help"),
                on_click=lambda: st.query_params.update({_BASELINE: approach.id}),
            )  # fmt: skip


def _move(columns: Columns, key: str, by: int) -> None:
    # the first column is the baseline until somebody chooses one: moving columns must not change it
    remember(_BASELINE, columns.baseline)
    remember(_ORDER, ",".join(moved(columns.order, key, by)))
