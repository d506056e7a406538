"""One writer at a time: who writes an index holds a lease in the store, and renews it while at work.

A lease ends when it is given back, when its process is gone, or a minute after it was last renewed (a machine that
sleeps, or another one that cannot be asked). A deletion takes it from a build, which then starts over without the
document. Who lost a lease finds no row under its token any more, and can make nothing visible.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.identity import actor, alive, new_id, now, process_identity
from core.jobs.files import identity_from, identity_record
from core.store import read, write
from core.store import tables as tb

__all__ = ["PATIENCE", "Lease", "Purpose", "Writer", "end_lease", "index_writer", "is_free", "leased"]

Purpose = Literal["build", "deletion", "trial"]

SECONDS = 60
"""How long a lease is held without being renewed. Clocks of machines that share a store may differ by less."""

RENEWED_EVERY = 10.0
"""Seconds between two renewals."""

PATIENCE = 30.0
"""Seconds that a page waits for another writer before it says so."""

_LOOK = 0.1
"""Seconds between two looks at whether the lease is free."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write, held by this process."""

    id: str
    _taken: threading.Event = field(default_factory=threading.Event)

    @property
    def lost(self) -> bool:
        """Whether the last renewal found that somebody else took it; looks at no store."""
        return self._taken.is_set()

    def held(self, session: Session) -> bool:
        """Tell whether it is still held, and let nobody take it before the session's transaction ends."""
        query = select(tb.IndexLease.id).where(tb.IndexLease.id == self.id).with_for_update()
        return session.scalar(query) is not None

    def renew(self) -> None:
        """Hold it for another minute, or note that it was taken."""
        until = now() + timedelta(seconds=SECONDS)
        with write() as session:
            renewed = session.execute(update(tb.IndexLease).where(tb.IndexLease.id == self.id).values(expires_at=until))
        if _rows(renewed) == 0:
            self._taken.set()


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes an index just now."""

    purpose: Purpose
    who: str
    machine: str
    since: datetime

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return max(0.0, (now() - self.since).total_seconds())


def index_writer(kb_id: str) -> Writer | None:
    """Return who writes the index of a knowledge base just now; None if nobody does."""
    held = _row(kb_id)
    if held is None or is_free(held):
        return None
    return _writer(held)


@contextmanager
def leased(
    kb: tb.KnowledgeBase,
    purpose: Purpose,
    *,
    patience: float = PATIENCE,
    while_waiting: Callable[[], None] = lambda: None,
) -> Iterator[Lease]:
    """Hold the lease on a knowledge base's index; a trial, which is never served, has one of its own.

    Args:
        kb: Whose index is written.
        purpose: A ``deletion`` takes the lease from a ``build``; everyone else waits.
        patience: Seconds to wait for another writer.
        while_waiting: Called between two looks; what it raises ends the waiting.

    Raises:
        KurabeError: ``knowledge.index_busy_build``, ``knowledge.index_busy_deletion``.
    """
    lease = _acquired(kb, purpose, new_id() if purpose == "trial" else kb.id, patience, while_waiting)
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, done), name=f"lease-{lease.id}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        done.set()
        keeper.join()
        with write() as session:
            session.execute(delete(tb.IndexLease).where(tb.IndexLease.id == lease.id))


def _acquired(
    kb: tb.KnowledgeBase, purpose: Purpose, name: str, patience: float, while_waiting: Callable[[], None]
) -> Lease:
    began = time.monotonic()
    while True:
        held = _row(name)
        if held is None or is_free(held) or (purpose == "deletion" and held.purpose == "build"):
            if (lease := _taken_from(held, kb, purpose, name)) is not None:
                return lease
        elif time.monotonic() - began >= patience:
            raise _busy(_writer(held))
        while_waiting()
        time.sleep(_LOOK)


def _row(name: str) -> tb.IndexLease | None:
    with read() as session:
        return session.scalars(select(tb.IndexLease).where(tb.IndexLease.name == name)).first()


def is_free(held: tb.IndexLease) -> bool:
    """Tell whether a lease may be taken: it was not renewed in time, or its process is gone from this machine."""
    process = identity_from(held.holder)
    return held.expires_at <= now() or (process is not None and not alive(process))


def _taken_from(held: tb.IndexLease | None, kb: tb.KnowledgeBase, purpose: Purpose, name: str) -> Lease | None:
    """Take the lease as it was seen; None if it was renewed or taken meanwhile."""
    made = tb.IndexLease(
        id=new_id(),
        project_id=kb.project_id,
        knowledge_base_id=kb.id,
        name=name,
        purpose=purpose,
        holder=identity_record(process_identity()),
        expires_at=now() + timedelta(seconds=SECONDS),
        created_by=actor(),
    )
    try:
        with write() as session:
            if held is not None and not end_lease(session, held):
                return None
            session.add(made)
    except IntegrityError:  # another one was faster: one row has the name
        return None
    return Lease(made.id)


def end_lease(session: Session, held: tb.IndexLease) -> bool:
    """End a lease unless it was renewed since it was seen; a build's ends all the same, it gives way to a deletion."""
    seen = delete(tb.IndexLease).where(tb.IndexLease.id == held.id)
    if is_free(held):
        seen = seen.where(tb.IndexLease.expires_at == held.expires_at)
    return _rows(session.execute(seen)) == 1


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _writer(held: tb.IndexLease) -> Writer:
    purpose: Purpose = "deletion" if held.purpose == "deletion" else "build"
    return Writer(purpose, held.created_by, str(held.holder.get("host", "?")), held.created_at)


def _busy(writer: Writer) -> KurabeError:
    about = {"who": writer.who, "machine": writer.machine, "seconds": round(writer.seconds), "expires": SECONDS}
    if writer.purpose == "deletion":
        return KurabeError("knowledge.index_busy_deletion", **about)
    return KurabeError("knowledge.index_busy_build", **about)


def _keep(lease: Lease, done: threading.Event) -> None:
    """Renew a lease until it is given back or was taken."""
    while not (done.wait(RENEWED_EVERY) or lease.lost):
        try:
            lease.renew()
        except KurabeError:  # the store did not answer: held until it expires, and asked again before
            continue
