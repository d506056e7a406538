"""Decision: the verdict in one sentence, and everything that it rests on."""

from core.evaluation import latest_experiment
from core.ui.decision import draw_decision, draw_inputs, present_decision
from core.ui.frame import current_project
from core.ui.parts import draw_empty, draw_head, presenting

project = current_project()
measured = latest_experiment(project.id) is not None
if measured and presenting():
    present_decision(project)
else:
    draw_head("decision")
    if measured:
        draw_decision(project)
    else:
        draw_empty("ui.decision.empty", to="home")
    draw_inputs(project)
