"""Hostile answers in both languages, on slides and in the report: text, and nothing that a browser would obey."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from streamlit.testing.v1 import AppTest

from core.approaches import ensure_presets
from core.decision.report import report_html
from core.errors import storable
from core.i18n import LANGUAGES
from core.identity import now
from core.store import tables as tb
from core.store import write
from tests.evaluation.test_results import Written
from tests.faults.hostile import ELSEWHERE, HARMFUL, HOSTILE
from tests.ui.conftest import Visitor
from tests.ui.test_compare_page import ids, stored

SAID = str(storable(HOSTILE))
FAILED = {"code": "models.bad_answer", "params": {"url": "http://127.0.0.1:9", "label": "s", "detail": HARMFUL}}


class Tags(HTMLParser):
    """The tags of a page, and what they name elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.named: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.named += [str(value) for name, value in attrs if name.startswith("on") or ELSEWHERE in str(value)]


def assert_shown_as_text(app: AppTest) -> None:
    """What comes from the model stands in text elements, in Markdown escaped, and in no HTML."""
    assert not app.exception
    assert any("<script>window.harmed = 1</script>" in text.value for text in app.text) or any(
        "window" in part.value for part in app.markdown
    )
    for part in [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]:
        assert not getattr(part, "allow_html", False) or "harmed" not in part.value, part.value[:200]
        left = re.sub(r"\\.", "", str(part.value))  # what no backslash makes harmless
        for live in ("![picture](", "[click](", "<script>", "<img ", "<iframe ", "$\\href", ":material/home:", ":red["):
            assert live not in left, (live, left[:300])
    for made in app.get("html"):
        body = str(getattr(made.proto, "body", ""))
        assert not {"script", "img", "iframe", "svg"} & set(Tags(body).found) and "harmed" not in body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("present", [{}, {"present": "1"}], ids=["page", "slides"])
def test_compare_shows_hostile_answers_as_text(language: str, present: dict[str, str], filled: tb.Project) -> None:
    stored(filled, "base")
    stored(filled, "rag", text=SAID, reasoning=SAID)
    stored(filled, "few_shot", status="failed", text="", error=FAILED)
    query = {"compare": "c", "differences": "1", "baseline": ids(filled)["base"], **present}
    assert_shown_as_text(Visitor(language, filled).open("compare", **query))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_opened_question_shows_hostile_answers_as_text(language: str) -> None:
    written = hostile_run()
    with write() as session:
        owner = session.get_one(tb.Project, written.experiment.project_id)
    ensure_presets(owner.id)
    app = Visitor(language, owner).open("test_run", view="cases", case=written.questions[0], differences="1")
    assert_shown_as_text(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_obeys_nothing_that_an_answer_says(language: str) -> None:
    benign, hostile = (Tags(report_html(run().experiment.id, language)) for run in (benign_run, hostile_run))
    assert hostile.named == [] and hostile.found.count("script") == benign.found.count("script")
    assert not {"img", "iframe", "svg", "object"} & set(hostile.found)


def benign_run() -> Written:
    return measured_run("All is well.", {"code": "models.timeout", "params": {}})


def hostile_run() -> Written:
    return measured_run(SAID, FAILED)


def measured_run(text: str, error: dict[str, object]) -> Written:
    """A finished test run whose second approach says one thing to every question, and fails once."""
    written = Written("base", "rag")
    for place in range(len(written.questions)):
        written.put("base", place, float(place % 2))
        if place == len(written.questions) - 1:
            written.put("rag", place, None, status="failed", text="", error=error)
        else:
            written.put("rag", place, float(place % 3 > 0), text=text)
    with write() as session:
        session.get_one(tb.Experiment, written.experiment.id).completed_at = now()
    return written
