"""The real server in a real browser: first visits, limits of size and time, and the sample comparison by clicking."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from core.i18n import Language, catalogue, t
from tests.e2e.running import ADDRESSES, Server, serve, settle

pytestmark = pytest.mark.e2e

MOST_SECONDS = 5.0
MOST_MEGABYTES = 450
WHOLE_RUN_SECONDS = 240.0
"""Every approach on every question of the sample, waiting times included: as long as people stay to see the end. On
two processors of its own; where other programs computed just before, the time is only told."""
DEEP = [key for key, path in ADDRESSES.items() if path]


def title(key: str, code: Language = "en") -> str:
    return catalogue(code)[f"ui.page.{key}"]


def test_the_first_page_is_there_within_five_seconds_of_the_start(browser: Browser, tmp_path: Path) -> None:
    # A home that has been used: the samples are copied in once, at the very first start.
    home = tmp_path / "home"
    with serve(home, tmp_path / "first.log") as first:
        tab = browser.new_page(locale="en-US")
        tab.goto(first.url)
        settle(tab)
        tab.close()
    began = time.monotonic()
    with serve(home, tmp_path / "second.log") as second:
        tab = browser.new_page(locale="en-US")
        tab.goto(second.url)
        tab.get_by_text(catalogue("en")["ui.home.question"]).first.wait_for(timeout=60_000)
        seconds = time.monotonic() - began
        used = sum(psutil.Process(second.process.pid).cpu_times()[:2])
        tab.close()
    # A machine that is busy with other work tells nothing by the clock: there the server's own computing time counts.
    busy = psutil.getloadavg()[0] > 0.75 * (psutil.cpu_count() or 1)
    assert (used if busy else seconds) < MOST_SECONDS, f"{seconds:.1f} s, of which {used:.1f} s computing"


@pytest.mark.parametrize("key", DEEP)
def test_a_deep_link_as_the_first_visit_to_a_fresh_server_passes_through_the_shell(
    key: str, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "deep-links"  # one home for all; each page gets a server of its own
    folder.mkdir(exist_ok=True)
    with serve(folder / "home", folder / "log") as fresh:
        _opens_with_menu(browser, fresh, key)


def _opens_with_menu(browser: Browser, server: Server, key: str) -> None:
    tab = browser.new_page(locale="en-US")
    tab.goto(f"{server.url}/{ADDRESSES[key]}")
    settle(tab)
    expect(tab.get_by_role("heading", name=title(key), exact=True)).to_be_visible()
    # The menu and the project choice are drawn by the shell alone.
    expect(tab.get_by_test_id("stSidebarNav")).to_contain_text(title("settings"))
    expect(tab.get_by_test_id("stSidebar")).to_contain_text(catalogue("en")["ui.sidebar.project"])
    tab.close()


def test_health_and_security_headers(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as reply:
        assert reply.status == 200 and b'"ok"' in reply.read()
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "img-src 'self'" in reply.headers["Content-Security-Policy"]


def test_the_language_switch_changes_every_word_and_is_kept_in_the_address(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/questions")
    settle(page)
    page.get_by_role("radio", name="日本語").click()
    expect(page.get_by_role("heading", name=title("questions", "ja"), exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stSidebarNav")).to_contain_text(catalogue("ja")["ui.group.measure"])
    assert "lang=ja" in page.url


def test_a_copied_link_opens_the_same_view(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/questions?lang=en&split=validation&search=price")
    settle(page)
    search = page.get_by_role("searchbox", name=catalogue("en")["ui.questions.search"], exact=True)
    expect(search).to_have_value("price")
    expect(page.get_by_role("radio", name=catalogue("en")["ui.split.validation"])).to_be_checked()


def test_no_page_loads_anything_from_elsewhere(page: Page, server: Server) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/documents?lang=en")
    settle(page)
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


def compare_by_clicking(page: Page, server: Server, code: Language, *, raft: bool = False) -> None:
    """Run a small whole comparison from the first page and wait for its end."""
    words = catalogue(code)
    page.get_by_text(words["ui.home.settings"], exact=True).click()
    for key, value in (("questions", "24"), ("seconds", "8"), ("latency", "6")):
        box = page.get_by_label(words[f"ui.home.settings.{key}"], exact=True)
        box.fill(value)
        box.press("Enter")
        settle(page)
    if not raft:
        page.get_by_text(words["ui.home.settings.raft"], exact=True).click()
        settle(page)
    page.get_by_role("button", name=words["ui.home.run"]).click()
    expect(page.get_by_role("heading", name=words["ui.home.running"])).to_be_visible(timeout=60_000)
    page.wait_for_timeout(3_000)  # by now the part that follows the job has drawn itself again, without the shell
    expect(page.get_by_text(words["jobs.kind.comparison"], exact=True)).to_be_visible()
    page.get_by_role("button", name=words["ui.home.open_decision"]).wait_for(timeout=600_000)
    settle(page)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", "ja"])
def test_the_sample_comparison_runs_by_clicking_and_is_read(code: Language, page: Page, server: Server) -> None:
    words = catalogue(code)
    page.goto(f"{server.url}/?lang={code}")
    settle(page)
    compare_by_clicking(page, server, code)
    finding = page.locator("h2").first.inner_text()
    if finding != words["decision.verdict.undecided"].format(n=24):  # so few questions may well not tell
        assert re.search(r"\d+%", finding), finding
        names = [words[f"approaches.preset.{p}"] for p in ("base", "few_shot", "many_shot", "rag", "fine_tuned")]
        assert any(name in finding for name in [*names, words["approaches.preset.fine_tuned_rag"]])
    assert page.get_by_test_id("stMetricValue").count() == 3
    page.get_by_role("button", name=words["ui.home.open_decision"]).click()
    expect(page.get_by_role("heading", name=words["ui.page.decision"], exact=True)).to_be_visible(timeout=60_000)
    settle(page)
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name=words[f"ui.decision.report.{code}"]).click()
    _report_opens_alone(page, Path(download.value.path()), code)


def _report_opens_alone(page: Page, report: Path, code: Language) -> None:
    """The file opens with its charts where there is no network, and asks for nothing."""
    file = report.with_suffix(".html")
    file.write_bytes(report.read_bytes())
    asked: list[str] = []
    alone = page.context.browser.new_context(offline=True).new_page()  # type: ignore[union-attr]
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    alone.locator(".main-svg").first.wait_for(timeout=60_000)
    assert alone.locator("html").get_attribute("lang") == code
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    alone.context.close()


@pytest.mark.full
def test_the_samples_whole_test_run_started_on_the_page_ends_in_time(
    page: Page, server: Server, record_property: Callable[[str, object], None]
) -> None:
    words = catalogue("en")
    page.goto(f"{server.url}/?lang=en")
    settle(page)
    if page.get_by_role("button", name=words["ui.home.run"]).is_visible():  # nobody has trained the adapters yet
        compare_by_clicking(page, server, "en", raft=True)
    page.goto(f"{server.url}/{ADDRESSES['test_run']}?lang=en&view=new&split=test")
    settle(page)
    for preset in ("base", "rag", "fine_tuned", "fine_tuned_rag", "raft"):
        offered = page.get_by_test_id("stMain").get_by_text(words[f"approaches.preset.{preset}"], exact=True)
        expect(offered.first).to_be_visible()
    for _ in range(20):  # the comparison's host and the page itself come to rest first
        busy = psutil.cpu_percent(interval=3)
        if busy < 20:
            break
    page.get_by_role("button", name=words["ui.test.start"]).click()
    took = page.get_by_text(re.compile(re.escape(words["ui.test.took"].partition("{")[0])))
    expect(took).to_be_visible(timeout=1_500_000)
    found = re.search(r"(?:(\d+) min )?([\d.]+) s", took.inner_text())
    assert found is not None, took.inner_text()
    seconds = 60 * int(found[1] or 0) + float(found[2])
    record_property("whole test run", f"{seconds:.0f} s")
    assert seconds < WHOLE_RUN_SECONDS, f"{seconds:.0f} s on a machine that was {busy:.0f} % busy before"


def test_the_app_stays_small_and_maps_no_torch(page: Page, server: Server) -> None:
    for key in ("home", "test_run", "decision"):
        page.goto(f"{server.url}/{ADDRESSES[key]}?lang=en")
        settle(page)
    process = psutil.Process(server.process.pid)
    assert process.memory_info().rss / 2**20 < MOST_MEGABYTES
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists():
        assert "torch" not in maps.read_text()


def test_in_a_new_project_a_table_is_looked_at_before_it_is_imported(page: Page, server: Server) -> None:
    words = catalogue("en")
    page.goto(f"{server.url}/?lang=en")
    settle(page)
    page.get_by_text(words["ui.home.new"], exact=True).click()
    page.get_by_label(words["ui.home.new.name"], exact=True).fill("Desk of my own")
    settle(page)  # charts above that still find their size would move the button under the pointer
    page.get_by_role("button", name=words["ui.home.new.create"]).click()
    expect(page.get_by_text("Desk of my own").first).to_be_visible(timeout=60_000)
    page.get_by_test_id("stSidebarNav").get_by_text(title("questions")).click()
    expect(page.get_by_text(words["ui.questions.empty.title"])).to_be_visible(timeout=60_000)
    rows = "question,answer,split\nHow tall is it?,2 m,test\n,no question,test\nHow wide is it?,1 m,elsewhere\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "desk questions.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    expect(page.get_by_text(t("ui.import.problems", "en", n="2"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=words["ui.import.do"], exact=True)).to_be_disabled()
    page.get_by_text(t("ui.import.leave_out", "en", n="2")).click()
    settle(page)
    page.get_by_role("button", name=words["ui.import.do"], exact=True).click()
    expect(page.get_by_text(t("ui.import.done", "en", n="1"))).to_be_visible(timeout=60_000)


SMALL_TEXT = """() => [...document.querySelectorAll("[data-testid='stMainBlockContainer'] *")].filter(e =>
  e.offsetParent !== null && e.getAttribute('data-testid') !== 'stIconMaterial'
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 20).map(e => e.textContent)"""


def ask(page: Page, server: Server) -> None:
    """Ask the compare page's first question and wait until everybody has answered."""
    page.goto(f"{server.url}/compare?lang=en")
    settle(page)
    page.get_by_role("button", name=catalogue("en")["ui.compare.ask"], exact=True).click()
    page.get_by_text(catalogue("en")["ui.compare.live_note"]).wait_for(timeout=240_000)
    settle(page)
    assert "compare=" in page.url


@pytest.mark.slow
def test_arrow_keys_turn_the_pages_of_a_presentation_in_large_text(page: Page, server: Server) -> None:
    ask(page, server)
    page.goto(f"{page.url}&present=1")
    settle(page)
    assert page.get_by_test_id("stSidebar").count() == 0 or not page.get_by_test_id("stSidebar").is_visible()
    assert page.evaluate(SMALL_TEXT) == []
    for key, slide in (("ArrowRight", "2"), ("ArrowRight", "3"), ("ArrowLeft", "2")):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(rf"slide={slide}\b"), timeout=60_000)
        settle(page)
        assert page.evaluate(SMALL_TEXT) == []
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "present=" not in url, timeout=60_000)


@pytest.mark.slow
def test_one_question_is_answered_side_by_side_and_the_link_opens_it_again(page: Page, server: Server) -> None:
    words = catalogue("en")
    ask(page, server)
    written = page.get_by_text(re.compile(r"First word after"))
    assert written.count() >= 2
    page.goto(page.url)
    settle(page)
    expect(page.get_by_text(words["ui.compare.link"])).to_be_visible()
