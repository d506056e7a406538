"""Two users press start at the same moment, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import jobs
from core.settings import ROOT, reset_settings
from core.store import engine, migrate, read, reset_engine
from core.store import tables as tb
from tests.jobs import postgres
from tests.jobs.test_lifecycle import LIMIT
from tests.jobs.test_many import spans

_USER = """
import sys
import tests.jobs.targets
from core import jobs
from core.store import engine
engine().connect().close()
print("ready", flush=True)
sys.stdin.readline()
name, ledger = sys.argv[1:]
print(jobs.submit("t-interval-device", {"name": name, "ledger": ledger, "seconds": 0.5}), flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = str(request.param)
    if name == "postgresql":
        monkeypatch.setenv("KURABE_DATABASE_URL", request.getfixturevalue("server"))
        reset_settings()
        reset_engine()
        migrate()
    assert engine().dialect.name == name
    yield name
    reset_engine()


def test_one_runs_and_one_waits_in_order(store: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    users = [
        subprocess.Popen(
            [sys.executable, "-c", _USER, name, str(ledger)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
    for user in users:
        assert user.stdin is not None
        user.stdin.write("go\n")
        user.stdin.flush()
    ids = [user.communicate(timeout=60)[0].strip() for user in users]
    views = [jobs.wait(job_id, LIMIT) for job_id in ids]
    assert [view.status for view in views] == ["succeeded"] * 2
    with read() as session:
        rows = sorted((session.get_one(tb.Job, job_id) for job_id in ids), key=lambda job: (job.position, job.id))
    assert [job.launches for job in rows] == [1, 1]
    ran = spans(ledger)
    assert list(ran) == [job.payload["name"] for job in rows], "the order of the queue was kept"
    earlier, later = ran.values()
    assert earlier[1] <= later[0], "the device was used twice at once"


def test_without_a_server_the_tests_fail_and_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: None)
    monkeypatch.delenv(postgres.WITHOUT, raising=False)
    with pytest.raises(pytest.fail.Exception, match="apt-get install postgresql"), postgres.server():
        pass
    monkeypatch.setenv(postgres.WITHOUT, "1")
    with pytest.raises(pytest.skip.Exception, match=postgres.WITHOUT), postgres.server():
        pass
