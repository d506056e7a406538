"""The questions page tells what the base knows already, and whether the index holds the training text."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.approaches import ModelChoice
from core.datasets import latest_version
from core.evaluation import KnownConfig, known_outcome, latest_known, start_known
from core.evaluation.known.running import run_known
from core.jobs import JobContext
from core.knowledge import dataset_coverage, default_kb
from core.store import tables as tb
from tests.evaluation.judge_server import judge_server
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]


def version_id(project: tb.Project) -> str:
    found = latest_version(project.id)
    assert found is not None
    return found.id


@pytest.fixture
def looked(filled: tb.Project, tmp_path: Path) -> tb.Project:
    """A project whose base model, at an address, answered with markup."""
    with judge_server(lambda system, user: "**24 months** or 59 dollars") as server:
        model = ModelChoice(kind="endpoint", ref="m", url=server.url)
        made = start_known(KnownConfig(dataset_version_id=version_id(filled), model=model), launch=False)
        run_known(JobContext("job", {"run_id": made.id}, tmp_path, project_id=filled.id))
    return filled


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_share_and_the_rows_are_shown(language: str, looked: tb.Project) -> None:
    visitor = Visitor(language, looked)
    app = visitor.open("questions", view="check")
    run = latest_known(version_id(looked))
    assert run is not None and not app.exception and not app.error
    found = known_outcome(run.id)
    assert visitor.says("ui.known.title") in [each.value for each in app.subheader]
    shown = next(each.value for each in app.dataframe if visitor.says("ui.known.answer") in each.value.columns)
    assert len(shown) == found.unknown and "**24 months**" in shown.iloc[0][visitor.says("ui.known.answer")]
    app.segmented_control(key="known_show").set_value("known").run()
    assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_asking_is_planned_and_started_by_a_press(
    language: str, filled: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really run here
    visitor = Visitor(language, filled)
    app = visitor.open("questions", view="check")
    assert visitor.says("ui.known.practice") in [each.value for each in app.warning]
    next(each for each in app.button if each.label == visitor.says("ui.known.start")).click().run()
    assert not app.exception and visitor.says("jobs.kind.known") in texts(app)
    assert latest_known(version_id(filled)) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_tells_whether_the_index_holds_the_training_text(language: str, filled: tb.Project) -> None:
    dataset_coverage(default_kb(filled.id).id, version_id(filled))
    visitor = Visitor(language, filled)
    app = visitor.open("questions", view="check")
    assert not app.exception
    assert visitor.says("ui.training_text.held", held=12, rows=12, share="100%") in [
        each.value for each in app.markdown
    ]
    assert visitor.says("ui.training_text.why") in [each.value for each in app.caption]
