"""One engine a process; sessions that read, and sessions that may write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Row, Select, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.settings import settings

__all__ = ["engine", "forget_overwritten", "look_up", "read", "reset_engine", "write"]

_BUSY_SECONDS = 30
"""How long a writer waits for another one; writes are short, so this only bridges a slow disk."""


_made: list[Engine] = []


def engine() -> Engine:
    """Return this process's engine for the configured store.

    Raises:
        KurabeError: ``store.unreachable`` if the URL cannot be used.
    """
    return _engine(settings().database(), os.getpid())


@lru_cache(maxsize=2)
def _engine(url: str, pid: int) -> Engine:
    """Make one engine a process: `pid` is in the key because a connection must not cross a fork."""
    try:
        made = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise KurabeError("store.unreachable", detail=type(error).__name__) from error
    _made.append(made)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
    return made


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, always as readers; a reader that turns writer can fail at once.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={_BUSY_SECONDS * 1000}",
        "foreign_keys=ON",
        "synchronous=FULL",
        "secure_delete=ON",  # what is deleted is overwritten, not only unlinked
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reset_engine() -> None:
    """Close all connections, so that a test or a fork starts afresh."""
    for made in _made:
        made.dispose()
    _made.clear()
    _engine.cache_clear()


def forget_overwritten() -> None:
    """Empty SQLite's log of writes, which keeps deleted text until it is written anew.

    A reader or writer at work puts this off to the next call, or to the log's own next turn.
    """
    made = engine()
    if made.dialect.name != "sqlite":
        return
    connection = made.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@contextmanager
def read() -> Iterator[Session]:
    """Open a session that only reads; what it returns stays readable afterwards.

    Raises:
        KurabeError: ``store.unreachable``.
    """
    with _session(engine()) as session:
        yield session


def look_up(query: Select[Any], **values: Any) -> Row[Any] | None:
    """Return a query's first row as it is now, or None: a third of the time of a session, for what is asked always.

    Args:
        query: Columns, not whole objects; made once, with `bindparam` in the place of values.
        values: What stands in their place.

    Raises:
        KurabeError: ``store.unreachable``.
    """
    try:
        with engine().connect() as connection:
            return connection.execute(query, values).first()
    except OperationalError as error:
        raise KurabeError("store.unreachable", detail=str(error.orig).strip()) from error


@contextmanager
def write() -> Iterator[Session]:
    """Open a session that may write: it takes the write lock first and commits at the end, or changes nothing.

    Inside there must be no spawn, file or network call: everyone else waits.

    Raises:
        KurabeError: ``store.unreachable``.
    """
    with _session(engine().execution_options(writes=True)) as session, session.begin():
        yield session


@contextmanager
def _session(bind: Engine) -> Iterator[Session]:
    try:
        with Session(bind, expire_on_commit=False) as session:
            yield session
    except OperationalError as error:
        raise KurabeError("store.unreachable", detail=str(error.orig).strip()) from error
