"""The root command and its groups."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated, Literal

import typer

from core import __version__
from core.cli import (
    approaches,
    comparison,
    datasets,
    doctor,
    drafting,
    evaluating,
    jobs,
    judging,
    knowing,
    knowledge,
    models,
    project,
    reference,
    runs,
    training,
)
from core.cli._output import command, guarded, progress_line
from core.i18n import t, use_language
from core.projects import ensure_samples
from core.settings import settings
from core.store import migrate

__all__ = ["app", "main"]

app = typer.Typer(
    name="kurabe",
    help="Kurabe 比べ: measure on your own data whether to fine-tune, retrieve, do both or neither.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(project.app, name="project")
app.add_typer(datasets.dataset, name="dataset")
app.add_typer(knowledge.knowledge, name="knowledge")
app.add_typer(approaches.app, name="approaches")
app.add_typer(training.app, name="train")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
doctor.register(app)
models.register(app)
comparison.register(app)
evaluating.register(app)
judging.register(app)
drafting.register(datasets.dataset)
knowing.register(datasets.dataset)
reference.register(app)

_WITHOUT_STORE = {"demo", "host"}
"""Commands that choose a home of their own before anything is opened."""


@app.callback()
def begin(
    context: typer.Context,
    language: Annotated[Literal["en", "ja"] | None, typer.Option(help="Language of the output.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Settle the language and bring the store up to date before a command runs."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if language is not None:
        use_language(language)
    if context.invoked_subcommand not in _WITHOUT_STORE and not {"-h", "--help"} & set(sys.argv):
        logging.basicConfig(level="DEBUG" if verbose else "WARNING")
        _prepare()


def _prepare() -> None:
    with guarded(as_json="--json" in sys.argv):  # its options are read only after this
        settings()
        migrate()


@command(app)
def setup() -> None:
    """Create or update the store and load the sample projects; safe to repeat."""
    for sample in ensure_samples():
        progress_line(t("cli.project.created", name=sample.name, id=sample.id))


@command(app)
def version() -> None:
    """Print Kurabe's version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    app()
