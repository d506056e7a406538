"""``python -m core train``: start a training, list adapters."""

from __future__ import annotations

import sys
from dataclasses import asdict
from html import unescape
from typing import Annotated, Any

import typer

from core.charts import learning_curve, seed_spread
from core.cli._output import Json, command, progress_line, show, table
from core.cli.datasets import chosen_version
from core.cli.jobs import follow
from core.cli.project import Project
from core.errors import KurabeError
from core.i18n import format_number, t
from core.knowledge import index_versions, knowledge_bases
from core.projects import get_project
from core.store import tables as tb
from core.training import (
    METHODS,
    OBJECTIVES,
    PRESETS,
    ROW_STYLES,
    Preflight,
    TrainingConfig,
    adapters,
    assigned,
    curve_series,
    launch_spec,
    numbers_told,
    preflight,
    processes_of,
    require_libraries,
    run_group,
    run_view,
    seed_series,
    start_learning_curve,
    start_probe,
    start_seeds,
    start_training,
)

__all__ = ["Wait", "app", "group_sentence"]

app = typer.Typer(help="Start trainings, list adapters.", no_args_is_help=True)

_PARTS = {"method_fields", "objective_fields"}
"""Fields that hold fields of their own."""

Aim = Annotated[str, typer.Option(help="sft: learn the answers; dpo: prefer the chosen of two answers.")]
Wait = Annotated[bool, typer.Option("--follow/--detach", help="Show its progress and wait for its end, or do not.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Any field of the training, its method or its objective, such as batch_size=4 or rank=8; "
        "may be given many times, and counts before the option of the same name.",
    ),
]
Data = Annotated[str | None, typer.Option(help="Dataset version by the beginning of its id; default: newest.")]
Index = Annotated[str | None, typer.Option(help="Index of raft and mix rows, likewise; default: newest.")]
Processes = Annotated[int | None, typer.Option(help="Train on so many devices at once, with a process on each.")]
LauncherName = Annotated[
    str | None, typer.Option(help="subprocess, or accelerate for several devices; default: what --processes needs.")
]
Probe = Annotated[
    bool, typer.Option("--probe", help="First measure time and memory with 3 real steps, as a job of one process.")
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Start even what is risky or will not work, without being asked.")
]


@command(app)
def start(
    project: Project,
    method: Annotated[str, typer.Option(help="lora, qlora, dora, rslora, …")] = "lora",
    objective: Aim = "sft",
    beta: Annotated[float | None, typer.Option(help="dpo: how firmly the base is held to.")] = None,
    preset: Annotated[str, typer.Option(help=", ".join(PRESETS))] = "balanced",
    rows: Annotated[str, typer.Option(help=", ".join(ROW_STYLES))] = "plain",
    base: Annotated[str | None, typer.Option(help="Base model; default: the project's.")] = None,
    data: Data = None,
    index: Index = None,
    seconds: Annotated[float | None, typer.Option(help="Time limit of the training.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Times that every row is seen.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak step size.")] = None,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    seeds: Annotated[int, typer.Option(help="Train so many times, each with another seed.", min=1, max=20)] = 1,
    curve: Annotated[bool, typer.Option("--learning-curve", help="Train on 10, 25, 50 and 100 % of the data.")] = False,
    name: Annotated[str, typer.Option(help="What people call the run.")] = "",
    given: Assignments = None,
    processes: Processes = None,
    launcher: LauncherName = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether it will work; train nothing.")] = False,
    probe: Probe = False,
    anyway: Anyway = False,
    wait_for: Wait = True,
    as_json: Json = False,
) -> None:
    """Train an adapter, as a job; follow it to its end."""
    if curve and seeds > 1:
        raise typer.BadParameter("--learning-curve and --seeds exclude each other")
    require_libraries()
    owner = get_project(project)
    METHODS.get(method)
    options = {"row_style": rows, "seconds_limit": seconds, "epochs": epochs, "learning_rate": learning_rate}
    options |= {"seed": seed, "name": name, **_aimed(objective, beta), **_basis(owner.id, base, data, index, rows)}
    fields: dict[str, Any] = {field: value for field, value in options.items() if value is not None}
    fields = _over(fields, assigned(given or (), method, objective))
    config = TrainingConfig.preset(owner.id, preset=preset, method=method, objective=objective, **fields)
    launch = launch_spec(processes, launcher)
    series = _series(config, seeds, curve=curve)
    found = _examined(owner.id, config, series, probe=probe, processes=processes_of(launch))
    if check:
        if as_json:
            show(found.as_dict())
        return
    if not anyway:
        _require_consent(found, may_ask=not as_json)
    started = _start(owner.id, config, seeds, curve=curve, preflight=found.as_dict(), launcher=launch)
    if wait_for:
        _followed(started)
    if as_json:
        views = [asdict(run_view(run.id)) for run in started]
        show(views[0] if len(views) == 1 else views)


def _basis(project_id: str, base: str | None, data: str | None, index: str | None, rows: str) -> dict[str, str | None]:
    """Return what the run rests on, where it was given: base model, dataset version, index version."""
    if index is not None and rows == "plain":
        raise typer.BadParameter("--index: plain rows carry no passages; give --rows raft or mix")
    return {
        "base_ref": base,
        "dataset_version_id": chosen_version(project_id, data).id if data is not None else None,
        "index_version_id": _index(project_id, index) if index is not None else None,
    }


def _index(project_id: str, beginning: str) -> str:
    """Return the id of the project's index version whose id begins, or ends, so: pages show the end.

    Raises:
        KurabeError: ``store.missing``, ``cli.several_versions``.
    """
    every = [version.id for base in knowledge_bases(project_id) for version in index_versions(base.id)]
    matching = [found for found in every if beginning and (found.startswith(beginning) or found.endswith(beginning))]
    if not matching:
        raise KurabeError("store.missing", kind="index version", id=beginning)
    if len(matching) > 1:
        raise KurabeError("cli.several_versions", id=beginning, n=len(matching))
    return matching[0]


def _series(config: TrainingConfig, seeds: int, *, curve: bool) -> list[TrainingConfig]:
    """Return the runs that were asked for."""
    if curve:
        return curve_series(config)
    return seed_series(config, range(config.seed, config.seed + seeds)) if seeds > 1 else [config]


def _require_consent(found: Preflight, *, may_ask: bool) -> None:
    """Go on against what the preflight says only if somebody says so, at a terminal; otherwise refuse with the reasons.

    Raises:
        KurabeError: ``training.will_not_work``, ``training.risky``.
    """
    if found.verdict == "go":
        return
    reasons = [t(f"training.preflight.{each.code}", **each.params) for each in found.findings if each.level != "go"]
    if found.verdict == "will_not":
        raise KurabeError("training.will_not_work", reasons=" ".join(reasons))
    if not (may_ask and _at_a_terminal()):
        raise KurabeError("training.risky", reasons=" ".join(reasons))
    typer.confirm(t("cli.train.knowingly"), abort=True, err=True)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _examined(
    project_id: str, config: TrainingConfig, series: list[TrainingConfig], *, probe: bool, processes: int
) -> Preflight:
    """Measure if that was asked for, and tell what speaks against the training."""
    if probe:
        follow(str(start_probe(project_id, config).job_id))
    found = preflight(config, series, processes=processes)
    _tell(found)
    return found


def _followed(started: list[tb.TrainingRun]) -> None:
    for run in started:
        follow(str(run.job_id))
    if len(started) > 1:
        progress_line(group_sentence(started[-1].id))


def _aimed(objective: str, beta: float | None) -> dict[str, Any]:
    """Return the fields of the objective that were given."""
    if beta is None:
        return {}
    if not OBJECTIVES.get(objective).pairs:
        raise KurabeError("training.bad_field", field="objective", found=objective, expected="dpo (--beta)")
    return {"objective_fields": {"beta": beta}}


def _over(fields: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Put what `--set` gives over the options; fields of the method and of the objective one by one."""
    parts = {part: {**fields[part], **given[part]} for part in fields.keys() & given.keys() & _PARTS}
    return {**fields, **given, **parts}


def _start(project_id: str, config: TrainingConfig, seeds: int, *, curve: bool, **options: Any) -> list[tb.TrainingRun]:
    """Start the run, or those of the series that was asked for, and name them."""
    if curve:
        started = list(start_learning_curve(project_id, config, **options))
    elif seeds > 1:
        started = list(start_seeds(project_id, config, range(config.seed, config.seed + seeds), **options))
    else:
        started = [start_training(project_id, config, **options)]
    for run in started:
        progress_line(t("cli.train.started", run=run.id, job=str(run.job_id)))
    return started


def _tell(found: Preflight) -> None:
    """Say on stderr what speaks against a training, and its numbers."""
    progress_line(t(f"training.preflight.verdict.{found.verdict}"))
    for finding in found.findings:
        progress_line(f"- {t(f'training.preflight.{finding.code}', **finding.params)}")
    for sentence in numbers_told(found):
        progress_line(f"  {sentence}")


def group_sentence(run_id: str) -> str:
    """Return what the runs that were started together say; empty for a run that stands alone."""
    group = run_group(run_id)
    if group is None:
        return ""
    if group.kind == "seeds":
        return _title(seed_spread([(point.seed, point.loss) for point in group.points]))
    gain = group.last_gain if len(group.points) > 1 else 0.0
    return _title(learning_curve([(point.examples, point.loss) for point in group.points], group.finding, gain))


def _title(figure: Any) -> str:
    return unescape(str(figure.layout.title.text))


@command(app, "adapters")
def adapters_(project: Project, as_json: Json = False) -> None:
    """List adapters and merged models."""
    found = adapters(get_project(project).id)
    if as_json:
        names = ("id", "name", "kind", "row_style", "base_ref", "base_hash", "hash", "size", "licence")
        show([{name: getattr(row, name) for name in names} for row in found])
        return
    columns = (t("cli.id"), t("cli.name"), t("cli.kind"), t("cli.base_model"), t("cli.size"))
    table(columns, [(r.id, r.name, r.kind, r.base_ref, format_number(r.size)) for r in found])
