"""What is done to datasets too large for a page to wait for, as jobs: with progress, and stopped at any row.

The upload waits in a folder of its own below the home until it is taken over, so that an import whose process was
killed can be taken up again; its name is never a path.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.datasets.checks import Documents, repair, run_checks
from core.datasets.editing import edit_rows
from core.datasets.importing import OnProblem, import_file, preview
from core.datasets.licences import kept_licence
from core.datasets.splitting import SplitConfig, make_splits
from core.datasets.versions import dataset_versions, datasets, latest_version, version
from core.errors import KurabeError
from core.identity import actor, as_actor, atomic_write, new_id
from core.jobs import JobContext, JobView, submit
from core.jobs.files import require_free_space
from core.settings import settings
from core.store import tables as tb

__all__ = [
    "check_version",
    "edit_version",
    "has_upload",
    "import_upload",
    "remove_upload",
    "repair_version",
    "split_version",
    "start_check",
    "start_edit",
    "start_import",
    "start_import_again",
    "start_repair",
    "start_split",
]

_KEPT_SECONDS = 7 * 24 * 3600
"""How long an upload waits for somebody to take its import up again."""
_TRIES = 3
"""How often the rows are stored after those of a version that others go on editing meanwhile."""
_STORED = "stored.json"
"""What came of an import, in its job's folder: known even if the job is killed before it can say so."""
_REFUSED = "refused"
"""In an import's folder: its file has bad rows, so that another attempt would end in the same way."""
_EVERY = 1000
"""Rows between two looks whether somebody wants the work to stop."""


class _Stopped(Exception):
    """Somebody asked the job to stop; what was written of the version goes with the writer."""


def start_import(
    project_id: str,
    data: bytes | memoryview,
    name: str,
    *,
    options: dict[str, Any],
    on_problem: OnProblem = "stop",
) -> str:
    """Keep an upload and queue its import; return the job's id.

    Args:
        project_id: Project that owns the dataset.
        data: The file.
        name: Its name as uploaded.
        options: How it is read, as `import_file` takes it: ``dataset``, ``extend``, ``mapping``, ``shape``,
            ``encoding``, ``sheet``, ``split``, ``fixes``.
        on_problem: What to do with rows that cannot be taken over.

    Raises:
        KurabeError: ``jobs.disk_floor`` where too little space is left; ``store.missing`` for the version to extend; as
            `core.jobs.submit`.
    """
    if extend := options.get("extend"):  # what others add to it until the file is stored belongs to it as well
        base = version(extend)
        newest = latest_version(project_id, base.dataset_id)
        options = {**options, "newest": newest is not None and newest.id == base.id}
    _sweep()
    token = new_id()
    file = _place(token)
    require_free_space(settings().path("uploads"), needed_mb=3 * len(data) >> 20)  # the file, and its rows in the store
    file.parent.mkdir(parents=True)
    try:
        file.write_bytes(data)
        payload = {"upload": token, "name": name, "options": options, "on_problem": on_problem, "by": actor()}
        return submit("import", payload, project_id=project_id)
    except BaseException:
        shutil.rmtree(file.parent, ignore_errors=True)
        raise


def start_import_again(job: JobView, fixes: Mapping[str, Mapping[str, str]], *, on_problem: OnProblem) -> str:
    """Queue an import whose rows were refused once more, of the file that was kept; return the new job's id.

    Args:
        job: The import that was refused.
        fixes: Row number → column → value in place of what the file has; those of the import before are kept.
        on_problem: What to do with rows that still cannot be taken over.

    Raises:
        KurabeError: ``datasets.upload_gone``; as `core.jobs.submit`.
    """
    payload = job.payload
    if not _place(payload["upload"]).is_file():
        raise KurabeError("datasets.upload_gone", name=payload["name"])
    merged = {str(row): dict(cells) for row, cells in payload["options"].get("fixes", {}).items()}
    for row, cells in fixes.items():
        merged[row] = {**merged.get(row, {}), **cells}
    again = {**payload, "options": {**payload["options"], "fixes": merged}, "on_problem": on_problem, "by": actor()}
    return submit("import", again, project_id=job.project_id)


def start_check(project_id: str, version_id: str, max_length: int | None = None) -> str:
    """Queue all checks of a version; return the job's id.

    Raises:
        KurabeError: as `core.jobs.submit`.
    """
    payload = {"dataset_version_id": version_id, "max_length": max_length, "by": actor()}
    return submit("check", payload, project_id=project_id)


def start_repair(project_id: str, version_id: str, check: str, code: str) -> str:
    """Queue the repair of what a check found in a version; return the job's id.

    Raises:
        KurabeError: ``store.missing`` for the version; as `core.jobs.submit`.
    """
    length = (version(version_id).checks or {}).get("max_length")
    more = {"check": check, "code": code, "max_length": length}
    return submit("repair", _of_version(project_id, version_id) | more, project_id=project_id)


def start_split(project_id: str, version_id: str, config: SplitConfig) -> str:
    """Queue the division of a version into training, validation and test; return the job's id.

    Raises:
        KurabeError: ``store.missing`` for the version; as `core.jobs.submit`.
    """
    payload = _of_version(project_id, version_id) | {"config": asdict(config)}
    return submit("split", payload, project_id=project_id)


def start_edit(
    project_id: str, version_id: str, changes: Mapping[int, Mapping[str, Any]], *, drop: Collection[int] = ()
) -> str:
    """Queue changes of rows, by their positions, as a new version; return the job's id.

    Raises:
        KurabeError: ``store.missing`` for the version; as `core.jobs.submit`.
    """
    more = {"changes": {str(place): dict(fields) for place, fields in changes.items()}, "drop": sorted(drop)}
    return submit("edit", _of_version(project_id, version_id) | more, project_id=project_id)


def _of_version(project_id: str, version_id: str) -> dict[str, Any]:
    """Return what a job is told of the version that it makes another one of, and who asked for it."""
    base = version(version_id)
    newest = latest_version(project_id, base.dataset_id)
    # what others change in the newest version until the job is done belongs to what it makes
    return {"dataset_version_id": base.id, "newest": newest is not None and newest.id == base.id, "by": actor()}


def import_upload(ctx: JobContext) -> dict[str, Any]:
    """Read the kept upload once to count its rows and problems, then store it; the job ``import``.

    The upload stays until it is stored, or until the file is found to be one that cannot be: whatever else goes wrong
    passes, and the import can be taken up again.

    Raises:
        KurabeError: as `import_file`; ``datasets.upload_gone`` if the upload was removed meanwhile.
    """
    stored = ctx.run_dir / _STORED
    if stored.is_file():
        remove_upload(ctx.payload)
        return dict(json.loads(stored.read_text(encoding="utf-8")))
    payload = ctx.payload
    as_actor(payload["by"])
    file, name, options = _place(payload["upload"]), str(payload["name"]), dict(payload["options"])
    if not file.is_file():
        raise KurabeError("datasets.upload_gone", name=name)
    options["fixes"] = {int(number): fix for number, fix in options.get("fixes", {}).items()}
    ways = {key: options[key] for key in ("mapping", "shape", "encoding", "sheet", "fixes") if key in options}
    try:
        counted = preview(file, name, **ways, limit=1, watch=_watch(ctx, None, "counting_rows"))
        made = _made_before(ctx, "upload", payload["upload"]) or _stored(ctx, file, name, options, counted.row_count)
    except _Stopped:
        return {"stopped": True}
    except KurabeError as error:
        if error.code == "datasets.rows_refused":  # it waits for somebody to mend its rows or to leave them out
            atomic_write(ctx.run_dir / _REFUSED, "")
        elif error.code.startswith("datasets.") and error.code != _MOVED_ON:  # as it is, it needs another file
            remove_upload(payload)
        raise
    taken = counted.row_count - counted.problem_count
    result = {"dataset_version_id": made.id, "rows": taken, "left_out": counted.problem_count}
    if kept := kept_licence(made, options.get("licence", "")):
        result["licence_kept"] = kept
    atomic_write(stored, json.dumps(result))
    remove_upload(payload)
    return result


_MOVED_ON = "datasets.moved_on"


def _made_before(ctx: JobContext, name: str, value: str) -> tb.DatasetVersion | None:
    """Return the version that this job stored before its process was killed: storing again would repeat rows."""
    if ctx.attempt == 1:
        return None
    made = [row for dataset in datasets(str(ctx.project_id)) for row in dataset_versions(dataset.id)]
    return next((row for row in made if (row.lineage or {}).get(name) == value), None)


def _stored(ctx: JobContext, file: Path, name: str, options: dict[str, Any], rows: int) -> tb.DatasetVersion:
    """Store the file, once more from the start where somebody edited the version that it extends."""
    watch = _watch(ctx, rows, "storing_rows")
    for left in reversed(range(_TRIES)):
        try:
            return import_file(
                str(ctx.project_id),
                file,
                name,
                on_problem=ctx.payload["on_problem"],
                upload=ctx.payload["upload"],
                watch=watch,
                **options,
            )
        except KurabeError as error:
            if error.code != _MOVED_ON or not left:
                raise
    raise AssertionError("the last try returns or raises")


def has_upload(payload: dict[str, Any], run_dir: Path) -> bool:
    """Tell whether an import can be taken up again: its upload is kept, or its rows are stored already.

    One whose rows were refused is begun anew instead, by `start_import_again`.
    """
    kept = _place(payload["upload"]).is_file() and not (run_dir / _REFUSED).exists()
    return kept or (run_dir / _STORED).is_file()


def remove_upload(payload: dict[str, Any]) -> None:
    """Remove the file that an import job was given, by the job's payload."""
    if token := payload.get("upload"):
        shutil.rmtree(_place(token).parent, ignore_errors=True)


def check_version(ctx: JobContext, passages: Documents = tuple) -> dict[str, Any]:
    """Run all checks on a version and keep what they find with it.

    Args:
        ctx: The job.
        passages: As `run_checks` takes them; `core.knowledge.check_as_job`, the job ``check``, gives the project's.

    Raises:
        KurabeError: as `run_checks`.
    """
    payload = ctx.payload
    as_actor(payload["by"])

    def watch(done: float, total: int) -> None:
        if ctx.stop_requested() is not None:
            raise _Stopped
        ctx.progress(done, total, "checking")

    try:
        found = run_checks(
            payload["dataset_version_id"], max_length=payload["max_length"], watch=watch, passages=passages
        )
    except _Stopped:
        return {"stopped": True}
    return {"dataset_version_id": payload["dataset_version_id"], "findings": len(found)}


def repair_version(ctx: JobContext, passages: Documents = tuple) -> dict[str, Any]:
    """Make the version without what a check found; a version that this job made before it was killed is not made twice.

    Args:
        ctx: The job.
        passages: As `repair` takes them; `core.knowledge.repair_as_job`, the job ``repair``, gives the project's.

    Raises:
        KurabeError: as `repair`; ``datasets.repair_moved_on`` if the dataset was edited again and again meanwhile.
    """
    payload = ctx.payload

    def repaired(base: tb.DatasetVersion) -> tb.DatasetVersion:
        return repair(
            base.id,
            payload["check"],
            payload["code"],
            passages=passages,
            max_length=payload["max_length"],
            watch=_stages(ctx, base.row_count, "checking", "storing_rows"),
            job=ctx.job_id,
            newest=payload["newest"],
        )

    return _made_once(ctx, repaired)


def split_version(ctx: JobContext) -> dict[str, Any]:
    """Divide a version anew, once however often its process is killed; the job ``split``.

    Raises:
        KurabeError: as `make_splits`; ``datasets.repair_moved_on`` if the dataset was edited again and again meanwhile.
    """
    config = SplitConfig(**ctx.payload["config"])

    def divided(base: tb.DatasetVersion) -> tb.DatasetVersion:
        watch = _stages(ctx, base.row_count, "counting_rows", "storing_rows")
        return make_splits(base.id, config, watch=watch, job=ctx.job_id, newest=ctx.payload["newest"])

    return _made_once(ctx, divided)


def edit_version(ctx: JobContext) -> dict[str, Any]:
    """Change rows of a version, once however often its process is killed; the job ``edit``.

    Raises:
        KurabeError: as `edit_rows`; ``datasets.repair_moved_on`` if somebody else edited the newest version meanwhile:
            the rows may stand elsewhere in it.
    """
    payload = ctx.payload
    changes = {int(place): fields for place, fields in payload["changes"].items()}

    def edited(base: tb.DatasetVersion) -> tb.DatasetVersion:
        if base.id != payload["dataset_version_id"]:
            raise KurabeError("datasets.repair_moved_on")
        watch = _watch(ctx, base.row_count, "storing_rows")
        by = {"job": ctx.job_id}
        return edit_rows(base.id, changes, drop=payload["drop"], made_by=by, newest=payload["newest"], watch=watch)

    return _made_once(ctx, edited)


def _made_once(ctx: JobContext, make: Callable[[tb.DatasetVersion], tb.DatasetVersion]) -> dict[str, Any]:
    """Make a version of the one that was asked for, or of the newest of its dataset if it was that.

    Made once more where others edited it meanwhile, and not again where it was made before the process was killed.
    """
    payload = ctx.payload
    as_actor(payload["by"])
    try:
        made = _made_before(ctx, "job", ctx.job_id) or _made_of_newest(payload, make)
    except _Stopped:
        return {"stopped": True}
    return {"dataset_version_id": made.id, "rows": made.row_count}


def _made_of_newest(
    payload: dict[str, Any], make: Callable[[tb.DatasetVersion], tb.DatasetVersion]
) -> tb.DatasetVersion:
    asked = version(payload["dataset_version_id"])
    for _ in range(_TRIES):
        base = (latest_version(asked.project_id, asked.dataset_id) if payload["newest"] else None) or asked
        try:
            return make(base)
        except KurabeError as error:
            if error.code != _MOVED_ON:
                raise
    raise KurabeError("datasets.repair_moved_on")


def _stages(ctx: JobContext, total: int, *stages: str) -> Callable[[str, int], None]:
    """Return what is told how many rows each of these stages has gone through."""
    watches = {stage: _watch(ctx, total, stage) for stage in stages}
    return lambda stage, done: watches[stage](done)


def _watch(ctx: JobContext, total: int | None, stage: str) -> Callable[[int], None]:
    def watch(done: int) -> None:
        if done % _EVERY == 0 or done == total:
            if ctx.stop_requested() is not None:
                raise _Stopped
            ctx.progress(done, total, stage)

    return watch


def _place(token: str) -> Path:
    return settings().path("uploads") / token / "upload"


def _sweep() -> None:
    """Remove uploads that nobody took up again."""
    old = time.time() - _KEPT_SECONDS
    for folder in settings().path("uploads").iterdir():
        if folder.is_dir() and folder.stat().st_mtime < old:
            shutil.rmtree(folder, ignore_errors=True)
