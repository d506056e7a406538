"""Home: the finding as one sentence, or the three steps to one."""

from core.ui.frame import chosen_project
from core.ui.home import draw_again, draw_finding, draw_new_project, draw_no_project, draw_progress, draw_steps

if (project := chosen_project()) is None:
    draw_no_project()
else:
    running = draw_progress(project)
    if draw_finding(project):
        if not running:
            draw_again(project)
    elif not running:
        draw_steps(project)
draw_new_project()
