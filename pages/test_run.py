"""Test run: ask every approach the whole test set, and see what came of it."""

import streamlit as st

from core.datasets import latest_version
from core.i18n import t
from core.ui.cases import draw_cases
from core.ui.changes import draw_changes
from core.ui.findings import experiment_results
from core.ui.frame import current_project
from core.ui.jobs import active_job
from core.ui.model_judge import draw_judge
from core.ui.opened_case import draw_opened_case
from core.ui.parts import choose_view, draw_empty, draw_head, open_view, practice_note
from core.ui.results import draw_results
from core.ui.robustness import draw_robustness
from core.ui.test_progress import follow_experiment
from core.ui.test_run import choose_experiment
from core.ui.test_setup import draw_setup

project = current_project()
draw_head("test_run")
practice_note(project.base_ref)
experiment = None if latest_version(project.id) is None else choose_experiment(project)
if latest_version(project.id) is None:
    draw_empty("ui.test.empty", to="questions")
elif experiment is None:
    if started := draw_setup(project):
        st.query_params["experiment"] = started
        st.rerun()
else:
    names = ("results", "cases", "changes", "judge", "robustness", "new")
    view = choose_view("test_run", {name: t(f"ui.test.view.{name}") for name in names})
    if view == "new":
        if started := draw_setup(project):
            open_view("test_run", "results", experiment=started)
    elif view == "cases":
        found = experiment_results(experiment)
        if opened := draw_cases(found):
            draw_opened_case(found, opened)
    elif view == "changes":
        draw_changes(project, experiment)
    elif view == "judge":
        draw_judge(project, experiment_results(experiment))
    elif view == "robustness":
        draw_robustness(project, experiment_results(experiment))
    else:
        running = active_job(project.id, "experiment")
        if experiment.completed_at is None and experiment.job_id is not None:
            follow_experiment(running.id if running and running.id == experiment.job_id else experiment.job_id)
        draw_results(project, experiment)
