"""Drafts as the questions page draws them: beside their source, doubted in the reader's language, decided, added."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.approaches import ModelChoice
from core.datasets import latest_version, rows_of
from core.evaluation import DraftingConfig, count_drafts, start_drafting
from core.evaluation.drafting.running import run_drafting
from core.jobs import JobContext
from core.store import tables as tb
from tests.evaluation.judge_server import judge_server, part
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]


def reply(system: str, user: str) -> str:
    name = part(user, "passage").split("\n")[0]
    if "Cedar" in name:
        return "**No** <b>thanks</b>."
    return json.dumps([{"question": f"Which town makes the *{name}*?", "answer": "Atlantis"}])


@pytest.fixture
def drafted(filled: tb.Project, tmp_path: Path) -> tb.Project:
    """A project with a draft that its passage does not support, and a reply that cannot be read."""
    with judge_server(reply) as server:
        model = ModelChoice(kind="endpoint", ref="m", url=server.url)
        config = DraftingConfig(project_id=filled.id, model=model, documents=("Birch Lamp.md", "Cedar Fan.md"))
        made = start_drafting(config, launch=False)
        run_drafting(JobContext("job", {"drafting_id": made.id}, tmp_path, project_id=filled.id))
    return filled


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_is_decided_beside_its_source_and_added(language: str, drafted: tb.Project) -> None:
    visitor = Visitor(language, drafted)
    app = visitor.open("questions", view="drafts")
    assert "The Birch Lamp is made in Lyon." in texts(app) and not app.error
    assert visitor.says("drafting.doubt.not_in_passage") in [warning.value for warning in app.warning]
    [answer] = [area for area in app.text_area if area.value == "Atlantis"]
    answer.set_value("Lyon")
    next(button for button in app.button if button.label == visitor.says("ui.drafts.accept")).click().run()
    assert count_drafts(drafted.id)["waiting"] == 1 and not app.exception
    label = visitor.says("ui.drafts.add.button", n=1)
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception and count_drafts(drafted.id)["waiting"] == 0
    newest = latest_version(drafted.id)
    assert newest is not None
    assert [row.answer for row in rows_of(newest.id, "test") if row.slice == "drafted"] == ["Lyon"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_replies_that_cannot_be_read_are_shown_as_text(language: str, drafted: tb.Project) -> None:
    visitor = Visitor(language, drafted)
    app = visitor.open("questions", view="drafts", drafts="unreadable")
    assert [text.value for text in app.text if "No" in text.value] == ["**No** <b>thanks</b>."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_visit_says_what_drafting_takes_and_what_is_missing(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    app = visitor.open("questions", view="drafts")
    assert visitor.says("ui.drafts.address_first") in texts(app)
    app.text_input(key="drafts_url").set_value("http://127.0.0.1:9/v1")
    app.text_input(key="drafts_ref").set_value("m").run()
    assert visitor.says("ui.drafts.start") in [button.label for button in app.button]
    assert app.dataframe[-1].value.iloc[0].tolist()[1] == 12 and not app.error
