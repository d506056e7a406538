"""``python -m core jobs``: list, show, follow, stop and resume background jobs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.cli._output import Json, command, console, progress_line, show, show_line, table, watching
from core.errors import KurabeError
from core.i18n import describe, format_duration, t
from core.jobs import (
    JobView,
    cancel,
    events,
    job_view,
    jobs_beginning,
    list_jobs,
    log_tail,
    redact,
    request_stop,
    resume,
    slots_in_use,
    tick,
    wait,
)

__all__ = ["app", "follow", "view_as_dict"]

app = typer.Typer(help="Background jobs: list, show, follow, stop, resume.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Job id, or the first characters of one.")]
Follow = Annotated[bool, typer.Option("--follow", help="Show its progress and wait for its end.")]


def _find(beginning: str) -> str:
    """Return the one job whose id begins so.

    Raises:
        KurabeError: ``store.missing``.
    """
    found = jobs_beginning(beginning)
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
    if view.position_in_queue is not None:
        return t("jobs.position", position=view.position_in_queue)
    if not view.total or view.done is None:
        return ""
    return f"{100 * view.done / view.total:.0f} %"


def _elapsed(view: JobView) -> str:
    return format_duration(view.elapsed_seconds) if view.elapsed_seconds is not None else ""


@command(app, "show")
def show_(job: Id, wait_for: Follow = False, as_json: Json = False) -> None:
    """Show one job as it stands now, or with --follow as it ended."""
    found = _find(job)
    tick()
    view = follow(found) if wait_for else job_view(found)
    if as_json:
        show(view_as_dict(view))
        return
    rows = [
        (t("cli.id"), view.id),
        (t("cli.kind"), view.kind),
        (t("cli.status"), t(f"jobs.status.{view.status}")),
        (t("cli.progress"), _progress(view)),
        (t("cli.elapsed"), _elapsed(view)),
        *_remaining(view),
        *_stopping(view),
        (t("cli.log"), view.log_path),
    ]
    if problem := view.error or view.reason:
        rows += list(zip(("!", "→"), describe(KurabeError.from_record(problem)), strict=True))
    table(("", ""), rows)


def _remaining(view: JobView) -> list[tuple[str, str]]:
    """What is left of the present stage; nothing while nobody can say."""
    if view.eta_seconds is None:
        return []
    return [(t("cli.remaining"), format_duration(view.eta_seconds))]


def _stopping(view: JobView) -> list[tuple[str, str]]:
    """How a stop or a cancellation went, and what it took; nothing if nobody asked for one."""
    if view.stop_state is None:
        return []
    said = [t(f"jobs.stop.{view.stop_state}"), t(f"jobs.step.{view.stop_step}") if view.stop_step else ""]
    return [(t("cli.job.stop"), " · ".join(words for words in said if words))]


@command(app)
def slots(as_json: Json = False) -> None:
    """Show what the slots of this machine are used for: who holds each and who waits for it."""
    tick()
    found = slots_in_use()
    if as_json:
        show([asdict(use) for use in found])
        return
    rows = [
        (t(f"jobs.slot.{use.slot}"), t(f"jobs.status.{view.status}"), t(f"jobs.kind.{view.kind}"), view.id, view.actor)
        for use in found
        for view in [*use.held, *use.waiting]
    ]
    table((t("jobs.slot"), t("cli.status"), t("cli.kind"), t("cli.id"), t("jobs.slot.started_by")), rows)


@command(app)
def log(
    job: Id,
    lines: Annotated[int, typer.Option(help="How many from the end.")] = 200,
    search: Annotated[str, typer.Option(help="Only lines of the whole log with these words.")] = "",
    wait_for: Annotated[bool, typer.Option("--follow", help="Print further lines as they come, to its end.")] = False,
    as_json: Json = False,
) -> None:
    """Print the end of a job's log."""
    found = _find(job)
    if as_json:
        if wait_for:
            follow(found)
        show({"id": found, "lines": log_tail(found, lines, search).splitlines()})
    elif wait_for:
        _print_log_as_it_grows(found, lines, search)
    else:
        console.print(log_tail(found, lines, search), markup=False, end="")


def _print_log_as_it_grows(job_id: str, lines: int, search: str) -> None:
    """Print the end of a log and whatever is added to it, until the job ends; with `search` only lines that hold it."""
    path, printed, wanted = job_view(job_id).log_path, 0, search.strip().casefold()

    def further(*, ended: bool = False) -> bool:
        nonlocal printed
        begins = printed == 0
        if path.exists():
            with path.open("rb") as file:
                file.seek(printed)
                added = file.read()
            told = added if ended else added[: added.rfind(b"\n") + 1]  # a secret is not cut in two
            printed += len(told)
            text = [
                line for line in told.decode(errors="replace").splitlines(keepends=True) if wanted in line.casefold()
            ]
            console.print(redact("".join(text[-lines:] if begins else text)), markup=False, end="", soft_wrap=True)
        return False

    wait(job_id, should_stop=further)
    further(ended=True)


@command(app, "events")
def events_(
    job: Id,
    wait_for: Annotated[bool, typer.Option("--follow", help="One line of JSON for each as it comes.")] = False,
    as_json: Json = False,
) -> None:
    """Print a job's events as JSON, with --follow as JSON lines until it ends."""
    found = _find(job)
    if wait_for:
        wait(found, on_event=show_line)
    else:
        show(events(found))


@command(app)
def stop(job: Id, wait_for: Follow = False, as_json: Json = False) -> None:
    """Ask a job to save and end."""
    _asked(request_stop(_find(job)), "stop_asked", wait_for=wait_for, as_json=as_json)


@command(app, "cancel")
def cancel_(job: Id, wait_for: Follow = False, as_json: Json = False) -> None:
    """End a job; it is terminated, then killed, if it does not end by itself."""
    _asked(cancel(_find(job)), "cancel_asked", wait_for=wait_for, as_json=as_json)


def _asked(view: JobView, sentence: str, *, wait_for: bool, as_json: bool) -> None:
    """Say that a job was asked to end; that it did not succeed is then no error."""
    progress_line(t(f"cli.job.{sentence}"))
    if wait_for:
        view = _watched(view.id)
    if as_json:
        show(view_as_dict(view))


@command(app, "resume")
def resume_(job: Id, wait_for: Follow = False, as_json: Json = False) -> None:
    """Go on with a job that stopped, failed or was lost."""
    view = resume(_find(job))
    progress_line(t("cli.job.resumed", attempt=view.attempt))
    if wait_for:
        view = follow(view.id)
    if as_json:
        show(view_as_dict(view))


@command(app, "tick")
def tick_(as_json: Json = False) -> None:
    """Start what is queued and settle what ended; as JSON, say what waits or runs after it."""
    tick()
    if as_json:
        show([view_as_dict(view) for view in list_jobs(active=True)])


@command(app)
def watch(job: Id, as_json: Json = False) -> None:
    """Follow a job to its end."""
    view = follow(_find(job))
    if as_json:
        show(view_as_dict(view))


def follow(job_id: str, *, blocked: bool = True) -> JobView:
    """Show a job's progress until it ends.

    Args:
        job_id: the job.
        blocked: wait as well while something stands in its way; False ends with what that is.

    Raises:
        KurabeError: the job's own error if it failed; what blocks it; ``cli.job_ended`` if it was stopped, killed or
            lost.
    """
    view = _watched(job_id, blocked=blocked)
    if view.status == "succeeded":
        return view
    if view.reason and not blocked:
        raise KurabeError.from_record(view.reason)
    if view.error:
        raise KurabeError.from_record(view.error)
    raise KurabeError("cli.job_ended", job=job_id, status=t(f"jobs.status.{view.status}"))


def _watched(job_id: str, *, blocked: bool = True) -> JobView:
    """Show a job's progress until it ends, however it ends, or unless `blocked` until something stands in its way."""
    with watching(job_view(job_id).kind) as update:

        def on_view(view: JobView) -> None:
            update(view.done or 0.0, view.total or 0.0, _stage(view))

        def stands() -> bool:
            return not blocked and job_view(job_id).status == "blocked"

        return wait(job_id, timeout=None, on_view=on_view, should_stop=stands)


def _stage(view: JobView) -> str:
    return t(f"jobs.stage.{view.stage}") if view.stage else view.kind
