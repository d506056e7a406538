"""``python -m core runs``: what was trained, beside each other, again, out of the house and into it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.jobs import follow
from core.cli.project import Project
from core.cli.training import group_sentence
from core.i18n import format_number, t
from core.projects import get_project
from core.training import (
    compare_runs,
    delete_run,
    export_adapter,
    export_kit,
    import_adapter,
    lineage,
    rename_run,
    reproduce,
    run_group,
    run_view,
    runs,
    start_upload,
)

__all__ = ["app"]

app = typer.Typer(help="Training runs: list, compare, repeat, export, import, delete.", no_args_is_help=True)

Run = Annotated[str, typer.Argument(help="Run id.")]


@command(app, "list")
def list_(project: Project, as_json: Json = False) -> None:
    """List runs, the newest first."""
    found = runs(get_project(project).id)
    if as_json:
        show([asdict(view) for view in found])
        return
    columns = (t("cli.id"), t("cli.name"), t("cli.status"), t("cli.adapter"))
    table(columns, [(v.id, v.name, t(f"jobs.status.{v.status}"), v.adapter_id) for v in found])


@command(app, "show")
def show_(run: Run) -> None:
    """Show one run with its curves, and what it rests on, as JSON."""
    held = lineage(run)
    rests = {
        "dataset_version_id": held.dataset_version_id,
        "index_version_id": held.index_version_id,
        "base_ref": held.base_ref,
        "base_hash": held.base_hash,
        "adapters": [row.id for row in held.adapters],
        "approaches": [row.name for row in held.approaches],
        "answers": held.answers,
    }
    show({**asdict(run_view(run)), "lineage": rests})


@command(app)
def compare(
    chosen: Annotated[list[str], typer.Argument(help="Run ids, two or more.", metavar="RUN...")], as_json: Json = False
) -> None:
    """Show what differs in the configurations of runs, and what came of each."""
    found = compare_runs(chosen)
    if as_json:
        show(asdict(found))
        return
    names = [run.name for run in found.runs]
    rows: list[tuple[Any, ...]] = [(name, *map(str, values)) for name, values in found.differing.items()]
    rows += [(t(f"ui.registry.outcome.{name}"), *map(str, values)) for name, values in found.outcome.items()]
    table([t("ui.registry.field"), *names], rows)


@command(app)
def group(run: Run, as_json: Json = False) -> None:
    """Show what the runs that were started together say: a learning curve, or the spread between seeds."""
    found = run_group(run)
    if as_json:
        facts = {} if found is None else {"key": found.key, "kind": found.kind, "finding": found.finding}
        show({**facts, "points": [] if found is None else [asdict(point) for point in found.points]})
        return
    progress_line(group_sentence(run) or t("cli.runs.alone"))
    points = [] if found is None else found.points
    columns = (t("cli.id"), t("charts.axis.examples"), t("charts.axis.seed"), t("charts.axis.best_loss"))
    table(columns, [(p.run_id, format_number(p.examples), p.seed, format_number(p.loss, digits=3)) for p in points])


@command(app)
def repeat(
    run: Run, detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False
) -> None:
    """Train the same configuration on the same data once more."""
    made = reproduce(run)
    progress_line(t("cli.train.started", run=made.id, job=str(made.job_id)))
    if not detach:
        follow(str(made.job_id))


@command(app)
def rename(run: Run, name: Annotated[str, typer.Argument(help="The new name.")]) -> None:
    """Give a run and its adapter another name."""
    rename_run(run, name)


@command(app)
def export(
    adapter: Annotated[str, typer.Argument(help="Id of an adapter or merged model.")],
    file: Annotated[Path, typer.Argument(help="ZIP archive to write.")],
) -> None:
    """Write an adapter or merged model with its card as a ZIP archive."""
    progress_line(str(export_adapter(adapter, file)))


@command(app)
def kit(run: Run, file: Annotated[Path, typer.Argument(help="ZIP archive to write.")]) -> None:
    """Write data, configuration and a plain script that trains the same run on another machine."""
    progress_line(str(export_kit(run, file)))


@command(app)
def upload(
    adapter: Annotated[str, typer.Argument(help="Id of an adapter or merged model.")],
    name: Annotated[str, typer.Option(help="Name of the repository; default: made from the adapter's.")] = "",
) -> None:
    """Upload to the hub account that KURABE_HUB_ACCOUNT names, as a private repository."""
    view = follow(start_upload(adapter, name))
    progress_line(str((view.result or {}).get("url", "")))


@command(app, "import")
def import_(
    project: Project,
    source: Annotated[Path, typer.Argument(help="Folder or ZIP archive of a PEFT adapter.", exists=True)],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    base: Annotated[str | None, typer.Option(help="Its base model; default: the project's.")] = None,
    rows: Annotated[Literal["plain", "raft"], typer.Option(help="raft if it was trained with passages.")] = "plain",
    as_json: Json = False,
) -> None:
    """Take in an adapter that was trained elsewhere."""
    owner = get_project(project)
    made = import_adapter(owner.id, source, name or source.stem, base_ref=base or owner.base_ref, row_style=rows)
    progress_line(made.id)
    if as_json:
        show({"id": made.id, "name": made.name, "kind": made.kind, "hash": made.hash})


@command(app)
def delete(run: Run) -> None:
    """Delete a run with its log, checkpoints, adapter and merged models; stored answers stay."""
    delete_run(run)
