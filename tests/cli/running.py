"""Commands as a person runs them, in this process: the same code without a second of start-up each."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from core.cli.root import app


def run(*arguments: object, answer: str | None = None) -> Result:
    """Run a command; whatever it ends with is in the result."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=answer)


def done(*arguments: object) -> Result:
    """Run a command that must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, (arguments, result.stdout, result.stderr, result.exception)
    return result


def told(*arguments: object) -> Any:
    """Run a command with ``--json`` and read what it prints."""
    return json.loads(done(*arguments, "--json").stdout)
