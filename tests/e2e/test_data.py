"""Questions and documents in a real browser: what a team does with its own data, in both languages, by clicking."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.i18n import Language, catalogue, t
from tests.e2e.running import ADDRESSES, Server, in_home, sample_project, settle
from tests.faults.troubled import Handler, troubled

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROWS: dict[Language, str] = {
    "en": "question,answer,split\n"
    + "".join(f"How long is the warranty of kettle number {n}?,{n} months.,train\n" for n in range(11, 31))
    + 2 * "How tall is the lamp?,2 m,train\n"
    + "Whom do I ask?,Write to mika@aoba.co.jp.,test\n",
    "ja": "質問,回答,split\n"
    + "".join(f"ケトル{n}番の保証期間はどれくらいですか?,{n}か月です。,train\n" for n in range(11, 31))
    + 2 * "ランプの高さは?,2mです。,train\n"
    + "誰に聞けばよいですか?,mika@aoba.co.jpへどうぞ。,test\n",
}
DOCUMENTS: dict[Language, dict[str, str]] = {
    "en": {
        "kettle.md": "# Amber Kettle\n\nThe warranty of the Amber Kettle is 24 months. Keep the receipt.",
        "lamp.md": "# Luna Lamp\n\nThe Luna Lamp is 2 m tall and weighs 3 kg.",
    },
    "ja": {
        "kettle.md": "# 琥珀ケトル\n\n琥珀ケトルの保証期間は24か月です。レシートを保管してください。",
        "lamp.md": "# 月ランプ\n\n月ランプの高さは2mで、重さは3kgです。",
    },
}
ASKED: dict[Language, tuple[str, str, str]] = {
    "en": ("How long is the warranty of the Amber Kettle?", "24 months", "36 months"),
    "ja": ("琥珀ケトルの保証期間は?", "24か月", "36か月"),
}


def new_project(home: Path, name: str, code: Language) -> str:
    with in_home(home):
        from core.projects import create_project

        return create_project(name, language=code).id


def press(page: Page, name: str) -> None:
    settle(page)
    page.get_by_role("button", name=name, exact=True).first.click(timeout=60_000)


def press_for_version(page: Page, name: str) -> None:
    """Press what makes a new version and wait for it: a visit that comes sooner would stop the page at its work."""
    settle(page)
    before = page.url
    press(page, name)
    page.wait_for_url(lambda url: url != before and "version=" in url, timeout=90_000, wait_until="commit")


def enter(page: Page, label: str, text: str) -> None:
    """Fill a field and see it kept: a run of the page that another field began may draw it anew, empty."""
    field = page.get_by_label(label, exact=True)
    for _ in range(3):
        field.fill(text)
        field.press("Enter")
        page.wait_for_timeout(700)
        settle(page)
        if field.input_value() == text:
            return
    expect(field).to_have_value(text)


def shows(page: Page, text: str | re.Pattern[str], seconds: float = 90) -> None:
    found = (
        page.get_by_test_id("stMain").get_by_text(text).filter(visible=True)
    )  # a table's cells are in the page, hidden
    expect(found.first).to_be_visible(timeout=seconds * 1000)


def visit(page: Page, server: Server, key: str, project: str, code: Language, view: str = "", more: str = "") -> None:
    page.goto(f"{server.url}/{ADDRESSES[key]}?project={project}&lang={code}&view={view}{more}")
    settle(page)


def select_row(page: Page, row: int, table: int = 0) -> None:
    """Select a row of a table: its marks stand at the left edge of the canvas, a row every 35 pixels."""
    grid = page.get_by_test_id("stDataFrame").nth(table)
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 14, box["y"] + 35 + 17 + 35 * row)
    settle(page)


@pytest.mark.parametrize("code", ["ja", pytest.param("en", marks=pytest.mark.full)])
def test_questions_are_imported_checked_mended_split_and_taken_away(
    code: Language, page: Page, server: Server, served_home: Path
) -> None:
    words = catalogue(code)
    project = new_project(served_home, f"Questions {code}", code)
    visit(page, server, "questions", project, code)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "table.csv", "mimeType": "text/csv", "buffer": ROWS[code].encode()}
    )
    press(page, words["ui.import.do"])
    shows(page, t("ui.import.done", code, n="23"))
    visit(page, server, "questions", project, code, "check")
    press(page, words["ui.checks.run"])
    shows(page, words["ui.checks.repair"])
    press_for_version(page, words["ui.checks.repair"])
    visit(page, server, "questions", project, code, "versions")
    shows(page, words["ui.versions.difference"])
    press_for_version(page, words["ui.split.make"])
    with page.expect_download(timeout=60_000) as waiting:
        press(page, words["ui.export.download"])
    assert waiting.value.path().stat().st_size > 500
    visit(page, server, "questions", project, code, "browse")
    select_row(page, 0)
    page.get_by_text(words["ui.questions.edit"], exact=True).click()
    settle(page)
    page.get_by_label(words["ui.questions.answer"], exact=True).first.fill("36")
    press(page, words["ui.questions.edit.save"])
    shows(page, words["ui.questions.select"])
    with in_home(served_home):
        from core.datasets import examples, latest_version

        newest = latest_version(project)
        assert newest is not None
        rows = examples(newest.id, limit=100)
    assert [row.answer for row in rows].count("36") == 1
    assert {row.split for row in rows} == {"train", "validation", "test"}
    written = " ".join(row.answer for row in rows)
    assert len(rows) < ROWS[code].count("\n") - 1 or "mika@" not in written  # the first repair offered was made


@pytest.mark.parametrize("code", ["ja", pytest.param("en", marks=pytest.mark.full)])
def test_documents_are_added_indexed_searched_edited_and_deleted(
    code: Language, page: Page, server: Server, served_home: Path
) -> None:
    words = catalogue(code)
    question, before, after = ASKED[code]
    project = new_project(served_home, f"Documents {code}", code)
    visit(page, server, "documents", project, code)
    page.locator("input[type=file]").first.set_input_files(
        [{"name": n, "mimeType": "text/markdown", "buffer": text.encode()} for n, text in DOCUMENTS[code].items()]
    )
    press(page, words["ui.documents.add"])
    shows(page, t("ui.documents.added", code, n="2"))
    press(page, words["ui.index.build"])
    shows(page, t("ui.index.current", code, n="0"))
    visit(page, server, "documents", project, code, "search", f"&query={question}")
    shows(page, re.compile(before))
    visit(page, server, "documents", project, code, "list")
    select_row(page, 0)
    page.get_by_role("tab", name=words["ui.documents.edit"]).click()
    field = page.get_by_label(words["ui.documents.text"], exact=True)
    field.fill(field.input_value().replace(before, after))
    press(page, words["ui.documents.save"])
    shows(page, t("ui.documents.version_n", code, n=2))
    visit(page, server, "documents", project, code, "search", f"&query={question}")
    shows(page, re.compile(after))
    expect(page.get_by_test_id("stMain").get_by_text(before)).to_have_count(0)
    visit(page, server, "documents", project, code, "list")
    select_row(page, 0)
    page.get_by_role("button", name=words["ui.documents.delete"]).click()
    sure = page.get_by_role("button", name=words["ui.documents.delete.sure"])
    sure.click()
    expect(sure).to_have_count(0, timeout=60_000)
    visit(page, server, "documents", project, code, "search", f"&query={question}")
    expect(page.get_by_test_id("stMain").get_by_text(re.compile(after))).to_have_count(0, timeout=60_000)


def drafted(handler: Handler, question: str, before: int) -> None:
    """A service that drafts one question from whichever passage it is given."""
    code: Language = "ja" if "ケトル" in question or "ランプ" in question else "en"
    asked, value, _ = ASKED[code]
    quote = DOCUMENTS[code]["kettle.md"].splitlines()[2]
    handler.answer(json.dumps([{"question": asked, "answer": value, "quote": quote}], ensure_ascii=False))


@pytest.mark.full
@pytest.mark.parametrize("code", ["ja", "en"])
def test_questions_are_drafted_from_documents_accepted_by_a_person_and_kept(
    code: Language, page: Page, server: Server, served_home: Path
) -> None:
    words = catalogue(code)
    project = new_project(served_home, f"Drafts {code}", code)
    with in_home(served_home):
        from core.knowledge import add_documents, default_kb

        name = "kettle.md"
        add_documents(default_kb(project).id, [(name, DOCUMENTS[code][name].encode())])
    with troubled(drafted) as outside:
        visit(page, server, "questions", project, code)
        for label, text in (("ui.judge.url", outside.url), ("ui.judge.ref", "drafter")):
            enter(page, words[label], text)
        press(page, words["ui.drafts.start"])
        accept = page.get_by_role("button", name=words["ui.drafts.accept"], exact=True).first
        expect(accept).to_be_visible(timeout=120_000)
        accept.click()
        press(page, t("ui.drafts.add.button", code, n="1"))
        shows(page, t("ui.drafts.added", code, n="1"))
    with in_home(served_home):
        from core.datasets import examples, latest_version

        newest = latest_version(project)
        assert newest is not None
        [row] = examples(newest.id, limit=10)
    assert (row.question, row.answer) == ASKED[code][:2] and row.gold


@pytest.mark.full
@pytest.mark.parametrize("code", ["ja", "en"])
def test_the_sample_search_is_judged_and_its_settings_are_tried(
    code: Language, page: Page, server: Server, served_home: Path
) -> None:
    words = catalogue(code)
    page.goto(f"{server.url}/?lang={code}")  # the first visit of all brings the samples
    settle(page)
    project = sample_project(served_home, code)
    visit(page, server, "documents", project, code)
    if page.get_by_role("button", name=words["ui.index.build"], exact=True).count():
        press(page, words["ui.index.build"])
        shows(page, t("ui.index.current", code, n="0"), 300)
    visit(page, server, "documents", project, code, "judge")
    press(page, words["ui.judging.start"])
    shows(page, words["ui.judging.note"].rpartition("}")[2].strip(), 240)
    visit(page, server, "documents", project, code, "sweep")
    press(page, words["ui.sweep.start"])
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=600_000)
    visit(page, server, "documents", project, code, "list")
    press(page, words["ui.documents.check"])
    settle(page)
    visit(page, server, "questions", project, code, "check")
    press(page, words["ui.coverage.run"])
    covered = page.get_by_test_id("stDataFrame").get_by_text(words["ui.coverage.where"], exact=True)
    expect(covered.first).to_be_attached(timeout=240_000)  # a table's words are drawn, and in the page unseen
