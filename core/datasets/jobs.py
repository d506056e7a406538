"""Imports, checks and repairs of what is too large for a page, as jobs: with progress, and stopped at any row.

The upload waits in a folder of its own below the home until it is taken over, so that an import whose process was
killed can be taken up again; its name is never a path.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.datasets.checks import Documents, repair, run_checks
from core.datasets.importing import OnProblem, import_file, preview
from core.datasets.licences import kept_licence
from core.datasets.versions import dataset_versions, datasets, latest_version, version
from core.errors import KurabeError
from core.identity import actor, as_actor, atomic_write, new_id
from core.jobs import JobContext, submit
from core.jobs.files import require_free_space
from core.settings import settings
from core.store import tables as tb

__all__ = [
    "check_version",
    "has_upload",
    "import_upload",
    "remove_upload",
    "repair_version",
    "start_check",
    "start_import",
    "start_repair",
]

_KEPT_SECONDS = 7 * 24 * 3600
"""How long an upload waits for somebody to take its import up again."""
_TRIES = 3
"""How often the rows are stored after those of a version that others go on editing meanwhile."""
_STORED = "stored.json"
"""What came of an import, in its job's folder: known even if the job is killed before it can say so."""
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
    base = version(version_id)
    newest = latest_version(project_id, base.dataset_id)
    payload = {
        "dataset_version_id": base.id,
        "check": check,
        "code": code,
        "max_length": (base.checks or {}).get("max_length"),
        "newest": newest is not None and newest.id == base.id,  # what others change until it is done belongs to it
        "by": actor(),
    }
    return submit("repair", payload, project_id=project_id)


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
        if error.code.startswith("datasets.") and error.code != _MOVED_ON:  # the file is as it is: it needs another one
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
    """Tell whether an import can be taken up again: its upload is kept, or its rows are stored already."""
    return _place(payload["upload"]).is_file() or (run_dir / _STORED).is_file()


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
    as_actor(payload["by"])
    try:
        made = _made_before(ctx, "job", ctx.job_id) or _repaired(ctx, passages)
    except _Stopped:
        return {"stopped": True}
    return {"dataset_version_id": made.id, "rows": made.row_count}


def _repaired(ctx: JobContext, passages: Documents) -> tb.DatasetVersion:
    """Repair the version, or the newest of its dataset where it was that; once more where others edited it meanwhile."""
    payload = ctx.payload
    asked = version(payload["dataset_version_id"])
    for _ in range(_TRIES):
        base = (latest_version(asked.project_id, asked.dataset_id) if payload["newest"] else None) or asked
        try:
            return repair(
                base.id,
                payload["check"],
                payload["code"],
                passages=passages,
                max_length=payload["max_length"],
                watch=_stages(ctx, base.row_count),
                job=ctx.job_id,
                newest=payload["newest"],
            )
        except KurabeError as error:
            if error.code != _MOVED_ON:
                raise
    raise KurabeError("datasets.repair_moved_on")


def _stages(ctx: JobContext, total: int) -> Callable[[str, int], None]:
    """Return what is told every row of two stages, and how many rows a check has gone through."""
    stages = {stage: _watch(ctx, total, stage) for stage in ("checking", "storing_rows")}
    return lambda stage, done: stages[stage](done)


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
