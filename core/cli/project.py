"""``python -m core project``: list, make, load a sample, compare."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.approaches import find_approaches
from core.cli._output import Json, command, progress_line, show, table
from core.cli.jobs import follow
from core.i18n import t
from core.projects import (
    ComparisonConfig,
    create_project,
    delete_project,
    get_project,
    load_sample,
    projects,
    start_comparison_job,
    update_project,
)
from core.store import tables as tb

__all__ = ["Project", "app"]

app = typer.Typer(help="Projects: one decision each.", no_args_is_help=True)

Project = Annotated[str, typer.Option("--project", "-p", help="Project id, name, or sample name (aoba-en, aoba-ja).")]


def _as_dict(project: tb.Project) -> dict[str, Any]:
    names = ("id", "name", "language", "description", "sample", "base_ref", "instructions", "house_rules", "currency")
    return {name: getattr(project, name) for name in names}


@command(app, "list")
def list_(as_json: Json = False) -> None:
    """List projects."""
    if as_json:
        show([_as_dict(project) for project in projects()])
        return
    table(
        (t("cli.id"), t("cli.name"), t("cli.language"), t("cli.base_model")),
        ((project.id, project.name, project.language, project.base_ref) for project in projects()),
    )


@command(app)
def create(
    name: Annotated[str, typer.Argument(help="What your team calls it.")],
    language: Annotated[str, typer.Option(help="Language of questions and documents: en or ja.")] = "en",
    base: Annotated[str | None, typer.Option(help="Base model: starter, a hub id, or a folder.")] = None,
    instructions: Annotated[str, typer.Option(help="What the model is asked to do.")] = "",
    house_rules: Annotated[str, typer.Option(help="How answers must look.")] = "",
    as_json: Json = False,
) -> None:
    """Make a project."""
    values: dict[str, Any] = {"instructions": instructions, "house_rules": house_rules}
    project = create_project(name, language, **(values | ({"base_ref": base} if base else {})))
    if as_json:
        show(_as_dict(project))
    else:
        progress_line(t("cli.project.created", name=project.name, id=project.id))


@command(app)
def edit(
    project: Project,
    base: Annotated[str | None, typer.Option(help="Base model.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What the model is asked to do.")] = None,
    house_rules: Annotated[str | None, typer.Option(help="How answers must look.")] = None,
    currency: Annotated[str | None, typer.Option(help="USD or JPY.")] = None,
) -> None:
    """Change a project's base model, prompts or currency."""
    given = {"base_ref": base, "instructions": instructions, "house_rules": house_rules, "currency": currency}
    update_project(get_project(project).id, **{name: value for name, value in given.items() if value is not None})


@command(app)
def sample(language: Annotated[str, typer.Argument(help="en or ja.")] = "en", as_json: Json = False) -> None:
    """Load a sample project."""
    project = load_sample(language)
    if as_json:
        show(_as_dict(project))
    else:
        progress_line(t("cli.project.created", name=project.name, id=project.id))


@command(app)
def delete(
    project: Project,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a project and everything it owns."""
    found = get_project(project)
    if not yes:
        typer.confirm(t("cli.project.confirm_delete", name=found.name), abort=True)
    delete_project(found.id)


@command(app)
def compare(
    project: Project,
    questions: Annotated[int | None, typer.Option(help="Test questions, evenly over the slices; default all.")] = None,
    training_seconds: Annotated[int | None, typer.Option(help="Time limit of each training.")] = None,
    approach: Annotated[list[str] | None, typer.Option(help="Preset, name or id; repeat; default: all.")] = None,
    no_training: Annotated[bool, typer.Option("--no-training", help="Only approaches that need no adapter.")] = False,
    as_json: Json = False,
) -> None:
    """Index, train, ask every approach and decide, as one job; follow it to its end."""
    owner = get_project(project)
    if approach:
        find_approaches(owner.id, approach, presets_may_lack=True)  # refuses a wrong name before anything is trained
    config = ComparisonConfig(
        questions=questions,
        training_seconds=training_seconds,
        train=not no_training,
        presets=tuple(approach or ()),
    )
    view = follow(start_comparison_job(owner.id, config))
    if as_json:
        show(view.result)
