"""Two experiments side by side: what became better or worse, approach by approach, on the questions that both asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from core.approaches import Decoding
from core.errors import KurabeError
from core.measures import Interval, mean_interval, paired_difference
from core.store import read
from core.store import tables as tb

from .kept import fingerprint, results
from .paired import PairedDifference, told
from .report import ApproachResult

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
    """Whether configuration and decoding are the very same: then only chance, documents or the served model differ."""
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
    return _compared(earlier_id, later_id)[0]


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
        KurabeError: those of `compare_experiments`; `store.missing` for an approach that is not in both.
    """
    _, pairing = _compared(earlier_id, later_id)
    if approach not in pairing.values:
        raise KurabeError("store.missing", kind="approach", id=approach)
    old, new = pairing.approaches[approach]
    wanted = np.flatnonzero(_MOVED[move](*pairing.values[approach]))
    shown = [pairing.examples[place] for place in wanted[offset : offset + limit]]
    before = _answers(earlier_id, old, [first for first, _ in shown])
    after = _answers(later_id, new, [second for _, second in shown])
    asked = _questions([second for _, second in shown])
    rows = [MovedQuestion(*asked[b], a, b, before.get(a, ""), after.get(b, "")) for a, b in shown]
    return MovedPage(len(wanted), tuple(rows))


@dataclass(frozen=True, slots=True)
class _Pairing:
    """The questions that two experiments share, in the order of the later one, and how approaches fared with them."""

    examples: list[tuple[str, str]]
    """Their ids in the earlier and the later experiment's data."""
    only_earlier: int
    only_later: int
    approaches: dict[str, tuple[str, str]]
    """Ids in the earlier and the later experiment, by name."""
    values: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    """Primary metric before and after by approach, shape ``(questions,)``; NaN where it was not measured."""


_MOVED: dict[Move, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]] = {
    "up": lambda before, after: after > before,
    "down": lambda before, after: after < before,
    "equal": lambda before, after: after == before,
}
"""Which questions moved so; NaN compares as false, so that what was not measured did not move."""


def _compared(earlier_id: str, later_id: str) -> tuple[Changes, _Pairing]:
    """Return what `_comparison` makes of two experiments as they are now."""
    return _comparison(earlier_id, fingerprint(earlier_id), later_id, fingerprint(later_id))


@lru_cache(maxsize=4)  # who turns pages of 100,000 questions would otherwise pair them anew for each
def _comparison(earlier_id: str, _before: str, later_id: str, _after: str) -> tuple[Changes, _Pairing]:
    earlier, later = results(earlier_id), results(later_id)
    if earlier.primary_metric != later.primary_metric:
        raise KurabeError("evaluation.metrics_differ", first=earlier.primary_metric, second=later.primary_metric)
    old = {approach.name: approach for approach in earlier.approaches}
    both = [(old[approach.name], approach) for approach in later.approaches if approach.name in old]
    pairing = _pairing(earlier_id, later_id, {new.name: (first.approach_id, new.approach_id) for first, new in both})
    if not pairing.examples or not both:
        raise KurabeError("evaluation.nothing_shared", first=earlier.name, second=later.name)
    changes = Changes(
        earlier=earlier_id,
        later=later_id,
        metric=later.primary_metric,
        shared=len(pairing.examples),
        only_earlier=pairing.only_earlier,
        only_later=pairing.only_later,
        approaches=_changes(both, pairing, decoded_alike=_decoding(earlier_id) == _decoding(later_id)),
        left_out=tuple(name for name in old if name not in pairing.approaches),
        new=tuple(approach.name for approach in later.approaches if approach.name not in pairing.approaches),
    )
    return changes, pairing


def _pairing(earlier_id: str, later_id: str, approaches: dict[str, tuple[str, str]]) -> _Pairing:
    before, after = _by_question(earlier_id), _by_question(later_id)
    shared = [question for question in after if question in before]
    values = {
        name: (
            np.array([before[question][1].get(old, np.nan) for question in shared], dtype=np.float64),
            np.array([after[question][1].get(new, np.nan) for question in shared], dtype=np.float64),
        )
        for name, (old, new) in approaches.items()
    }
    examples = [(before[question][0], after[question][0]) for question in shared]
    return _Pairing(examples, len(before) - len(shared), len(after) - len(shared), approaches, values)


def _by_question(experiment_id: str) -> dict[tuple[str, str], tuple[str, dict[str, float]]]:
    """Example id and primary metric by approach id, for every question by its words and reference.

    Another version of a dataset has other ids for the same questions. A question that stands in the data twice is
    taken once.
    """
    c, e = tb.ExperimentCase, tb.Example
    wanted = select(e.question, e.answer, e.id, c.by_approach).join(e, e.id == c.example_id).order_by(c.position)
    with read() as session:
        rows = session.execute(wanted.where(c.experiment_id == experiment_id))
        return {(question, answer): (example, values) for question, answer, example, values in rows}


def _answers(experiment_id: str, approach_id: str, examples: list[str]) -> dict[str, str]:
    """Return the first answer's text by example id."""
    a = tb.Answer
    wanted = (
        select(a.example_id, a.text)
        .where(a.experiment_id == experiment_id, a.approach_id == approach_id)
        .where(a.phase == "quality", a.repetition == 0, a.example_id.in_(examples))
    )
    with read() as session:
        return {str(example): text for example, text in session.execute(wanted)}


def _questions(examples: list[str]) -> dict[str, tuple[str, str]]:
    """Return the words and the reference by example id."""
    e = tb.Example
    with read() as session:
        rows = session.execute(select(e.id, e.question, e.answer).where(e.id.in_(examples)))
        return {example: (question, answer) for example, question, answer in rows}


def _decoding(experiment_id: str) -> Decoding:
    """Return the decoding that an experiment pinned for all its approaches."""
    with read() as session:
        return Decoding.model_validate(session.get_one(tb.Experiment, experiment_id).config["decoding"])


def _changes(
    both: list[tuple[ApproachResult, ApproachResult]], pairing: _Pairing, *, decoded_alike: bool
) -> tuple[Change, ...]:
    made = []
    for old, new in both:
        first, second = pairing.values[new.name]
        known = ~(np.isnan(first) | np.isnan(second))
        if known.any():
            before, after = first[known], second[known]
            made.append((old, new, before, after, paired_difference(after, before)))
    fields = told([difference for *_, difference in made])
    return tuple(
        Change(
            name=new.name,
            preset=new.preset,
            names=new.names,
            same=decoded_alike and old.hash == new.hash,
            before=mean_interval(before, bounds=(0.0, 1.0)),
            after=mean_interval(after, bounds=(0.0, 1.0)),
            **each,
        )
        for (old, new, before, after, _), each in zip(made, fields, strict=True)
    )
