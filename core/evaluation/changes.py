"""Two experiments side by side: what became better or worse, approach by approach, on the questions that both asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import select

from core.errors import KurabeError
from core.measures import Interval, mean_interval, paired_difference
from core.store import read
from core.store import tables as tb

from .kept import results
from .paired import PairedDifference, told
from .report import ApproachResult, Results

Move = Literal["up", "down", "equal"]
MOVES: tuple[Move, ...] = ("up", "down", "equal")
"""How an answer's primary metric moved: better, worse or as before."""


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


@dataclass(frozen=True, slots=True)
class MovedQuestion:
    """One question that both experiments asked, with the first answer of one approach in each."""

    question: str
    reference: str
    earlier_example: str
    """Id of the question in the earlier experiment's data."""
    later_example: str
    before: str
    """Text of the earlier answer; "" if it failed."""
    after: str


@dataclass(frozen=True, slots=True)
class MovedPage:
    """One page of the questions behind a count of `Change`."""

    total: int
    rows: tuple[MovedQuestion, ...]


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


def moved_questions(
    earlier_id: str, later_id: str, approach: str, move: Move, *, offset: int = 0, limit: int = 50
) -> MovedPage:
    """Return the questions that an approach answers better, worse or as well as in an earlier experiment.

    Args:
        earlier_id: experiment.
        later_id: experiment.
        approach: name that it has in both.
        move: which of them.
        offset: questions left out at the beginning, in the order of the later experiment.
        limit: questions at most.

    Raises:
        KurabeError: `store.missing`, also for an approach that is not in both.
    """
    earlier, later = results(earlier_id), results(later_id)
    old, new = _named(earlier, approach), _named(later, approach)
    before, after = _by_question(earlier), _by_question(later)
    known = [question for question in after if old in before.get(question, {}) and new in after[question]]
    wanted = [question for question in known if _move(before[question][old], after[question][new]) == move]
    shown = wanted[offset : offset + limit]
    first, second = _answers(earlier_id, old, shown), _answers(later_id, new, shown)
    rows = [MovedQuestion(*each, first[each][0], second[each][0], first[each][1], second[each][1]) for each in shown]
    return MovedPage(len(wanted), tuple(rows))


def _move(before: float, after: float) -> Move:
    return "equal" if before == after else "up" if after > before else "down"


def _named(found: Results, name: str) -> str:
    """Return the id of the approach of this name."""
    for approach in found.approaches:
        if approach.name == name:
            return approach.approach_id
    raise KurabeError("store.missing", kind="approach", id=name)


def _answers(
    experiment_id: str, approach_id: str, questions: list[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return example id and first answer's text for every question by its words and reference."""
    a, e = tb.Answer, tb.Example
    wanted = (
        select(e.question, e.answer, e.id, a.text)
        .join(e, e.id == a.example_id)
        .where(a.experiment_id == experiment_id, a.approach_id == approach_id)
        .where(a.phase == "quality", a.repetition == 0, e.question.in_([question for question, _ in questions]))
    )
    with read() as session:
        return {(question, answer): (key, text) for question, answer, key, text in session.execute(wanted)}


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
