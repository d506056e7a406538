"""The figures of a version are drawn when somebody opens them, and say what they show."""

from __future__ import annotations

import pytest

from core.datasets import import_file
from core.store import tables as tb
from tests.datasets.test_profile import ROWS, lines
from tests.ui.conftest import Visitor, texts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_lengths_slices_and_languages_are_drawn_once_they_are_opened(language: str, empty: tb.Project) -> None:
    import_file(empty.id, lines(ROWS), "rows.jsonl")
    visitor = Visitor(language, empty)
    app = visitor.open("questions")
    finding = visitor.says("ui.profile.languages.ja", share="40%")
    assert finding not in texts(app), "nothing is drawn that nobody asked for"
    app.session_state["profile"] = True
    app.run()
    assert not app.exception
    said = texts(app).replace("\\", "")
    assert visitor.says("ui.profile.lengths.question", middle="9", longest="29") in said and finding in said
    assert visitor.says("ui.profile.slices", name="送料", share="80%") in said
