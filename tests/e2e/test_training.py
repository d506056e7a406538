"""A training started on the page in a real browser goes on without it, and is found finished by the next visitor."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core.i18n import catalogue
from tests.e2e.running import CHROMIUM, Server, settle

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORDS = catalogue("en")


def start(page: Page, server: Server, preset: str) -> str:
    """Start a training on the page, knowingly if it is called risky here; return the run's id from the address."""
    page.goto(f"{server.url}/training?lang=en&view=new")
    settle(page)
    page.get_by_role("radio", name=WORDS[f"training.preset.{preset}"]).click()
    settle(page)
    page.get_by_role("button", name=WORDS["ui.training.start"], exact=True).click()
    anyway = page.get_by_role("button", name=WORDS["ui.training.anyway"], exact=True)
    running = page.get_by_text(WORDS["jobs.kind.train"], exact=True)
    expect(anyway.or_(running).first).to_be_visible(timeout=240_000)
    if anyway.is_visible():
        anyway.click()
    expect(running.first).to_be_visible(timeout=240_000)
    expect(page).to_have_url(re.compile(r"[?&]run="), timeout=60_000)  # the address follows what is drawn
    return parse_qs(urlsplit(page.url).query)["run"][0]


def until_some_job_ended(home: Path, known: set[Path], seconds: float = 900) -> Path:
    """Wait for the file that a worker leaves at its end; nothing here opens the store, ticks, or asks the app."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended := set(home.glob("jobs/*/attempts/*/outcome.json")) - known:
            return ended.pop()
        time.sleep(0.5)
    raise AssertionError("the training did not end")


def test_closing_the_browser_changes_nothing_for_a_training(
    browser: Browser, page: Page, server: Server, served_home: Path
) -> None:
    before = set(served_home.glob("jobs/*/attempts/*/outcome.json"))
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    run = start(own.new_page(locale="en-US"), server, "quick")
    own.close()
    assert not own.is_connected()
    outcome = until_some_job_ended(served_home, before)
    assert '"status": "succeeded"' in outcome.read_text()
    page.goto(f"{server.url}/training?lang=en&view=runs&run={run}")
    settle(page)
    shown = page.get_by_test_id("stMain")
    expect(shown.get_by_text(WORDS["jobs.status.succeeded"]).first).to_be_visible(timeout=120_000)
    expect(page.get_by_text(WORDS["training.ended.budget"]).first).to_be_visible()
    expect(page.get_by_text(WORDS["ui.training.best"], exact=True)).to_be_visible()
