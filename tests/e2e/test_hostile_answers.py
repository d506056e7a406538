"""What a model writes is shown as text: no script runs, nothing is loaded from elsewhere, the page stays usable."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core import datasets
from core.approaches import ApproachSpec, ModelChoice, comparison, is_running, save_approach, start_comparison
from core.evaluation import ExperimentConfig, start_experiment
from core.evaluation.jobs import run_experiment
from core.i18n import catalogue
from core.jobs import JobContext
from core.settings import reset_settings
from core.store import migrate, reset_engine
from tests.approaches.world import make_project
from tests.e2e.running import ADDRESSES, Server, serve, settle
from tests.faults.hostile import ELSEWHERE, HARMFUL, HOSTILE
from tests.faults.troubled import Handler, troubled

pytestmark = pytest.mark.e2e


def mood(handler: Handler, question: str, before: int) -> None:
    """Three services: one good, one hostile, one that fails with a page of HTML."""
    match handler.body["model"]:
        case "hostile":
            handler.answer(HOSTILE)
        case "failing":
            handler.send(HARMFUL.encode(), 400, "text/html")
        case _:
            handler.answer("The warranty period is 24 months.")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """A running app with a comparison and a test run over the three services, and the addresses of both."""
    home = tmp_path_factory.mktemp("hostile")
    before = {name: os.environ[name] for name in os.environ if name.startswith("KURABE_")}
    for name in before.keys() - {"KURABE_CHROMIUM"}:
        del os.environ[name]
    os.environ |= {"KURABE_HOME": str(home), "KURABE_HUB_OFFLINE": "1", "KURABE_FREE_SPACE_FLOOR_MB": "1"}
    reset_settings()
    reset_engine()
    try:
        with serve(home, home / "log") as server:
            yield server, *_asked(home)
    finally:
        for name in [name for name in os.environ if name.startswith("KURABE_")]:
            del os.environ[name]
        os.environ |= before
        reset_settings()
        reset_engine()


def _asked(home: Path) -> tuple[str, str]:
    """Ask all three on both pages; return the addresses without the server."""
    migrate()
    project = make_project(index=False)
    with troubled(mood) as outside:
        ids = [
            save_approach(project.id, ApproachSpec(name=f"Service {model}", preset="endpoint",
                          model=ModelChoice(kind="endpoint", ref=model, url=outside.url))).id
            for model in ("good", "hostile", "failing")
        ]  # fmt: skip
        asked = start_comparison(project.id, "How long is the warranty of the Amber Kettle?", ids)
        deadline = time.monotonic() + 120
        while is_running(comparison(asked)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        version = datasets.latest_version(project.id)
        assert version is not None
        config = ExperimentConfig(dataset_version_id=version.id, approach_ids=tuple(ids), latency_questions=0)
        experiment = start_experiment(project.id, config, launch=False)
        job = JobContext("job", {"experiment_id": experiment.id}, home, project_id=project.id)
        assert run_experiment(job)["failed"] == 12
    where = f"lang=en&project={project.id}"
    return (
        f"{ADDRESSES['compare']}?{where}&compare={asked}",
        f"{ADDRESSES['test_run']}?{where}&experiment={experiment.id}",
    )


@pytest.fixture
def watched(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A visitor, and every address that the page asks for."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    context.close()


def assert_harmless(page: Page, asked: list[str], server: Server) -> None:
    """Nothing ran, nothing came from elsewhere, nothing stands out of the page."""
    assert page.evaluate("window.harmed") is None
    mine = urlsplit(server.url).netloc
    assert [url for url in asked if urlsplit(url).scheme.startswith("http") and urlsplit(url).netloc != mine] == []
    for made in (f"[src^='{ELSEWHERE}']", "a[href^='javascript']", "svg[onload]", "img[onerror]"):
        assert page.locator(made).count() == 0, made
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 1, "the page is too wide"
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible()


def test_the_compare_page_shows_hostile_answers_as_text(
    addresses: tuple[Server, str, str], watched: tuple[Page, list[str]]
) -> None:
    server, compare, _ = addresses
    page, asked = watched
    words = catalogue("en")
    page.goto(f"{server.url}/{compare}")
    settle(page)
    expect(page.get_by_text("The warranty period is 24 months.").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("<script>window.harmed = 1</script>").first).to_be_visible()
    expect(page.get_by_text(f"![picture]({ELSEWHERE}/b.png)").first).to_be_visible()
    expect(page.get_by_text("status 400").first).to_be_visible()
    assert_harmless(page, asked, server)
    page.get_by_text(words["ui.compare.differences"].format(base="Service good")).first.click()
    settle(page)
    expect(page.get_by_text("<script>window.harmed = 1</script>").first).to_be_visible(timeout=60_000)
    assert_harmless(page, asked, server)


def test_the_test_run_page_shows_hostile_answers_as_text(
    addresses: tuple[Server, str, str], watched: tuple[Page, list[str]]
) -> None:
    server, _, run = addresses
    page, asked = watched
    page.goto(f"{server.url}/{run}")
    settle(page)
    expect(page.get_by_text("failed calls: 12").first).to_be_visible(timeout=60_000)
    assert_harmless(page, asked, server)
    page.goto(f"{server.url}/{run}&view=cases")
    settle(page)
    page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller").first.click(position={"x": 15, "y": 55})
    settle(page)
    written = page.get_by_test_id("stText").filter(has_text="<script>window.harmed = 1</script>")
    expect(written).to_be_visible(timeout=60_000)
    expect(page.get_by_text("status 400").first).to_be_visible()
    assert_harmless(page, asked, server)
