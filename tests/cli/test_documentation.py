"""README and docs name commands, options and targets that exist, and the reference is what the code says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from core.cli.reference import reference
from core.cli.root import app
from core.i18n import LANGUAGES, Language
from core.settings import ROOT, Settings

PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/guide.*.md"), ROOT / "docs" / "starter.md"])
COMMAND = re.compile(r"python -m (core[a-z.]*)((?: +[^`\n#|>&;]+)?)")


def named_commands() -> list[tuple[str, str]]:
    """Page and words of every ``python -m core …`` in the pages, in blocks and in sentences."""
    found = []
    for page in PAGES:
        text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))
        found += [(page.name, match.group(2).strip()) for match in COMMAND.finditer(text) if match.group(1) == "core"]
    return found


def test_the_pages_name_commands() -> None:
    assert len(named_commands()) >= 5


@pytest.mark.parametrize(("page", "words"), named_commands())
def test_a_command_in_the_documentation_exists_with_its_options(page: str, words: str) -> None:
    command: Any = typer.main.get_command(app)
    arguments = [word for word in shlex.split(words) if word != "…"]
    while arguments and hasattr(command, "commands"):
        if arguments[0].startswith("-"):
            break
        assert arguments[0] in command.commands, f"{page}: python -m core {words}"
        command = command.commands[arguments.pop(0)]
    known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    named = {word.split("=")[0] for word in arguments if word.startswith("-") and word != "-"}
    assert named <= known | {"--help", "-h"}, f"{page}: python -m core {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_and_settings_in_the_documentation_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", text, re.MULTILINE)) <= targets
    known = {f"KURABE_{name.upper()}" for name in Settings.model_fields} | {"KURABE_CONFIG"}
    assert set(re.findall(r"KURABE_[A-Z_]+[A-Z]", text)) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_reference_is_what_the_code_says_now(code: Language) -> None:
    written = (ROOT / "docs" / f"reference.{code}.md").read_text(encoding="utf-8")
    assert "⟦" not in written
    assert written == reference(code), "run: python -m core reference"
