"""What surrounds every page: language, project, the sidebar, and how errors are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import KurabeError, as_kurabe_error
from core.i18n import LANGUAGES, Language, describe, t, use_language
from core.identity import as_actor
from core.projects import ensure_samples, projects
from core.settings import settings
from core.store import tables as tb
from core.ui.parts import error_text, told_apart

__all__ = ["begin", "chosen_project", "current_project", "draw_sidebar", "page_errors", "show_error"]

_LANGUAGE_NAMES = {"en": "English", "ja": "日本語"}


def begin() -> None:
    """Settle who reads, and in which language, before anything is drawn."""
    use_language(_language())
    as_actor(_visitor())
    _ready()


@st.cache_resource(show_spinner=False)
def _ready() -> bool:
    """Make the sample projects ready, once a process."""
    ensure_samples()
    return True


def _language() -> Language:
    """Return the visitor's choice: from the address, else this session, the setting, the browser."""
    asked = st.query_params.get("lang") or st.session_state.get("language")
    if asked in LANGUAGES:
        st.session_state["language"] = asked
        return asked
    if (fixed := settings().language) is not None:
        return fixed
    return "ja" if (st.context.locale or "").lower().startswith("ja") else "en"


def _visitor() -> str:
    """Return the signed-in person's address, else that the app acted for an unnamed visitor."""
    email = st.user.get("email") if st.user else None
    return str(email) if email else "app:visitor"


def chosen_project() -> tb.Project | None:
    """Settle the project: from the address, else this session, else the sample in the reader's language.

    A project that is not there any more is not replaced by another one: what a page that was left open then sends
    would land there. None means so, or that there is no project at all.
    """
    known = {project.id: project for project in projects()}
    wanted = _asked() or _first(known)
    if wanted is None or wanted not in known:
        return None
    st.session_state["project"] = wanted
    st.query_params["project"] = wanted
    return known[wanted]


def _asked() -> str | None:
    return st.query_params.get("project") or st.session_state.get("project")


def _first(known: dict[str, tb.Project]) -> str | None:
    language = st.session_state.get("language") or _language()
    same = [project.id for project in known.values() if project.language == language]
    return same[0] if same else next(iter(known), None)


def current_project() -> tb.Project:
    """Return the project that the page is about.

    Raises:
        KurabeError: ``project.none`` if there is no project yet, ``project.gone`` if the one asked for is not there.
    """
    project = chosen_project()
    if project is None:
        raise KurabeError("project.gone" if _asked() else "project.none")
    return project


def draw_sidebar() -> None:
    """Draw the project and language choices above the menu's foot."""
    known = {project.id: project for project in projects()}
    current = chosen_project()
    with st.sidebar:
        if known:
            picked = st.selectbox(
                t("ui.sidebar.project"),
                options=list(known),
                index=list(known).index(current.id) if current else None,
                placeholder=t("ui.sidebar.project.choose"),
                format_func=told_apart(known, lambda key: known[key].name),
                key=f"project_choice_{current.id if current else _asked()}",
            )
            if picked is not None and (current is None or picked != current.id):
                st.session_state["project"] = picked
                st.query_params.clear()
                st.query_params["project"] = picked
                st.rerun()
        _language_choice()


def _language_choice() -> None:
    now = _language()
    picked = st.segmented_control(
        t("ui.sidebar.language"),
        options=list(LANGUAGES),
        default=now,
        format_func=lambda code: _LANGUAGE_NAMES[code],
        key=f"language_choice_{now}",
    )
    if picked and picked != now:
        st.session_state["language"] = picked
        st.query_params["lang"] = picked
        st.rerun()


def show_error(error: BaseException) -> None:
    """Draw an error: what happened and where, then what to do next."""
    message, hint = describe(error)
    st.error(error_text(message, hint), icon=":material/error:")


@contextmanager
def page_errors() -> Iterator[None]:
    """Show what goes wrong on a page as a sentence, never as a traceback."""
    try:
        yield
    except KurabeError as error:
        show_error(error)
    except Exception as error:  # Streamlit's own control flow derives from BaseException and passes through
        show_error(as_kurabe_error(error))
