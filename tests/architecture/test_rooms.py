"""The rooms import rightwards only, and what the app loads never loads torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAYERS = [
    {"cli", "pages"},
    {"ui"},
    {"projects"},
    {"decision"},
    {"votes"},
    {"evaluation"},
    {"approaches", "training"},
    {"knowledge"},
    {"datasets"},
    {"prompting", "measures", "charts", "prices", "models", "jobs"},
    {"identity", "i18n", "store"},
    {"settings", "errors", "registry"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
PROMPTING = RANK["prompting"]
NEVER_IMPORTED = {"worker", "host", "starter"}
HEAVY = ("torch", "transformers", "trl", "peft", "bitsandbytes", "sentence_transformers")
MAY_COMPUTE = ("core/host/", "core/training/trainer/", "core/starter/")


def python_files() -> list[Path]:
    files = [*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    return sorted(file for file in files if "migrations" not in file.parts)


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def room_of(file: Path) -> str:
    parts = file.relative_to(ROOT).parts
    if parts[0] == "core":
        return parts[1].removesuffix(".py")
    return "pages"


def imports_of(file: Path) -> set[str]:
    """Full dotted names of what a file imports, wherever in the file it does so."""
    package = ".".join(file.relative_to(ROOT).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).strip(".")
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names if base in ("core", "core.store"))
    return found


def rooms_used(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(file) if name.startswith("core.") and name.count(".") >= 1}


@pytest.mark.parametrize("file", python_files(), ids=relative)
def test_a_file_imports_only_rooms_to_its_right(file: Path) -> None:
    own = room_of(file)
    used = rooms_used(file) - {own, "__version__", "tables", "__main__"}
    for other in used:
        assert other in RANK or other in NEVER_IMPORTED, f"{other} has no place in the order of rooms"
    if own in ("worker", "__main__", "__init__"):
        return
    assert not used & NEVER_IMPORTED, "these are processes of their own, named by string"
    if own in ("host", "starter"):
        assert all(RANK[other] >= PROMPTING for other in used)
        return
    assert own in RANK, f"core/{own} has no place in the order of rooms"
    wrong = {other for other in used if RANK[other] < RANK[own]}
    assert not wrong, f"core/{own} must not import {sorted(wrong)}"


@pytest.mark.parametrize("file", python_files(), ids=relative)
def test_only_the_computing_rooms_name_torch_and_its_family(file: Path) -> None:
    heavy = {name for name in imports_of(file) if name.split(".")[0] in HEAVY}
    assert not heavy or relative(file).startswith(MAY_COMPUTE)


@pytest.mark.parametrize("file", python_files(), ids=relative)
def test_only_pages_and_the_interface_draw(file: Path) -> None:
    draws = any(name.split(".")[0] == "streamlit" for name in imports_of(file))
    assert not draws or relative(file).startswith(("pages/", "core/ui/", "app.py"))


def test_everything_the_app_loads_stays_free_of_torch() -> None:
    modules = [
        relative(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in python_files()
        if relative(file).startswith("core/")
        and not relative(file).startswith((*MAY_COMPUTE, "core/ui/shell.py", "core/__main__.py"))
        and not relative(file).endswith("/__main__.py")
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"bad = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "sys.exit('loaded: ' + ', '.join(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
