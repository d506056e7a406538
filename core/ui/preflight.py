"""What speaks against a training before it starts: findings, time, memory and cost, and a row as it is learned."""

from __future__ import annotations

import streamlit as st

from core.i18n import format_bytes, format_duration, format_money, format_number, format_percent, t
from core.training import Preflight, numbers_told
from core.ui.parts import Tile, draw_tiles, plain
from core.ui.tokens import draw_tokens

__all__ = ["draw_preflight"]

_LEVEL = {"go": ":gray-badge", "risky": ":orange-badge", "will_not": ":red-badge"}


def draw_preflight(found: Preflight) -> None:
    """Draw whether it will work, in numbers."""
    with st.container(border=True):
        st.markdown(f"{_LEVEL[found.verdict]}[{t(f'training.preflight.verdict.{found.verdict}')}]")
        for finding in found.findings:
            params = {name: plain(v) if isinstance(v, str) else v for name, v in finding.params.items()}
            st.markdown(f"- {t(f'training.preflight.{finding.code}', **params)}")
        draw_tiles(
            [
                _time_tile(found),
                _memory_tile(found),
                Tile(
                    t("ui.training.rows"),
                    format_number(found.rows["trained"]),
                    t("ui.training.learned", share=format_percent(found.trained_share)),
                ),
                Tile(t("ui.training.parameters"), format_number(found.trained_parameters)),
            ]
        )
        st.caption("  \n".join(plain(sentence) for sentence in numbers_told(found)))
        st.caption(t("ui.training.preview"))
        draw_tokens(found.preview)
        if found.preview_rejected:
            st.caption(t("ui.training.preview.rejected"))
            draw_tokens(found.preview_rejected)


def _time_tile(found: Preflight) -> Tile:
    """Return time and cost; where a probe measured them, with the range from its fastest to its slowest step."""
    if found.seconds is None or found.seconds_low is None or found.seconds_high is None:
        return Tile(t("ui.training.time"), "–", t("ui.training.cost", cost="–"))
    notes, money = [], "–"
    if found.cost:
        money, low, high = (
            format_money(float(found.cost[name]), found.cost["currency"]) for name in ("amount", "low", "high")
        )
        money = money if low == high else t("ui.training.range", low=low, high=high)
    low, high = format_duration(found.seconds_low), format_duration(found.seconds_high)
    if low != high:
        notes.append(t("ui.training.range", low=low, high=high))
    notes.append(t("ui.training.cost", cost=money))
    return Tile(t("ui.training.time"), format_duration(found.seconds), " · ".join(notes))


def _memory_tile(found: Preflight) -> Tile:
    notes = [t("ui.training.free", free=format_bytes(found.memory_free) if found.memory_free is not None else "–")]
    if found.probe is not None:
        notes.insert(0, t("ui.training.memory.measured", estimate=format_bytes(found.memory["total"])))
    return Tile(t("ui.training.memory"), format_bytes(found.memory_needed), " · ".join(notes))
