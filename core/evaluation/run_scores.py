"""Trained weights on the same questions: what test runs found of each run's adapter, paired where both were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from sqlalchemy import select

from core.approaches import ApproachSpec
from core.measures import (
    FEWEST_CLUSTERS,
    Difference,
    Interval,
    mean_interval,
    paired_difference,
)
from core.store import read
from core.store import tables as tb
from core.training import lineage

from .kept import results
from .paired import PairedDifference, told


@dataclass(frozen=True, slots=True)
class RunScore:
    """What a test run found of one run's weights in one way of asking."""

    run_id: str
    experiment_id: str
    experiment: str
    """Name of the test run."""
    approach_id: str
    name: str
    """What the approach is called."""
    preset: str
    metric: str
    """Primary metric of the test run."""
    score: Interval
    """On all its questions."""


@dataclass(frozen=True, slots=True)
class RunDifference(PairedDifference):
    """Two runs' weights on questions with the same words and reference that both answered; second minus first."""

    first: str
    """Run id."""
    second: str
    """Run id; `up` counts the questions on which this run's weights are better."""
    preset: str
    """In which way both were asked."""
    metric: str
    experiments: tuple[str, str]
    """Ids of the test runs that asked them, the same one twice where it asked both."""
    alike: bool
    """Whether everything but the weights was the same: prompt, context, decoding, and the index that was searched."""


@dataclass(frozen=True, slots=True)
class RunScores:
    """What test runs say about several training runs."""

    scores: tuple[RunScore, ...]
    """The newest of each run and way of asking."""
    differences: tuple[RunDifference, ...]
    """Every pair of runs that answered common questions in the same way."""
    never_asked: tuple[str, ...]
    """Ids of runs whose weights no finished test run has asked."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form with the same names."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Sitting:
    score: RunScore
    asked: dict[str, Any]
    """Everything but the weights that can change an answer."""
    values: dict[tuple[str, str], float]
    """By words and reference of the question."""
    sources: dict[tuple[str, str], str]
    """The document that the question's answer stands in, or the question itself where nobody knows one."""


def compare_run_scores(run_ids: Sequence[str]) -> RunScores:
    """Return what finished test runs found of these runs' weights, and the paired differences between them.

    Weights are compared only where they were asked in the same way (the preset) and measured alike (the metric), on
    questions with the same words and reference; two in one test run come before two in different ones.

    Raises:
        KurabeError: ``training.no_run``.
    """
    found = {run_id: _sittings(run_id) for run_id in run_ids}
    newest: dict[tuple[str, str], RunScore] = {}
    for sitting in (each for run_id in run_ids for each in found[run_id]):
        newest.setdefault((sitting.score.run_id, sitting.score.preset), sitting.score)
    pairs = [pair for a, b in combinations(run_ids, 2) for pair in _paired(found[a], found[b])]
    fields = told([_difference(a, b) for a, b in pairs])
    return RunScores(
        scores=tuple(newest.values()),
        differences=tuple(_told(a, b, each) for (a, b), each in zip(pairs, fields, strict=True)),
        never_asked=tuple(run_id for run_id in run_ids if not found[run_id]),
    )


def _sittings(run_id: str) -> list[_Sitting]:
    """Every finished test run that asked an approach with this run's weights, the newest first."""
    held = lineage(run_id, deleted=True)  # what a deleted adapter answered is still stored
    using = {approach.id: approach for approach in held.approaches}
    made = []
    for experiment in held.experiments:
        if experiment.completed_at is None:
            continue
        found = results(experiment.id)
        rows = _cases(experiment.id)
        for result in found.approaches:
            if result.approach_id not in using:
                continue
            values = {key: by[result.approach_id] for key, _, by in rows if result.approach_id in by}
            if not values:
                continue
            score = RunScore(
                run_id=run_id,
                experiment_id=experiment.id,
                experiment=experiment.name,
                approach_id=result.approach_id,
                name=result.name,
                preset=result.preset,
                metric=found.primary_metric,
                score=result.correct or mean_interval(list(values.values()), bounds=(0.0, 1.0)),
            )
            sources = {key: source for key, source, _ in rows}
            made.append(_Sitting(score, _conditions(using[result.approach_id], experiment), values, sources))
    return made


def _conditions(approach: tb.Approach, experiment: tb.Experiment) -> dict[str, Any]:
    """What an approach was asked with in a test run, which pins decoding, index and documents for all of them."""
    spec = ApproachSpec.model_validate(approach.spec)
    own = {"name", "names", "preset", "managed", "archived", "model", "decoding"}
    whole = spec.context.get("name") == "whole_documents"
    return {
        **spec.model_dump(mode="json", exclude=own),
        "decoding": experiment.config.get("decoding"),
        "index": experiment.config.get("index_version_id") if spec.retrieves else None,
        "documents": experiment.config.get("document_ids") if whole else None,
    }


def _cases(experiment_id: str) -> list[tuple[tuple[str, str], str, dict[str, float]]]:
    """Each question by its words and reference, its source, and the primary metric by approach."""
    c, e = tb.ExperimentCase, tb.Example
    wanted = select(e.id, e.question, e.answer, e.gold, c.by_approach).join(e, e.id == c.example_id)
    with read() as session:
        rows = session.execute(wanted.where(c.experiment_id == experiment_id).order_by(c.position)).all()
    return [
        (
            (question, answer),
            next((str(passage["document"]) for passage in gold or () if passage.get("document")), str(example_id)),
            {name: float(value) for name, value in by.items() if value is not None},
        )
        for example_id, question, answer, gold, by in rows
    ]


def _paired(first: list[_Sitting], second: list[_Sitting]) -> list[tuple[_Sitting, _Sitting]]:
    """The best pair of sittings for each way of asking: in one test run, asked alike, then the newest."""
    best: dict[str, tuple[tuple[bool, bool], _Sitting, _Sitting]] = {}
    for a in first:
        for b in second:
            same = (a.score.preset, a.score.metric) == (b.score.preset, b.score.metric)
            if not same or not a.values.keys() & b.values.keys():
                continue
            rank = (a.score.experiment_id == b.score.experiment_id, a.asked == b.asked)
            if a.score.preset not in best or rank > best[a.score.preset][0]:
                best[a.score.preset] = (rank, a, b)
    return [(a, b) for _, a, b in best.values()]


def _difference(first: _Sitting, second: _Sitting) -> Difference:
    shared = [key for key in second.values if key in first.values]
    labels = [second.sources[key] for key in shared]
    # With a few sources standard errors by source are far too small: questions then count one by one.
    clusters = labels if FEWEST_CLUSTERS <= len(set(labels)) < len(labels) else None
    before, after = (np.asarray([each.values[key] for key in shared]) for each in (first, second))
    return paired_difference(after, before, clusters=clusters)


def _told(first: _Sitting, second: _Sitting, fields: dict[str, Any]) -> RunDifference:
    return RunDifference(
        first=first.score.run_id,
        second=second.score.run_id,
        preset=first.score.preset,
        metric=first.score.metric,
        experiments=(first.score.experiment_id, second.score.experiment_id),
        alike=first.asked == second.asked,
        **fields,
    )
