"""``python -m core dataset known`` and ``coverage``: what the base knows already, and where answers could come from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from core.cli._output import Json, command, console, progress_line, show, table
from core.cli.datasets import chosen_version
from core.cli.jobs import follow
from core.cli.judging import model_choice
from core.cli.project import Project
from core.datasets import TrainingText
from core.decision import share_text
from core.errors import KurabeError
from core.evaluation import (
    KnownConfig,
    KnownOutcome,
    known_outcome,
    known_rows,
    latest_known,
    plan_known,
    start_known,
)
from core.i18n import format_money, format_number, format_percent, t
from core.knowledge import dataset_coverage, default_kb
from core.measures import PRIMARY
from core.projects import get_project
from core.store import tables as tb

__all__ = ["register"]

Version = Annotated[str | None, typer.Option(help="A version, or the beginning of its id; default: the newest.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of datasets."""
    for function in (known, coverage):
        command(app)(function)


def known(
    project: Project,
    rows: Annotated[int, typer.Option(help="Most training rows, drawn at random; 0: all.", min=0)] = 200,
    model: Annotated[str | None, typer.Option(help="Model that is asked; default: the project's base model.")] = None,
    url: Annotated[str | None, typer.Option(help="OpenAI-compatible address that serves it.")] = None,
    key_name: Annotated[str | None, typer.Option(help="Environment variable that holds its key.")] = None,
    metric: Annotated[str, typer.Option(help="Metric that tells right from wrong.")] = PRIMARY,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    version: Version = None,
    which: Annotated[Literal["unknown", "known", "failed"], typer.Option("--show", help="Rows to list.")] = "unknown",
    limit: Annotated[int, typer.Option(help="How many rows to list.", min=0)] = 20,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would take.")] = False,
    result: Annotated[bool, typer.Option("--result", help="Ask nothing: show the newest result.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the base model the training questions closed book, as a job: which facts does it know already?"""
    owner = get_project(project)
    chosen = chosen_version(owner.id, version).id
    config = KnownConfig(
        dataset_version_id=chosen,
        model=model_choice(owner, model, url, key_name),
        rows=rows or None,
        metric=metric,
        seed=seed,
    )
    if plan:
        _plan(config, as_json)
    elif result:
        _show(_newest(chosen), which, limit, as_json)
    else:
        _plan(config, told=False)
        run = start_known(config)
        follow(str(run.job_id))
        _show(run, which, limit, as_json)


def _newest(version_id: str) -> tb.KnownRun:
    run = latest_known(version_id)
    if run is None:
        raise KurabeError("known.none")
    return run


def _plan(config: KnownConfig, as_json: bool = False, *, told: bool = True) -> None:
    foreseen = plan_known(config)
    cost = format_money(foreseen.cost, foreseen.currency) if foreseen.cost is not None else "–"
    words = {"calls": foreseen.calls, "prompt": foreseen.prompt_tokens, "completion": foreseen.completion_tokens}
    progress_line(t("cli.drafts.plan", cost=cost, **{name: format_number(n) for name, n in words.items()}))
    if told and as_json:
        show(asdict(foreseen))


def _show(run: tb.KnownRun, which: Literal["unknown", "known", "failed"], limit: int, as_json: bool) -> None:
    found, rows = known_outcome(run.id), known_rows(run.id, which, limit=limit)
    if as_json:
        show({**found.as_dict(), "show": which, "rows": [asdict(row) for row in rows]})
        return
    _print(found)
    columns = ("#", t("cli.slice"), t("cli.question"), t("ui.known.reference"), t("ui.known.answer"))
    table(columns, [(r.position + 1, r.slice, r.question, r.reference, r.answer) for r in rows],
          title=t(f"ui.known.show.{which}"))  # fmt: skip


def _print(found: KnownOutcome) -> None:
    counts = {"known": found.known, "judged": found.known + found.unknown, "failed": found.failed}
    words = {name: format_number(n) for name, n in counts.items()}
    console.print(t("cli.known.share", share=share_text(found.share), **words), markup=False)
    if found.left_out:
        console.print(t("ui.known.left_out", n=format_number(found.left_out)), markup=False)
    if len(found.slices) > 1:
        table(
            (t("cli.slice"), t("cli.rows"), t("ui.known.share")),
            [(each.slice, each.n, share_text(each.share)) for each in found.slices],
        )


def coverage(project: Project, version: Version = None, as_json: Json = False) -> None:
    """Work out where each test answer could come from, and whether the index holds the training text."""
    owner = get_project(project)
    found = dataset_coverage(default_kb(owner.id).id, chosen_version(owner.id, version).id)
    if as_json:
        show({name: value for name, value in asdict(found).items() if name != "examples"})
        return
    table(
        (t("ui.coverage.where"), t("ui.coverage.questions")),
        [(t(f"evaluation.coverage.{name}"), n) for name, n in found.counts.items()],
    )
    console.print(_training(found.training), markup=False)


def _training(found: TrainingText | None) -> str:
    if found is None:
        return t("ui.training_text.no_index")
    if not found.rows:
        return t("ui.training_text.short")
    share = format_percent(found.held / found.rows)
    return t("ui.training_text.held", held=format_number(found.held), rows=format_number(found.rows), share=share)
