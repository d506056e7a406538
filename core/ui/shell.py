"""The script behind every address: the reader's choices, the menu, the project, then the chosen page."""

from __future__ import annotations

import streamlit as st

from core.settings import ROOT
from core.ui.frame import begin, chosen_project, draw_sidebar, page_errors
from core.ui.navigation import menu
from core.ui.parts import presenting
from core.ui.presenting import draw_style

ICON = ROOT / "core" / "ui" / "static" / "favicon.png"

st.set_page_config(page_title="Kurabe 比べ", page_icon=str(ICON), layout="wide")
begin()
current = st.navigation(menu(), position="hidden" if presenting() else "sidebar")
if presenting():
    draw_style()
else:
    draw_sidebar()
chosen_project()
with page_errors():
    current.run()
