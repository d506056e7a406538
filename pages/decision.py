"""Decision: the verdict in one sentence, and everything that it rests on."""

from core.evaluation import latest_experiment
from core.ui.decision import draw_decision, draw_inputs
from core.ui.frame import current_project
from core.ui.parts import draw_empty, draw_head

project = current_project()
draw_head("decision")
if latest_experiment(project.id) is None:
    draw_empty("ui.decision.empty", to="home")
else:
    draw_decision(project)
draw_inputs(project)
