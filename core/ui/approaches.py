"""Approaches as pages name and choose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.approaches import ensure_presets, label_of, spec_of_row, why_unavailable
from core.errors import KurabeError
from core.i18n import describe, t
from core.store import tables as tb
from core.ui.parts import lead_to_view, plain

__all__ = ["approach_label", "choose_approaches", "draw_missing"]


def approach_label(approach: tb.Approach) -> str:
    """Return the name that pages show: the preset's in the reader's language, else what the team called it."""
    return label_of(approach)


def choose_approaches(
    project_id: str, key: str, usual: tuple[str, ...] = (), *, asked: Sequence[str] = ()
) -> list[str]:
    """Draw the choice of approaches and return the ids of those chosen, in the order of the presets.

    Args:
        project_id: whose approaches.
        key: of the widget; the choice is kept in the session.
        usual: presets chosen at first; empty chooses all.
        asked: ids chosen at first instead, as an address names them; unknown ones are left out.
    """
    known = {approach.id: approach for approach in ensure_presets(project_id)}
    first = [option for option in known if option in asked] or _first_choice(known, usual)
    chosen = st.pills(
        t("ui.approaches.choose"),
        options=list(known),
        default=first,
        selection_mode="multi",
        format_func=lambda option: plain(approach_label(known[option])),
        key=key,
        help=_explained(known),
        wrap=True,
    )
    if st.button(t("ui.approaches.open"), key=f"{key}_open", icon=":material/tune:", type="tertiary"):
        lead_to_view("compare", "approaches")
    return [option for option in known if option in (chosen or [])]


def _first_choice(known: Mapping[str, tb.Approach], usual: tuple[str, ...]) -> list[str]:
    """Return what is chosen before anyone chooses: of each usual kind one; else all that choose their tokens alike."""
    if usual:
        kinds: dict[str, str] = {}
        for key, approach in known.items():
            kinds.setdefault(approach.preset, key)
        first = [kinds[preset] for preset in kinds if preset in usual]
        # before there is an index or an adapter hardly one of them can answer: two are chosen all the same
        return first if len(first) > 1 else [*first, *(key for key in kinds.values() if key not in first)][:2]
    alike = [spec_of_row(approach).decoding for approach in known.values()]
    return [key for key, decoding in zip(known, alike, strict=True) if decoding == alike[0]]


def _explained(known: Mapping[str, tb.Approach]) -> str:
    presets = dict.fromkeys(approach.preset for approach in known.values())
    return "\n".join(f"- **{t(f'approaches.preset.{p}')}**: {t(f'approaches.preset.{p}.help')}" for p in presets)


def draw_missing(project_id: str) -> None:
    """Say which approaches cannot answer yet, and what each needs."""
    blocked = why_unavailable(project_id)
    if not blocked:
        return
    with st.expander(t("ui.approaches.missing", n=len(blocked)), icon=":material/block:"):
        for preset, record in blocked.items():
            message, hint = describe(KurabeError.from_record(record))
            st.markdown(f"**{t(f'approaches.preset.{preset}')}** — {plain(message)} {plain(hint)}")
            if preset == "endpoint" and st.button(t("ui.approaches.add_endpoint"), icon=":material/add:"):
                lead_to_view("compare", "approaches", approach="new-endpoint")
