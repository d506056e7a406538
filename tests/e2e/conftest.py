"""One server and one browser for all end-to-end tests, in a home of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from core.settings import reset_settings
from tests.e2e.running import CHROMIUM, Server, browse, serve


@pytest.fixture(autouse=True)
def home() -> Iterator[None]:
    """The server has its own home; a test must not get another one."""
    yield


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that the server works in."""
    return tmp_path_factory.mktemp("e2e-home")


@pytest.fixture(scope="session")
def server(served_home: Path) -> Iterator[Server]:
    """The app, started as people start it."""
    for name in [name for name in os.environ if name.startswith("KURABE_") and name != "KURABE_CHROMIUM"]:
        del os.environ[name]
    with serve(served_home, served_home / "server.log", OMP_NUM_THREADS="2") as running:
        yield running
    os.environ["KURABE_HOME"] = str(served_home)
    reset_settings()
    from core.models import stop_host

    stop_host()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, if this machine has it."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; set KURABE_CHROMIUM")
    with browse() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    yield context.new_page()
    context.close()
