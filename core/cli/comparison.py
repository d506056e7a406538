"""``python -m core ask``, ``evaluate``, ``report``, ``export``, ``changes`` and ``demo``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from core.approaches import AnswerRequest, Decoding, answer, spec_of_row
from core.cli._output import Json, command, console, progress_line, show, table
from core.cli.approaches import chosen
from core.cli.jobs import follow
from core.cli.project import Project
from core.datasets import latest_version, version
from core.decision import (
    approach_name,
    called,
    decide_experiment,
    failure_texts,
    headline,
    note_text,
    report_html,
    share_text,
    verdict_word,
)
from core.errors import KurabeError
from core.evaluation import (
    ExperimentConfig,
    Plan,
    Results,
    compare_experiments,
    experiments,
    latest_experiment,
    openings,
    plan_experiment,
    results,
    start_experiment,
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
    for function in (ask, evaluate, report, export, changes, demo):
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


def evaluate(
    project: Project,
    questions: Annotated[int | None, typer.Option(help="Questions, evenly over the slices; default all.")] = None,
    split: Annotated[
        Literal["validation", "test"], typer.Option(help="Choose and tune on validation; test is for the end.")
    ] = "test",
    approach: Annotated[list[str] | None, typer.Option(help="Preset, name or id; repeat; default: all.")] = None,
    latency_questions: Annotated[int, typer.Option(help="Questions asked alone to measure waiting time.")] = 12,
    repetitions: Annotated[int, typer.Option(help="Answers per question; more need a temperature.", min=1, max=50)] = 1,
    temperature: Annotated[float | None, typer.Option(help="0 takes the likeliest word; default: theirs.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest words up to this sum.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer; default: theirs.")] = None,
    thinking: Annotated[bool | None, typer.Option(help="Let models that can reason do so; default: theirs.")] = None,
    baseline: Annotated[str | None, typer.Option(help="Preset or name that others are compared with.")] = None,
    dataset_version: Annotated[str | None, typer.Option(help="Dataset version id; default: the newest.")] = None,
    take_over: Annotated[
        bool, typer.Option(help="Take over answers of finished runs under the same conditions.")
    ] = True,
    plan: Annotated[bool, typer.Option("--plan", help="Only tell what it would take and could find.")] = False,
    as_json: Json = False,
) -> None:
    """Ask every approach the test questions, as a job, and print what was measured."""
    owner = get_project(project)
    rows = chosen(owner.id, approach)
    changes = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "thinking": thinking}
    config = ExperimentConfig(
        dataset_version_id=_version_id(owner, dataset_version),
        approach_ids=tuple(row.id for row in rows),
        questions=questions,
        split=split,
        latency_questions=latency_questions,
        repetitions=repetitions,
        decoding=_decoding(rows, {name: value for name, value in changes.items() if value is not None}),
        baseline_id=_wanted(rows, [baseline])[0].id if baseline else None,
        take_over=take_over,
    )
    foreseen = plan_experiment(owner.id, config)
    if plan and as_json:
        show(asdict(foreseen))
        return
    progress_line(plan_text(foreseen))
    if plan:
        return
    if split == "test" and (looked := openings(owner.id, config.dataset_version_id)).total:
        progress_line(t("ui.seal.again", total=format_number(looked.total)))
        progress_line(t("cli.evaluate.validation"))
    experiment = start_experiment(owner.id, config)
    follow(str(experiment.job_id))
    _print_results(results(experiment.id), as_json)


def _wanted(known: list[tb.Approach], names: list[str] | None) -> list[tb.Approach]:
    """Return the approaches of these presets or names; all without any.

    Raises:
        KurabeError: ``registry.unknown`` for a name that nobody has.
    """
    for name in names or ():
        if not any(name in (row.preset, row.name) for row in known):
            raise KurabeError("registry.unknown", kind="approach", name=name, suggestions="-",
                              known=", ".join(row.name for row in known))  # fmt: skip
    return [row for row in known if not names or {row.preset, row.name} & set(names)]


def _version_id(owner: tb.Project, wanted: str | None) -> str:
    """Return the dataset version that was named, else the newest.

    Raises:
        KurabeError: ``comparison.no_data``; ``store.missing`` for one of another project.
    """
    found = latest_version(owner.id) if wanted is None else version(wanted)
    if found is None:
        raise KurabeError("comparison.no_data", what="questions")
    if found.project_id != owner.id:
        raise KurabeError("store.missing", kind="dataset version", id=wanted)
    return found.id


def _decoding(rows: list[tb.Approach], changes: dict[str, Any]) -> Decoding | None:
    """Return the first approach's decoding with what was asked for, pinned for all; None without a change.

    Raises:
        KurabeError: ``cli.decoding`` for a value that no model takes.
    """
    if not changes or not rows:
        return None
    try:
        return Decoding(**{**spec_of_row(rows[0]).decoding.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise KurabeError("cli.decoding", name=str(first["loc"][0]), value=str(first["input"])) from error


def plan_text(plan: Plan) -> str:
    """Return what a run will take and could find, each forecast with what it rests on."""
    smallest = plan.smallest_detectable
    return t(
        "cli.evaluate.plan",
        calls=format_number(plan.calls),
        taken=format_number(plan.taken),
        tokens=format_number(plan.tokens) if plan.tokens is not None else "–",
        tokens_basis=_bases("prompt", [p.prompt_basis or "unknown" for p in plan.approaches]),
        cost=format_money(plan.cost, plan.currency) if plan.cost is not None else "–",
        cost_basis=_bases("cost", [p.cost_basis for p in plan.approaches]),
        time=format_duration(plan.seconds) if plan.seconds is not None else "–",
        time_basis=_bases("time", [p.time_basis for p in plan.approaches]),
        smallest=t("ui.points", n=format_number(100 * smallest)) if smallest else "–",
    )


def _bases(figure: str, codes: Sequence[str]) -> str:
    return ", ".join(t(f"setup.basis.{figure}.{code}") for code in dict.fromkeys(codes))


def _print_results(found: Results, as_json: bool) -> None:
    if as_json:
        show(found.as_dict())
        return
    words = {pair.first: verdict_word(pair.verdict) for pair in found.comparisons if pair.slice is None}
    rows = []
    for a in found.approaches:
        cost, waiting = a.cost.per_1000, a.latency.total.get("p50")
        rows.append(
            (
                approach_name(a),
                share_text(a.correct),
                words.get(a.approach_id, "–"),
                f"{a.tokens.prompt.estimate:.0f} + {a.tokens.completion.estimate:.0f}"
                if a.tokens.prompt and a.tokens.completion
                else "–",
                format_money(cost.estimate, a.cost.currency) if cost else "–",
                format_duration(waiting.estimate) if waiting else "–",
            )
        )
    columns = ("decision.report.approach", "decision.criterion.correct", "decision.report.against", "cli.tokens",
               "decision.criterion.cost", "decision.criterion.waiting_time")  # fmt: skip
    table([t(name) for name in columns], rows)
    notes = [{"code": "twins", "params": asdict(twins)} for twins in found.twins]
    for text in (*failure_texts(found), *(note_text(note, found) for note in notes)):
        console.print(text, markup=False)
    if found.headroom is not None:
        most = {"tuning": found.headroom.tuning_at_most, "search": found.headroom.retrieval_at_most}
        hundred = {name: format_number(100 * interval.estimate) for name, interval in most.items()}
        console.print(t("charts.headroom.title", **hundred))


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
        _print_results(results(outcome["experiment_id"]), as_json=False)
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
