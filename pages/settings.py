"""Settings: the project, the model host, prices, and what this machine can do."""

from core.cli.doctor import examine
from core.i18n import t
from core.ui.frame import current_project
from core.ui.parts import choose_view, draw_head
from core.ui.settings import (
    draw_configuration,
    draw_findings,
    draw_host,
    draw_look,
    draw_models,
    draw_prices,
    draw_project,
)

project = current_project()
draw_head("settings")
names = ("project", "models", "prices", "machine")
view = choose_view("settings", {name: t(f"ui.settings.view.{name}") for name in names})
if view == "project":
    draw_project(project)
    draw_look()
elif view == "models":
    draw_host()
    draw_models()
elif view == "prices":
    draw_prices()
else:
    draw_findings(finding for finding in examine() if finding.check != "port")
    draw_configuration()
