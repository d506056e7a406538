"""A real PostgreSQL server for one test module, on a socket in a folder of its own; no network."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

WITHOUT = "KURABE_TEST_WITHOUT_POSTGRESQL"
"""Set to 1, this variable leaves out what needs a server, on a machine that cannot have one."""


def programs() -> Path | None:
    """Folder of the server's programs; None if it is not installed."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


def required() -> Path:
    """Folder of the server's programs; where they are missing, the test fails, unless somebody said to do without."""
    found = programs()
    if found is not None:
        return found
    missing = "PostgreSQL's server programs (initdb, postgres) are not on this machine"
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{missing}, and {WITHOUT}=1 leaves out what needs them")
    pytest.fail(
        f"{missing}, so nothing here was tried on PostgreSQL. Install them (Debian: apt-get install postgresql), "
        f"or set {WITHOUT}=1 to leave these tests out knowingly.",
        pytrace=False,
    )


def _account() -> dict[str, int]:
    """The server refuses to run as root: then it gets an account without rights."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid}


@contextmanager
def server() -> Iterator[str]:
    """Run a server; gives a SQLAlchemy URL of an empty database."""
    tools = required()
    folder, account = Path(tempfile.mkdtemp(prefix="kurabe-pg-")), _account()
    if account:
        os.chown(folder, account["user"], account["group"])
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        [tools / "initdb", "-D", data, "-U", "kurabe", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        **quiet,
        **account,
    )
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    running = subprocess.Popen([tools / "postgres", "-D", data, *options], **quiet, **account)
    try:
        _until_ready(tools, folder)
        yield f"postgresql+psycopg://kurabe@/postgres?host={folder}"
    finally:
        running.terminate()
        running.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def emptied(url: str) -> str:
    """Remove everything from the server's database; gives its URL back."""
    with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return url


def _until_ready(tools: Path, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run([tools / "pg_isready", "-q", "-h", folder]).returncode != 0:
        assert time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.1)
