"""The view for a projector (``?present=1``): no menu, large text, one finding a screen, arrow keys turn the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.i18n import t
from core.ui.parts import presenting

__all__ = ["Slide", "draw_presentation", "draw_style", "offer_presentation"]

_STYLE = """<style>
html { font-size: 20px !important; }
[data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"],
[data-testid="stExpandSidebarButton"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 1.5rem 2.5rem 4.5rem !important; max-width: none !important; }
.st-key-slides { position: fixed; right: 2.5rem; bottom: 1rem; width: auto !important; z-index: 10; }
[data-testid="stMainBlockContainer"] :is([data-testid="stCaptionContainer"], [data-testid="stMetricLabel"],
  [data-testid="stBadge"], .stMarkdownBadge, [data-testid="stBaseButton-secondary"], [data-testid="stText"])
  :is(p, span, div, small, kbd):not([data-testid="stIconMaterial"]) { font-size: 1rem !important; }
[data-testid="stMainBlockContainer"] :is([data-testid="stText"], .stMarkdownBadge, .approach-note) {
  font-size: 1rem !important; }
[data-testid="stMainBlockContainer"] button :not([data-testid="stIconMaterial"]) { font-size: 1rem !important; }
</style>"""
"""20 px is the smallest text on a slide: what is small on a desk cannot be read from the back of a room."""


@dataclass(frozen=True, slots=True)
class Slide:
    """One screen with one finding."""

    title: str
    """The finding; empty where what is drawn brings its own."""
    draw: Callable[[], object]


def draw_style() -> None:
    """Make text large and take away what is not the finding."""
    st.html(_STYLE)


def offer_presentation() -> None:
    """Draw the button that turns the page into a presentation."""
    st.button(
        t("ui.present"),
        icon=":material/slideshow:",
        key="present",
        help=t("ui.present.help"),
        on_click=lambda: st.query_params.update({"present": "1"}),
    )


def draw_presentation(slides: Sequence[Slide]) -> None:
    """Draw the slide that the address names (``slide``, from 1), and the keys that turn the pages."""
    if not presenting() or not slides:
        return
    asked = st.query_params.get("slide", "1")
    place = min(max(int(asked), 1), len(slides)) if asked.isdecimal() else 1
    slide = slides[place - 1]
    if slide.title:
        st.header(slide.title, anchor=False)
    slide.draw()
    _draw_keys(place, len(slides))


def _draw_keys(place: int, total: int) -> None:
    def turn(to: int) -> None:
        st.query_params["slide"] = str(to)

    def end() -> None:
        for name in ("present", "slide"):
            st.query_params.pop(name, None)

    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", key="slides"):
        st.caption(t("ui.present.place", n=place, total=total), width="content")
        st.button(
            t("ui.present.back"), key="slide_back", icon=":material/arrow_back:", shortcut="Left",
            disabled=place == 1, on_click=turn, args=(place - 1,),
        )  # fmt: skip
        st.button(
            t("ui.present.next"), key="slide_next", icon=":material/arrow_forward:", shortcut="Right",
            disabled=place == total, on_click=turn, args=(place + 1,),
        )  # fmt: skip
        st.button(t("ui.present.end"), key="slide_end", icon=":material/close:", shortcut="Escape", on_click=end)
