"""Every file of the corpus gives exactly the rows, the problems or the error that stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import datasets
from core.errors import KurabeError
from core.i18n import catalogue, describe, use_language
from core.store import tables as tb
from core.store import write
from tests.datasets.corpus import CASES, Case, Made, Refused
from tests.knowledge.corpus import CASES as DOCUMENT_CASES

IDS = [f"{number}: {case.name}: {case.title}" for number, case in enumerate(CASES, 1)]


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="ja")
        session.add(made)
    return made.id


def test_the_corpus_holds_at_least_120_files() -> None:
    assert len(CASES) + len(DOCUMENT_CASES) >= 120
    assert len({(case.name, case.title) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_file_gives_its_rows_or_its_error(case: Case, project: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(case.bytes())
    if isinstance(case.expected, Refused):
        refused(case, case.expected, project, path)
    else:
        made(case, case.expected, project, path)


def refused(case: Case, expected: Refused, project: str, path: Path) -> None:
    with pytest.raises(KurabeError) as raised:
        datasets.import_file(project, path, case.name, **case.options)
    error = raised.value
    assert error.code == expected.code
    assert {name: error.params[name] for name in expected.params} == expected.params
    assert error.params["name"] == case.name, "the error names the file as the person knows it"
    for language in ("en", "ja"):
        use_language(language)
        assert describe(error)
    assert datasets.datasets(project) == []


def made(case: Case, expected: Made, project: str, path: Path) -> None:
    seen = datasets.preview(path, case.name, limit=1000, **case.options)
    assert [(problem.row, problem.column, problem.code) for problem in seen.problems] == list(expected.problems)
    assert [(row.question, row.answer) for row in seen.rows] == list(expected.rows)
    assert seen.row_count == len(expected.rows) + len(expected.problems), "rows in = rows kept + rows listed"
    assert [note["code"] for note in seen.notes] == list(expected.notes)
    assert expected.encoding in (None, seen.encoding)
    for problem in seen.problems:
        sentences = {f"datasets.problem.{problem.code}", f"datasets.expected.{problem.expected}"}
        assert sentences <= catalogue("en").keys(), "every problem has its sentence"
    if not expected.rows:
        with pytest.raises(KurabeError, match="no_rows"):
            datasets.import_file(project, path, case.name, on_problem="leave_out", **case.options)
        return
    stored(case, expected, project, path)


def stored(case: Case, expected: Made, project: str, path: Path) -> None:
    if expected.problems:
        with pytest.raises(KurabeError, match="rows_refused"):
            datasets.import_file(project, path, case.name, **case.options)
    version = datasets.import_file(project, path, case.name, on_problem="leave_out", **case.options)
    rows = datasets.examples(version.id)
    assert [(row.question, row.answer) for row in rows] == list(expected.rows)
    assert version.lineage["files"][0]["left_out_count"] == len(expected.problems)
    for name, value in expected.fields.items():
        place = int(name.rpartition("_")[2]) - 1 if name[-1].isdigit() else 0
        assert getattr(rows[place], name.rpartition("_")[0] if name[-1].isdigit() else name) == value
