"""``python -m core train``: start a training, list adapters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.jobs import follow
from core.cli.project import Project
from core.errors import KurabeError
from core.i18n import format_number, t
from core.projects import get_project
from core.training import METHODS, OBJECTIVES, PRESETS, ROW_STYLES, TrainingConfig, adapters, run_view, start_training

__all__ = ["app"]

app = typer.Typer(help="Start trainings, list adapters.", no_args_is_help=True)


@command(app)
def start(
    project: Project,
    method: Annotated[str, typer.Option(help="lora, qlora, dora, rslora, …")] = "lora",
    objective: Annotated[
        str, typer.Option(help="sft: learn the answers; dpo: prefer the chosen of two answers.")
    ] = "sft",
    beta: Annotated[float | None, typer.Option(help="dpo: how firmly the base is held to.")] = None,
    preset: Annotated[str, typer.Option(help=", ".join(PRESETS))] = "balanced",
    rows: Annotated[str, typer.Option(help=", ".join(ROW_STYLES))] = "plain",
    seconds: Annotated[float | None, typer.Option(help="Time limit of the training.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Times that every row is seen.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak step size.")] = None,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    name: Annotated[str, typer.Option(help="What people call the run.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
    as_json: Json = False,
) -> None:
    """Train an adapter, as a job; follow it to its end."""
    owner = get_project(project)
    METHODS.get(method)
    if beta is not None and not OBJECTIVES.get(objective).pairs:
        raise KurabeError("training.bad_field", field="objective", found=objective, expected="dpo (--beta)")
    given: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate}
    if beta is not None:
        given["objective_fields"] = {"beta": beta}
    config = TrainingConfig.preset(
        owner.id,
        preset=preset,
        method=method,
        objective=objective,
        row_style=rows,
        seconds_limit=seconds,
        seed=seed,
        name=name,
        **{field: value for field, value in given.items() if value is not None},
    )
    run = start_training(owner.id, config)
    progress_line(t("cli.train.started", run=run.id, job=str(run.job_id)))
    if not detach:
        follow(str(run.job_id))
    if as_json:
        show(asdict(run_view(run.id)))


@command(app, "adapters")
def adapters_(project: Project, as_json: Json = False) -> None:
    """List adapters and merged models."""
    found = adapters(get_project(project).id)
    if as_json:
        names = ("id", "name", "kind", "row_style", "base_ref", "base_hash", "hash", "size", "licence")
        show([{name: getattr(row, name) for name in names} for row in found])
        return
    columns = (t("cli.id"), t("cli.name"), t("cli.kind"), t("cli.base_model"), t("cli.size"))
    table(columns, [(r.id, r.name, r.kind, r.base_ref, format_number(r.size)) for r in found])
