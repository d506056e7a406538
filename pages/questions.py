"""Questions & answers: import, look through, check, and keep versions of a dataset."""

import streamlit as st

from core.i18n import format_number, t
from core.ui.dataset_profile import draw_profile
from core.ui.drafting import draw_drafts, draw_taken_over
from core.ui.frame import current_project
from core.ui.importing import draw_import
from core.ui.known_rows import draw_known
from core.ui.parts import choose_view, draw_empty, draw_head, section
from core.ui.questions import choose_version, draw_browser, draw_checks, draw_versions

project = current_project()
draw_head("questions")
if (imported := st.session_state.pop("imported", None)) is not None:
    st.success(t("ui.import.done", n=format_number(imported)), icon=":material/check_circle:")
draw_taken_over()
version = choose_version(project)
if version is None:
    draw_empty("ui.questions.empty")
    section(t("ui.questions.view.import"))
    draw_import(project, None)
    draw_drafts(project)
else:
    names = ("browse", "import", "drafts", "check", "versions")
    view = choose_view("questions", {name: t(f"ui.questions.view.{name}") for name in names})
    if view == "browse":
        draw_browser(version)
        draw_profile(version)
    elif view == "import":
        draw_import(project, version)
    elif view == "drafts":
        draw_drafts(project)
    elif view == "check":
        draw_checks(project, version)
        draw_known(project, version)
    else:
        draw_versions(project, version)
