"""The store takes one writer at a time, migrates under a lock, refuses what is newer, and forgets on request."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.errors import KurabeError
from core.settings import ROOT, reset_settings, settings
from core.store import engine, migrate, read, reset_engine, write
from core.store import tables as tb
from core.store.migration import alembic_config
from tests.jobs.postgres import emptied, server

NEWEST = ScriptDirectory.from_config(alembic_config()).get_current_head()


@pytest.fixture(scope="module")
def postgres_url():
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty, migrated store of either kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("KURABE_DATABASE_URL", emptied(request.getfixturevalue("postgres_url")))
        reset_settings()
        reset_engine()
        migrate()
    return str(request.param)


def make_project(name: str = "Shop") -> tb.Project:
    project = tb.Project(name=name, language="en")
    with write() as session:
        session.add(project)
    return project


def an_answer(project: tb.Project, **values: object) -> tb.Answer:
    return tb.Answer(
        project_id=project.id, approach_id="a", approach_hash="k1:0", phase="live", question="質問?", **values
    )


def revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def test_the_migrated_schema_is_what_the_tables_say(store: str) -> None:
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tb.Base.metadata) == []
        assert revision(connection) == NEWEST


def test_a_store_of_the_first_version_keeps_its_experiments(store: str) -> None:
    from alembic import command

    project = make_project()
    with engine().execution_options(writes=True).connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        values = {"i": "e1", "p": project.id, "t": "2026-01-01 00:00:00", "c": '{"example_ids": ["a", "b", "c"]}'}
        connection.execute(
            sa.text(
                "INSERT INTO experiments (id, project_id, created_at, created_by, name, dataset_version_id, split, "
                "config, hash, provenance) VALUES (:i, :p, :t, 'x', 'old', 'v', 'test', :c, 'k1:0', '{}')"
            ),
            values,
        )
        connection.commit()
    migrate()
    with read() as session:
        found = session.get_one(tb.Experiment, "e1")
    assert (found.name, found.question_count, found.measured_at) == ("old", 3, None)


def test_migrating_again_changes_nothing(store: str) -> None:
    project = make_project()
    migrate()
    with read() as session:
        assert session.get(tb.Project, project.id) is not None


def test_a_migration_can_be_undone(store: str) -> None:
    from alembic import command

    config = alembic_config()
    with engine().execution_options(writes=True).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]


def test_two_processes_that_migrate_at_once_both_succeed(tmp_path: Path) -> None:
    environment = {**os.environ, "KURABE_HOME": str(tmp_path / "new")}
    program = "from core.store import migrate; migrate()"
    both = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in both] == [("", 0)] * 2
    with sqlite3.connect(tmp_path / "new" / "kurabe.sqlite") as made:
        assert made.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]


def test_a_store_of_a_later_version_is_refused_and_left_alone(store: str) -> None:
    with engine().begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(KurabeError, match="store.newer") as caught:
        migrate()
    assert caught.value.params == {"found": "9999", "known": NEWEST}
    with engine().connect() as connection:
        assert revision(connection) == "9999"


def test_remaking_a_table_in_a_migration_keeps_the_rows_that_refer_to_it() -> None:
    from alembic.operations import Operations

    from core.store.migration import _unchecked_references

    project = make_project()
    with write() as session:
        session.add(an_answer(project))
    with engine().execution_options(writes=True).connect() as connection, _unchecked_references(connection):
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("projects", recreate="always") as batch:
            batch.alter_column("name", type_=sa.String(300))
        connection.commit()
    with read() as session:
        assert session.scalar(sa.select(sa.func.count(tb.Answer.id))) == 1
        assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_file_that_is_no_store_is_refused_with_a_hint(home: Path) -> None:
    reset_engine()
    for file in home.glob("kurabe.sqlite*"):
        file.unlink()
    (home / "kurabe.sqlite").write_text("My letter to the bank. " * 100)
    with pytest.raises(KurabeError, match="store.unreachable"):
        migrate()


@pytest.mark.parametrize("url", ["postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2", "nosuch://x", "?"])
def test_a_store_that_cannot_be_reached_is_an_error_with_a_hint(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_DATABASE_URL", url)
    reset_settings()
    reset_engine()
    with pytest.raises(KurabeError, match="store.unreachable"):
        migrate()


def test_a_time_without_a_zone_is_refused(store: str) -> None:
    project = make_project()
    with pytest.raises(sa.exc.StatementError, match="zone"), write() as session:
        session.add(an_answer(project, started_at=datetime(2026, 1, 1)))  # noqa: DTZ001  # the zone is missing on purpose


def test_times_amounts_and_json_come_back_as_they_were_written(store: str) -> None:
    tokyo = datetime(2026, 4, 1, 0, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    amount = Decimal("0.000000000123456789")
    project = make_project()
    with write() as session:
        session.add(an_answer(project, started_at=tokyo, cost=amount, notes={"理由": [1, None, {"x": 0.5}]}))
    with read() as session:
        found = session.scalars(sa.select(tb.Answer)).one()
    assert found.started_at == tokyo and found.started_at.tzinfo == UTC
    assert (found.cost, found.notes) == (amount, {"理由": [1, None, {"x": 0.5}]})
    assert found.created_by.startswith("cli:") and found.created_at.tzinfo == UTC


def test_what_fails_halfway_changes_nothing(store: str) -> None:
    with pytest.raises(RuntimeError, match="halfway"), write() as session:
        session.add(tb.Project(name="Lost", language="en"))
        session.flush()
        raise RuntimeError("halfway")
    with read() as session:
        assert session.scalars(sa.select(tb.Project)).all() == []


def test_writers_that_read_before_they_write_wait_for_each_other(store: str) -> None:
    """On SQLite a transaction that begins by reading could fail when it turns to writing: these must not."""
    project, errors = make_project(), []

    def count_up() -> None:
        try:
            for _ in range(10):
                with write() as session:
                    row = session.get(tb.Project, project.id, with_for_update=True)
                    assert row is not None
                    row.settings = {"n": row.settings.get("n", 0) + 1}
        except Exception as error:  # shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read() as session:
        row = session.get(tb.Project, project.id)
    assert errors == [] and row is not None and row.settings == {"n": 40}


def test_a_writer_holds_the_lock_from_its_first_look_and_readers_go_on() -> None:
    with write() as session:
        session.scalars(sa.select(tb.Project)).all()
        other = sqlite3.connect(settings().path() / "kurabe.sqlite", timeout=0)
        assert other.execute("SELECT count(*) FROM projects").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_deleting_a_project_removes_what_it_owns_and_nothing_else(store: str) -> None:
    kept, gone = make_project("Kept"), make_project("Gone")
    for project in (kept, gone):
        _fill(project)
    before = _counts()
    assert all(before.values()), f"nothing was written to {[name for name, n in before.items() if not n]}"
    with write() as session:
        session.delete(session.get(tb.Project, gone.id))
    assert _counts() == {name: n - n // 2 for name, n in before.items()}


def _fill(project: tb.Project) -> None:
    """One row in every table that belongs to a project, with the columns that each demands."""
    parents: dict[str, str] = {"projects": project.id}
    for table in _owned():
        values: dict[str, object] = {}
        for column in table.columns:
            reference = next(iter(column.foreign_keys), None)
            if reference is not None:
                values[column.name] = parents[reference.column.table.name]
            elif column.default is None and not column.nullable:
                values[column.name] = (
                    1 if isinstance(column.type, sa.Integer | sa.Float) else f"x{project.id[-8:]}"[:10]
                )
        mapped = next(m for m in tb.Base.registry.mappers if m.local_table is table)
        row = mapped.class_(**values)
        with write() as session:
            session.add(row)
        parents[table.name] = row.id


def _owned() -> list[sa.Table]:
    shared = {"projects", "base_models", "price_books"}
    return [table for table in tb.Base.metadata.sorted_tables if table.name not in shared]


def _counts() -> dict[str, int]:
    with read() as session:
        return {table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in _owned()}
