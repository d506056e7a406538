"""``python -m core dataset draft``, ``drafts``, ``accept``, ``reject``, ``add-accepted``, ``missing``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.jobs import follow
from core.cli.judging import model_choice
from core.cli.project import Project
from core.evaluation import (
    DRAFT_SHOW,
    DraftingConfig,
    add_accepted,
    count_drafts,
    decide,
    drafts,
    plan_drafting,
    questions_missing,
    start_drafting,
    unreadable,
)
from core.i18n import format_money, format_number, t
from core.projects import get_project
from core.store import tables as tb

__all__ = ["register"]

Ids = Annotated[list[str], typer.Argument(help="Draft ids, as `drafts` shows them.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of datasets."""
    for function in (draft, list_drafts, accept, reject, add_drafts, missing):
        names = {"list_drafts": "drafts", "add_drafts": "add-accepted"}
        command(app, names.get(function.__name__))(function)


def draft(
    project: Project,
    source: Annotated[
        Literal["documents", "training"],
        typer.Option("--from", help="Passages of documents, or trained questions to be put in other words."),
    ] = "documents",
    document: Annotated[list[str] | None, typer.Option(help="Only this document; may be repeated.")] = None,
    sources: Annotated[int, typer.Option(help="Most passages or trained questions.", min=1)] = 20,
    each: Annotated[int, typer.Option(help="Questions for each.", min=1, max=10)] = 2,
    model: Annotated[str | None, typer.Option(help="Model that drafts; default: the project's base model.")] = None,
    url: Annotated[str | None, typer.Option(help="OpenAI-compatible address that serves it.")] = None,
    key_name: Annotated[str | None, typer.Option(help="Environment variable that holds its key.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would take.")] = False,
    as_json: Json = False,
) -> None:
    """Let a model draft questions, as a job; people decide which of them count."""
    owner = get_project(project)
    config = DraftingConfig(
        project_id=owner.id,
        model=model_choice(owner, model, url, key_name),
        source=source,
        documents=tuple(document or ()),
        sources=sources,
        each=each,
        seed=seed,
    )
    foreseen = plan_drafting(config)
    words = {"calls": foreseen.calls, "prompt": foreseen.prompt_tokens, "completion": foreseen.completion_tokens}
    cost = format_money(foreseen.cost, foreseen.currency) if foreseen.cost is not None else "–"
    progress_line(t("cli.drafts.plan", cost=cost, **{name: format_number(n) for name, n in words.items()}))
    if plan:
        if as_json:
            show(asdict(foreseen))
        return
    view = follow(str(start_drafting(config).job_id))
    counts = count_drafts(owner.id)
    if as_json:
        show({**(view.result or {}), "counts": counts})
        return
    made = view.result or {}
    told = {name: int(made.get(name, 0)) for name in ("drafts", "doubtful")}
    told["unreadable"] = int(made.get("unreadable", 0)) + int(made.get("failed", 0))
    progress_line(t("cli.drafts.done", **{name: format_number(n) for name, n in told.items()}))


def list_drafts(
    project: Project,
    which: Annotated[str, typer.Option("--show", help=", ".join(DRAFT_SHOW))] = "open",
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """List drafts with their sources and what is doubtful about them."""
    owner = get_project(project)
    if which == "unreadable":
        _list_unreadable(owner, limit, as_json)
        return
    page = drafts(owner.id, which, limit=limit)
    if as_json:
        show([{**_record(one), "source": page.sources[one.call_id]} for one in page.drafts])
        return
    columns = ("cli.id", "ui.drafts.question", "ui.drafts.answer", "cli.drafts.doubts")
    rows = [(one.id, one.question, one.answer, "\n".join(_doubts(one))) for one in page.drafts]
    table([t(name) for name in columns], rows)


def _list_unreadable(owner: tb.Project, limit: int, as_json: bool) -> None:
    calls = unreadable(owner.id, limit=limit)
    if as_json:
        show([{name: getattr(call, name) for name in ("id", "source", "text", "error")} for call in calls])
        return
    table([t("cli.id"), t("ui.drafts.reply")], [(call.id, call.text or t("ui.drafts.failed")) for call in calls])


def _doubts(one: tb.Draft) -> list[str]:
    return [t(f"drafting.doubt.{doubt['code']}", **doubt["params"]) for doubt in one.doubts]


def _record(one: tb.Draft) -> dict[str, Any]:
    names = ("id", "question", "answer", "quote", "drafted", "doubts", "state", "decided_by", "decided_at",
             "version_id")  # fmt: skip
    return {name: getattr(one, name) for name in names}


def accept(
    project: Project,
    ids: Ids,
    question: Annotated[str | None, typer.Option(help="Question in your words.")] = None,
    answer: Annotated[str | None, typer.Option(help="Reference answer in your words.")] = None,
    quote: Annotated[str | None, typer.Option(help="Words of the passage that hold the answer.")] = None,
    as_json: Json = False,
) -> None:
    """Accept drafts, as they are or in your own words; who and when is kept."""
    given = {"question": question, "answer": answer, "quote": quote}
    edits = {name: text for name, text in given.items() if text is not None}
    if edits and len(ids) > 1:
        raise typer.BadParameter("--question, --answer, --quote: 1 draft")
    _decided(decide(get_project(project).id, ids, "accepted", edits), as_json)


def reject(project: Project, ids: Ids, as_json: Json = False) -> None:
    """Reject drafts; they stay listed as such."""
    _decided(decide(get_project(project).id, ids, "rejected"), as_json)


def _decided(count: int, as_json: bool) -> None:
    if as_json:
        show({"decided": count})
    else:
        progress_line(t("cli.drafts.decided", n=format_number(count)))


def add_drafts(
    project: Project,
    split: Annotated[Literal["train", "validation", "test"], typer.Option(help="Part that they join.")] = "test",
    slice_name: Annotated[str, typer.Option("--slice", help="Slice; default: the trained question's.")] = "",
    as_json: Json = False,
) -> None:
    """Make the dataset's next version with the accepted drafts."""
    made = add_accepted(get_project(project).id, split, slice_name)
    if as_json:
        show({name: getattr(made, name) for name in ("id", "hash", "row_count", "counts", "lineage")})
    else:
        progress_line(t("ui.drafts.added", n=format_number(made.row_count)))


def missing(
    project: Project,
    difference: Annotated[float, typer.Option(help="Difference to be found, in points.", min=1, max=100)] = 15,
    as_json: Json = False,
) -> None:
    """Say how many more test questions each coverage slice needs for a verdict."""
    found = questions_missing(get_project(project).id, difference / 100)
    if as_json:
        show({**asdict(found), "missing": {need.coverage: need.missing for need in found.slices}})
        return
    names = ("slice", "have", "smallest", "needed", "missing")
    rows = [
        (
            t("ui.drafts.needs.all") if need.coverage == "all" else t(f"evaluation.coverage.{need.coverage}"),
            need.questions,
            t("ui.drafts.needs.points", n=format_number(100 * need.smallest)) if need.smallest else "–",
            "–" if need.needed is None else need.needed,
            "–" if need.missing is None else need.missing,
        )
        for need in found.slices
    ]
    table([t(f"ui.drafts.needs.{name}") for name in names], rows)
