"""``python -m core approaches``: list, show, make or change, archive, bring back, test an address, preview a prompt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.approaches import (
    ApproachSpec,
    ModelChoice,
    ProjectSources,
    archive_approach,
    archived_approaches,
    change_approach,
    check_connection,
    draft,
    ensure_presets,
    find_approaches,
    get_approach,
    label_of,
    make_approach,
    model_of_adapter,
    preview,
    restore_approach,
    spec_from,
    spec_of_row,
    trouble,
    versions,
)
from core.cli._output import Json, command, progress_line, show, table
from core.cli.project import Project
from core.errors import KurabeError
from core.i18n import LANGUAGES, describe, t
from core.models import adapter
from core.prices import list_price
from core.projects import get_project
from core.store import tables as tb

__all__ = ["app", "chosen"]

app = typer.Typer(help="Approaches: model, context and prompt; each change a version.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name, in either language, or id.")]


def chosen(project_id: str, named: list[str] | None) -> list[tb.Approach]:
    """Return the approaches that an option named, all without one.

    Raises:
        KurabeError: ``registry.unknown``.
    """
    return find_approaches(project_id, named or None)


def _one(project: str, name: str) -> tb.Approach:
    """Return the one approach that a name means; a preset's name means the standard one where there are several.

    Raises:
        KurabeError: ``registry.unknown``.
    """
    owner = get_project(project)
    if name in {row.id for row in archived_approaches(owner.id)}:
        return get_approach(name)
    found = find_approaches(owner.id, [name])
    return next((row for row in found if row.name == name), found[0])


def _as_dict(row: tb.Approach, sources: ProjectSources) -> dict[str, Any]:
    spec = spec_of_row(row)
    priced = list_price(spec.model.ref) if spec.model.kind == "endpoint" else None
    return {
        "id": row.id,
        "name": row.name,
        "labels": {code: label_of(row, code) for code in LANGUAGES},
        "preset": row.preset,
        "version": row.version,
        "hash": row.hash,
        "current": row.retired_at is None,
        "archived": spec.archived,
        "spec": spec.model_dump(mode="json"),
        "trouble": trouble(spec, sources),
        "list_price": None if priced is None else {"input": priced.input, "output": priced.output,
                                                   "currency": priced.currency, "as_of": priced.as_of},
    }  # fmt: skip


@command(app, "list")
def list_(
    project: Project,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away instead.")] = False,
    as_json: Json = False,
) -> None:
    """List a project's approaches with what answers, what it reads and whether it can."""
    owner = get_project(project)
    sources = ProjectSources(owner.id)
    rows = archived_approaches(owner.id) if archived else ensure_presets(owner.id)
    if as_json:
        show([_as_dict(row, sources) for row in rows])
        return
    columns = ("cli.name", "approaches.spec.preset", "approaches.spec.model", "approaches.spec.context",
               "cli.approaches.version", "cli.approaches.trouble", "cli.id")  # fmt: skip
    table([t(key) for key in columns], [_row(row, sources) for row in rows])


def _row(row: tb.Approach, sources: ProjectSources) -> tuple[str, ...]:
    spec = spec_of_row(row)
    reason = trouble(spec, sources)
    answers = f"{spec.model.served_name} @ {spec.model.url}" if spec.model.url else spec.model.served_name
    why = describe(KurabeError.from_record(reason))[0] if reason else ""
    return (label_of(row), row.preset, answers, str(spec.context["name"]), str(row.version), why, row.id)


@command(app, "show")
def show_(project: Project, name: Name, as_json: Json = False) -> None:
    """Show one approach in full, with all its versions."""
    row = _one(project, name)
    document = _as_dict(row, ProjectSources(row.project_id))
    document["versions"] = [
        {"id": each.id, "version": each.version, "hash": each.hash, "made": each.created_at, "until": each.retired_at}
        for each in versions(row)
    ]
    show(document)


@command(app)
def save(
    project: Project,
    name: Annotated[str, typer.Argument(help="Its name; an existing one gets a new version.")],
    kind: Annotated[str | None, typer.Option(help="Preset, such as rag or endpoint; needed for a new one.")] = None,
    rename: Annotated[str | None, typer.Option(help="Another name for an existing one.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name for readers of English.")] = None,
    name_ja: Annotated[str | None, typer.Option(help="Name for readers of Japanese.")] = None,
    base: Annotated[str | None, typer.Option(help="Base model that answers.")] = None,
    adapter_id: Annotated[str | None, typer.Option("--adapter", help="Adapter or merged model, by id.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible service.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name at the address.")] = None,
    key_name: Annotated[str | None, typer.Option(help="NAME of the variable that holds its key.")] = None,
    context: Annotated[str | None, typer.Option(help="Context, such as retrieved or none.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="Field of the context as name=value; repeat.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What the model is asked to do.")] = None,
    house_rules: Annotated[str | None, typer.Option(help="How answers must look.")] = None,
    style: Annotated[str | None, typer.Option(help="In which voice.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0: always the likeliest token.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest words up to this sum; 1: all.")] = None,
    thinking: Annotated[bool | None, typer.Option("--thinking/--no-thinking", help="Think first.")] = None,
    spec: Annotated[Path | None, typer.Option(help="JSON file of a specification, as show prints; - reads it.")] = None,
    as_json: Json = False,
) -> None:
    """Make an approach, or change one: what is not given stays as it is, and a change makes a new version."""
    owner = get_project(project)
    stored = next((row for row in find_approaches(owner.id, None) if name in (row.name, row.id)), None)
    start = _started(owner.id, stored, name, kind, spec)
    changes: dict[str, Any] = {
        "name": rename or start.name,
        "names": {**start.names, **_given({"en": name_en, "ja": name_ja})},
        "model": _model(start, base, adapter_id, _given({"url": url, "ref": model, "key_name": key_name})),
        "context": _context(start, context, field or []),
        "prompt": _given({"instructions": instructions, "house_rules": house_rules, "style": style}),
        "decoding": _given({"max_tokens": max_tokens, "temperature": temperature, "thinking": thinking}),
    }
    if top_p is not None:  # all of the probability is no limit, which is told by leaving it out
        changes["decoding"]["top_p"] = top_p if top_p != 1 else None
    changes["prompt"] = start.prompt.model_dump() | changes["prompt"]
    changes["decoding"] = start.decoding.model_dump() | changes["decoding"]
    wanted = spec_from(start.model_dump() | changes)
    row = make_approach(owner.id, wanted) if stored is None else change_approach(stored.id, wanted)
    if as_json:
        show(_as_dict(row, ProjectSources(owner.id)))
    else:
        progress_line(t("cli.approaches.saved", name=label_of(row), n=row.version, id=row.id))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _started(
    project_id: str, stored: tb.Approach | None, name: str, kind: str | None, file: Path | None
) -> ApproachSpec:
    """Return what the options change: the file's specification, else the stored one, else a new one of the kind."""
    if file is not None:
        read = _read(file)
        return spec_from({**read, "name": stored.name if stored else name} | _given({"preset": kind}))
    if stored is not None:
        return spec_from(spec_of_row(stored).model_dump() | _given({"preset": kind}))
    if kind is None:
        raise KurabeError("cli.approaches.kind", name=name)
    spec_from({"name": name, "preset": kind, "model": ModelChoice(ref="?")})  # refuses an unknown kind
    return draft(project_id, kind).model_copy(update={"name": name})


def _read(file: Path) -> dict[str, Any]:
    """Read a specification, or the document of which `show` makes it a part.

    Raises:
        KurabeError: ``cli.approaches.file``.
    """
    try:
        value = json.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KurabeError("cli.approaches.file", file=str(file), detail=str(error)[:200]) from error
    value = value.get("spec", value) if isinstance(value, dict) else value
    if not isinstance(value, dict):
        raise KurabeError("cli.approaches.file", file=str(file), detail=type(value).__name__)
    return value


def _model(start: ApproachSpec, base: str | None, adapter_id: str | None, at: dict[str, str]) -> dict[str, Any]:
    """Return which weights answer: at an address where one is given or was there before."""
    if base is not None:
        return ModelChoice(ref=base, base_ref=base).model_dump()
    if adapter_id is not None:
        return model_of_adapter(adapter(adapter_id)).model_dump()
    if at:
        before = start.model if start.model.kind == "endpoint" else ModelChoice(kind="endpoint", ref="")
        return before.model_dump() | at
    return start.model.model_dump()


def _context(start: ApproachSpec, name: str | None, fields: list[str]) -> dict[str, Any]:
    """Return the context with its changed fields; numbers and true or false are read as such."""
    found = dict(start.context) if name in (None, start.context["name"]) else {"name": name}
    for text in fields:
        key, equals, value = text.partition("=")
        if not equals:
            raise KurabeError("approaches.bad_field", field=text, found=text, expected="name=value")
        try:
            found[key.strip()] = json.loads(value)
        except ValueError:
            found[key.strip()] = value
    return found


@command(app)
def archive(project: Project, name: Name, as_json: Json = False) -> None:
    """Put an approach away: it is offered no more, and what it answered stays."""
    _done(archive_approach(_one(project, name).id), "cli.approaches.archived", as_json=as_json)


@command(app)
def restore(project: Project, name: Name, as_json: Json = False) -> None:
    """Bring an archived approach back."""
    owner = get_project(project)
    away = [row for row in archived_approaches(owner.id) if name in (row.id, row.name, label_of(row))]
    if not away:
        raise KurabeError("store.missing", kind="approach", id=name)
    _done(restore_approach(away[0].id), "cli.approaches.restored", as_json=as_json)


def _done(row: tb.Approach, key: str, *, as_json: bool) -> None:
    if as_json:
        show(_as_dict(row, ProjectSources(row.project_id)))
    else:
        progress_line(t(key, name=label_of(row)))


@command(app, "test")
def test_(project: Project, name: Name, as_json: Json = False) -> None:
    """Ask the service of an approach one short question, and find out what it can do."""
    found = check_connection(spec_of_row(_one(project, name)).model)
    if as_json:
        show(found.as_dict())
        return
    lacking = ", ".join(found.capabilities.missing()) or "–"
    progress_line(t("cli.approaches.tested", seconds=f"{found.seconds:.1f}", missing=lacking))


@command(app, "preview")
def preview_(
    project: Project,
    name: Name,
    question: Annotated[str, typer.Argument(help="What would be asked.")],
    as_json: Json = False,
) -> None:
    """Show exactly what the model would get for a question, without asking it."""
    row = _one(project, name)
    found = preview(row.project_id, spec_of_row(row), question)
    if as_json:
        show({"messages": list(found.messages), "tokens": found.tokens, "notes": dict(found.gathered.notes)})
        return
    for message in found.messages:
        typer.echo(f"[{message['role']}]\n{message['content']}\n")
