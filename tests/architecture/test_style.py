"""What a reader of the code may rely on: short functions, short pages, and a project that stands alone."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    file
    for file in [*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    if "versions" not in file.parts  # migrations are written by core.store.revise
)


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_function_is_longer_than_sixty_lines(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_nothing_is_left_for_later_and_no_check_is_switched_off_without_a_reason(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"#.*\b(?:TODO|FIXME|XXX|HACK)\b.*", text) == []
    assert re.findall(r"# type: ignore(?!\[[a-z, -]+\]  # \S).*", text) == [], "a code in brackets, then the reason"


def test_every_room_says_what_it_offers() -> None:
    rooms = [file for file in ROOT.glob("core/*/__init__.py") if file.parent.name not in ("worker", "starter", "ui")]
    silent = [relative(file) for file in rooms if "__all__" not in file.read_text(encoding="utf-8")]
    assert silent == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("pages/*.py")), ids=relative)
def test_a_page_stays_a_thin_script(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_a_file_says_what_it_is_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), "a docstring in the first line"


def test_nothing_tracked_names_a_machine_or_a_way_of_working() -> None:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    forbidden = re.compile(r"/wor[k]/|\.\./share[d]|index-ur[l]|https?://[a-z0-9.-]*pypi[a-z0-9.-]*/", re.IGNORECASE)
    for name in filter(None, names):
        file = ROOT / name
        if file.suffix in {".woff2", ".png", ".safetensors", ".pdf", ".docx", ".parquet"} or not file.is_file():
            continue
        found = forbidden.search(file.read_text(encoding="utf-8", errors="ignore"))
        assert found is None, f"{name}: {found.group() if found else ''}"
