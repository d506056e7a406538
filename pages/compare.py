"""Compare one: one question, every approach side by side."""

import streamlit as st

from core.i18n import t
from core.ui.approaches_editor import draw_approaches
from core.ui.compare import draw_comparison, present_comparison
from core.ui.compare_form import ask_form, draw_recent
from core.ui.frame import current_project
from core.ui.parts import choose_view, draw_empty, draw_head, practice_note, presenting

project = current_project()
if presenting():
    present_comparison(project, st.query_params.get("compare"))
    practice_note(project.base_ref)
else:
    draw_head("compare")
    practice_note(project.base_ref)
    views = {name: t(f"ui.compare.view.{name}") for name in ("ask", "approaches")}
    if choose_view("compare", views) == "approaches":
        draw_approaches(project)
    else:
        if asked := ask_form(project):
            st.query_params["compare"] = asked
        if earlier := draw_recent(project):
            st.query_params["compare"] = earlier
            st.rerun()  # the form above takes up what it asked
        shown = st.query_params.get("compare")
        if shown:
            draw_comparison(project, shown)
            st.caption(t("ui.compare.link"))
        else:
            draw_empty("ui.compare.empty")
