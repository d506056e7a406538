"""A real server and a real browser for tests and pictures."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from core.i18n import Language
from core.settings import ROOT, reset_settings
from core.store import reset_engine
from core.ui.navigation import PAGES

CHROMIUM = os.environ.get("KURABE_CHROMIUM", "/usr/bin/chromium")
ADDRESSES = {info.key: info.path for info in PAGES}
IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"
_DRAWN = """() => document.querySelector("[data-testid='stApp'][data-test-script-state='notRunning']")
  && !document.querySelector("[data-testid='stSkeleton']")"""


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]
    seconds_to_health: float


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(home: Path, log: Path, **variables: str) -> Iterator[Server]:
    """Run ``streamlit run app.py`` on a free port until the block ends."""
    port = free_port()
    environment = {**os.environ, "KURABE_HOME": str(home), "KURABE_HUB_OFFLINE": "1", **variables}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for_health(url, process, log)
        yield Server(url, process, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for_health(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer at {url}/healthz: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def browse() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page, seconds: float = 120) -> None:
    """Wait until the script has run and everything that it drew is there: widgets load their code when first shown."""
    page.wait_for_selector(IDLE, timeout=seconds * 1000, state="attached")
    page.wait_for_timeout(300)
    page.wait_for_function(_DRAWN, timeout=seconds * 1000)


@contextmanager
def in_home(folder: Path) -> Iterator[None]:
    """Work in the running app's home for a moment."""
    before = os.environ.get("KURABE_HOME")
    os.environ["KURABE_HOME"] = str(folder)
    reset_settings()
    reset_engine()
    try:
        yield
    finally:
        os.environ.pop("KURABE_HOME")
        if before is not None:
            os.environ["KURABE_HOME"] = before
        reset_settings()
        reset_engine()


def sample_project(home: Path, code: Language) -> str:
    """Return the id of the sample project in this language; the first visit of all brings them."""
    with in_home(home):
        from core.projects import projects

        return next(each.id for each in projects() if each.language == code and each.sample)
