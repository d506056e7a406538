"""Parts of a page that draw themselves again while something goes on."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.i18n import language, use_language
from core.identity import actor, as_actor
from core.ui.frame import page_errors

__all__ = ["draw_live"]


def draw_live(draw: Callable[[], None], seconds: float) -> None:
    """Call `draw` now and again every so many seconds, until the whole page is run again.

    Only `draw` is run again, in another thread and without the shell: who reads, and in which language, is carried
    over, and an error becomes a sentence here too.
    """
    code, who = language(), actor()

    @st.fragment(run_every=seconds)
    def again() -> None:
        use_language(code)
        as_actor(who)
        with page_errors():
            draw()

    again()
