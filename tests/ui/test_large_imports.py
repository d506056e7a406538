"""A large upload does not hold the page up: its beginning is shown, and a job does the rest."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.datasets import import_file, latest_version, rows_of, run_checks, start_check, start_import
from core.knowledge import add_document, default_kb
from core.store import tables as tb
from core.ui import importing, large_imports, questions
from tests.ui.conftest import Visitor, texts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_large_file_is_imported_by_a_job_that_the_page_follows(
    language: str, empty: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_imports, "LARGE", 100)
    monkeypatch.setattr(importing, "LOOKED_AT", 5)
    file = ("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(300))).encode()
    visitor = Visitor(language, empty)
    app = visitor.open("questions")
    app.file_uploader[0].set_value(("rows.csv", file, "text/csv")).run()
    assert any("5" in box.value and visitor.says("ui.import.large")[:7] in box.value for box in app.info)
    next(button for button in app.button if button.label == visitor.says("ui.import.do")).click().run()
    assert not app.exception
    [job] = jobs.list_jobs(empty.id, ["import"])
    assert jobs.wait(job.id, timeout=120).status == "succeeded"
    version = latest_version(empty.id)
    assert version is not None and version.row_count == 300
    later = Visitor(language, empty)
    assert later.says("ui.import.job.done", rows="300") in texts(later.open("questions", view="import"))


def test_checks_are_told_of_their_own_version_until_it_is_checked_again(
    empty: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (import_file(empty.id, f"question,answer\nq{n},a\n".encode(), f"{n}.csv") for n in range(2))
    job = start_check(empty.id, other.id)
    jobs.cancel(job)
    assert jobs.wait(job, timeout=120).status == "cancelled"
    told: list[str] = []
    monkeypatch.setattr(large_imports, "follow_job", told.append)
    large_imports.draw_check_job(one)
    assert told == []
    large_imports.draw_check_job(other)
    assert told == [job]
    run_checks(other.id)
    large_imports.draw_check_job(other)
    assert told == [job]


def test_many_documents_send_the_checks_to_a_job_and_a_later_import_hides_an_earlier_one(
    empty: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start_import(empty.id, b"question,answer\n,a\n", "bad.csv", options={})
    assert jobs.wait(job, timeout=120).status == "failed" and not jobs.job_view(job).can_resume
    told: list[str] = []
    monkeypatch.setattr(large_imports, "follow_job", told.append)
    large_imports.draw_import_job(empty)
    made = import_file(empty.id, b"question,answer\nq,a\n", "good.csv")
    large_imports.draw_import_job(empty)
    assert told == [job]
    assert not large_imports.must_wait(made)
    add_document(default_kb(empty.id).id, "a.md", b"The Koridel weighs 3 kg.")
    monkeypatch.setattr(large_imports, "LETTERS_AT_ONCE", 10)
    assert large_imports.must_wait(made)


def test_what_checks_found_in_many_rows_is_repaired_by_a_job_and_the_page_leads_to_what_it_made(
    empty: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_imports, "CHECKED_AT_ONCE", 1)
    made = import_file(empty.id, b"question,answer\nWho?,a@corp.co.jp\nWhen?,At noon.\n", "a.csv")
    run_checks(made.id)
    visitor = Visitor("ja", empty)
    app = visitor.open("questions", view="check", version=made.id)
    next(button for button in app.button if button.label == visitor.says("ui.checks.repair")).click().run()
    assert not app.exception
    [job] = jobs.list_jobs(empty.id, ["repair"])
    assert jobs.wait(job.id, timeout=120).status == "succeeded"
    newest = latest_version(empty.id)
    assert newest is not None and "[EMAIL]" in {row.answer for row in rows_of(newest.id)}
    later = Visitor("ja", empty)
    shown = later.open("questions", view="check", version=made.id)
    assert later.says("ui.made.repair", rows="2") in [box.value for box in shown.success]
    told = later.open("questions", view="versions").dataframe[0].value
    assert any(later.says("ui.versions.operation.repair", finding="")[:4] in how for how in told.iloc[:, 2])


def test_a_small_version_is_repaired_in_the_page_which_opens_the_new_one(empty: tb.Project) -> None:
    made = import_file(empty.id, b"question,answer\nWho?,a@corp.co.jp\nWhen?,At noon.\n", "a.csv")
    run_checks(made.id)
    visitor = Visitor("en", empty)
    app = visitor.open("questions", view="check", version=made.id)
    next(button for button in app.button if button.label == visitor.says("ui.checks.repair")).click().run()
    newest = latest_version(empty.id)
    assert newest is not None and newest.id != made.id and jobs.list_jobs(empty.id, ["repair"]) == []
    assert app.query_params.get("version") in (None, [newest.id], newest.id), "not the one that was repaired"


def test_many_rows_are_divided_by_a_job_and_the_page_leads_to_what_it_made(
    empty: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "CHECKED_AT_ONCE", 1)
    lines = "".join(f"What is {name}?,a{name}\n" for name in ("rain", "salt", "iron", "corn", "wool", "clay", "jazz"))
    made = import_file(empty.id, f"question,answer\n{lines}".encode(), "a.csv")
    visitor = Visitor("en", empty)
    app = visitor.open("questions", view="versions", version=made.id)
    next(button for button in app.button if button.label == visitor.says("ui.split.make")).click().run()
    assert not app.exception
    [job] = jobs.list_jobs(empty.id, ["split"])
    assert jobs.wait(job.id, timeout=120).status == "succeeded"
    newest = latest_version(empty.id)
    assert newest is not None and set(newest.counts["splits"]) == {"train", "validation", "test"}
    assert newest.lineage["job"] == job.id
    later = Visitor("en", empty)
    shown = later.open("questions", view="versions", version=made.id)
    assert later.says("ui.made.split", rows="7") in [box.value for box in shown.success]


def test_a_row_among_many_is_changed_by_a_job(empty: tb.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "CHECKED_AT_ONCE", 1)
    made = import_file(empty.id, b"question,answer\nWho?,me\nWhen?,At noon.\n", "a.csv")
    app = AppTest.from_function(edit_page, args=(made.id,)).run()
    app.text_area[1].input("you")
    app.button[0].click().run()
    assert not app.exception
    [job] = jobs.list_jobs(empty.id, ["edit"])
    assert jobs.wait(job.id, timeout=120).status == "succeeded"
    newest = latest_version(empty.id)
    assert newest is not None and [row.answer for row in rows_of(newest.id)] == ["you", "At noon."]
    visitor = Visitor("ja", empty)
    shown = visitor.open("questions", view="browse", version=made.id)
    assert visitor.says("ui.made.edit", rows="2") in [box.value for box in shown.success]


def edit_page(version: str) -> None:
    from core.datasets import examples
    from core.ui.questions import _draw_edit

    _draw_edit(examples(version)[0])
