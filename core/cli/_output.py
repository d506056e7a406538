"""How commands speak: tables for people, JSON for machines, errors on stderr as code, message and hint."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from core.errors import as_kurabe_error
from core.i18n import describe, t

__all__ = ["Json", "command", "console", "guarded", "plain", "progress_line", "show", "show_line", "table", "watching"]

P = ParamSpec("P")
R = TypeVar("R")

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]

# Into a file or another program, a narrow screen's width would cut ids and sentences in two.
console = Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)
_err = Console(stderr=True, highlight=False)


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Register a command whose errors become code, message and hint on stderr and exit status 1."""

    def register(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with guarded(as_json=bool(kwargs.get("as_json"))):
                function(*args, **kwargs)

        app.command(name or function.__name__.rstrip("_").replace("_", "-"))(run)
        return function

    return register


@contextmanager
def guarded(*, as_json: bool = False) -> Iterator[None]:
    """Turn an error into code, message and hint on stderr, and exit status 1."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        _fail(error, as_json=as_json)


def _fail(error: Exception, *, as_json: bool) -> None:
    known = as_kurabe_error(error)
    message, hint = describe(known)
    if as_json:
        record = {"error": {"code": known.code, "message": message, "hint": hint, "params": known.params}}
        _err.print(json.dumps(record, ensure_ascii=False, default=plain), soft_wrap=True, markup=False)
    else:
        _err.print(f"[bold]{known.code}[/bold]")
        _err.print(message, markup=False, soft_wrap=True)
        if hint:
            _err.print(f"→ {hint}", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def plain(value: Any) -> Any:
    """Turn what JSON has no form for into text or numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def show(value: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n")


def show_line(value: Any) -> None:
    """Print one JSON document in one line, at once: for streams."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=plain) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print a table for people; text is never read as markup."""
    drawn = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    console.print(drawn)


def _cell(value: Any) -> Any:
    from rich.text import Text

    return Text("" if value is None else str(value))


def progress_line(text: str) -> None:
    """Report progress on stderr, so that stdout stays clean for results."""
    _err.print(text, markup=False, soft_wrap=True)


@contextmanager
def watching(description: str) -> Iterator[Callable[[float, float, str], None]]:
    """Show a bar with total and remaining time on stderr; yields ``update(done, total, text)``.

    Where stderr is no terminal (a log file, CI) each change of stage and every tenth becomes one line instead.
    """
    if not _err.is_terminal:
        yield _line_updates(description)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=_err) as bar:
        task = bar.add_task(description, total=None)

        def update(done: float, total: float, text: str) -> None:
            bar.update(task, completed=done, total=total or None, description=text or description)

        yield update


def _line_updates(description: str) -> Callable[[float, float, str], None]:
    last: tuple[str, int] = ("", -1)

    def update(done: float, total: float, text: str) -> None:
        nonlocal last
        tenth = int(10 * done / total) if total else 0
        if (text, tenth) != last:
            last = (text, tenth)
            progress_line(f"{text or description}  {t('cli.percent', n=tenth * 10)}")

    return update
