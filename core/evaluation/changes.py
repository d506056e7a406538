"""Two experiments side by side: what became better or worse, approach by approach, on the questions that both asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from core.errors import KurabeError
from core.measures import Interval, mean_interval, paired_difference
from core.store import read
from core.store import tables as tb

from .kept import results
from .paired import PairedDifference, told
from .report import ApproachResult, Results


@dataclass(frozen=True, slots=True)
class Change(PairedDifference):
    """One approach in both experiments; later minus earlier, in the primary metric."""

    name: str
    preset: str
    names: dict[str, str]
    """What it is called in a language in which that differs from `name`."""
    same: bool
    """Whether it is the very same configuration: then only chance, documents or the served model differ."""
    before: Interval
    """On the questions that both asked."""
    after: Interval


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from one experiment to another."""

    earlier: str
    """Experiment id."""
    later: str
    metric: str
    """Primary metric of both."""
    shared: int
    """Questions with the same words and the same reference in both."""
    only_earlier: int
    only_later: int
    approaches: tuple[Change, ...]
    """Approaches of the same name in both, in the order of the later one."""
    left_out: tuple[str, ...]
    """Names of approaches that only the earlier one asked."""
    new: tuple[str, ...]
    """Names of approaches that only the later one asked."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form with the same names."""
        return asdict(self)


def compare_experiments(earlier_id: str, later_id: str) -> Changes:
    """Pair two experiments question by question.

    Raises:
        KurabeError: `store.missing`; `evaluation.metrics_differ` when their primary metrics are not the same;
            `evaluation.nothing_shared` without a common question or approach.
    """
    earlier, later = results(earlier_id), results(later_id)
    if earlier.primary_metric != later.primary_metric:
        raise KurabeError("evaluation.metrics_differ", first=earlier.primary_metric, second=later.primary_metric)
    before, after = _by_question(earlier), _by_question(later)
    shared = [question for question in after if question in before]
    old = {approach.name: approach for approach in earlier.approaches}
    both = [(old[approach.name], approach) for approach in later.approaches if approach.name in old]
    if not shared or not both:
        raise KurabeError("evaluation.nothing_shared", first=earlier.name, second=later.name)
    names = {approach.name for _, approach in both}
    return Changes(
        earlier=earlier_id,
        later=later_id,
        metric=later.primary_metric,
        shared=len(shared),
        only_earlier=len(before) - len(shared),
        only_later=len(after) - len(shared),
        approaches=_changes(both, [(before[question], after[question]) for question in shared]),
        left_out=tuple(name for name in old if name not in names),
        new=tuple(approach.name for approach in later.approaches if approach.name not in names),
    )


def _by_question(found: Results) -> dict[tuple[str, str], dict[str, float]]:
    """Primary metric by approach id, for every question by its words and reference.

    Another version of a dataset has other ids for the same questions. A question that stands in the data twice is
    taken once.
    """
    c, e = tb.ExperimentCase, tb.Example
    wanted = select(e.question, e.answer, c.by_approach).join(e, e.id == c.example_id).order_by(c.position)
    with read() as session:
        rows = session.execute(wanted.where(c.experiment_id == found.experiment_id))
        return {(question, answer): values for question, answer, values in rows}


def _changes(
    both: list[tuple[ApproachResult, ApproachResult]], pairs: list[tuple[dict[str, float], dict[str, float]]]
) -> tuple[Change, ...]:
    made = []
    for old, new in both:
        known = [
            (first[old.approach_id], second[new.approach_id])
            for first, second in pairs
            if old.approach_id in first and new.approach_id in second
        ]
        if known:
            before, after = (np.asarray(values) for values in zip(*known, strict=True))
            made.append((old, new, before, after, paired_difference(after, before)))
    fields = told([difference for *_, difference in made])
    return tuple(
        Change(
            name=new.name,
            preset=new.preset,
            names=new.names,
            same=old.hash == new.hash,
            before=mean_interval(before, bounds=(0.0, 1.0)),
            after=mean_interval(after, bounds=(0.0, 1.0)),
            **each,
        )
        for (old, new, before, after, _), each in zip(made, fields, strict=True)
    )
