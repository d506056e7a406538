"""``python -m core ask``, ``report``, ``export``, ``changes`` and ``demo``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.approaches import AnswerRequest, answer
from core.cli._output import Json, command, console, progress_line, show, table
from core.cli.approaches import chosen
from core.cli.evaluating import print_results
from core.cli.jobs import follow
from core.cli.project import Project
from core.decision import (
    called,
    decide_experiment,
    headline,
    report_html,
    share_text,
    verdict_word,
)
from core.errors import KurabeError
from core.evaluation import (
    compare_experiments,
    experiments,
    latest_experiment,
    results,
    write_answers,
)
from core.i18n import Language, format_duration, format_money, format_number, t, use_language
from core.identity import atomic_write
from core.models import stop_host
from core.projects import ComparisonConfig, get_project, load_sample, start_comparison_job
from core.settings import reset_settings
from core.store import migrate, reset_engine
from core.store import tables as tb

__all__ = ["register", "summary"]

_ANSWER_FIELDS = ("id", "status", "text", "error", "finish_reason", "model", "prompt_tokens", "context_tokens",
                  "completion_tokens", "first_token_seconds", "total_seconds", "spans", "cost", "currency",
                  "cost_basis", "chunks")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    for function in (ask, report, export, changes, demo):
        command(app)(function)


def ask(
    project: Project,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    approach: Annotated[list[str] | None, typer.Option(help="Preset, name or id; repeat; default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Ask approaches one question, one after the other."""
    owner = get_project(project)
    answers = {}
    for row in chosen(owner.id, approach):
        request = AnswerRequest(project_id=owner.id, approach_id=row.id, question=question)
        answers[row.name] = answer(request)
    if as_json:
        show({name: {field: getattr(row, field) for field in _ANSWER_FIELDS} for name, row in answers.items()})
        return
    rows = [(name, row.text or (row.error or {}).get("code", ""), _tokens(row), _time(row), _cost(row))
            for name, row in answers.items()]  # fmt: skip
    table((t("cli.name"), t("cli.answer"), t("cli.tokens"), t("cli.elapsed"), t("cli.cost")), rows)


def _tokens(row: tb.Answer) -> str:
    return f"{row.prompt_tokens or 0} + {row.completion_tokens or 0}"


def _time(row: tb.Answer) -> str:
    return format_duration(row.total_seconds) if row.total_seconds is not None else ""


def _cost(row: tb.Answer) -> str:
    return format_money(row.cost, row.currency) if row.cost is not None and row.currency else ""


def report(
    project: Project,
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")] = Path("report.html"),
    experiment: Annotated[str | None, typer.Option(help="Experiment id; default: the newest finished one.")] = None,
) -> None:
    """Write the report of an experiment as one HTML file."""
    atomic_write(out, report_html(_experiment_id(project, experiment)))
    progress_line(str(out))


def export(
    project: Project,
    out: Annotated[Path, typer.Option("--out", "-o", help="File ending in .csv, .parquet or .json.")],
    experiment: Annotated[str | None, typer.Option(help="Experiment id; default: the newest finished one.")] = None,
) -> None:
    """Write every stored answer of an experiment, with its scores, as CSV, Parquet or JSON."""
    write_answers(_experiment_id(project, experiment), out)
    progress_line(str(out))


def changes(
    project: Project,
    earlier: Annotated[str, typer.Argument(help="Experiment id to compare with.")],
    later: Annotated[str | None, typer.Argument(help="Experiment id; default: the newest finished one.")] = None,
    as_json: Json = False,
) -> None:
    """Compare two experiments question by question: what became better or worse, approach by approach."""
    found = compare_experiments(_experiment_id(project, earlier), _experiment_id(project, later))
    if as_json:
        show(found.as_dict())
        return
    rows = [
        (
            called(change.name, change.preset, change.names),
            share_text(change.before),
            share_text(change.after),
            verdict_word(change.verdict),
            f"↑{change.up} ↓{change.down}",
            t(f"ui.changes.same.{'yes' if change.same else 'no'}"),
        )
        for change in found.approaches
    ]
    columns = ("ui.test.approach", "ui.changes.before", "ui.changes.after", "ui.changes.finding", "ui.test.up_down",
               "ui.changes.same")  # fmt: skip
    table([t(name) for name in columns], rows)
    counts = {"n": found.shared, "earlier": found.only_earlier, "later": found.only_later}
    console.print(t("ui.changes.shared", **{name: format_number(count) for name, count in counts.items()}))


def _experiment_id(project: str, experiment: str | None) -> str:
    """Return the experiment that was named, else the newest finished one of the project.

    Raises:
        KurabeError: ``cli.no_experiment``; ``store.missing`` for one of another project.
    """
    owner = get_project(project)
    if experiment is not None:
        if experiment not in {row.id for row in experiments(owner.id)}:
            raise KurabeError("store.missing", kind="experiment", id=experiment)
        return experiment
    newest = latest_experiment(owner.id)
    if newest is None:
        raise KurabeError("cli.no_experiment", project=owner.name)
    return newest.id


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for results.json and report.html.")],
    language: Annotated[Literal["en", "ja"], typer.Option(help="Which sample, and language of the report.")] = "en",
    questions: Annotated[int | None, typer.Option(help="Test questions, evenly over the slices; default all.")] = None,
    training_seconds: Annotated[int | None, typer.Option(help="Time limit of each training.")] = None,
    as_json: Json = False,
) -> None:
    """Run the whole sample comparison in a fresh workspace inside DIR, and write results.json and report.html."""
    use_language(language)
    begun = time.monotonic()
    home = _fresh_home(out)
    try:
        sample = load_sample(language)
        loaded = time.monotonic() - begun
        config = ComparisonConfig(questions=questions, training_seconds=training_seconds)
        view = follow(start_comparison_job(sample.id, config))
        outcome = view.result or {}
        document = summary(sample, outcome["experiment_id"])
        document["seconds"] = {"load": round(loaded, 2), **outcome["seconds"]}
        atomic_write(out / "report.html", report_html(outcome["experiment_id"], language))
        document["seconds"]["total"] = round(time.monotonic() - begun, 2)
        atomic_write(out / "results.json", _json(document))
    finally:
        stop_host()
    if as_json:
        show(document)
    else:
        print_results(results(outcome["experiment_id"]))
        typer.echo(document["verdict"]["sentence"])
        progress_line(t("cli.demo.done", folder=str(out), home=str(home)))


def _fresh_home(out: Path) -> Path:
    """Make a new workspace and point this process, and all it starts, at it: its store and index too."""
    home = out.resolve() / f"workspace-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    home.mkdir(parents=True)
    os.environ["KURABE_HOME"] = str(home)
    os.environ["KURABE_DATABASE_URL"] = f"sqlite:///{home / 'kurabe.sqlite'}"
    os.environ["KURABE_INDEX_URI"] = str(home / "index")
    reset_settings()
    reset_engine()
    migrate()
    return home


def summary(project: tb.Project, experiment_id: str) -> dict[str, Any]:
    """Return an experiment's results with its verdict, as ``results.json`` holds them."""
    found = results(experiment_id)
    verdict = decide_experiment(project, experiment_id)
    sentences: dict[Language, str] = {"en": headline(found, verdict, "en"), "ja": headline(found, verdict, "ja")}
    return {
        "project": {"name": project.name, "language": project.language, "base": project.base_ref,
                    "practice_model": project.base_ref == "starter"},
        "results": found.as_dict(),
        "verdict": {**verdict.as_dict(), "sentence": sentences["ja" if project.language == "ja" else "en"],
                    "sentences": sentences},
        "provenance": found.provenance,
    }  # fmt: skip


def _json(value: Any) -> str:
    import json

    from core.cli._output import plain

    return json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n"
