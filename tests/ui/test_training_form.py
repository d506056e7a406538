"""The training form: what a run rests on is chosen there, and a licence beside the version that it is about."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import datasets, knowledge
from core.datasets import latest_version, licence_of
from core.knowledge import default_kb, latest_index
from core.store import tables as tb
from core.training import runs
from tests.ui.conftest import Visitor

LANGUAGES = ["en", "ja"]


def box(app: AppTest, label: str) -> Any:
    [found] = [each for each in app.selectbox if each.label == label]
    return found


def press(app: AppTest, label: str) -> None:
    [found] = [each for each in app.button if each.label == label]
    found.click().run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_older_version_and_an_older_index_are_trained_on_if_they_are_chosen(
    language: str, filled: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really train here
    base = default_kb(filled.id)
    first, first_index = latest_version(filled.id), latest_index(base.id)
    assert first is not None and first_index is not None
    newer = datasets.edit_rows(first.id, drop=[0])
    knowledge.add_document(base.id, "More.md", b"# More\n\nThe Amber Kettle is blue.\n")
    newer_index = knowledge.build_index(base.id, knowledge.IndexConfig(embedder="none"))
    visitor = Visitor(language, filled)
    visitor.app.session_state["training_style"] = "raft"
    app = visitor.open("training", view="new")
    data, index = (visitor.says(f"training.setting.{name}_version_id") for name in ("dataset", "index"))
    assert box(app, visitor.says("training.setting.base_ref")).options == [visitor.says("ui.practice.name")]
    assert (box(app, data).value, box(app, index).value) == (newer.id, newer_index.id), "the newest come first"
    box(app, data).select(first.id).run()
    box(app, index).select(first_index.id).run()
    press(app, visitor.says("ui.training.start"))
    press(app, visitor.says("ui.training.anyway"))
    assert not app.exception, [error.value for error in app.exception]
    [run] = runs(filled.id)
    assert (run.dataset_version_id, run.config.index_version_id) == (first.id, first_index.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_licence_of_a_version_is_set_where_its_versions_are(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    app = visitor.open("questions", view="versions")
    box(app, visitor.says("ui.licence")).select("CC-BY-4.0").run()
    press(app, visitor.says("ui.licence.save"))
    assert not app.exception, [error.value for error in app.exception]
    newest = latest_version(filled.id)
    assert newest is not None and licence_of(newest) == "CC-BY-4.0"
    assert "CC-BY-4.0" in app.dataframe[0].value.to_string()
