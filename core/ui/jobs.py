"""A running job on a page: progress with a total, the time that remains, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import KurabeError
from core.i18n import describe, format_duration, format_number, t
from core.jobs import JobView, cancel, job_view, list_jobs, log_tail, request_stop, resume, slots_in_use
from core.projects import projects
from core.ui.live import draw_live
from core.ui.parts import error_text, plain

__all__ = ["active_job", "draw_job", "draw_slots", "follow_job", "newest_job", "status_badge"]

_POLL_SECONDS = 1.0

_LOOK: dict[str, tuple[str, str]] = {
    "queued": ("gray", ":material/schedule:"),
    "blocked": ("orange", ":material/lock:"),
    "starting": ("blue", ":material/hourglass_top:"),
    "running": ("blue", ":material/play_arrow:"),
    "succeeded": ("green", ":material/check:"),
    "failed": ("red", ":material/error:"),
    "stopped": ("gray", ":material/stop:"),
    "cancelled": ("gray", ":material/cancel:"),
    "killed": ("orange", ":material/dangerous:"),
    "lost": ("red", ":material/help:"),
}


def active_job(project_id: str, *kinds: str) -> JobView | None:
    """Return the project's newest job of these kinds that waits or runs."""
    return next(iter(list_jobs(project_id, kinds or None, active=True, limit=20)), None)


def newest_job(project_id: str, kind: str) -> JobView | None:
    """Return the project's newest job of a kind, running or ended."""
    return next(iter(list_jobs(project_id, [kind], limit=1)), None)


def follow_job(job_id: str, *, controls: bool = True, extra: Callable[[JobView], None] | None = None) -> None:
    """Draw a job and keep it up to date until it ends; then run the page again, once.

    Args:
        job_id: the job.
        controls: whether it can be stopped and resumed here.
        extra: draws more under it, from the same view.
    """
    view = job_view(job_id)
    if not view.active:
        draw_job(view, controls=controls)
        if extra is not None:
            extra(view)
        return

    def now_and_again() -> None:
        now = job_view(job_id)
        if not now.active:
            st.rerun()
        draw_job(now, controls=controls)
        if extra is not None:
            extra(now)

    draw_live(now_and_again, _POLL_SECONDS)


def status_badge(status: str) -> None:
    """Draw a job's status: a colour, a sign and a word."""
    colour, icon = _LOOK.get(status, ("gray", ":material/help:"))
    st.badge(t(f"jobs.status.{status}"), icon=icon, color=colour)  # type: ignore[arg-type]  # names listed in _LOOK


def draw_job(view: JobView, *, controls: bool = True) -> None:
    """Draw one job as it stands."""
    with st.container(border=True, key=f"job-{view.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{t(f'jobs.kind.{view.kind}')}**", width="content")
            status_badge(view.status)
            st.caption(_times(view), width="content")
        if view.active:
            _progress(view)
        if view.position_in_queue and view.status == "queued":
            st.caption(t("ui.job.position", n=view.position_in_queue))
        if problem := view.error or view.reason:
            message, hint = describe(KurabeError.from_record(problem))
            st.error(error_text(message, hint), icon=":material/error:")
        if not view.active:
            _stopping(view)
        if controls:
            _controls(view)
        _log(view)


def _times(view: JobView) -> str:
    parts = []
    if view.elapsed_seconds is not None:
        key = "ui.job.elapsed" if view.active else "ui.job.took"
        parts.append(t(key, time=format_duration(view.elapsed_seconds)))
    if view.eta_seconds is not None:
        parts.append(t("ui.job.remaining", time=format_duration(view.eta_seconds)))
    return " · ".join(parts)


def _progress(view: JobView) -> None:
    stage = t(f"jobs.stage.{view.stage}") if view.stage else t(f"jobs.status.{view.status}.help")
    if view.total and view.done is not None:
        counts = f"{format_number(view.done)} / {format_number(view.total)}"
        st.progress(min(1.0, view.done / view.total), text=f"{stage} · {counts}")
    else:
        st.caption(stage)


def _stopping(view: JobView) -> None:
    """Say how a stop or a cancellation went, and what it took."""
    if view.stop_state is None:
        return
    parts = [t(f"jobs.stop.{view.stop_state}")]
    if view.stop_step:
        parts.append(t(f"jobs.step.{view.stop_step}"))
    st.caption(" · ".join(parts))


def draw_slots() -> None:
    """Draw what the slots of this machine are used for: who holds each and who waits for it, in order."""
    names = {project.id: project.name for project in projects()}
    for use in slots_in_use():
        taken = t("ui.job.slot.taken", held=format_number(len(use.held)), capacity=format_number(use.capacity))
        st.markdown(f"**{t(f'jobs.slot.{use.slot}')}** · {taken}")
        for view in [*use.held, *use.waiting]:
            place = "" if view.position_in_queue is None else t("jobs.position", position=view.position_in_queue)
            said = [t(f"jobs.kind.{view.kind}"), t(f"jobs.status.{view.status}"), place]
            said += [plain(names.get(str(view.project_id), "")), plain(view.actor)]
            st.caption("- " + " · ".join(words for words in said if words))


def _controls(view: JobView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.can_stop and view.stop_state is None:
            if st.button(t("ui.job.stop"), key=f"stop-{view.id}", icon=":material/stop:", help=t("ui.job.stop.help")):
                request_stop(view.id)
                st.rerun(scope="fragment" if view.active else "app")
        elif view.active and view.stop_state:
            st.caption(t(f"jobs.stop.{view.stop_state}"), width="content")
            if view.stop_step:
                st.caption(t(f"jobs.step.{view.stop_step}"), width="content")
            if st.button(t("ui.job.cancel"), key=f"cancel-{view.id}", icon=":material/cancel:"):
                cancel(view.id)
        if view.can_resume and st.button(
            t("ui.job.resume"), key=f"resume-{view.id}", icon=":material/resume:", type="primary"
        ):
            resume(view.id)
            st.rerun()


def _log(view: JobView) -> None:
    with st.expander(t("ui.job.log"), icon=":material/notes:", on_change="rerun", key=f"log-{view.id}") as opened:
        if opened.open:
            search = st.text_input(
                t("ui.job.log.search"), key=f"log-search-{view.id}", icon=":material/search:", max_chars=200
            )
            nothing = t("ui.job.log.none") if search.strip() else t("ui.job.log.empty")
            st.code(log_tail(view.id, 80, search) or nothing, language=None, height=240)
