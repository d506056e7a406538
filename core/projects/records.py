"""Projects in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.errors import KurabeError
from core.i18n import LANGUAGES
from core.settings import settings
from core.store import read, write
from core.store import tables as tb

__all__ = ["create_project", "get_project", "projects", "rename_project", "update_project"]

CURRENCIES = ("USD", "JPY")
"""Currencies in which a project can show costs."""

_EDITABLE = frozenset(
    {"description", "base_ref", "instructions", "house_rules", "primary_metric", "currency", "settings"}
)


def create_project(name: str, language: str, **values: Any) -> tb.Project:
    """Make a project.

    Args:
        name: what people call it; not empty, at most 200 characters.
        language: of its questions and documents, ``en`` or ``ja``.
        **values: other columns of `core.store.tables.Project`.

    Raises:
        KurabeError: ``project.name``, ``project.language`` or ``project.currency``.
    """
    if language not in LANGUAGES:
        raise KurabeError("project.language", found=language, known=", ".join(LANGUAGES))
    defaults = {"base_ref": settings().base_model, "currency": settings().currency}
    _check_currency(values)
    project = tb.Project(name=_checked_name(name), language=language, **(defaults | values))
    with write() as session:
        session.add(project)
    return project


def _check_currency(values: Mapping[str, Any]) -> None:
    if (found := values.get("currency", CURRENCIES[0])) not in CURRENCIES:
        raise KurabeError("project.currency", found=found, known=", ".join(CURRENCIES))


def _checked_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 200:
        raise KurabeError("project.name", length=len(cleaned))
    return cleaned


def projects() -> list[tb.Project]:
    """Return all projects, the oldest first."""
    with read() as session:
        return list(session.scalars(select(tb.Project).order_by(tb.Project.id)))


def get_project(name_or_id: str) -> tb.Project:
    """Return a project by its id, its sample's name, or its name.

    Raises:
        KurabeError: ``project.unknown`` with the names there are; ``project.ambiguous`` if several have this name.
    """
    known = projects()
    for column in ("id", "sample", "name"):
        found = [project for project in known if getattr(project, column) == name_or_id]
        if len(found) > 1:
            raise KurabeError("project.ambiguous", name=name_or_id, ids=", ".join(project.id for project in found))
        if found:
            return found[0]
    raise KurabeError("project.unknown", name=name_or_id, known=", ".join(p.sample or p.name for p in known) or "-")


def rename_project(project_id: str, name: str) -> None:
    """Give a project another name.

    Raises:
        KurabeError: ``project.name`` or ``store.missing``.
    """
    cleaned = _checked_name(name)
    with write() as session:
        _found(session.get(tb.Project, project_id), project_id).name = cleaned


def update_project(project_id: str, **values: Any) -> tb.Project:
    """Change what may be changed: description, base model, prompts, metric, currency, decision inputs.

    Raises:
        KurabeError: ``store.missing`` or ``project.currency``.
        ValueError: for a column that must not be changed.
    """
    if fixed := values.keys() - _EDITABLE:
        raise ValueError(f"not editable: {sorted(fixed)}")
    _check_currency(values)
    with write() as session:
        project = _found(session.get(tb.Project, project_id), project_id)
        for name, value in values.items():
            setattr(project, name, value)
    return project


def _found(project: tb.Project | None, project_id: str) -> tb.Project:
    if project is None:
        raise KurabeError("store.missing", kind="project", id=project_id)
    return project
