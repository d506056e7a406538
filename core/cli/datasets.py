"""``python -m core dataset``: questions with reference answers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.project import Project
from core.datasets import (
    EXPORT_FORMATS,
    SHAPES,
    SplitBy,
    SplitConfig,
    dataset_versions,
    datasets,
    edit_rows,
    examples,
    export_rows,
    import_file,
    import_hub_dataset,
    latest_version,
    make_splits,
    preview,
    version_difference,
)
from core.errors import KurabeError
from core.i18n import t
from core.knowledge import check_dataset
from core.projects import get_project
from core.store import tables as tb

__all__ = ["Split", "chosen_version", "dataset"]

dataset = typer.Typer(help="Questions with reference answers.", no_args_is_help=True)

Split = Literal["train", "validation", "test"]


def chosen_version(project_id: str, beginning: str | None) -> tb.DatasetVersion:
    """Return the version whose id begins so, or the newest.

    Raises:
        KurabeError: ``store.missing``, ``cli.several_versions``, ``comparison.no_data``.
    """
    if beginning is None:
        version = latest_version(project_id)
        if version is None:
            raise KurabeError("comparison.no_data", what="questions")
        return version
    every = [version for found in datasets(project_id) for version in dataset_versions(found.id)]
    matching = [version for version in every if version.id.startswith(beginning)]
    if not matching:
        raise KurabeError("store.missing", kind="dataset version", id=beginning)
    if len(matching) > 1:
        raise KurabeError("cli.several_versions", id=beginning, n=len(matching))
    return matching[0]


Map = Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN, once for each field.")]
ShapeName = Annotated[str | None, typer.Option("--shape", help=", ".join(SHAPES))]
Encoding = Annotated[str | None, typer.Option(help="How the text is written, such as cp932.")]
Fix = Annotated[list[str] | None, typer.Option("--fix", help="ROW:COLUMN=VALUE, once for each bad cell.")]


def _pairs(given: list[str] | None, option: str, form: str) -> dict[str, str]:
    """Return NAME=VALUE options as a dictionary."""
    found = {}
    for one in given or []:
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{option} {one!r}: {form}")
        found[name.strip()] = value
    return found


def _fixes(given: list[str] | None) -> dict[int, dict[str, Any]]:
    """Return ROW:COLUMN=VALUE options by row and column."""
    found: dict[int, dict[str, Any]] = {}
    for place, value in _pairs(given, "--fix", "ROW:COLUMN=VALUE").items():
        row, _, column = place.partition(":")
        if not row.isdecimal() or not column:
            raise typer.BadParameter(f"--fix {place!r}: ROW:COLUMN=VALUE")
        found.setdefault(int(row), {})[column] = value
    return found


def _reading(
    mapped: list[str] | None, shape: str | None, encoding: str | None, fix: list[str] | None
) -> dict[str, Any]:
    """Return how a file is read, as `import_file` and `preview` take it."""
    mapping = _pairs(mapped, "--map", "FIELD=COLUMN") or None
    return {"mapping": mapping, "shape": shape, "encoding": encoding, "fixes": _fixes(fix)}


@command(dataset, "preview")
def preview_(
    file: Annotated[Path, typer.Argument(help="A data file.", exists=True)],
    mapped: Map = None,
    shape: ShapeName = None,
    encoding: Encoding = None,
    fix: Fix = None,
) -> None:
    """Show what a file would become, and every row that cannot be taken over."""
    show(asdict(preview(file, **_reading(mapped, shape, encoding, fix))))


@command(dataset, "import")
def import_(
    project: Project,
    file: Annotated[Path, typer.Argument(help="JSONL, JSON, CSV, TSV, Parquet or Excel.", exists=True)],
    split: Annotated[Split | None, typer.Option(help="All rows belong to this split.")] = None,
    name: Annotated[str | None, typer.Option(help="Dataset; default: the file's name.")] = None,
    extend: Annotated[bool, typer.Option("--extend", help="Add to the newest version.")] = False,
    leave_out_bad: Annotated[bool, typer.Option("--leave-out-bad", help="Leave bad rows out, recorded.")] = False,
    mapped: Map = None,
    shape: ShapeName = None,
    encoding: Encoding = None,
    fix: Fix = None,
    as_json: Json = False,
) -> None:
    """Take a file over as a new version."""
    owner = get_project(project)
    made = import_file(
        owner.id,
        file,
        file.name,
        dataset=name,
        extend=chosen_version(owner.id, None).id if extend else None,
        split=split,
        on_problem="leave_out" if leave_out_bad else "stop",
        **_reading(mapped, shape, encoding, fix),
    )
    _print_versions([made], as_json)


@command(dataset)
def edit(
    project: Project,
    rows: Annotated[list[int], typer.Argument(help="Numbers of rows, from 1, as `dataset show` counts them.")],
    to: Annotated[
        list[str] | None, typer.Option("--set", help="question, answer, slice, split or value: NAME=VALUE.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Leave the rows out instead.")] = False,
    version: Annotated[
        str | None, typer.Option(help="A version, or the beginning of its id; default: the newest.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change rows, or leave them out, as a new version; the old one stays."""
    changed = _pairs(to, "--set", "NAME=VALUE")
    if bool(changed) == drop:
        raise typer.BadParameter("give either --set or --drop")
    base = chosen_version(get_project(project).id, version)
    positions = [row - 1 for row in rows]
    if wrong := [position + 1 for position in positions if not 0 <= position < base.row_count]:
        raise typer.BadParameter(f"row {wrong[0]}: the version has rows 1 to {base.row_count}")
    changes = {} if drop else {position: changed for position in positions}
    _print_versions([edit_rows(base.id, changes, drop=positions if drop else [])], as_json)


@command(dataset)
def fetch(
    project: Project,
    ref: Annotated[str, typer.Argument(help="Id on the Hugging Face hub, or a folder saved by `datasets`.")],
    config: Annotated[str | None, typer.Option(help="Configuration, if there are several.")] = None,
    split: Annotated[Split | None, typer.Option(help="For rows of splits with other names.")] = None,
    name: Annotated[str | None, typer.Option(help="Dataset; default: the id's last part.")] = None,
    leave_out_bad: Annotated[bool, typer.Option("--leave-out-bad", help="Leave bad rows out, recorded.")] = False,
    as_json: Json = False,
) -> None:
    """Take a Hugging Face dataset over as a new version."""
    made = import_hub_dataset(
        get_project(project).id,
        ref,
        config=config,
        split=split,
        dataset=name,
        on_problem="leave_out" if leave_out_bad else "stop",
        folders=True,
    )
    _print_versions([made], as_json)


@command(dataset, "list")
def list_datasets(project: Project, as_json: Json = False) -> None:
    """List versions, the newest first."""
    owner = get_project(project)
    found = [version for kept in datasets(owner.id) for version in dataset_versions(kept.id)]
    _print_versions(found, as_json)


def _print_versions(versions: list[tb.DatasetVersion], as_json: bool) -> None:
    if as_json:
        names = ("id", "hash", "row_count", "counts", "lineage")
        show([{name: getattr(version, name) for name in names} for version in versions])
        return
    rows = [(v.id, v.hash[:15], v.row_count, v.counts.get("splits", v.counts)) for v in versions]
    table((t("cli.id"), t("cli.hash"), t("cli.rows"), t("cli.splits")), rows)


@command(dataset)
def check(
    project: Project,
    version: Annotated[str | None, typer.Option()] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens that training will keep of a row; longer rows are listed.", min=16)
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for what harms tuning or retrieval."""
    found = check_dataset(chosen_version(get_project(project).id, version).id, max_length=max_length)
    if as_json:
        show([finding.as_dict() for finding in found])
        return
    rows = [
        (finding.severity, t(f"datasets.finding.{finding.check}.{finding.code}", **finding.params)) for finding in found
    ]
    table((t("cli.severity"), t("cli.finding")), rows)


@command(dataset)
def split(
    project: Project,
    validation: Annotated[float, typer.Option(help="Share of the rows.", min=0, max=1)] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the rows.", min=0, max=1)] = 0.25,
    by: Annotated[SplitBy, typer.Option(help="What stays together; time: the newest rows are the test.")] = "row",
    column: Annotated[str, typer.Option(help="For tag and time: the column.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, another division.")] = 0,
    version: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Divide the rows anew into training, validation and test, as a new version."""
    chosen = SplitConfig(validation, test, by, column, seed=seed)
    _print_versions([make_splits(chosen_version(get_project(project).id, version).id, chosen)], as_json)


@command(dataset)
def diff(
    project: Project,
    old: Annotated[str, typer.Argument(help="A version, or the beginning of its id.")],
    new: Annotated[str | None, typer.Argument(help="Another; default: the newest of the same dataset.")] = None,
    as_json: Json = False,
) -> None:
    """Show the rows that only one of two versions has."""
    owner = get_project(project)
    first = chosen_version(owner.id, old)
    second = dataset_versions(first.dataset_id)[0] if new is None else chosen_version(owner.id, new)
    found = version_difference(first.id, second.id)
    if as_json:
        show(found)
        return
    rows = [
        (sign, row["split"], row["question"], row["answer"])
        for sign, kind in (("-", "removed"), ("+", "added"))
        for row in found[kind]
    ]
    table(("", t("cli.split"), t("cli.question"), t("cli.answer")), rows)


@command(dataset, "show")
def show_rows(
    project: Project,
    split: Annotated[Split | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(help="How many rows.")] = 20,
    version: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Show rows of a version, or of the newest."""
    rows = examples(chosen_version(get_project(project).id, version).id, split=split, limit=limit)
    if as_json:
        names = ("id", "key", "split", "slice", "question", "answer", "value", "expects", "gold", "coverage",
                 "training_indexed")  # fmt: skip
        show([{name: getattr(row, name) for name in names} for row in rows])
        return
    columns = (t("cli.split"), t("cli.slice"), t("cli.question"), t("cli.answer"))
    table(columns, [(row.split, row.slice, row.question, row.answer) for row in rows])


@command(dataset)
def export(
    project: Project,
    file: Annotated[Path, typer.Argument(help="Where to write.")],
    kind: Annotated[str, typer.Option("--format", help=", ".join(EXPORT_FORMATS))] = "jsonl",
    split: Annotated[Split | None, typer.Option()] = None,
    version: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Write a version, or the newest, to a file."""
    chosen = chosen_version(get_project(project).id, version)
    with file.open("wb") as target:
        target.writelines(export_rows(chosen.id, kind, split=split))
    if as_json:
        show({"file": str(file), "version": chosen.id, "bytes": file.stat().st_size})
    else:
        progress_line(str(file))
