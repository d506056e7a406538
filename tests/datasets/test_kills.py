"""kill -9 during an import or an edit: nothing half-visible, the earlier version still served, doing it again works."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import datasets
from core.datasets import versions
from core.store import read, write
from core.store import tables as tb

ROWS = 4500
"""Three batches: the process is killed while the second is not yet written."""

SLOWED = """
import sys, time
from core import datasets
from core.datasets import versions

flush = versions.VersionWriter._flush

def flush_and_wait(self):
    flush(self)
    print("written", flush=True)
    time.sleep(600)

versions.VersionWriter._flush = flush_and_wait
"""
IMPORT = SLOWED + "datasets.import_file(sys.argv[1], __import__('pathlib').Path(sys.argv[2]), 'rows.csv')"
EDIT = SLOWED + "datasets.edit_rows(sys.argv[1], {0: {'answer': 'changed'}})"


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="ja")
        session.add(made)
    return made.id


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("質問,回答\n" + "".join(f"質問{n},答え{n}\n" for n in range(ROWS)))
    return path


def killed(code: str, *arguments: str) -> None:
    """Start a process that writes a version, and kill it as soon as its first batch is in the store."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
        process.wait(timeout=60)
    assert process.returncode == -9


def rows_in_store() -> int:
    with read() as session:
        return session.scalar(select(func.count()).select_from(tb.Example)) or 0


def test_a_killed_import_shows_nothing_and_can_be_done_again(
    project: str, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(IMPORT, project, str(table))
    assert 0 < rows_in_store() < ROWS, "the process died in the middle"
    assert datasets.datasets(project) == []
    assert datasets.latest_version(project) is None
    monkeypatch.setattr(versions, "ABANDONED", timedelta(0))
    made = datasets.import_file(project, table, "rows.csv")
    assert (made.row_count, rows_in_store()) == (ROWS, ROWS), "what the dead process left is swept"
    assert [row.question for row in datasets.examples(made.id, offset=ROWS - 1)] == [f"質問{ROWS - 1}"]
    assert [version.id for version in datasets.dataset_versions(made.dataset_id)] == [made.id]


def test_a_killed_edit_leaves_the_earlier_version_and_can_be_done_again(project: str, table: Path) -> None:
    before = datasets.import_file(project, table, "rows.csv")
    killed(EDIT, before.id)
    served = datasets.latest_version(project)
    assert served is not None and (served.id, served.hash) == (before.id, before.hash)
    assert datasets.count_examples(before.id) == ROWS
    assert datasets.examples(before.id, limit=1)[0].answer == "答え0"
    after = datasets.edit_rows(before.id, {0: {"answer": "changed"}})
    assert (after.row_count, datasets.examples(after.id, limit=1)[0].answer) == (ROWS, "changed")
    assert datasets.latest_version(project).id == after.id  # type: ignore[union-attr]  # there is one


def test_what_a_killed_upload_left_behind_is_removed_later(project: str, home: Path) -> None:
    left, fresh = home / "run" / "upload-old", home / "run" / "upload-new"
    for folder in (left, fresh):
        folder.mkdir(parents=True)
        (folder / "upload").write_bytes(b"question,answer\na,b\n")
    os.utime(left, (0, 0))
    datasets.import_file(project, b"question,answer\na,b\n", "a.csv")
    assert (left.exists(), fresh.exists()) == (False, True)
