"""``python -m core evaluate``: a whole test run, its judge if one is wanted, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from core.approaches import Decoding, check_key_present, spec_of_row
from core.cli._output import Json, command, console, progress_line, show, table
from core.cli.approaches import chosen
from core.cli.jobs import follow
from core.cli.judging import judged, model_choice, print_judged
from core.cli.project import Project
from core.datasets import latest_version, version
from core.decision import approach_name, failure_texts, note_text, share_text, verdict_word
from core.errors import KurabeError
from core.evaluation import (
    ExperimentConfig,
    JudgeChoice,
    Plan,
    Results,
    judge_refused,
    judgings,
    openings,
    plan_experiment,
    results,
    start_experiment,
)
from core.i18n import format_duration, format_money, format_number, t
from core.projects import get_project
from core.store import tables as tb

__all__ = ["print_results", "register"]


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app)(evaluate)


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
    judge: Annotated[bool, typer.Option("--judge", help="Let a model judge the answers afterwards.")] = False,
    judge_model: Annotated[str | None, typer.Option(help="Model that judges; default: the project's base.")] = None,
    judge_url: Annotated[str | None, typer.Option(help="OpenAI-compatible address that serves it.")] = None,
    judge_key_name: Annotated[str | None, typer.Option(help="Environment variable that holds its key.")] = None,
    judge_rubric: Annotated[str | None, typer.Option(help="What a good answer is, in words.")] = None,
    judge_pairs: Annotated[
        Literal["baseline", "all", "none"] | None, typer.Option(help="Approaches that it compares; default: baseline.")
    ] = None,
    judge_metric: Annotated[list[str] | None, typer.Option(help="groundedness, relevance, rubric; repeat.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only tell what it would take and could find.")] = False,
    as_json: Json = False,
) -> None:
    """Ask every approach the test questions, as a job, and print what was measured."""
    owner = get_project(project)
    rows = chosen(owner.id, approach)
    changes = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "thinking": thinking}
    own = {"rubric": judge_rubric, "pairs": judge_pairs, "metrics": tuple(judge_metric) if judge_metric else None}
    config = ExperimentConfig(
        dataset_version_id=_version_id(owner, dataset_version),
        approach_ids=tuple(row.id for row in rows),
        questions=questions,
        split=split,
        latency_questions=latency_questions,
        repetitions=repetitions,
        decoding=_decoding(rows, changes),
        baseline_id=_wanted(rows, [baseline])[0].id if baseline else None,
        take_over=take_over,
        judge=_judge(owner, judge, (judge_model, judge_url, judge_key_name), own),
    )
    _plan_and_run(owner, config, as_json, only_plan=plan)


def _plan_and_run(owner: tb.Project, config: ExperimentConfig, as_json: bool, *, only_plan: bool) -> None:
    foreseen = plan_experiment(owner.id, config)
    if only_plan and as_json:
        show(asdict(foreseen))
        return
    progress_line(_plan_text(foreseen))
    if only_plan:
        return
    if config.split == "test" and (looked := openings(owner.id, config.dataset_version_id)).total:
        progress_line(t("ui.seal.again", total=format_number(looked.total)))
        progress_line(t("cli.evaluate.validation"))
    if config.judge is not None:
        check_key_present(config.judge.model.key_name)  # its job takes this environment, and would wait for ever
    experiment = start_experiment(owner.id, config)
    follow(str(experiment.job_id))
    _tell(experiment.id, as_json)


def _tell(experiment_id: str, as_json: bool) -> None:
    """Print what was measured, then what the judge says; a judge that fails takes no figure away.

    Raises:
        KurabeError: why the judge that was chosen said nothing, when everything else is printed.
    """
    if not as_json:
        print_results(results(experiment_id))
    error = judge_refused(experiment_id)
    made = judgings(experiment_id)
    if made:
        try:
            follow(str(made[0].job_id), blocked=False)
        except KurabeError as failed:
            error = failed
    if as_json:
        said = {"judge": judged(made[0].id)} if made else {}
        show({**results(experiment_id).as_dict(), **said})
    elif made:
        print_judged(made[0].id)
    if error is not None:
        raise error


def _judge(
    owner: tb.Project, wanted: bool, named: tuple[str | None, str | None, str | None], own: dict[str, Any]
) -> JudgeChoice | None:
    """Return who judges and by what; naming any part of it asks for a judge, None of them for none.

    Args:
        owner: whose base model judges if nobody is named.
        wanted: whether a judge was asked for.
        named: model, address, and the variable that holds the key.
        own: fields of `JudgeChoice`; None leaves one at its default.
    """
    told = {name: value for name, value in own.items() if value is not None}
    if not wanted and not told and not any(named):
        return None
    return JudgeChoice(model=model_choice(owner, *named), **told)


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
    """Return the first approach's decoding with what was asked for (not None), pinned for all; None without a change.

    Raises:
        KurabeError: ``cli.decoding`` for a value that no model takes.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes or not rows:
        return None
    try:
        return Decoding(**{**spec_of_row(rows[0]).decoding.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise KurabeError("cli.decoding", name=str(first["loc"][0]), value=str(first["input"])) from error


def _plan_text(plan: Plan) -> str:
    """Return what a run will take and could find, each forecast with what it rests on."""
    smallest = plan.smallest_detectable
    told = t(
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
    return f"{told}\n{_judge_text(plan)}" if plan.judge is not None else told


def _judge_text(plan: Plan) -> str:
    """Return what the judge will take at the end, about."""
    assert plan.judge is not None
    cost = plan.judge.cost
    return t(
        "setup.judge.forecast",
        calls=format_number(plan.judge.calls),
        tokens=format_number(plan.judge.tokens),
        cost=format_money(cost, plan.currency) if cost is not None else t("ui.judge.cost.unknown"),
    )


def _bases(figure: str, codes: Sequence[str]) -> str:
    return ", ".join(t(f"setup.basis.{figure}.{code}") for code in dict.fromkeys(codes))


def print_results(found: Results) -> None:
    """Print the table of a test run with what there is to say about it."""
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
