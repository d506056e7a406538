"""Documents: what retrieval reads, its search index, and what a search finds."""

from core.i18n import t
from core.knowledge import default_kb, documents
from core.ui.documents import (
    draw_added,
    draw_check,
    draw_index,
    draw_list,
    draw_search,
    draw_second_versions,
    draw_upload,
)
from core.ui.folders import draw_folder
from core.ui.frame import current_project
from core.ui.judging import draw_judging
from core.ui.parts import choose_view, draw_empty, draw_head
from core.ui.sweeping import draw_sweep

project = current_project()
draw_head("documents")
draw_added()
if not documents(default_kb(project.id).id):
    draw_empty("ui.documents.empty")
    draw_upload(project)
    draw_folder(project)
else:
    draw_index(project)
    draw_second_versions(project)
    names = ("list", "add", "search", "judge", "sweep")
    view = choose_view("documents", {name: t(f"ui.documents.view.{name}") for name in names})
    if view == "list":
        draw_list(project)
        draw_check(project)
    elif view == "add":
        draw_upload(project)
        draw_folder(project)
    elif view == "search":
        draw_search(project)
    elif view == "judge":
        draw_judging(project)
    else:
        draw_sweep(project)
