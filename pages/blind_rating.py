"""Blind rating: would you send this answer, and which of two would you rather send?"""

from core.evaluation import latest_experiment
from core.ui.blind_rating import draw_rating, draw_summary
from core.ui.findings import experiment_results
from core.ui.frame import current_project
from core.ui.parts import draw_empty, draw_head

project = current_project()
draw_head("blind_rating")
experiment = latest_experiment(project.id)
if experiment is None:
    draw_empty("ui.rating.empty", to="test_run")
else:
    found = experiment_results(experiment)
    draw_rating(project, found)
    draw_summary(found)
