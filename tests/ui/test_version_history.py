"""What a version was made of is told step by step, and any two versions of a dataset are compared."""

from __future__ import annotations

import json

import pytest

from core.datasets import edit_rows, examples, import_file, latest_version, repair, run_checks, version_difference
from core.knowledge import dataset_coverage, default_kb
from core.store import tables as tb
from core.ui import large_imports
from tests.ui.conftest import Visitor, texts

ROWS = "ask,reply\nWho?,a@corp.co.jp\n,nobody asks\nWhen?,At noon.\nWhere?,Here.\n"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_version_tells_its_file_its_mapping_its_mended_cells_and_the_rows_left_out(
    language: str, empty: tb.Project
) -> None:
    mapping = {"question": "ask", "answer": "reply"}
    first = import_file(
        empty.id, ROWS.encode(), "table.csv", mapping=mapping, on_problem="leave_out", fixes={4: {"reply": "At ten."}}
    )
    made = repair(first.id, "personal_data", "email")
    visitor = Visitor(language, empty)
    app = visitor.open("questions", view="versions")
    app.session_state[f"version_origin_{made.id}"] = True
    app.run()
    assert not app.exception
    said = texts(app).replace("\\", "")
    file = first.lineage["files"][0]
    assert "table.csv" in said and file["hash"] in said and "4: reply" in said
    assert f"{visitor.says('ui.field.question')} ← ask" in said
    assert visitor.says("ui.versions.rows_left_out", n="1") in said
    [left_out] = [each.value for each in app.dataframe if visitor.says("ui.problem.expected") in each.value.columns]
    assert list(left_out.iloc[0])[:2] == [3, "ask"]
    assert visitor.says("datasets.finding.personal_data.email", **made.lineage["repair"]["found"][0]) in said


def test_two_versions_are_compared_and_all_rows_are_counted_though_not_all_are_listed(empty: tb.Project) -> None:
    lines = "\n".join(json.dumps({"question": f"q{n}", "answer": "a"}) for n in range(1100)).encode()
    first = import_file(empty.id, lines, "rows.jsonl")
    second = edit_rows(first.id, rewrite=lambda row: {"answer": "b"})
    third = edit_rows(second.id, {0: {"answer": "c"}})
    found = version_difference(first.id, third.id)
    assert (found.removed_count, found.added_count, len(found.added), len(found.removed)) == (1100, 1100, 1000, 1000)
    visitor = Visitor("en", empty)
    app = visitor.open("questions", view="versions")
    app.session_state[f"version_difference_{third.id}"] = True
    app.run()
    assert "1 row added" in texts(app), "beside the version that it was made of"
    next(box for box in app.selectbox if box.label == visitor.says("ui.versions.against")).select(first.id).run()
    assert not app.exception
    assert "1,100 rows added" in texts(app) and "The first 1,000 of 1,100 are listed." in texts(app)


def test_an_import_that_was_refused_lists_its_bad_rows(empty: tb.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from core import jobs
    from core.datasets import start_import

    monkeypatch.setattr(large_imports, "LARGE", 10)
    job = start_import(empty.id, b"question,answer\nWho?,me\n,nobody asks\n", "bad.csv", options={})
    assert jobs.wait(job, timeout=120).status == "failed"
    visitor = Visitor("ja", empty)
    app = visitor.open("questions", view="import")
    [bad] = [each.value for each in app.dataframe if visitor.says("ui.problem.expected") in each.value.columns]
    assert list(bad.iloc[0])[:2] == [3, "question"]
    next(button for button in app.button if button.label == visitor.says("ui.import.again.leave_out")).click().run()
    assert not app.exception
    [again] = [each for each in jobs.list_jobs(empty.id, ["import"]) if each.id != job]
    assert jobs.wait(again.id, timeout=120).status == "succeeded"
    newest = latest_version(empty.id)
    assert newest is not None and newest.row_count == 1 and newest.lineage["files"][0]["left_out_count"] == 1


@pytest.mark.parametrize("language", ["en", "ja"])
def test_questions_are_chosen_by_what_they_could_be_known_from(language: str, filled: tb.Project) -> None:
    newest = latest_version(filled.id)
    assert newest is not None
    dataset_coverage(default_kb(filled.id).id, newest.id)
    known = {row.question for row in examples(newest.id, coverage="documents")}
    assert 0 < len(known) < newest.row_count
    visitor = Visitor(language, filled)
    shown = visitor.open("questions", coverage="documents").dataframe[0].value
    assert set(shown[visitor.says("ui.questions.question")]) <= known
    assert set(shown[visitor.says("ui.questions.coverage")]) == {visitor.says("evaluation.coverage.documents")}


def test_the_table_of_versions_counts_the_rows_that_an_edit_left_out(empty: tb.Project) -> None:
    first = import_file(empty.id, ROWS.encode(), "table.csv", mapping={"question": "ask"}, on_problem="leave_out")
    edit_rows(first.id, {}, drop=[0])
    visitor = Visitor("en", empty)
    table = visitor.open("questions", view="versions").dataframe[0].value
    assert list(table[visitor.says("ui.versions.left_out")]) == [1, 1], (
        "the newest first: one of an edit, one of a file"
    )


def test_every_row_of_a_finding_is_shown_to_whoever_wants_to_see_it(empty: tb.Project) -> None:
    lines = "".join(f"Who runs shop {n}?,shop{n}@corp.co.jp\n" for n in range(250))
    made = import_file(empty.id, f"question,answer\n{lines}".encode(), "a.csv")
    [place] = [n for n, each in enumerate(run_checks(made.id)) if each.code == "email"]
    visitor = Visitor("en", empty)
    app = visitor.open("questions", view="check")
    app.session_state[f"found_{made.id}_{place}"] = True
    app.run()
    assert not app.exception
    assert 200 in [len(each.value) for each in app.dataframe]
    assert "The first 200 of 250 are listed." in texts(app)
