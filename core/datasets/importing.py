"""From a file to a dataset version: look first, then take over every row or say exactly which one cannot be.

Rows stream from the reader into the store in batches; only their hashes stay in memory.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from core.datasets.columns import checked_mapping, guess_mapping
from core.datasets.licences import checked_licence, joined_licence, licence_of, set_licence
from core.datasets.readers import Source, reader_for
from core.datasets.rows import SPLITS, Problem, RawRow, Row
from core.datasets.shapes import Reading, convert, recognise, shape_named
from core.datasets.versions import ABANDONED, VersionWriter, latest_version, rows_of, version
from core.errors import KurabeError
from core.identity import file_hash
from core.settings import settings
from core.store import tables as tb

__all__ = [
    "ImportOptions",
    "OnProblem",
    "Preview",
    "first_rows",
    "import_file",
    "import_files",
    "import_parts",
    "preview",
    "sheets_of",
]

_LISTED_PROBLEMS = 1000
_TOLD_PROBLEMS = 200
"""Problems that a refusal carries with it."""
_UPLOAD = "upload-"
OnProblem = Literal["stop", "leave_out"]
Watch = Callable[[int], None]
"""Told after each row how many were read; what it raises ends the reading."""


@dataclass(slots=True)
class Preview:
    """What a file would become, shown for confirmation before anything is stored."""

    name: str
    """File name as given."""
    columns: list[str]
    """Columns of the file."""
    shape: str | None
    """Recognised shape, or None where columns must be mapped by hand."""
    mapping: dict[str, str]
    """Field → column, where the shape is a table."""
    encoding: str | None
    """How its text was read; None for binary formats."""
    alternatives: tuple[str, ...]
    """Other encodings that decode every byte."""
    raw: list[dict[str, Any]]
    """The first rows as the file has them."""
    rows: list[Row]
    """The first rows as the dataset would have them."""
    row_count: int = 0
    """Rows in the file, good or not."""
    problem_count: int = 0
    """Rows that cannot be taken over."""
    problems: list[Problem] = field(default_factory=list)
    """The first 1,000 of them."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What was set aside: title rows, other sheets; ``{"code", "params"}``."""
    sheets: tuple[str, ...] = ()
    """Sheets of a workbook that have cells; empty for files that have none."""
    sheet: str | None = None
    """The one that these rows are of."""
    whole: bool = True
    """False if the file has more rows than were read: the counts are then of its beginning."""


def preview(
    path: Path,
    name: str | None = None,
    *,
    mapping: Mapping[str, str] | None = None,
    shape: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    fixes: Mapping[int, Mapping[str, Any]] | None = None,
    limit: int = 20,
    scan: int | None = None,
    watch: Watch | None = None,
) -> Preview:
    """Read a whole file without storing anything, and return its first rows and every row's problem.

    Args:
        path: The file.
        name: Its name as uploaded, whose suffix chooses the reader; the path's name if not given.
        mapping: Field → column, made by hand.
        shape: Shape chosen by hand.
        encoding: Codec chosen by hand.
        sheet: Sheet of a workbook; the first that has cells if not given.
        fixes: Row number → column → value in place of what the file has.
        limit: Rows to show.
        scan: Read no further than so many rows; `Preview.whole` then tells whether there are more.
        watch: Told how many rows were read.

    Raises:
        KurabeError: ``datasets.…`` if the file as a whole cannot be read.
    """
    with _called(name or path.name):
        source, reading = _opened(path, name or path.name, mapping, shape, encoding, sheet)
        seen = _empty_preview(name or path.name, source, reading, limit)
        for raw in _with_fixes(source, fixes or {}):
            if seen.row_count == scan:
                seen.whole = False
                break
            _look(seen, raw, reading, limit)
            if watch is not None:
                watch(seen.row_count)
    return seen


def first_rows(path: Path, name: str, encoding: str | None = None, count: int = 3) -> list[dict[str, Any]]:
    """Return the first rows of a file as one encoding reads them, without reading the rest.

    Raises:
        KurabeError: as `preview`.
    """
    with _called(name):
        source, _ = _opened(path, name, None, None, encoding)
        return [raw.values for raw in islice(source.rows(), count)]


def sheets_of(path: Path, name: str) -> tuple[str, ...]:
    """Return the sheets with cells of a workbook, none for files of other formats; its rows are not judged.

    Raises:
        KurabeError: as `preview`, where the file cannot be opened at all.
    """
    with _called(name):
        return reader_for(name).sheets(path)


def _empty_preview(name: str, source: Source, reading: Reading | None, limit: int) -> Preview:
    return Preview(
        name=name,
        columns=source.columns,
        shape=reading.shape if reading else None,
        mapping=dict(reading.mapping) if reading else {},
        encoding=source.encoding,
        alternatives=source.alternatives,
        raw=[raw.values for raw in islice(source.rows(), limit) if raw.problem is None],
        rows=[],
        notes=source.notes,
        sheets=source.sheets,
        sheet=source.sheet,
    )


def _look(seen: Preview, raw: RawRow, reading: Reading | None, limit: int) -> None:
    seen.row_count += 1
    result = convert(raw, reading) if reading else raw.problem
    if isinstance(result, Problem):
        seen.problem_count += 1
        if len(seen.problems) < _LISTED_PROBLEMS:
            seen.problems.append(result)
    elif result is not None and len(seen.rows) < limit:
        seen.rows.append(result)


def _opened(
    path: Path,
    name: str,
    mapping: Mapping[str, str] | None,
    shape: str | None,
    encoding: str | None,
    sheet: str | None = None,
) -> tuple[Source, Reading | None]:
    """Open a file and settle how its columns are read: by hand if told, else as recognised."""
    if path.stat().st_size > settings().upload_limit_mb << 20:
        raise KurabeError("datasets.too_large", name=name, limit_mb=settings().upload_limit_mb)
    source = reader_for(name, sheet).open(path, encoding)
    if mapping:
        return source, Reading("question_answer", checked_mapping(mapping, source.columns))
    if shape:
        shape_named(shape)
        mapping = guess_mapping(source.columns)
        if shape == "question_answer" and "question" not in mapping:
            raise KurabeError("datasets.question_unmapped", columns=", ".join(source.columns))
        return source, Reading(shape, mapping if shape == "question_answer" else {})
    return source, recognise(source.columns, source.key_sets)


@contextmanager
def _called(name: str) -> Iterator[None]:
    """Let errors name the file as the person knows it, not the place where it lies."""
    try:
        yield
    except KurabeError as error:
        if "name" not in error.params:
            raise
        raise KurabeError(error.code, **{**error.params, "name": name}) from error


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How one file is taken over."""

    mapping: Mapping[str, str] | None = None
    """Field → column, made by hand."""
    shape: str | None = None
    """Shape chosen by hand."""
    encoding: str | None = None
    """Codec chosen by hand."""
    sheet: str | None = None
    """Sheet of a workbook; None takes the first that has cells."""
    split: str | None = None
    """Split of rows that name none; None gives ``train``."""
    on_problem: OnProblem = "stop"
    """``stop`` refuses the file at its first bad row; ``leave_out`` records the bad rows in the version's lineage."""
    fixes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Row number → column → value that replaces what the file has."""


def import_file(
    project_id: str,
    data: Path | bytes,
    name: str,
    *,
    dataset: str | None = None,
    extend: str | None = None,
    mapping: Mapping[str, str] | None = None,
    shape: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    split: str | None = None,
    on_problem: OnProblem = "stop",
    fixes: Mapping[int, Mapping[str, Any]] | None = None,
    licence: str = "",
    newest: bool = False,
    upload: str = "",
    watch: Watch | None = None,
) -> tb.DatasetVersion:
    """Store a file's rows as a new version of a dataset and return the version.

    Args:
        project_id: Project that owns it.
        data: The file, or its bytes.
        name: Its name as uploaded, whose suffix chooses the reader.
        dataset: Name of the dataset; the file's name without suffix if not given. Made if it is not there.
        extend: Version whose rows come first: the new version holds both.
        mapping: Field → column, made by hand.
        shape: Shape chosen by hand.
        encoding: Codec chosen by hand.
        sheet: Sheet of a workbook; the first that has cells if not given, and the others are named in a note.
        split: ``train``, ``validation`` or ``test`` for rows that name none (``train`` if not given).
        on_problem: What to do with rows that cannot be taken over.
        fixes: Row number → column → value in place of what the file has.
        licence: The file's, as an SPDX id or its own name; empty if nobody knows it.
        newest: Extend the newest version of that dataset, whichever it is when storing begins; refused if it is no
            longer the newest at the end.
        upload: Name of this import, kept in the lineage: whoever was interrupted finds by it what is stored already.
        watch: Told how many rows were read; what it raises ends the import, and nothing of it stays.

    Raises:
        KurabeError: ``datasets.rows_refused`` with the first problems; ``datasets.unrecognised`` if columns must be
            mapped by hand; ``datasets.moved_on``, see `newest`; others if the file as a whole cannot be read.
    """
    options = ImportOptions(mapping, shape, encoding, sheet, split, on_problem, fixes or {})
    with _as_path(data) as path:
        files = [(path, name, options)]
        return import_parts(
            project_id, files, dataset or Path(name).stem, extend, licence, watch, newest=newest, upload=upload
        )


def import_files(
    project_id: str, files: Mapping[str, Path], dataset: str, *, on_problem: OnProblem = "stop", licence: str = ""
) -> tb.DatasetVersion:
    """Store several files, one a split, as one version: ``{"train": …, "validation": …, "test": …}``.

    Raises:
        KurabeError: as `import_file`.
    """
    parts = [(path, path.name, ImportOptions(split=split, on_problem=on_problem)) for split, path in files.items()]
    return import_parts(project_id, parts, dataset, None, licence)


def import_parts(
    project_id: str,
    files: list[tuple[Path, str, ImportOptions]],
    dataset: str,
    extend: str | None,
    licence: str = "",
    watch: Watch | None = None,
    *,
    newest: bool = False,
    upload: str = "",
) -> tb.DatasetVersion:
    """Store files, each read in its own way, as one version: path, name as the person knows it, and how it is read.

    `licence` is that of all these files; the version's is it and that of the rows before them. If the same rows are
    there already under a licence, they keep it: see `kept_licence`.
    """
    base = _base(project_id, extend, newest=newest) if extend else None
    licence = checked_licence(licence)
    whole = joined_licence(licence_of(base), licence) if base else licence
    with VersionWriter(project_id, dataset, dataset_id=base.dataset_id if base else None) as writer:
        if base is not None:
            writer.add_all(rows_of(base.id))
        sources = []
        for path, name, options in files:
            with _called(name):
                sources.append(_take_over(writer, path, name, options, watch))
        if writer.count == 0:
            raise KurabeError("datasets.no_rows", name=files[0][1])
        lineage = {"operation": "import", "parent": base and base.id, "files": sources, "licence": whole}
        lineage |= {"upload": upload} if upload else {}
        made = writer.finish(lineage, follows=base.id if base is not None and newest else None)
    # the same rows may have been there already, from before anybody knew it
    return set_licence(made.id, whole) if whole and not licence_of(made) else made


def _base(project_id: str, extend: str, *, newest: bool) -> tb.DatasetVersion:
    named = version(extend)
    return (latest_version(project_id, named.dataset_id) or named) if newest else named


def _take_over(
    writer: VersionWriter, path: Path, name: str, options: ImportOptions, watch: Watch | None
) -> dict[str, Any]:
    """Write one file's rows and return what the lineage keeps of it."""
    if options.split is not None and options.split not in SPLITS:
        raise KurabeError("datasets.unknown_split", split=options.split, known=", ".join(SPLITS))
    source, reading = _opened(path, name, options.mapping, options.shape, options.encoding, options.sheet)
    problems: list[Problem] = []
    if reading is None:
        problems += [raw.problem for raw in islice(source.rows(), _LISTED_PROBLEMS) if raw.problem is not None]
        if problems and not source.columns:
            raise _refusal(name, problems)
        if next(iter(source.rows()), None) is None:
            raise KurabeError("datasets.no_rows", name=name)
        raise KurabeError("datasets.unrecognised", name=name, columns=", ".join(source.columns))
    writer.add_all(_good_rows(source, reading, options, problems, watch))
    if problems and options.on_problem == "stop":
        raise _refusal(name, problems)
    return {
        "name": name,
        "hash": file_hash(path),
        "encoding": source.encoding,
        "sheet": source.sheet,
        "shape": reading.shape,
        "mapping": reading.mapping,
        "split": options.split or "train",
        "notes": source.notes,
        "left_out_count": len(problems),
        "left_out": [problem.as_dict() for problem in problems[:_LISTED_PROBLEMS]],
        "fixes": {str(number): dict(values) for number, values in options.fixes.items()},
    }


def _refusal(name: str, problems: list[Problem]) -> KurabeError:
    first = problems[0]
    return KurabeError(
        "datasets.rows_refused",
        name=name,
        count=len(problems),
        row=first.row,
        column=first.column or "-",
        found=first.found,
        problem=first.code,
        expected=first.expected,
        problems=[problem.as_dict() for problem in problems[:_TOLD_PROBLEMS]],
    )


def _good_rows(
    source: Source, reading: Reading, options: ImportOptions, problems: list[Problem], watch: Watch | None
) -> Iterator[Row]:
    """Yield the rows that are good; once a bad one stops the import, only collect the problems of the rest."""
    for done, raw in enumerate(_with_fixes(source, options.fixes), 1):
        if watch is not None:
            watch(done)
        result = convert(raw, reading)
        if isinstance(result, Problem):
            problems.append(result)
        elif not problems or options.on_problem == "leave_out":
            result.split = result.split or options.split or "train"
            yield result


def _with_fixes(source: Source, fixes: Mapping[int, Mapping[str, Any]]) -> Iterator[RawRow]:
    for raw in source.rows():
        fix = fixes.get(raw.number)
        yield raw if fix is None else _mended(raw, fix)


def _mended(raw: RawRow, fix: Mapping[str, Any]) -> RawRow:
    """Return a row with some cells replaced; a bad cell that nobody replaced stays a problem."""
    cell = raw.problem.column if raw.problem is not None else ""
    still = raw.problem if cell and cell not in fix else None
    return RawRow(raw.number, {**raw.values, **fix}, still)


def _sweep_uploads() -> None:
    """Remove what imports that were killed left in the run folder."""
    old = time.time() - ABANDONED.total_seconds()
    for folder in settings().path("run").glob(f"{_UPLOAD}*"):
        if folder.is_dir() and folder.stat().st_mtime < old:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_path(data: Path | bytes) -> Iterator[Path]:
    """Give uploaded bytes a place of their own; their name is never used for it."""
    if isinstance(data, Path):
        if not data.is_file():
            raise KurabeError("datasets.missing_file", name=data.name)
        yield data
        return
    _sweep_uploads()
    folder = Path(tempfile.mkdtemp(dir=settings().path("run"), prefix=_UPLOAD))
    try:
        path = folder / "upload"
        path.write_bytes(data)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)
