"""Trainings in a real browser: watched, stopped, resumed, compared and taken away; and they go on without one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from core.i18n import Language, catalogue
from core.settings import ROOT
from tests.e2e.running import CHROMIUM, Server, sample_project, settle

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORDS = catalogue("en")


STARTED_OR_RISKY = """label => location.search.includes("run=")
  || [...document.querySelectorAll("button")].some(button => button.innerText.includes(label))"""


def start(page: Page, server: Server, home: Path, preset: str, language: Language = "en") -> str:
    """Start a training of the sample, knowingly if it is called risky here; return the run's id from the address."""
    words = catalogue(language)
    page.goto(f"{server.url}/?lang={language}")  # the first visit of all brings the samples
    settle(page)
    page.goto(f"{server.url}/training?lang={language}&view=new&project={sample_project(home, language)}")
    settle(page)
    page.get_by_role("radio", name=words[f"training.preset.{preset}"]).click()
    settle(page)
    page.get_by_role("button", name=words["ui.training.start"], exact=True).click()
    page.wait_for_function(STARTED_OR_RISKY, arg=words["ui.training.anyway"], timeout=240_000)
    if "run=" not in page.url:
        page.get_by_role("button", name=words["ui.training.anyway"], exact=True).click()
    expect(page).to_have_url(re.compile(r"[?&]run="), timeout=240_000)  # the address follows what is drawn
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
    run = start(own.new_page(locale="en-US"), server, served_home, "quick")
    own.close()
    assert not own.is_connected()
    outcome = until_some_job_ended(served_home, before)
    assert '"status": "succeeded"' in outcome.read_text()
    project = sample_project(served_home, "en")
    page.goto(f"{server.url}/training?lang=en&view=runs&run={run}&project={project}")
    settle(page)
    shown = page.get_by_test_id("stMain")
    expect(shown.get_by_text(WORDS["jobs.status.succeeded"]).first).to_be_visible(timeout=120_000)
    expect(page.get_by_text(WORDS["training.ended.budget"]).first).to_be_visible()
    expect(page.get_by_text(WORDS["ui.training.best"], exact=True)).to_be_visible()


def shows(page: Page, text: str, seconds: float = 240) -> None:
    """Wait until the page shows a text."""
    expect(page.get_by_test_id("stMain").get_by_text(text).first).to_be_visible(timeout=seconds * 1000)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click(timeout=120_000)


def test_a_training_is_started_watched_stopped_and_exported_in_japanese_then_resumed_and_promoted_in_english(
    page: Page, server: Server, served_home: Path
) -> None:
    words = catalogue("ja")
    run = start(page, server, served_home, "balanced", "ja")  # long enough to be stopped on a slow machine as well
    shows(page, words["ui.training.loss"])
    press(page, words["ui.job.stop"])
    shows(page, words["training.ended.stop"])
    assert {"train.py", "train.jsonl"} <= set(downloaded(page, words["ui.registry.kit"]))
    project = parse_qs(urlsplit(page.url).query)["project"][0]
    page.goto(f"{server.url}/training?lang=en&view=runs&run={run}&project={project}")
    settle(page)
    shows(page, WORDS["training.ended.stop"])
    press(page, WORDS["ui.job.resume"])
    shows(page, WORDS["jobs.status.succeeded"])
    shows(page, WORDS["training.ended.budget"])
    press(page, WORDS["ui.registry.promote"])
    shows(page, WORDS["ui.registry.demote"])
    shows(page, WORDS["ui.registry.promoted.plain"])


def two_runs(home: Path) -> list[dict[str, Any]]:
    """Train twice by command, for a moment each, in the server's home and the Japanese sample."""
    asked = ["train", "start", "-p", "aoba-ja", "--preset", "quick", "--seconds", "2", "--seeds", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "core", *asked, "--anyway", "--json"],
        cwd=ROOT,
        env={**os.environ, "KURABE_HOME": str(home), "KURABE_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"},
        capture_output=True,
        timeout=600,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def downloaded(page: Page, button: str) -> list[str]:
    """Press a download button and return the names in the archive that comes; press again if the press was lost."""
    for wait in (20_000, 20_000, 120_000):  # a press that meets the page while it is drawn anew reaches nobody
        try:
            with page.expect_download(timeout=wait) as waiting:
                press(page, button)
            break
        except PlaywrightTimeoutError:
            if wait == 120_000:
                raise
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.testzip() is None
        return [name.rpartition("/")[2] for name in archive.namelist()]


def test_runs_are_compared_and_taken_away_in_japanese(page: Page, server: Server, served_home: Path) -> None:
    words = catalogue("ja")
    first, second = two_runs(served_home)
    at = f"{server.url}/training?lang=ja&project={first['job']['project_id']}"
    page.goto(f"{at}&view=compare&runs={first['id']},{second['id']}")
    settle(page)
    shows(page, words["ui.registry.compare.differing"])
    table = page.get_by_test_id("stDataFrame").nth(1)  # a canvas, which holds its text for readers that cannot see it
    expect(table).to_contain_text(words["training.field.seed"], timeout=60_000)
    page.goto(f"{at}&view=runs&run={second['id']}")
    settle(page)
    assert {"train.py", "train.jsonl"} <= set(downloaded(page, words["ui.registry.kit"]))
    page.goto(f"{at}&view=adapters")
    settle(page)
    assert {"adapter_model.safetensors", "README.md"} <= set(downloaded(page, words["ui.registry.export"]))
