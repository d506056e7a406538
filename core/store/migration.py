"""Bring the store to this version's schema, one process at a time; a newer schema is refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from core.errors import KurabeError
from core.settings import settings
from core.store.database import engine

# Alembic is imported where it is used: workers read the store but never migrate it, and they start often.
if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["alembic_config", "migrate"]

logging.getLogger("alembic").setLevel(logging.WARNING)  # Streamlit would print each step where the app is started

_POSTGRES_LOCK = 0x6B7572616265
"""Advisory lock number: "kurabe" in bytes."""


def alembic_config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def migrate() -> None:
    """Create or update the schema.

    Raises:
        KurabeError: ``store.newer`` if a later Kurabe wrote the store; ``store.unreachable``.
    """
    lock = FileLock(settings().path("run") / "migrate.lock", timeout=120)
    try:
        with lock, engine().execution_options(writes=True).connect() as connection, _unchecked_references(connection):
            _upgrade(connection)
    except DatabaseError as error:  # not reachable, not a database, not ours to write
        raise KurabeError("store.unreachable", detail=str(error.orig).strip()) from error


def _upgrade(connection: Connection) -> None:
    from alembic import command

    with _server_lock(connection):
        _refuse_newer(connection)
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


@contextmanager
def _unchecked_references(connection: Connection) -> Iterator[None]:
    """Let SQLite remake a table: with references checked, dropping the old one would delete what refers to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection  # outside the transaction, in which SQLite would ignore it
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def _server_lock(connection: Connection) -> Iterator[None]:
    """Hold PostgreSQL's lock too: several machines may share one server."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
    yield


def _refuse_newer(connection: Connection) -> None:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    script = ScriptDirectory.from_config(alembic_config())
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return
    try:
        script.get_revision(found)
    except CommandError as error:
        raise KurabeError("store.newer", found=found, known=script.get_current_head() or "-") from error
