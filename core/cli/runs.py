"""``python -m core runs``: what was trained, beside each other, again, out of the house and into it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.jobs import follow
from core.cli.project import Project
from core.cli.training import Wait, group_sentence
from core.decision import called, share_text, verdict_word
from core.evaluation import RunDifference, RunScores, compare_run_scores
from core.i18n import format_number, t
from core.models import adapter as adapter_row
from core.projects import get_project
from core.training import (
    RunView,
    archive_run,
    compare_runs,
    delete_run,
    demote_run,
    export_adapter,
    export_kit,
    import_adapter,
    lineage,
    note_run,
    outcome_text,
    promote_run,
    rename_run,
    reproduce,
    run_group,
    run_named,
    run_record,
    run_view,
    runs,
    setting_name,
    setting_text,
    start_merge,
    start_upload,
    unarchive_run,
)

__all__ = ["app"]

app = typer.Typer(
    help="Training runs: list, compare, promote, archive, repeat, export, import, delete.", no_args_is_help=True
)

Run = Annotated[str, typer.Argument(help="Run id, or the first or last characters of one.")]


@command(app, "list")
def list_(
    project: Project,
    dataset_version: Annotated[str | None, typer.Option(help="Only runs trained on this version, by its id.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away as well.")] = False,
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""
    found = runs(get_project(project).id, dataset_version_id=dataset_version, archived=archived)
    if as_json:
        show([asdict(view) for view in found])
        return
    columns = (t("cli.id"), t("cli.name"), t("cli.status"), t("cli.mark"), t("cli.adapter"), t("cli.note"))
    table(columns, [(v.id, v.name, _status(v), _mark(v), v.adapter_id, v.note.partition("\n")[0]) for v in found])


def _status(view: RunView) -> str:
    return t(f"jobs.status.{view.status}") if view.job is not None else ""


def _mark(view: RunView) -> str:
    if view.promoted_for is not None:
        return t(f"ui.registry.promoted.{view.promoted_for}")
    return t("ui.registry.archived") if view.archived else ""


@command(app, "show")
def show_(
    run: Run,
    wait_for: Annotated[bool, typer.Option("--follow", help="Show its progress and wait for its end.")] = False,
    as_json: Json = False,
) -> None:
    """Show one run with its curves, its record, what it rests on and what rests on it, always as JSON."""
    run = run_named(run)
    view = run_view(run)
    if wait_for and view.job is not None:
        follow(view.job.id)
        view = run_view(run)
    held = lineage(run)
    rests = {
        "dataset_version_id": held.dataset_version_id,
        "index_version_id": held.index_version_id,
        "base_ref": held.base_ref,
        "base_hash": held.base_hash,
        "adapters": [row.id for row in held.adapters],
        "approaches": [{"id": row.id, "name": row.name, "version": row.version} for row in held.approaches],
        "experiments": [{"id": row.id, "name": row.name} for row in held.experiments],
        "answers": held.answers,
    }
    show({**asdict(view), "record": asdict(run_record(view)), "lineage": rests})


@command(app)
def compare(
    chosen: Annotated[list[str], typer.Argument(help="Run ids, two or more.", metavar="RUN...")], as_json: Json = False
) -> None:
    """Show what differs in the configurations of runs, what came of each, and their scores on the same questions."""
    chosen = [run_named(each) for each in chosen]
    found, scores = compare_runs(chosen), compare_run_scores(chosen)
    if as_json:
        show({**asdict(found), "scores": scores.as_dict()})
        return
    names = [run.name for run in found.runs]
    rows: list[tuple[Any, ...]] = [
        (setting_name(name), *(setting_text(name, value) for value in values))
        for name, values in found.differing.items()
    ]
    rows += [
        (t(f"ui.registry.outcome.{name}"), *(outcome_text(name, value) for value in values))
        for name, values in found.outcome.items()
        if any(value is not None for value in values)
    ]
    table([t("ui.registry.field"), *names], rows)
    _tell_scores(scores, dict(zip(chosen, names, strict=True)))


def _tell_scores(found: RunScores, names: dict[str, str]) -> None:
    """Say what test runs found of the runs' weights, and how they differ on the questions that both answered."""
    if not found.scores:
        progress_line(t("ui.registry.compare.scores.none"))
        return
    columns = ("ui.registry.compare.run", "ui.test.approach", "ui.registry.compare.test", "ui.registry.compare.score")
    scores = [(names[s.run_id], called(s.name, s.preset, {}), s.experiment, share_text(s.score)) for s in found.scores]
    table([t(name) for name in columns], scores)
    if found.never_asked:
        progress_line(t("ui.registry.compare.scores.missing", names=", ".join(names[key] for key in found.never_asked)))
    heads = ("ui.registry.compare.second", "ui.registry.compare.first", "ui.test.approach",
             "ui.registry.compare.questions", "ui.registry.compare.difference", "ui.changes.finding",
             "ui.changes.same")  # fmt: skip
    rows = [
        (names[d.second], names[d.first], called("", d.preset, {}), format_number(d.n), _points(d),
         verdict_word(d.verdict), t(f"ui.registry.compare.alike.{'yes' if d.alike else 'no'}"))
        for d in found.differences
    ]  # fmt: skip
    if rows:
        table([t(name) for name in heads], rows)


def _points(found: RunDifference) -> str:
    value, low, high = (
        "" if share is None else f"{100 * share:+.1f}" for share in (found.estimate, found.low, found.high)
    )
    if found.low is None:
        return t("ui.changes.points.bare", value=value)
    return t("ui.changes.points", value=value, low=low, high=high)


@command(app)
def group(run: Run, as_json: Json = False) -> None:
    """Show what the runs that were started together say: a learning curve, or the spread between seeds."""
    run = run_named(run)
    found = run_group(run)
    if as_json:
        facts = {} if found is None else {"key": found.key, "kind": found.kind, "finding": found.finding}
        show({**facts, "points": [] if found is None else [asdict(point) for point in found.points]})
        return
    progress_line(group_sentence(run) or t("cli.runs.alone"))
    points = [] if found is None else found.points
    columns = (t("cli.id"), t("charts.axis.examples"), t("charts.axis.seed"), t("charts.axis.kept_loss"))
    table(columns, [(p.run_id, format_number(p.examples), p.seed, format_number(p.loss, digits=3)) for p in points])


@command(app)
def repeat(run: Run, wait_for: Wait = True, as_json: Json = False) -> None:
    """Train the same configuration on the same data once more."""
    made = reproduce(run_named(run))
    progress_line(t("cli.train.started", run=made.id, job=str(made.job_id)))
    if wait_for:
        follow(str(made.job_id))
    if as_json:
        show(asdict(run_view(made.id)))


@command(app)
def rename(run: Run, name: Annotated[str, typer.Argument(help="The new name.")], as_json: Json = False) -> None:
    """Give a run and its adapter another name."""
    run = run_named(run)
    rename_run(run, name)
    _changed(run, as_json=as_json)


@command(app)
def note(
    run: Run, text: Annotated[str, typer.Argument(help="What to keep; empty removes it.")], as_json: Json = False
) -> None:
    """Write a note about a run, in place of the one before."""
    run = run_named(run)
    note_run(run, text)
    _changed(run, as_json=as_json)


@command(app)
def promote(run: Run, as_json: Json = False) -> None:
    """Make approaches take this run's adapter, also when newer ones are there; one for each purpose."""
    run = run_named(run)
    progress_line(t(f"ui.registry.promoted.{promote_run(run)}"))
    _changed(run, as_json=as_json)


@command(app)
def demote(run: Run, as_json: Json = False) -> None:
    """Let approaches take the newest adapter again."""
    run = run_named(run)
    demote_run(run)
    _changed(run, as_json=as_json)


@command(app)
def archive(run: Run, as_json: Json = False) -> None:
    """Put a run away: lists leave it out, nothing of it is deleted."""
    run = run_named(run)
    archive_run(run)
    _changed(run, as_json=as_json)


@command(app)
def unarchive(run: Run, as_json: Json = False) -> None:
    """Take a run out of the archive."""
    run = run_named(run)
    unarchive_run(run)
    _changed(run, as_json=as_json)


def _changed(run: str, *, as_json: bool) -> None:
    """Show what people decided about a run, as it now stands."""
    if as_json:
        view = run_view(run)
        show({name: getattr(view, name) for name in ("id", "name", "note", "promoted_for", "archived")})


@command(app)
def export(
    adapter: Annotated[str, typer.Argument(help="Id of an adapter or merged model.")],
    file: Annotated[Path, typer.Argument(help="ZIP archive to write.")],
    as_json: Json = False,
) -> None:
    """Write an adapter or merged model with its card as a ZIP archive."""
    _written(export_adapter(adapter, file), as_json=as_json)


@command(app)
def kit(run: Run, file: Annotated[Path, typer.Argument(help="ZIP archive to write.")], as_json: Json = False) -> None:
    """Write data, configuration and a plain script that trains the same run on another machine."""
    _written(export_kit(run_named(run), file), as_json=as_json)


def _written(file: Path, *, as_json: bool) -> None:
    progress_line(str(file))
    if as_json:
        show({"file": file, "bytes": file.stat().st_size})


@command(app)
def merge(
    adapter: Annotated[str, typer.Argument(help="Id of a LoRA, QLoRA, rsLoRA or DoRA adapter.")],
    wait_for: Wait = True,
    as_json: Json = False,
) -> None:
    """Merge an adapter into weights of their own, as a job; export them like an adapter."""
    job = start_merge(adapter_row(adapter).project_id, adapter)
    if not wait_for:
        progress_line(job)
        if as_json:
            show({"job": job})
        return
    result = follow(job).result or {}
    progress_line(str(result.get("merged_id", "")))
    if as_json:
        show(result)


@command(app)
def upload(
    adapter: Annotated[str, typer.Argument(help="Id of an adapter or merged model.")],
    name: Annotated[str, typer.Option(help="Name of the repository; default: made from the adapter's.")] = "",
    as_json: Json = False,
) -> None:
    """Upload to the hub account that KURABE_HUB_ACCOUNT names, as a private repository."""
    view = follow(start_upload(adapter, name))
    progress_line(str((view.result or {}).get("url", "")))
    if as_json:
        show(view.result)


@command(app, "import")
def import_(
    project: Project,
    source: Annotated[Path, typer.Argument(help="Folder or ZIP archive of a PEFT adapter.", exists=True)],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    base: Annotated[str | None, typer.Option(help="Its base model; default: the project's.")] = None,
    rows: Annotated[Literal["plain", "raft"], typer.Option(help="raft if it was trained with passages.")] = "plain",
    other_base: Annotated[
        bool, typer.Option("--other-base", help="Take it although it names another base: the same by another name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in an adapter that was trained elsewhere."""
    owner = get_project(project)
    made = import_adapter(
        owner.id,
        source,
        name or source.stem,
        base_ref=base or owner.base_ref,
        row_style=rows,
        other_base=other_base,
    )
    progress_line(made.id)
    if as_json:
        show({"id": made.id, "name": made.name, "kind": made.kind, "hash": made.hash})


@command(app)
def delete(run: Run, as_json: Json = False) -> None:
    """Delete a run with all that it left, and say which approaches used it; stored answers stay."""
    run = run_named(run)
    held = lineage(run)
    delete_run(run)
    names = list(dict.fromkeys(called(approach.name, approach.preset, {}) for approach in held.approaches))
    answers = format_number(held.answers)
    progress_line(t("cli.runs.deleted", approaches=", ".join(names) or "–", answers=answers))
    if as_json:
        left = {"adapters": [row.id for row in held.adapters], "approaches": names, "answers": held.answers}
        show({"id": run, "deleted": True, **left})
