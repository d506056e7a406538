"""Training: start a run, watch it learn, and see what came of it."""

import streamlit as st

from core.datasets import latest_version
from core.i18n import t
from core.ui.compared_runs import draw_compared_runs
from core.ui.frame import current_project
from core.ui.jobs import active_job
from core.ui.parts import choose_view, draw_empty, draw_head, open_view, practice_note
from core.ui.training import draw_adapters, draw_runs
from core.ui.training_form import draw_form

project = current_project()
draw_head("training")
practice_note(project.base_ref)
if latest_version(project.id) is None:
    draw_empty("ui.training.empty", to="questions")
else:
    if "view" not in st.query_params and ("run" in st.query_params or active_job(project.id, "train")):
        st.query_params["view"] = "runs"
    names = ("new", "runs", "compare", "adapters")
    view = choose_view("training", {name: t(f"ui.training.view.{name}") for name in names})
    if view == "new":
        if started := draw_form(project):
            open_view("training", "runs", run=started)
    elif view == "runs":
        draw_runs(project)
    elif view == "compare":
        draw_compared_runs(project)
    else:
        draw_adapters(project)
