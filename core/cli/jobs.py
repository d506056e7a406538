"""``python -m core jobs``: list, show, follow, stop and resume background jobs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.cli._output import Json, command, console, progress_line, show, table, watching
from core.errors import KurabeError
from core.i18n import describe, format_duration, t
from core.jobs import JobView, cancel, events, job_view, list_jobs, log_tail, request_stop, resume, tick, wait

__all__ = ["app", "follow", "view_as_dict"]

app = typer.Typer(help="Background jobs: list, show, follow, stop, resume.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Job id, or the first characters of one.")]


def _find(beginning: str) -> str:
    """Return the one job whose id begins so.

    Raises:
        KurabeError: ``store.missing``.
    """
    found = [view.id for view in list_jobs(limit=1000) if view.id.startswith(beginning)]
    if len(found) != 1:
        raise KurabeError("store.missing", kind="job", id=beginning)
    return found[0]


def view_as_dict(view: JobView) -> dict[str, Any]:
    """Return a job's view as JSON values."""
    return asdict(view)


@command(app, "list")
def list_(
    active: Annotated[bool, typer.Option("--active", help="Only those that wait or run.")] = False,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    tick()
    views = list_jobs(active=True if active else None)
    if as_json:
        show([view_as_dict(view) for view in views])
        return
    rows = [
        (view.id[:13], view.kind, t(f"jobs.status.{view.status}"), _progress(view), _elapsed(view)) for view in views
    ]
    table((t("cli.id"), t("cli.kind"), t("cli.status"), t("cli.progress"), t("cli.elapsed")), rows)


def _progress(view: JobView) -> str:
    if not view.total or view.done is None:
        return ""
    return f"{100 * view.done / view.total:.0f} %"


def _elapsed(view: JobView) -> str:
    return format_duration(view.elapsed_seconds) if view.elapsed_seconds is not None else ""


@command(app, "show")
def show_(job: Id, as_json: Json = False) -> None:
    """Show one job as it stands now."""
    tick()
    view = job_view(_find(job))
    if as_json:
        show(view_as_dict(view))
        return
    rows = [
        (t("cli.id"), view.id),
        (t("cli.kind"), view.kind),
        (t("cli.status"), t(f"jobs.status.{view.status}")),
        (t("cli.progress"), _progress(view)),
        (t("cli.elapsed"), _elapsed(view)),
        (t("cli.log"), view.log_path),
    ]
    if view.error:
        rows += list(zip(("!", "→"), describe(KurabeError.from_record(view.error)), strict=True))
    table(("", ""), rows)


@command(app)
def log(
    job: Id,
    lines: Annotated[int, typer.Option(help="How many from the end.")] = 200,
    search: Annotated[str, typer.Option(help="Only lines of the whole log with these words.")] = "",
) -> None:
    """Print the end of a job's log."""
    console.print(log_tail(_find(job), lines, search), markup=False, end="")


@command(app, "events")
def events_(job: Id) -> None:
    """Print a job's events as JSON."""
    show(events(_find(job)))


@command(app)
def stop(job: Id) -> None:
    """Ask a job to save and end."""
    request_stop(_find(job))
    progress_line(t("cli.job.stop_asked"))


@command(app, "cancel")
def cancel_(job: Id) -> None:
    """End a job; it is terminated, then killed, if it does not end by itself."""
    cancel(_find(job))
    progress_line(t("cli.job.cancel_asked"))


@command(app, "resume")
def resume_(job: Id, wait_for: Annotated[bool, typer.Option("--follow", help="Wait for its end.")] = False) -> None:
    """Go on with a job that stopped, failed or was lost."""
    found = _find(job)
    resume(found)
    if wait_for:
        follow(found)


@command(app, "tick")
def tick_() -> None:
    """Start what is queued and settle what ended."""
    tick()


@command(app)
def watch(job: Id) -> None:
    """Follow a job to its end."""
    follow(_find(job))


def follow(job_id: str) -> JobView:
    """Show a job's progress until it ends.

    Raises:
        KurabeError: the job's own error if it failed; ``cli.job_ended`` if it was stopped, killed or lost.
    """
    with watching(job_view(job_id).kind) as update:

        def on_event(_event: Any) -> None:
            view = job_view(job_id)
            update(view.done or 0.0, view.total or 0.0, _stage(view))

        view = wait(job_id, timeout=None, on_event=on_event)
    if view.status == "succeeded":
        return view
    if view.error:
        raise KurabeError.from_record(view.error)
    raise KurabeError("cli.job_ended", job=job_id, status=t(f"jobs.status.{view.status}"))


def _stage(view: JobView) -> str:
    return t(f"jobs.stage.{view.stage}") if view.stage else view.kind
