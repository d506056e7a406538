"""Background jobs without a daemon: submit, watch, stop, resume; see docs/decisions/001-jobs-without-a-daemon.md."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.jobs.context import JobContext
    from core.jobs.control import cancel, delete, request_stop, resume, submit, wait
    from core.jobs.event_log import EventTail, disk_full, read_events
    from core.jobs.kinds import KINDS, SLOTS, JobKind, register_kind
    from core.jobs.launchers import LAUNCHERS, Launcher
    from core.jobs.secrets import find_secret, redact
    from core.jobs.states import ACTIVE, RESUMABLE, TERMINAL
    from core.jobs.ticking import keep_ticking, tick
    from core.jobs.views import (
        JobView,
        SlotUse,
        events,
        job_view,
        jobs_beginning,
        list_jobs,
        log_tail,
        slots_in_use,
    )

# A job's child needs only its context, not the store: each name is imported when it is first used,
# which halves the time and the memory that a child takes before its own work begins.
_HOMES = {
    "context": ("JobContext",),
    "control": ("cancel", "delete", "request_stop", "resume", "submit", "wait"),
    "kinds": ("KINDS", "SLOTS", "JobKind", "register_kind"),
    "launchers": ("LAUNCHERS", "Launcher"),
    "secrets": ("find_secret", "redact"),
    "states": ("ACTIVE", "RESUMABLE", "TERMINAL"),
    "ticking": ("keep_ticking", "tick"),
    "views": (
        "JobView",
        "SlotUse",
        "events",
        "job_view",
        "jobs_beginning",
        "list_jobs",
        "log_tail",
        "slots_in_use",
    ),
    "event_log": ("EventTail", "disk_full", "read_events"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"core.jobs.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ACTIVE",
    "KINDS",
    "LAUNCHERS",
    "EventTail",
    "RESUMABLE",
    "SLOTS",
    "TERMINAL",
    "JobContext",
    "JobKind",
    "JobView",
    "Launcher",
    "SlotUse",
    "cancel",
    "delete",
    "disk_full",
    "events",
    "find_secret",
    "job_view",
    "jobs_beginning",
    "keep_ticking",
    "list_jobs",
    "log_tail",
    "read_events",
    "redact",
    "register_kind",
    "request_stop",
    "resume",
    "slots_in_use",
    "submit",
    "tick",
    "wait",
]
