"""``python -m core dataset``: questions with reference answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.cli.project import Project
from core.datasets import (
    EXPORT_FORMATS,
    PARTS,
    SHAPES,
    Row,
    SplitBy,
    SplitConfig,
    count_profile,
    dataset_versions,
    datasets,
    edit_rows,
    examples,
    export_rows,
    import_file,
    import_hub_dataset,
    latest_version,
    licence_of,
    make_splits,
    preview,
    profile_of,
    set_licence,
    version_difference,
)
from core.errors import KurabeError
from core.evaluation import discordance_of
from core.i18n import Language, format_number, format_percent, t
from core.knowledge import check_dataset, repair_dataset
from core.measures import smallest_detectable
from core.projects import get_project
from core.store import tables as tb
from core.training import token_view

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
Licence = Annotated[str, typer.Option(help="Of the rows: an SPDX id such as CC-BY-4.0, or its own name.")]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook; default: the first with cells.")]
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
    mapped: list[str] | None, shape: str | None, encoding: str | None, sheet: str | None, fix: list[str] | None
) -> dict[str, Any]:
    """Return how a file is read, as `import_file` and `preview` take it."""
    mapping = _pairs(mapped, "--map", "FIELD=COLUMN") or None
    return {"mapping": mapping, "shape": shape, "encoding": encoding, "sheet": sheet, "fixes": _fixes(fix)}


@command(dataset, "preview")
def preview_(
    file: Annotated[Path, typer.Argument(help="A data file.", exists=True)],
    mapped: Map = None,
    shape: ShapeName = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    fix: Fix = None,
    tokens: Annotated[
        str | None, typer.Option(help="A base model, such as starter: also show the rows as it would read them.")
    ] = None,
    language: Annotated[Language, typer.Option(help="With --tokens: the project's language.")] = "en",
) -> None:
    """Show what a file would become, and every row that cannot be taken over."""
    found = preview(file, **_reading(mapped, shape, encoding, sheet, fix))
    show(asdict(found) | ({"token_views": _token_views(found.rows, tokens, language)} if tokens else {}))


def _token_views(rows: list[Row], base_ref: str, language: str) -> list[dict[str, Any]]:
    """Return the rows that have an answer token by token, each with whether a training would learn it."""
    found = []
    for row in rows:
        if row.answer.strip():
            view = token_view(row, base_ref, language)
            pieces = [{"text": text, "learned": learned} for text, learned in view.pieces]
            found.append({"question": row.question, "tokens": view.tokens, "learned": view.trained, "pieces": pieces})
    return found


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
    sheet: Sheet = None,
    fix: Fix = None,
    licence: Licence = "",
    as_json: Json = False,
) -> None:
    """Take a file over as a new version."""
    owner = get_project(project)
    with _rows_told(as_json):
        made = import_file(
            owner.id,
            file,
            file.name,
            dataset=name,
            extend=chosen_version(owner.id, None).id if extend else None,
            split=split,
            on_problem="leave_out" if leave_out_bad else "stop",
            licence=licence,
            **_reading(mapped, shape, encoding, sheet, fix),
        )
    _say_notes(made)
    _print_versions([made], as_json)


@contextmanager
def _rows_told(as_json: bool) -> Iterator[None]:
    """List for people the rows for which a file is refused; machines find them with the error."""
    try:
        yield
    except KurabeError as error:
        for problem in () if as_json else error.params.get("problems", ()):
            said = t(f"datasets.problem.{problem['code']}", column=problem["column"] or "–")
            expected = t(f"datasets.expected.{problem['expected']}")
            place = {"row": problem["row"], "column": problem["column"] or "–", "found": problem["found"]}
            progress_line(t("cli.problem", problem=said, expected=expected, **place))
        raise


def _say_notes(made: tb.DatasetVersion) -> None:
    """Say beside the result what was set aside on the way: title rows, other sheets."""
    for file in made.lineage.get("files", []):
        for note in file["notes"]:
            progress_line(t(f"datasets.note.{note['code']}", **note["params"]))


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
    licence: Licence = "",
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
        licence=licence,
    )
    _print_versions([made], as_json)


@command(dataset, "licence")
def licence_(
    project: Project,
    name: Annotated[str | None, typer.Argument(help="An SPDX id or its own name; without it, it is told.")] = None,
    version: Annotated[
        str | None, typer.Option(help="A version, or the beginning of its id; default: the newest.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell the licence of a version, or keep another one with it; an empty name is unknown again."""
    chosen = chosen_version(get_project(project).id, version)
    if name is not None:
        chosen = set_licence(chosen.id, name)
    if as_json:
        show({"version": chosen.id, "licence": licence_of(chosen)})
    else:
        table((t("cli.id"), t("ui.licence")), [(chosen.id, licence_of(chosen) or t("ui.licence.unknown"))])


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
        (
            finding.severity,
            t(f"datasets.finding.{finding.check}.{finding.code}", **finding.params),
            f"{finding.check} {finding.code}" if finding.repair else "–",
        )
        for finding in found
    ]
    table((t("cli.severity"), t("cli.finding"), t("cli.repair")), rows)
    progress_line(t("ui.checks.names"))


@command(dataset)
def repair(
    project: Project,
    check: Annotated[str, typer.Argument(help="Name of a check, as `dataset check` gives it.")],
    finding: Annotated[str, typer.Argument(help="What it found, by its code.")],
    version: Annotated[
        str | None, typer.Option(help="A version, or the beginning of its id; default: the newest.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mend what a check found, where it knows how, as a new version; the old one stays."""
    chosen = chosen_version(get_project(project).id, version)
    _print_versions([repair_dataset(chosen.id, check, finding)], as_json)


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
    owner, chosen = get_project(project), SplitConfig(validation, test, by, column, seed=seed)
    made = make_splits(chosen_version(owner.id, version).id, chosen)
    tested = int(made.counts["splits"].get("test", 0))
    smallest = smallest_detectable(tested, discordance_of(owner.id)[0])
    key = "ui.split.detectable" if smallest else "ui.split.undetectable"
    progress_line(t(key, n=format_number(tested), points=format_number(round(100 * (smallest or 0)))))
    _print_versions([made], as_json)


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
        show(asdict(found))
        return
    rows = [
        (sign, row["split"], row["question"], row["answer"])
        for sign, listed in (("-", found.removed), ("+", found.added))
        for row in listed
    ]
    table(("", t("cli.split"), t("cli.question"), t("cli.answer")), rows)
    for kind, count in (("removed", found.removed_count), ("added", found.added_count)):
        progress_line(t(f"ui.versions.{kind}", n=format_number(count)))


@command(dataset)
def profile(
    project: Project,
    version: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Show how long questions and answers are, and which share each language and slice has."""
    chosen = chosen_version(get_project(project).id, version)
    found = profile_of(chosen) or count_profile(chosen.id)
    slices = Counter[str]()
    for by_slice in chosen.counts.get("slices", {}).values():
        slices.update(by_slice)
    if as_json:
        show({"version": chosen.id, "rows": found.rows, **found.as_dict(), "slices": dict(slices)})
        return
    lengths = [
        (t(f"cli.profile.part.{part}"), format_number(found.half_within(part)), format_number(found.longest[part]))
        for part in PARTS
    ]
    table((t("cli.profile.part"), t("cli.profile.half"), t("cli.profile.longest")), lengths)
    shares = [(t(f"ui.profile.language.{name}"), n) for name, n in found.languages.most_common()]
    shares += [(name or "–", n) for name, n in slices.most_common()]
    columns = (t("cli.profile.kind"), t("cli.rows"), t("cli.profile.share"))
    table(columns, [(name, format_number(n), format_percent(n / max(1, found.rows))) for name, n in shares])


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
