"""A large upload does not hold the page up: its beginning is shown, and a job does the rest."""

from __future__ import annotations

import pytest

from core import jobs
from core.datasets import latest_version
from core.store import tables as tb
from core.ui import importing, large_imports
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
