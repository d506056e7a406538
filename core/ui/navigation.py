"""Every page once: its file, its place in the menu, its address and its icon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from core.i18n import t
from core.settings import ROOT

__all__ = ["GROUPS", "PAGES", "PageInfo", "link", "menu", "open_page", "page"]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """One page of the app."""

    key: str
    """File name in ``pages/`` without ``.py``, and stem of its catalogue keys (``ui.page.<key>``)."""
    group: str
    """Menu group: catalogue key ``ui.group.<group>``; empty stands outside of the groups."""
    icon: str
    """Material symbol."""
    path: str
    """Address after the host; empty for the first page."""


GROUPS = ("", "prepare", "measure", "decide", "other")
PAGES = (
    PageInfo("home", "", ":material/home:", ""),
    PageInfo("questions", "prepare", ":material/quiz:", "questions"),
    PageInfo("documents", "prepare", ":material/description:", "documents"),
    PageInfo("training", "prepare", ":material/model_training:", "training"),
    PageInfo("compare", "measure", ":material/view_column:", "compare"),
    PageInfo("test_run", "measure", ":material/checklist:", "test-run"),
    PageInfo("blind_rating", "measure", ":material/visibility_off:", "blind-rating"),
    PageInfo("decision", "decide", ":material/gavel:", "decision"),
    PageInfo("settings", "other", ":material/settings:", "settings"),
)


def page(info: PageInfo) -> st.Page:
    """Return Streamlit's page; by absolute path, because relative ones would be looked for beside the shell."""
    return st.Page(
        ROOT / "pages" / f"{info.key}.py",
        title=t(f"ui.page.{info.key}"),
        icon=info.icon,
        url_path=info.path or None,
        default=not info.path,
    )


def menu() -> dict[str, list[st.Page]]:
    """Return the pages by translated group name, in the order of the work."""
    groups: dict[str, list[st.Page]] = {}
    for group in GROUPS:
        title = t(f"ui.group.{group}") if group else ""
        groups[title] = [page(info) for info in PAGES if info.group == group]
    return groups


def open_page(key: str, **query: str) -> NoReturn:
    """Leave this page for another one, with query parameters."""
    st.switch_page(page(_info(key)), query_params=query or None)


def _info(key: str) -> PageInfo:
    return next(info for info in PAGES if info.key == key)


def link(key: str, label: str | None = None, *, icon: bool = True, **query: str) -> None:
    """Draw a link to another page, with query parameters."""
    info = _info(key)
    named = label or t(f"ui.page.{key}")
    st.page_link(page(info), label=named, icon=info.icon if icon else None, query_params=query or None)
