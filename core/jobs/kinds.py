"""What kinds of jobs exist, which slots they use and how long they may take to stop."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import KurabeError

SLOTS: Final[Mapping[str, int]] = {"device": 1, "host": 1, "cpu": 2}
"""How many jobs may use each slot at once, per home."""

KIND_MODULES: Final = "_KURABE_JOB_KIND_MODULES"
"""Environment variable by which a process passes the modules that registered further kinds to its
workers. Only the environment can name them, never the store or a page: whoever can set a process's
environment can already choose what it imports."""


@dataclass(frozen=True)
class JobKind:
    """One kind of background work."""

    slot: str
    """The slot that names where it waits: `device`, `host` or `cpu`."""
    target: str
    """`module:function`, called as `function(ctx)` in the child process."""
    also: tuple[str, ...] = ()
    """Further slots it holds while it runs; all are claimed in one transaction."""
    coordinates: bool = False
    """True if it submits other jobs and waits for them. It then must use the slot `cpu` only."""
    followed_by: tuple[str, ...] = ()
    """Kinds that it may queue at its end: jobs of their own, for which nobody waits and which hold no slot before."""
    resumable: bool = True
    """False if a second attempt cannot go on from what the first one left."""
    remains: str | None = None
    """`module:function` that is given the payload and the job's folder and says whether what another attempt needs is
    still there; None: always."""
    save_seconds: float | None = None
    """After a stop: how long it may take to save before SIGTERM; None: four times `stop_grace_seconds`.
    A job may ask for more while it runs: `JobContext.allow_saving`."""
    ask_seconds: float | None = None
    """After a cancellation: how long it may take to end by itself before SIGTERM; None: `stop_grace_seconds`."""
    term_seconds: float | None = None
    """After SIGTERM: how long until SIGKILL goes to the whole group; None: `stop_grace_seconds`."""
    relief: str | None = None
    """`module:function` that says which setting to change when the system killed it for lack of memory."""

    def __post_init__(self) -> None:
        """Refuse unknown slots, and coordinators that could hold what their own sub-jobs need."""
        unknown = [slot for slot in self.slots if slot not in SLOTS]
        if unknown:
            raise KurabeError("jobs.unknown_slot", slot=unknown[0], known=", ".join(SLOTS))
        if self.coordinates and self.slots != ("cpu",):
            raise KurabeError("jobs.coordinator_slot", slot=self.slot)

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots it holds."""
        return (self.slot, *self.also)


_RELIEF: Final = "core.training.relief:told_killed"

# The host leases the device, so an experiment, which leases the host, keeps trainings off the device
# it measures on. Building an index embeds on CPU and may go on beside a training.
KINDS: dict[str, JobKind] = {
    # A training says how long saving its weights may take once it knows how large they are; loading cannot be stopped.
    "train": JobKind("device", "core.training.trainer.run:main", save_seconds=300.0, relief=_RELIEF),
    "probe": JobKind("device", "core.training.trainer.probe:main", relief=_RELIEF),
    "index": JobKind("host", "core.knowledge.jobs:build_index"),
    "documents": JobKind("cpu", "core.knowledge.jobs:take_in"),
    "import": JobKind("cpu", "core.datasets.jobs:import_upload", remains="core.datasets.jobs:has_upload"),
    "check": JobKind("cpu", "core.knowledge.covering:check_as_job"),
    "edit": JobKind("cpu", "core.datasets.jobs:edit_version"),
    "coverage": JobKind("cpu", "core.knowledge.covering:cover_as_job"),
    "repair": JobKind("cpu", "core.knowledge.covering:repair_as_job"),
    "split": JobKind("cpu", "core.datasets.jobs:split_version"),
    "sweep": JobKind("host", "core.knowledge.jobs:sweep"),
    "experiment": JobKind("host", "core.evaluation.jobs:run_experiment", also=("device",), followed_by=("judge",)),
    "judge": JobKind("host", "core.evaluation.judge.running:run_judging", also=("device",)),
    "robustness": JobKind("host", "core.evaluation.robustness.running:run_robustness", also=("device",)),
    "draft": JobKind("host", "core.evaluation.drafting.running:run_drafting", also=("device",)),
    "known": JobKind("host", "core.evaluation.known.running:run_known", also=("device",)),
    "comparison": JobKind("cpu", "core.projects.jobs:run_comparison", coordinates=True),
    "merge": JobKind("device", "core.training.trainer.merge:main"),
    "download": JobKind("cpu", "core.models.jobs:download"),
    "upload": JobKind("cpu", "core.training.publishing:upload"),
}

_registered_modules: list[str] = []


def register_kind(name: str, kind: JobKind, *, module: str) -> None:
    """Add a kind; `module` is imported by the workers and registers it there again."""
    KINDS[name] = kind
    if module not in _registered_modules:
        _registered_modules.append(module)


def can_go_on(name: str, payload: dict[str, Any], run_dir: Path) -> bool:
    """Tell whether another attempt at an ended job of a kind has what it needs."""
    kind = KINDS.get(name)
    if kind is None or kind.remains is None:
        return True
    module, _, function = kind.remains.partition(":")
    return bool(getattr(importlib.import_module(module), function)(payload, run_dir))


def kind_named(name: str) -> JobKind:
    """Look a kind up.

    Raises:
        KurabeError: `jobs.unknown_kind` with near names.
    """
    if name not in KINDS:
        near = difflib.get_close_matches(name, KINDS, n=3)
        raise KurabeError(
            "jobs.unknown_kind", kind=name, suggestions=", ".join(near) or "-", known=", ".join(sorted(KINDS))
        )
    return KINDS[name]


def kind_modules() -> str:
    """The value of `KIND_MODULES` for a worker started by this process."""
    inherited = [name for name in os.environ.get(KIND_MODULES, "").split(",") if name]
    return ",".join(dict.fromkeys([*inherited, *_registered_modules]))


def load_kind_modules() -> None:
    """Import the modules named by the process that started this one, so that they register."""
    for name in filter(None, os.environ.get(KIND_MODULES, "").split(",")):
        importlib.import_module(name)
