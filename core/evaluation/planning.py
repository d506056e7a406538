"""Before an experiment: draw its questions, foresee what it takes and what it could detect, freeze it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import defer

from core.approaches import (
    ApproachSpec,
    Decoding,
    ProjectSources,
    approaches,
    get_approach,
    prompter,
    spec_of_row,
)
from core.errors import KurabeError
from core.identity import content_hash, now
from core.jobs import submit
from core.measures import METRICS, smallest_detectable
from core.prices import remember_prices
from core.store import read, write
from core.store import tables as tb

from .config import STRUCTURAL, ExperimentConfig, JudgeForecast, Plan, PlannedApproach
from .foresight import Foresight, Work
from .reuse import Conditions, reusable, sources_for

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
    _check_judge(config)
    rows = [get_approach(approach_id) for approach_id in dict.fromkeys(config.approach_ids)]
    specs = [spec_of_row(row) for row in rows]
    decoding = decoding_of(config, specs)
    questions = questions_of(config)
    sources = ProjectSources(project_id, dataset_version_id=config.dataset_version_id)
    foresight = Foresight(sources, questions, decoding, config.concurrency)
    work = _work(config, rows, questions, sources, decoding)
    planned = tuple(foresight.approach(row, work[row.id]) for row in rows)
    assumed, measured = discordance_of(project_id)
    tokens = _sum([_tokens(p) for p in planned])
    costs = [p.cost for p in planned if p.cost is not None]
    times = [p.seconds for p in planned if p.seconds is not None]
    return Plan(
        questions=len(questions),
        slices=dict(Counter(example.slice for example in questions)),
        calls=sum(p.calls for p in planned),
        taken=sum(p.taken for p in planned),
        tokens=tokens,
        cost=sum(costs, Decimal(0)) if costs else None,
        unpriced=len(planned) - len(costs),
        currency=sources.project.currency,
        seconds=sum(times) if times else None,
        untimed=len(planned) - len(times),
        smallest_detectable=smallest_detectable(len(questions), assumed, alpha=0.05 / _compared(config, rows)),
        discordance=assumed,
        discordance_measured=measured,
        approaches=planned,
        judge=_judge(config, sources, questions, specs),
        warnings=tuple(_warnings(config, decoding, questions, specs, planned)),
    )


def _work(
    config: ExperimentConfig,
    rows: Sequence[tb.Approach],
    questions: Sequence[tb.Example],
    sources: ProjectSources,
    decoding: Decoding,
) -> dict[str, Work]:
    """How often each approach is asked, and how many of its answers can be taken over; by approach id."""
    alone = min(config.latency_questions, len(questions))
    places = [(example.id, number) for example in questions for number in range(config.repetitions)]
    conditions = Conditions(
        project_id=sources.project_id,
        dataset_version_id=config.dataset_version_id,
        split=config.split,
        seed=config.seed,
        decoding=decoding,
        index_version_id=sources.index.id if sources.index else None,
    )
    found = sources_for(conditions) if config.take_over else []
    work: dict[str, Work] = {}
    for row in rows:
        taken = 0
        if found:
            spec = spec_of_row(row).model_copy(update={"decoding": decoding})
            taken = len(reusable(found, conditions, prompter(spec, sources), row.hash, places))
        work[row.id] = Work(len(places) - taken, alone, taken)
    return work


def _tokens(planned: PlannedApproach) -> float | None:
    """Of all its calls."""
    if not planned.calls:
        return 0.0
    if planned.prompt_tokens is None or planned.completion_tokens is None:
        return None
    return (planned.prompt_tokens + planned.completion_tokens) * planned.calls


def _compared(config: ExperimentConfig, rows: Sequence[tb.Approach]) -> int:
    """How many comparisons with the baseline are planned: what is never ranked is none of them."""
    baseline = baseline_of(config, rows)
    return max(1, sum(spec_of_row(row).ranked and row.id != baseline for row in rows))


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def _judge(
    config: ExperimentConfig,
    sources: ProjectSources,
    questions: Sequence[tb.Example],
    specs: Sequence[ApproachSpec],
) -> JudgeForecast | None:
    if config.judge is None:
        return None
    from .judge.foresight import foresee_judging  # it reads what experiments asked, and so this module

    searching = sum(1 for spec in specs if spec.retrieves)
    return foresee_judging(config.judge, sources, questions, len(specs), searching)


def _warnings(
    config: ExperimentConfig,
    decoding: Decoding,
    questions: Sequence[tb.Example],
    specs: Sequence[ApproachSpec],
    planned: Sequence[PlannedApproach],
) -> Iterator[dict[str, object]]:
    """What to know beforehand, as codes with parameters."""
    if config.repetitions > 1 and decoding.temperature == 0:
        yield {"code": "alike_repetitions", "params": {"n": config.repetitions}}
    for spec, plan in zip(specs, planned, strict=True):
        if plan.taken and spec.model.kind == "endpoint":
            yield {"code": "service_may_differ", "params": {"name": spec.name}}
    for name, n in Counter(example.slice for example in questions).items():
        if n < SMALL_SLICE:
            yield {"code": "small_slice", "params": {"slice": name, "n": n, "needed": SMALL_SLICE}}


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
            measures afterwards, `evaluation.not_primary` for one that must not decide; for a judge, as
            `core.evaluation.judge.check_judge`.
    """
    _check_judge(config)
    rows = [get_approach(approach_id) for approach_id in dict.fromkeys(config.approach_ids)]
    decoding = decoding_of(config, [spec_of_row(row) for row in rows])
    _check_metrics(config)
    questions = questions_of(config)
    sources = ProjectSources(project_id, dataset_version_id=config.dataset_version_id)
    reads = any(spec_of_row(row).retrieves for row in rows)
    whole = any(spec_of_row(row).context.get("name") == "whole_documents" for row in rows)
    timed = draw(questions, min(config.latency_questions, len(questions)), config.seed + 1)
    frozen: dict[str, Any] = {
        **config.model_dump(mode="json"),
        "metrics": list(dict.fromkeys((*config.metrics, *STRUCTURAL))),
        "approach_ids": [row.id for row in rows],
        "approach_hashes": {row.id: row.hash for row in rows},
        "decoding": decoding.model_dump(mode="json"),
        "baseline_id": baseline_of(config, rows),
        "example_ids": [example.id for example in questions],
        "latency_example_ids": [example.id for example in timed] if config.latency_questions else [],
        "index_version_id": sources.index.id if reads and sources.index else None,
        "document_ids": [passage.document_id for passage in sources.documents] if whole else None,
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


def _check_judge(config: ExperimentConfig) -> None:
    """Refuse a judge that could not begin at the end: then it would be too late."""
    if config.judge is None:
        return
    from .judge import check_judge  # as in `_judge`

    check_judge(config.judge)


def _check_metrics(config: ExperimentConfig) -> None:
    for name in (config.primary_metric, *config.metrics):
        if METRICS.get(name).judged:
            raise KurabeError("evaluation.judged_metric", name=name)
    if not METRICS.get(config.primary_metric).primary:
        raise KurabeError("evaluation.not_primary", name=config.primary_metric)


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
