"""What a look came to: the share of training rows that the model knew beforehand, and which rows these are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, func, select

from core.errors import KurabeError
from core.measures import Interval, proportion_interval
from core.store import read
from core.store import tables as tb

Show = Literal["unknown", "known", "failed"]
"""Rows by what came of them; failed: the call failed, or the answer could not be judged."""


@dataclass(frozen=True, slots=True)
class KnownSlice:
    """One slice of the training rows that were asked and judged."""

    slice: str
    n: int
    known: int
    share: Interval
    """Share known, with its interval."""


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """Everything that one look came to, as far as it has come."""

    run_id: str
    dataset_version_id: str
    model: str
    metric: str
    complete: bool
    available: int
    """Training rows that there are."""
    left_out: int
    """Rows drawn that teach no fact: a form, a label, to decline, a turn of a chat."""
    asked: int
    """Rows drawn that are asked."""
    open: int
    """Of these, rows still to be asked."""
    failed: int
    """Of these, rows whose call failed or whose answer could not be judged; they count nowhere."""
    known: int
    unknown: int
    share: Interval | None
    """Share known of those judged, with its interval; None before the first."""
    slices: tuple[KnownSlice, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class KnownRow:
    """One row with what the model said."""

    position: int
    """Row number in the version, from 0."""
    slice: str
    question: str
    reference: str
    answer: str
    """The model's."""
    known: bool | None
    reason: dict[str, Any]
    """Code and parameters; of a failed call its error's."""


def latest_known(version_id: str) -> tb.KnownRun | None:
    """Return the newest look at a dataset version, or None."""
    wanted = select(tb.KnownRun).where(tb.KnownRun.version_id == version_id).order_by(tb.KnownRun.id.desc())
    with read() as session:
        return session.scalar(wanted.limit(1))


def known_outcome(run_id: str) -> KnownOutcome:
    """Sum up a look.

    Raises:
        KurabeError: `store.missing`.
    """
    c, e = tb.KnownCall, tb.Example
    counted = select(e.slice, c.status, c.known, func.count(c.id)).join(e, e.id == c.example_id)
    counted = counted.where(c.run_id == run_id).group_by(e.slice, c.status, c.known)
    by_slice: dict[str, Counter[str]] = defaultdict(Counter)
    with read() as session:
        run = session.get(tb.KnownRun, run_id)
        if run is None:
            raise KurabeError("store.missing", kind="known run", id=run_id)
        for name, status, known, n in session.execute(counted):
            by_slice[name][_state(status, known)] += int(n)
    every = sum(by_slice.values(), Counter())
    judged = every["known"] + every["unknown"]
    return KnownOutcome(
        run_id=run.id,
        dataset_version_id=run.version_id,
        model=run.config["model"]["ref"],
        metric=run.config["metric"],
        complete=run.completed_at is not None,
        available=run.available,
        left_out=run.left_out,
        asked=sum(every.values()),
        open=every["open"],
        failed=every["failed"],
        known=every["known"],
        unknown=every["unknown"],
        share=proportion_interval(every["known"], judged) if judged else None,
        slices=tuple(_slice(name, counts) for name, counts in sorted(by_slice.items()) if _judged(counts)),
    )


def _state(status: str, known: bool | None) -> str:
    if known is not None:
        return "known" if known else "unknown"
    return "open" if status == "pending" else "failed"


def _judged(counts: Counter[str]) -> int:
    return counts["known"] + counts["unknown"]


def _slice(name: str, counts: Counter[str]) -> KnownSlice:
    n = _judged(counts)
    return KnownSlice(name, n, counts["known"], proportion_interval(counts["known"], n))


def known_rows(run_id: str, show: Show = "unknown", *, offset: int = 0, limit: int | None = None) -> list[KnownRow]:
    """Return rows of a look in the order of the dataset.

    Args:
        run_id: The look.
        show: Which of them.
        offset: Rows to pass over.
        limit: Most rows to return; None returns all.

    Raises:
        KurabeError: `registry.unknown` for a list that does not exist.
    """
    if show not in get_args(Show):
        raise KurabeError("registry.unknown", kind="list", name=show, suggestions="-", known=", ".join(get_args(Show)))
    c = tb.KnownCall
    wanted = select(c, tb.Example).join(tb.Example, tb.Example.id == c.example_id).where(c.run_id == run_id, _of(show))
    with read() as session:
        found = session.execute(wanted.order_by(c.position).offset(offset).limit(limit)).all()
    return [
        KnownRow(call.position, row.slice, row.question, row.answer, call.text, call.known, call.error or call.reason)
        for call, row in found
    ]


def _of(show: Show) -> ColumnElement[bool]:
    c = tb.KnownCall
    if show == "failed":
        return c.known.is_(None) & (c.status != "pending")
    return c.known.is_(show == "known")
