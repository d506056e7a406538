"""``python -m core judge`` and ``robustness``: a second look at the answers of a test run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from core.approaches import ModelChoice, get_approach, label_of
from core.cli._output import Json, command, console, progress_line, show, table
from core.cli.jobs import follow
from core.cli.project import Project
from core.decision import share_text, verdict_word
from core.errors import KurabeError
from core.evaluation import (
    PROBES,
    JudgeConfig,
    JudgePlan,
    RobustnessConfig,
    experiments,
    judge_outcome,
    latest_experiment,
    plan_judging,
    robustness_outcome,
    start_judging,
    start_robustness,
)
from core.i18n import format_money, format_number, format_percent, t
from core.projects import get_project
from core.store import tables as tb
from core.votes import agreement

__all__ = ["judged", "model_choice", "print_judged", "register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    for function in (judge, robustness):
        command(app)(function)


def judge(
    project: Project,
    experiment: Annotated[str | None, typer.Option(help="Experiment id; default: the newest finished one.")] = None,
    model: Annotated[str | None, typer.Option(help="Model that judges; default: the project's base model.")] = None,
    url: Annotated[str | None, typer.Option(help="OpenAI-compatible address that serves it.")] = None,
    key_name: Annotated[str | None, typer.Option(help="Environment variable that holds its key.")] = None,
    rubric: Annotated[str, typer.Option(help="What a good answer is, in words.")] = "",
    pairs: Annotated[Literal["baseline", "all", "none"], typer.Option(help="Approaches to compare.")] = "baseline",
    metric: Annotated[list[str] | None, typer.Option(help="groundedness, relevance, rubric; repeat.")] = None,
    questions: Annotated[int | None, typer.Option(help="Questions, evenly over the slices; default all.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would take.")] = False,
    as_json: Json = False,
) -> None:
    """Let a model judge answers: pairs in both orders, groundedness, relevance, a rubric."""
    owner = get_project(project)
    config = JudgeConfig(
        experiment_id=_experiment(owner, experiment),
        model=model_choice(owner, model, url, key_name),
        rubric=rubric,
        pairs=pairs,
        metrics=tuple(metric or ()),
        questions=questions,
    )
    foreseen = plan_judging(config)
    progress_line(_plan_text(foreseen))
    if plan:
        if as_json:
            show(asdict(foreseen))
        return
    judging = start_judging(config)
    follow(str(judging.job_id))
    if as_json:
        show(judged(judging.id))
    else:
        print_judged(judging.id)


def judged(judging_id: str) -> dict[str, Any]:
    """Return what a judge said and how far people agree with it, for machines."""
    people = agreement(judging_id)
    return {**judge_outcome(judging_id).as_dict(), "people": asdict(people) if people else None}


def _experiment(owner: tb.Project, experiment: str | None) -> str:
    """Return the experiment that was named, else the newest finished one of the project.

    Raises:
        KurabeError: ``cli.no_experiment``; ``store.missing`` for one of another project.
    """
    if experiment is not None:
        if experiment not in {row.id for row in experiments(owner.id)}:
            raise KurabeError("store.missing", kind="experiment", id=experiment)
        return experiment
    newest = latest_experiment(owner.id)
    if newest is None:
        raise KurabeError("cli.no_experiment", project=owner.name)
    return newest.id


def robustness(
    project: Project,
    experiment: Annotated[str | None, typer.Option(help="Experiment id; default: the newest finished one.")] = None,
    probe: Annotated[list[str] | None, typer.Option(help=f"{', '.join(PROBES)}; repeat; default: all.")] = None,
    questions: Annotated[int, typer.Option(help="Most questions, evenly over the slices.")] = 20,
    repetitions: Annotated[int, typer.Option(help="Answers per question in the probe repeated.")] = 5,
    temperature: Annotated[float, typer.Option(help="Temperature of the probe repeated.")] = 0.7,
    as_json: Json = False,
) -> None:
    """Ask some questions again: search down, passages shuffled, other words, repeated; and general tasks."""
    owner = get_project(project)
    if unknown := set(probe or ()) - set(PROBES):
        raise KurabeError("registry.unknown", kind="probe", name=", ".join(unknown), suggestions="-",
                          known=", ".join(PROBES))  # fmt: skip
    config = RobustnessConfig.model_validate(
        {
            "experiment_id": _experiment(owner, experiment),
            "probes": probe or PROBES,
            "questions": questions,
            "repetitions": repetitions,
            "temperature": temperature,
        }
    )
    follow(str(start_robustness(config)))
    found = robustness_outcome(config.experiment_id)
    if as_json:
        show(asdict(found))
        return
    columns = ("ui.robustness.probes", "decision.report.approach", "ui.robustness.before", "ui.robustness.now",
               "ui.judge.word", "ui.robustness.same")  # fmt: skip
    rows = [
        (t(f"ui.robustness.probe.{r.probe}"), _name(r.approach_id), share_text(r.before), share_text(r.now),
         verdict_word(r.verdict) if r.verdict else "–", "–" if r.same is None else format_percent(r.same))
        for r in found.results
    ]  # fmt: skip
    table([t(name) for name in columns], rows)


def model_choice(owner: tb.Project, model: str | None, url: str | None, key_name: str | None) -> ModelChoice:
    """Return the model at an address, else the one that is named, else the project's base model."""
    if url is not None:
        return ModelChoice(kind="endpoint", ref=model or "default", url=url, key_name=key_name)
    ref = model or owner.base_ref
    return ModelChoice(ref=ref, base_ref=ref)


def _plan_text(plan: JudgePlan) -> str:
    cost = format_money(plan.cost, plan.currency) if plan.cost is not None else "–"
    return t(
        "cli.judge.plan",
        calls=format_number(plan.calls),
        prompt=format_number(plan.prompt_tokens),
        completion=format_number(plan.completion_tokens),
        cost=cost,
    )


def print_judged(judging_id: str) -> None:
    """Print what a judge said, and what tells how far it is to be trusted."""
    outcome, people = judge_outcome(judging_id), agreement(judging_id)
    columns = ("decision.report.approach", "ui.judge.against", "ui.judge.share", "ui.judge.word", "ui.judge.wins",
               "ui.judge.losses", "ui.judge.ties", "ui.judge.undecided")  # fmt: skip
    rows = [
        (_name(p.first), _name(p.second), share_text(p.share), verdict_word(p.verdict), p.wins, p.losses, p.ties,
         p.undecided)
        for p in outcome.pairs
    ]  # fmt: skip
    if rows:
        table([t(name) for name in columns], rows)
    graded = [
        (_name(a), t(f"measures.metric.{m}"), share_text(i)) for a, f in outcome.metrics.items() for m, i in f.items()
    ]
    if graded:
        table([t("decision.report.approach"), t("ui.judge.metrics"), t("cli.value")], graded)
    console.print(f"{t('ui.judge.flips')}: {share_text(outcome.flip_rate)}")
    console.print(f"{t('ui.judge.first')}: {share_text(outcome.first_shown)}")
    if people is not None:
        console.print(f"{t('ui.judge.people')}: {share_text(people.agree)}")
    console.print(t("ui.judge.replies.note", unreadable=outcome.unreadable, failed=outcome.failed))


def _name(approach_id: str) -> str:
    return label_of(get_approach(approach_id))
