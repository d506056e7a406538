"""Before an experiment: draw its questions, foresee what it takes and what it could detect, freeze it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer

from core.approaches import ApproachSpec, Decoding, ProjectSources, approaches, get_approach, spec_of_row
from core.errors import KurabeError
from core.identity import content_hash, now
from core.jobs import submit
from core.measures import METRICS, smallest_detectable
from core.prices import remember_prices
from core.store import read, write
from core.store import tables as tb

from .config import ExperimentConfig, Plan, PlannedApproach
from .foresight import foreseen_tokens

ASSUMED_DISCORDANCE = 0.25
"""Share of questions on which two approaches are taken to differ before anything was measured."""

SMALL_SLICE = 30
"""Slices with fewer questions get a warning: their intervals are wide."""


def draw(examples: Sequence[tb.Example], count: int | None, seed: int) -> list[tb.Example]:
    """A sample in proportion to the slices, in the dataset's order; every slice keeps at least one if it can.

    The places beyond one for each slice go by share, the last ones to the largest remainders; the
    seed decides which questions of a slice.
    """
    if count is None or count >= len(examples):
        return list(examples)
    slices: dict[str, list[tb.Example]] = {}
    for example in examples:
        slices.setdefault(example.slice, []).append(example)
    least = 1 if count >= len(slices) else 0
    rest, members_left = count - least * len(slices), len(examples) - least * len(slices)
    shares = {name: least + (len(members) - least) * rest / members_left for name, members in slices.items()}
    sizes = {name: int(share) for name, share in shares.items()}
    for name in sorted(shares, key=lambda n: (sizes[n] - shares[n], n))[: count - sum(sizes.values())]:
        sizes[name] += 1
    dice = random.Random(seed)
    chosen = {e.id for name in sorted(slices) for e in dice.sample(slices[name], sizes[name])}
    return [example for example in examples if example.id in chosen]


def questions_of(config: ExperimentConfig) -> list[tb.Example]:
    """The questions that an experiment asks.

    Raises:
        KurabeError: `evaluation.no_questions`.
    """
    wanted = (
        select(tb.Example)
        .where(tb.Example.version_id == config.dataset_version_id, tb.Example.split == config.split)
        .order_by(tb.Example.position)
    )
    with read() as session:
        found = [example for example in session.scalars(wanted) if example.question.strip()]
    if not found:
        raise KurabeError("evaluation.no_questions", split=config.split)
    return draw(found, config.questions, config.seed)


def decoding_of(config: ExperimentConfig, specs: Sequence[ApproachSpec]) -> Decoding:
    """The decoding that all approaches share.

    Raises:
        KurabeError: `evaluation.decoding_differs` when none is pinned and the approaches disagree.
    """
    if config.decoding is not None:
        return config.decoding
    if any(spec.decoding != specs[0].decoding for spec in specs):
        raise KurabeError("evaluation.decoding_differs", names=", ".join(spec.name for spec in specs))
    return specs[0].decoding


def baseline_of(config: ExperimentConfig, rows: Sequence[tb.Approach]) -> str:
    """Id of the approach that the others are compared with."""
    if config.baseline_id in {row.id for row in rows}:
        return str(config.baseline_id)
    plain = [row for row in rows if row.preset == "base"]
    return (plain or list(rows))[0].id


def plan_experiment(project_id: str, config: ExperimentConfig) -> Plan:
    """What the experiment would take, without asking anything.

    Raises:
        KurabeError: as `start_experiment`.
    """
    rows = [get_approach(approach_id) for approach_id in dict.fromkeys(config.approach_ids)]
    decoding_of(config, [spec_of_row(row) for row in rows])
    questions = questions_of(config)
    alone = min(config.latency_questions, len(questions))
    calls = len(questions) * config.repetitions + alone
    sources = ProjectSources(project_id, dataset_version_id=config.dataset_version_id)
    planned = tuple(_planned(sources, row, calls, questions) for row in rows)
    assumed, measured = discordance_of(project_id)
    slices = Counter(example.slice for example in questions)
    tokens = [((p.prompt_tokens or 0) + (p.completion_tokens or 0)) * calls for p in planned]
    return Plan(
        questions=len(questions),
        slices=dict(slices),
        calls=calls * len(rows),
        tokens=sum(tokens) if all(p.prompt_tokens is not None for p in planned) else None,
        cost=_total([p.cost for p in planned]),
        currency=sources.project.currency,
        seconds=_sum([p.seconds for p in planned]),
        smallest_detectable=smallest_detectable(len(questions), assumed, alpha=0.05 / max(1, len(rows) - 1)),
        discordance=assumed,
        discordance_measured=measured,
        approaches=planned,
        warnings=tuple(
            {"code": "small_slice", "params": {"slice": name, "n": n, "needed": SMALL_SLICE}}
            for name, n in slices.items()
            if n < SMALL_SLICE
        ),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def _total(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [v for v in values if v is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None


def _planned(sources: ProjectSources, row: tb.Approach, calls: int, questions: Sequence[tb.Example]) -> PlannedApproach:
    """Foresee one approach: from its own earlier answers, those of the same preset, else by counting prompts."""
    seen = _earlier(sources.project, tb.Answer.approach_hash == row.hash)
    if seen is None:
        seen = _earlier(sources.project, tb.Answer.approach_hash.in_(_alike(row)))
    if seen is None:
        counted = foreseen_tokens(spec_of_row(row), sources, questions)
        read_tokens, written_tokens = counted if counted is not None else (None, None)
        return PlannedApproach(row.id, row.name, row.preset, calls, read_tokens, written_tokens, None, None)
    prompt, completion, seconds, cost = seen
    return PlannedApproach(
        row.id,
        row.name,
        row.preset,
        calls,
        prompt,
        completion,
        None if cost is None else cost * calls,
        None if seconds is None else seconds * calls,
    )


def _alike(row: tb.Approach) -> list[str]:
    """Hashes of the approaches of the same kind; for a model at an address only those that the same one answers."""
    wanted = select(tb.Approach).where(tb.Approach.project_id == row.project_id, tb.Approach.preset == row.preset)
    with read() as session:
        found = list(session.scalars(wanted))
    model = spec_of_row(row).model
    near = (other for other in found if spec_of_row(other).model.kind != "endpoint")
    if model.kind == "endpoint":
        near = (other for other in found if spec_of_row(other).model.place == model.place)
    return [other.hash for other in near]


def _earlier(project: tb.Project, which: Any) -> tuple[float | None, float | None, float | None, Decimal | None] | None:
    """Means over earlier quality answers: prompt tokens, answer tokens, device seconds, cost; None without any."""
    wanted = select(
        func.count(tb.Answer.id),
        func.avg(tb.Answer.prompt_tokens),
        func.avg(tb.Answer.completion_tokens),
        func.avg(tb.Answer.device_seconds),
    ).where(tb.Answer.project_id == project.id, tb.Answer.phase == "quality", tb.Answer.status == "finished", which)
    costs = (
        select(tb.Answer.cost)
        .where(tb.Answer.project_id == project.id, tb.Answer.phase == "quality", tb.Answer.currency == project.currency)
        .where(tb.Answer.cost.is_not(None), which)
        .order_by(tb.Answer.id.desc())
        .limit(200)
    )
    with read() as session:
        n, prompt, completion, seconds = session.execute(wanted).one()
        money = [Decimal(c) for c in session.scalars(costs) if c is not None]
    if not n:
        return None
    cost = sum(money, Decimal(0)) / len(money) if money else None
    return (
        float(prompt) if prompt is not None else None,
        float(completion) if completion is not None else None,
        float(seconds) if seconds is not None else None,
        cost,
    )


def discordance_of(project_id: str) -> tuple[float, bool]:
    """Share of questions on which two approaches are taken to differ, and whether it was measured."""
    measured = _measured_discordance(project_id)
    return (ASSUMED_DISCORDANCE, False) if measured is None else (measured, True)


def _measured_discordance(project_id: str) -> float | None:
    """Mean discordance from the baseline in the project's newest complete experiment."""
    from .kept import results

    newest = (
        select(tb.Experiment.id)
        .where(tb.Experiment.project_id == project_id, tb.Experiment.completed_at.is_not(None))
        .order_by(tb.Experiment.id.desc())
        .limit(1)
    )
    with read() as session:
        found = session.scalar(newest)
    return results(found).discordance if found else None


def start_experiment(project_id: str, config: ExperimentConfig, *, launch: bool = True) -> tb.Experiment:
    """Freeze an experiment and queue its job; its questions, index and decoding never change again.

    `launch=False` only stores it (a test or a script then calls `run`).

    Raises:
        KurabeError: `evaluation.no_questions`, `evaluation.decoding_differs`, `store.missing`,
            `registry.unknown` for a metric that does not exist, `evaluation.judged_metric` for one that a judge
            measures afterwards.
    """
    rows = [get_approach(approach_id) for approach_id in dict.fromkeys(config.approach_ids)]
    decoding = decoding_of(config, [spec_of_row(row) for row in rows])
    for name in (config.primary_metric, *config.metrics):
        if METRICS.get(name).judged:
            raise KurabeError("evaluation.judged_metric", name=name)
    questions = questions_of(config)
    sources = ProjectSources(project_id, dataset_version_id=config.dataset_version_id)
    reads = any(spec_of_row(row).retrieves for row in rows)
    timed = draw(questions, min(config.latency_questions, len(questions)), config.seed + 1)
    frozen: dict[str, Any] = {
        **config.model_dump(mode="json"),
        "approach_ids": [row.id for row in rows],
        "approach_hashes": {row.id: row.hash for row in rows},
        "decoding": decoding.model_dump(mode="json"),
        "baseline_id": baseline_of(config, rows),
        "example_ids": [example.id for example in questions],
        "latency_example_ids": [example.id for example in timed] if config.latency_questions else [],
        "index_version_id": sources.index.id if reads and sources.index else None,
    }
    experiment = tb.Experiment(
        project_id=project_id,
        name=config.name or f"{now():%Y-%m-%d %H:%M}",
        dataset_version_id=config.dataset_version_id,
        split=config.split,
        question_count=len(questions),
        config=frozen,
        hash=content_hash({k: v for k, v in frozen.items() if k != "name"}),
    )
    remember_prices()  # its answers name the version that they were priced by
    with write() as session:
        session.add(experiment)
    return _launched(experiment) if launch else experiment


def _launched(experiment: tb.Experiment) -> tb.Experiment:
    specs = [spec_of_row(get_approach(i)) for i in experiment.config["approach_ids"]]
    keys = sorted({spec.model.key_name for spec in specs if spec.model.key_name})
    payload = {"experiment_id": experiment.id}
    job_id = submit("experiment", payload, project_id=experiment.project_id, needs_secret=keys or None)
    with write() as session:
        stored = session.get(tb.Experiment, experiment.id)
        if stored is not None:
            stored.job_id = job_id
    experiment.job_id = job_id
    return experiment


def experiments(project_id: str) -> list[tb.Experiment]:
    """A project's experiments, newest first; without their configuration, which holds the id of every question."""
    with read() as session:
        return list(session.scalars(_newest_first(project_id)))


def latest_experiment(project_id: str, *, complete: bool = True) -> tb.Experiment | None:
    """The newest experiment, by default the newest complete one; without its configuration, as `experiments`."""
    wanted = _newest_first(project_id).limit(1)
    with read() as session:
        return session.scalar(wanted.where(tb.Experiment.completed_at.is_not(None)) if complete else wanted)


def _newest_first(project_id: str) -> Select[tb.Experiment]:
    wanted = select(tb.Experiment).where(tb.Experiment.project_id == project_id).order_by(tb.Experiment.id.desc())
    return wanted.options(defer(tb.Experiment.config), defer(tb.Experiment.provenance))


def default_config(project_id: str, dataset_version_id: str, **changes: Any) -> ExperimentConfig:
    """An experiment with all current approaches of the project."""
    ids = tuple(row.id for row in approaches(project_id))
    return ExperimentConfig(**{"dataset_version_id": dataset_version_id, "approach_ids": ids, **changes})
