"""The course of a run, put together from its events: once each, however often and by how many it is looked at."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.jobs import EventTail

__all__ = ["CURVES", "course_of"]

CURVES = (
    "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "margin", "eval_margin", "accuracy",
    "eval_accuracy",
)  # fmt: skip
"""Numbers of ``metrics`` and ``evaluation`` events that are followed over the steps."""

_MOST = 32
"""Runs whose course is kept in memory; an overnight run's takes some megabytes."""


class _Course:
    """What the events of all attempts say; steps that a resumed attempt did again replace the earlier ones."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self._tail = EventTail(path)
        self._curves: dict[str, dict[int, float]] = {name: {} for name in CURVES}
        self._samples: dict[int, dict[str, Any]] = {}
        self._checkpoints: set[int] = set()
        self._rows: dict[str, Any] = {}
        self._facts: dict[str, Any] = {}
        self._memory: int | None = None

    def fields(self) -> dict[str, Any]:
        """Take in what was added to the file, and return the fields of a `RunView` that rest on it."""
        with self.lock:
            self._take(self._tail.further())
            return {
                **{name: sorted(curve.items()) for name, curve in self._curves.items()},
                "samples": [self._samples[step] for step in sorted(self._samples)],
                "checkpoints": sorted(self._checkpoints),
                "rows": dict(self._rows),
                "facts": dict(self._facts),
                "memory_bytes": self._memory,
            }

    def _take(self, reported: Iterable[dict[str, Any]]) -> None:
        for event in reported:
            kind = event["kind"]
            if kind == "resumed":
                self._forget_after(int(event["step"]))
            elif kind in ("metrics", "evaluation"):
                self._measured(event)
            elif kind == "samples":
                self._samples[event["step"]] = _plain(event)
            elif kind == "checkpoint":
                self._checkpoints.add(event["step"])
            elif kind == "rows":
                self._rows = _plain(event)
            elif kind == "model":
                self._facts = _plain(event)

    def _measured(self, event: dict[str, Any]) -> None:
        for name, curve in self._curves.items():
            if event.get(name) is not None:
                curve[int(event["step"])] = float(event[name])
        self._memory = max(self._memory or 0, event.get("memory_bytes") or 0) or None

    def _forget_after(self, step: int) -> None:
        kept: list[dict[int, Any]] = [*self._curves.values(), self._samples]
        for curve in kept:
            for later in [at for at in curve if at > step]:
                del curve[later]
        self._checkpoints = {at for at in self._checkpoints if at <= step}


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ("schema", "seq", "at", "kind", "attempt")}


_known: OrderedDict[Path, _Course] = OrderedDict()
_lock = threading.Lock()


def course_of(path: Path) -> dict[str, Any]:
    """Return curves, samples, checkpoints and facts of a run, as fields of a `RunView`.

    Only what was added to the events since the last look is read: a page that is redrawn each second for hours
    would otherwise read the whole night again each time.

    Args:
        path: the job's events file.
    """
    with _lock:
        course = _known.pop(path, None)
        if course is None or not path.exists():
            course = _Course(path)
        _known[path] = course
        while len(_known) > _MOST:
            _known.popitem(last=False)
    return course.fields()
