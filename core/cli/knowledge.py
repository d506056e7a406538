"""``python -m core knowledge``: documents, their index, and search."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.datasets import Split, chosen_version
from core.cli.jobs import follow
from core.cli.project import Project
from core.decision import share_text
from core.errors import KurabeError
from core.i18n import describe, format_duration, t
from core.jobs import submit
from core.knowledge import (
    AskedOf,
    Filter,
    Hit,
    IndexConfig,
    Mode,
    Preview,
    RetrievalReport,
    SweepConfig,
    SweepPoint,
    SweepReport,
    add_documents,
    check_documents,
    current_document,
    default_kb,
    delete_document,
    documents,
    index_versions,
    index_writer,
    judge_search,
    latest_index,
    preview_document,
    preview_file,
    questions_with_gold,
    search,
    unread_of,
)
from core.projects import get_project
from core.store import tables as tb

__all__ = ["knowledge"]

knowledge = typer.Typer(help="Documents, their index, and search.", no_args_is_help=True)


MaxTokens = Annotated[int, typer.Option("--max-tokens", help="Longest passage, in tokens.", min=20, max=4000)]
MinTokens = Annotated[int, typer.Option("--min-tokens", help="Shorter sections are joined with the next.", min=0)]
Overlap = Annotated[
    int | None,
    typer.Option(help="Most tokens repeated from the passage before; default: a fifth of the longest.", min=0),
]
_USUAL = IndexConfig()


@command(knowledge)
def add(
    project: Project,
    files: Annotated[list[Path], typer.Argument(help="Documents.", exists=True)],
    preview: Annotated[bool, typer.Option("--preview", help="Show the passages; store nothing.")] = False,
    max_tokens: MaxTokens = _USUAL.max_tokens,
    min_tokens: MinTokens = _USUAL.min_tokens,
    overlap: Overlap = None,
    as_json: Json = False,
) -> None:
    """Add documents; a known name becomes the document's next version, and a ZIP file brings those in it."""
    base = default_kb(get_project(project).id)
    if preview:
        config = IndexConfig(min(min_tokens, max_tokens), max_tokens, overlap_tokens=overlap)
        previews = [one for file in files for one in preview_file(base.id, file.name, file.read_bytes(), config)]
        _print_previews(previews, as_json)
        return
    stored = [made for file in files for made in add_documents(base.id, [(file.name, file.read_bytes())])]
    if as_json:
        show([{name: getattr(made, name) for name in ("id", "name", "version", "hash", "notes")} for made in stored])
        return
    for made in stored:
        progress_line(t("cli.document.added", name=made.name, version=made.version))
        for note in unread_of(made.notes):
            progress_line(f"  {t('knowledge.note.' + note['code'], **note['params'])}")


@command(knowledge)
def chunks(
    project: Project,
    name: Annotated[str, typer.Argument(help="Document name.")],
    max_tokens: MaxTokens = _USUAL.max_tokens,
    min_tokens: MinTokens = _USUAL.min_tokens,
    overlap: Overlap = None,
    as_json: Json = False,
) -> None:
    """Show the passages that a document becomes with these lengths; nothing is written."""
    row = current_document(default_kb(get_project(project).id).id, name)
    if row is None:
        raise KurabeError("store.missing", kind="document", id=name)
    config = IndexConfig(min(min_tokens, max_tokens), max_tokens, overlap_tokens=overlap)
    _print_previews([preview_document(row.id, config)], as_json)


def _print_previews(previews: list[Preview], as_json: bool) -> None:
    if as_json:
        show([asdict(one) for one in previews])
        return
    for one in previews:
        rows = [
            (
                chunk.position + 1,
                chunk.tokens,
                chunk.heading or "–",
                chunk.text,
                t(f"knowledge.chunk.{chunk.note}") if chunk.note else "–",
            )
            for chunk in one.chunks
        ]
        columns = ("cli.chunk.place", "cli.chunk.tokens", "cli.chunk.heading", "cli.text", "cli.chunk.note")
        table([t(column) for column in columns], rows, title=one.name)
        for note in one.notes:
            progress_line(t(f"knowledge.note.{note['code']}", **note["params"]))


@command(knowledge)
def take_in(
    project: Project,
    folder: Annotated[str, typer.Argument(help="A folder below KURABE_DOCUMENT_FOLDER.")] = ".",
    as_json: Json = False,
) -> None:
    """Take in every readable document of the folder that the settings allow, as a job; follow it to its end."""
    owner = get_project(project)
    payload = {"folder": folder, "knowledge_base_id": default_kb(owner.id).id}
    found = follow(submit("documents", payload, project_id=owner.id)).result or {}
    for record in found.get("failures", ()):
        progress_line(" ".join(describe(KurabeError.from_record(record))))
    if found.get("failed", 0) > len(found["failures"]):
        progress_line(t("ui.documents.folder.failures", n=found["failed"]))
    if as_json:
        show(found)
    else:
        progress_line(t("ui.documents.folder.done", stored=found.get("stored", 0), unchanged=found.get("unchanged", 0)))


@command(knowledge, "list")
def list_documents(project: Project, as_json: Json = False) -> None:
    """List the current documents."""
    rows = documents(default_kb(get_project(project).id).id)
    if as_json:
        names = ("id", "name", "version", "title", "media_type", "hash", "size")
        show([{name: getattr(row, name) for name in names} for row in rows])
        return
    table((t("cli.name"), t("cli.version"), t("cli.title")), [(row.name, row.version, row.title) for row in rows])


@command(knowledge)
def remove(
    project: Project, name: Annotated[str, typer.Argument(help="Document name.")], as_json: Json = False
) -> None:
    """Delete a document's text for good."""
    for row in documents(default_kb(get_project(project).id).id):
        if row.name == name:
            delete_document(row.id)
            if as_json:
                show({"removed": row.id})
            return
    raise KurabeError("store.missing", kind="document", id=name)


@command(knowledge, "build")
@command(knowledge)
def index(
    project: Project,
    max_tokens: MaxTokens = _USUAL.max_tokens,
    min_tokens: MinTokens = _USUAL.min_tokens,
    overlap: Overlap = None,
    as_json: Json = False,
) -> None:
    """Build the search index, as a job; follow it to its end."""
    owner = get_project(project)
    base = default_kb(owner.id)
    config = IndexConfig(min(min_tokens, max_tokens), max_tokens, overlap_tokens=overlap)
    config.chunking()  # refuses an overlap that does not fit before a job is made
    lengths = {name: getattr(config, name) for name in ("min_tokens", "max_tokens", "overlap_tokens")}
    view = follow(submit("index", {"knowledge_base_id": base.id, "config": lengths}, project_id=owner.id))
    if as_json:
        show(view.result)


@command(knowledge, "search")
def search_(
    project: Project,
    query: Annotated[str, typer.Argument(help="A question.")],
    k: Annotated[int, typer.Option(help="How many passages.")] = 4,
    mode: Annotated[Mode, typer.Option(help="How to search.")] = "auto",
    document: Annotated[list[str] | None, typer.Option(help="Only in this document; may be repeated.")] = None,
    heading: Annotated[str, typer.Option(help="Only under titles and headings with these words.")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind of file (pdf, md); may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only documents with this tag; may be repeated.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only documents from this day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only documents up to this day.")] = None,
    budget: Annotated[int | None, typer.Option(help="Most tokens of all passages together.", min=1)] = None,
    rerank: Annotated[bool, typer.Option("--rerank", help="Order the best candidates again.")] = False,
    as_json: Json = False,
) -> None:
    """Search the newest index."""
    newest = latest_index(default_kb(get_project(project).id).id)
    if newest is None:
        raise KurabeError("training.no_index")
    only = Filter(
        documents=tuple(document or ()),
        heading=heading,
        kinds=tuple(each.lower().lstrip(".") for each in kind or ()),
        tags=tuple(tag or ()),
        since=since.date() if since else None,
        until=until.date() if until else None,
    )
    found = search(newest.id, query, k=k, mode=mode, rerank=rerank, only=only, budget=budget)
    if as_json:
        show(asdict(found))
        return
    for note in found.notes:
        progress_line(t(f"knowledge.note.{note['code']}", **note["params"]))
    rows = [(f"{hit.score:.3f}", *_both_ways(hit), _place(hit), hit.text) for hit in found.hits]
    columns = ("cli.score", "ui.search.way.vector", "ui.search.way.text", "cli.name", "cli.text")
    table([t(name) for name in columns], rows, title=format_duration(sum(found.spans.values())))


def _both_ways(hit: Hit) -> tuple[str, str]:
    """Return rank and score of a passage by meaning and by words; "–" where a way did not bring it."""
    meaning = f"{hit.vector_rank} ({hit.vector_score:.2f})" if hit.vector_rank and hit.vector_score is not None else "–"
    return meaning, f"{hit.text_rank} ({hit.text_score:.1f})" if hit.text_rank and hit.text_score is not None else "–"


def _place(hit: Hit) -> str:
    """Return where a passage stands: its document, and its page where the format has pages."""
    return f"{hit.document_name}, {t('ui.search.page', page=hit.page)}" if hit.page else hit.document_name


@command(knowledge)
def versions(project: Project, as_json: Json = False) -> None:
    """List the index versions that can be searched, the newest first."""
    base = default_kb(get_project(project).id)
    found = index_versions(base.id)
    if (writer := index_writer(base.id)) is not None:
        progress_line(t(f"ui.index.writing.{writer.purpose}", who=writer.who, machine=writer.machine))
    if as_json:
        names = ("id", "hash", "embedder", "chunk_count", "config", "seconds", "created_at")
        show([{name: getattr(version, name) for name in names} for version in found])
        return
    columns = (t("cli.id"), t("cli.hash"), t("ui.search.count"), t("cli.embedder"))
    table(columns, [(v.id, v.hash[:15], v.chunk_count, v.embedder or "–") for v in found])


@command(knowledge, "check")
def check_(project: Project, as_json: Json = False) -> None:
    """Look for repetitions, contradictions and instructions to the model in the documents."""
    found = check_documents(default_kb(get_project(project).id).id)
    if as_json:
        show([asdict(one) for one in found])
        return
    rows = [(t(f"knowledge.finding.{one.code}", **one.words()), ", ".join(one.documents)) for one in found]
    table((t("cli.finding"), t("cli.name")), rows)


def _named_and_file(words: list[str], project: str | None) -> tuple[tb.Project, Path | None]:
    """Tell the project's name from the file's: the name comes first, unless an option gave it."""
    rest = words if project is not None else words[1:]
    name = project or next(iter(words), None)
    if name is None or len(rest) > 1:
        raise typer.BadParameter("NAME FILE", param_hint="NAME")
    file = Path(rest[0]) if rest else None
    if file is not None and not file.is_file():
        raise typer.BadParameter(str(file), param_hint="FILE")
    return get_project(name), file


@command(knowledge)
def evaluate(
    name: Annotated[str | None, typer.Argument(help="The project; left out where --project names it.")] = None,
    file: Annotated[
        str | None, typer.Argument(help='JSONL rows {"question", "gold_document_ids"}; default: the dataset.')
    ] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="The project, in place of NAME.")] = None,
    k: Annotated[int, typer.Option(help="How many passages count as found.", min=1, max=50)] = 5,
    mode: Annotated[Literal["text", "vector", "hybrid"] | None, typer.Option(help="Default: all there are.")] = None,
    split: Annotated[Split, typer.Option(help="Questions of the dataset.")] = "validation",
    as_json: Json = False,
) -> None:
    """Judge the search alone: how often it brings the passages that hold the answers."""
    owner, rows = _named_and_file([word for word in (name, file) if word is not None], project)
    newest = latest_index(default_kb(owner.id).id)
    if newest is None:
        raise KurabeError("training.no_index")
    asked = questions_with_gold(chosen_version(owner.id, None).id, split) if rows is None else _asked_in(rows)
    _print_search(judge_search(newest.id, asked, k=k, modes=(mode,) if mode else ()), as_json)


@command(knowledge)
def sweep(
    project: Project,
    sizes: Annotated[str, typer.Option(help="Longest passages, in tokens.")] = "100,200,400",
    k: Annotated[str, typer.Option(help="Numbers of passages.")] = "2,4,8",
    split: Annotated[Split, typer.Option(help="Questions of the dataset.")] = "validation",
    as_json: Json = False,
) -> None:
    """Try passage lengths, ways of searching and numbers of passages, as a job; the served index stays."""
    owner = get_project(project)
    tried = SweepConfig(_numbers(sizes), _numbers(k))
    payload = {
        "dataset_version_id": chosen_version(owner.id, None).id,
        "split": split,
        "sizes": tried.sizes,
        "ks": tried.ks,
    }
    view = follow(submit("sweep", payload, project_id=owner.id))
    if as_json:
        show(view.result)
        return
    report = SweepReport.from_record(view.result or {})
    columns = ("ui.index.max_tokens", "ui.search.way", "ui.search.count", "ui.sweep.recall", "ui.judging.mrr",
               "ui.sweep.ndcg", "ui.sweep.tokens", "ui.judging.against")  # fmt: skip
    rows = [_sweep_row(point) for point in sorted(report.points, key=lambda one: -one.recall.estimate)]
    table([t(name) for name in columns], rows)
    missed = [(miss.question, miss.rank or t("ui.judging.beyond"), ", ".join(miss.documents)) for miss in report.missed]
    names = ("ui.judging.question", "ui.judging.rank", "ui.judging.document")
    table([t(name) for name in names], missed, title=t("ui.judging.missed", n=report.missed_in_all))


def _numbers(text: str) -> tuple[int, ...]:
    """Read "100,200".

    Raises:
        KurabeError: ``knowledge.sweep_range``.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise KurabeError("knowledge.sweep_range") from error


def _sweep_row(point: SweepPoint) -> tuple[Any, ...]:
    return (
        point.max_tokens,
        t(f"ui.search.way.{point.mode}"),
        point.k,
        share_text(point.recall),
        f"{point.mrr.estimate:.2f}",
        f"{point.ndcg.estimate:.2f}",
        round(point.tokens),
        t(f"decision.word.{point.verdict}") if point.verdict else "–",
    )


def _asked_in(file: Path) -> list[AskedOf]:
    """Read questions with the documents that hold their answers.

    Raises:
        KurabeError: ``cli.gold_row`` with the line of the first row that cannot be read.
    """
    asked = []
    # by line feeds alone: JSON may hold other line breaks inside its strings
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row["gold_document_ids"], list):
                raise TypeError
            gold = tuple((str(name), "") for name in row["gold_document_ids"])
            asked.append(AskedOf(str(row["question"]), gold, str(row.get("slice", ""))))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KurabeError("cli.gold_row", line=number, file=file.name) from error
    return asked


def _print_search(report: RetrievalReport, as_json: bool) -> None:
    if as_json:
        ranks = {j.mode: [{"asked": asdict(f.asked), "ranks": f.ranks} for f in j.ranks] for j in report.modes}
        modes = [{n: v for n, v in asdict(judged).items() if n != "ranks"} for judged in report.modes]
        facts = {name: getattr(report, name) for name in ("index_version_id", "k", "questions", "without_gold")}
        facts["not_indexed"] = [asked.question for asked in report.not_indexed]
        pairs = {name: [asdict(pair) for pair in getattr(report, name)] for name in ("pairs", "details")}
        show({**facts, "modes": modes, **pairs, "ranks": ranks})
        return
    columns = ("ui.search.way", "ui.judging.recall", "ui.judging.hit", "ui.judging.mrr", "ui.judging.ndcg")
    rows = [
        (
            t(f"ui.search.way.{judged.mode}"),
            share_text(judged.recall),
            share_text(judged.hit),
            f"{judged.mrr.estimate:.2f}",
            f"{judged.ndcg.estimate:.2f}",
        )
        for judged in report.modes
    ]
    table([t(name, k=report.k) for name in columns], rows)
