"""Answers side by side in a real browser: they fit the page, every column is reached, and a link opens them again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.approaches import ApproachSpec, ModelChoice, comparison, is_running, save_approach, start_comparison
from core.i18n import Language, catalogue
from core.settings import reset_settings
from core.store import reset_engine
from tests.approaches.world import make_project
from tests.e2e.running import ADDRESSES, Server, settle
from tests.faults.troubled import Handler, troubled

pytestmark = pytest.mark.e2e

QUESTION = "How long is the warranty of the Amber Kettle, and what has to be kept for it?"
SERVICES = ("One", "Two", "Three", "Four", "Five", "Six")
FEW = 2
"""Columns of the smaller comparison; the larger one has as many as the page allows."""
NARROW, WIDE = 800, 1440
"""Pixels: half a laptop's screen, and a whole one."""
TOO_WIDE = """() => [document.documentElement, document.querySelector("[data-testid='stMain']")]
  .map(e => e.scrollWidth - e.clientWidth)"""


def mood(handler: Handler, question: str, before: int) -> None:
    """Each service answers in its own words, some long, some without a space to break at."""
    name = str(handler.body["model"])
    handler.answer(f"{name} says: 24 months. {'保証書とレシートを保管してください。' * 6} {'x' * 40} {name * 8}")


@pytest.fixture(scope="module")
def addresses(server: Server, served_home: Path) -> Iterator[dict[int, str]]:
    """Two comparisons in the running app's store: their addresses by the number of columns."""
    before = os.environ.get("KURABE_HOME")
    os.environ["KURABE_HOME"] = str(served_home)
    reset_settings()
    reset_engine()
    try:
        yield _asked()
    finally:
        os.environ.pop("KURABE_HOME")
        if before is not None:
            os.environ["KURABE_HOME"] = before
        reset_settings()
        reset_engine()


def _asked() -> dict[int, str]:
    project = make_project(index=False)
    found = {}
    with troubled(mood) as outside:
        ids = [
            save_approach(project.id, ApproachSpec(name=f"Service {name}", preset="endpoint",
                          model=ModelChoice(kind="endpoint", ref=name, url=outside.url))).id
            for name in SERVICES
        ]  # fmt: skip
        for columns in (FEW, len(SERVICES)):
            compare_id = start_comparison(project.id, QUESTION, ids[:columns])
            deadline = time.monotonic() + 120
            while is_running(comparison(compare_id)):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            found[columns] = f"{ADDRESSES['compare']}?project={project.id}&compare={compare_id}"
    return found


@pytest.mark.parametrize("code", ["en", "ja"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("columns", [FEW, len(SERVICES)])
def test_every_column_is_reached_without_scrolling_sideways(
    columns: int, width: int, code: Language, page: Page, server: Server, addresses: dict[int, str]
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}/{addresses[columns]}&lang={code}")
    settle(page)
    expect(page.get_by_text(catalogue(code)["ui.compare.live_note"])).to_be_visible(timeout=60_000)
    assert max(page.evaluate(TOO_WIDE)) <= 1, "the page is wider than its window"
    for name in SERVICES[:columns]:
        answer = page.get_by_test_id("stText").filter(has_text=f"{name} says: 24 months.")
        expect(answer).to_have_count(1)
        answer.scroll_into_view_if_needed()
        box = answer.bounding_box()
        assert box is not None and box["width"] > 100, "a column too narrow to read"
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, f"{name} stands out of the window"
    assert page.get_by_test_id("stText").filter(has_text="says: 24 months.").count() == columns


def _differences(base: str) -> str:
    return catalogue("en")["ui.compare.differences"].format(base=base)


def _seen(page: Page, base: str) -> tuple[str, list[str], list[str], bool]:
    """The question, the columns' names in their order, the answers in theirs, and whether differences are marked."""
    settle(page)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text(QUESTION, exact=True).first).to_be_visible(timeout=60_000)
    expect(main.get_by_text(_differences(base)).first).to_be_visible(timeout=60_000)
    named = {f"Service {name}" for name in SERVICES}
    names = [text for text in main.locator("strong").all_inner_texts() if text in named]
    answers = main.get_by_text("says: 24 months.").all_inner_texts()
    marked = page.get_by_role("checkbox", name=base).or_(page.get_by_role("switch", name=base))
    return main.locator("h3").first.inner_text(), names, answers, marked.first.is_checked()


def test_a_copied_link_opens_the_same_comparison_in_another_browser(
    browser: Browser, page: Page, server: Server, addresses: dict[int, str]
) -> None:
    page.goto(f"{server.url}/{addresses[len(SERVICES)]}&lang=en")
    settle(page)
    page.get_by_role("button", name="→").first.click()
    page.wait_for_url(lambda url: "columns=" in url and "baseline=" in url, timeout=60_000)
    expect(page.get_by_text(_differences("Service One")).first).to_be_visible(timeout=60_000)
    settle(page)
    page.get_by_role("button", name=catalogue("en")["ui.compare.baseline.make"]).first.click()
    page.get_by_text(_differences("Service Two")).first.click(timeout=60_000)
    page.wait_for_url(lambda url: "differences=1" in url, timeout=60_000)
    here = _seen(page, "Service Two")
    other = browser.new_context(viewport={"width": 1024, "height": 700}, locale="ja-JP")
    try:
        tab = other.new_page()
        tab.goto(page.url)
        there = _seen(tab, "Service Two")
    finally:
        other.close()
    assert there == here
    question, names, answers, marked = here
    assert question == QUESTION and len(answers) == len(SERVICES) and marked
    assert names == [f"Service {name}" for name in ("Two", "One", *SERVICES[2:])]


def test_a_presented_comparison_shows_answers_as_they_come(
    page: Page, server: Server, addresses: dict[int, str]
) -> None:
    come = threading.Event()

    def late(handler: Handler, question: str, before: int) -> None:
        come.wait(120)
        mood(handler, question, before)

    project = make_project(index=False)
    with troubled(late) as outside:
        model = ModelChoice(kind="endpoint", ref="Late", url=outside.url)
        made = save_approach(project.id, ApproachSpec(name="Service Late", preset="endpoint", model=model))
        asked = start_comparison(project.id, QUESTION, [made.id])
        try:
            page.goto(f"{server.url}/{ADDRESSES['compare']}?project={project.id}&compare={asked}&present=1&lang=en")
            expect(page.get_by_text(catalogue("en")["ui.compare.waiting"]).first).to_be_visible(timeout=60_000)
        finally:
            come.set()
        expect(page.get_by_text("Late says: 24 months.").first).to_be_visible(timeout=60_000)


def test_figures_say_what_was_found_and_colours_are_explained(
    page: Page, server: Server, addresses: dict[int, str]
) -> None:
    page.goto(f"{server.url}/{addresses[FEW]}&lang=en")
    settle(page)
    words = catalogue("en")
    legend = page.get_by_text(words["ui.compare.legend"].split("{")[0]).first
    expect(legend).to_be_visible(timeout=60_000)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("was first with its whole answer").first).to_be_visible(timeout=60_000)
    expect(main.get_by_text(words["charts.part.first_token"]).first).to_be_visible()
    expect(main.get_by_text(words["ui.compare.finish.stop"])).to_have_count(FEW)
