"""What a judging came to: wins and losses that hold in both orders, how often the order decided, grades, cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import defer

from core.errors import KurabeError
from core.measures import (
    Choice,
    Interval,
    JudgedMetric,
    Verdict,
    finding,
    holm,
    mean_interval,
    paired_difference,
    proportion_interval,
    read_choice,
    read_scale,
    read_yes_no,
)
from core.measures.statistics import Difference
from core.store import read
from core.store import tables as tb

from .calls import judged_metrics
from .config import PAIR, JudgeConfig

_PART = 400
"""Ids per SQL statement: SQLite allows a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two answers as the judge sees them in both orders."""

    example_id: str
    first: str
    """Answer id."""
    second: str
    verdict: Choice | None
    """What both orders say; they disagree: tie; None when a reply is missing or cannot be read."""
    flipped: bool
    """Whether the two orders gave different verdicts."""


@dataclass(frozen=True, slots=True)
class JudgedApproach:
    """How one approach fared against another: first against second."""

    first: str
    """Approach id."""
    second: str
    wins: int
    losses: int
    ties: int
    """Ties in both orders, orders that disagree, and pairs with the same words."""
    flips: int
    """Pairs in which the order decided; they count as ties."""
    undecided: int
    """Pairs without a verdict: a call failed or a reply cannot be read. They count nowhere."""
    share: Interval | None
    """Share of wins, ties as half."""
    adjusted_p: float | None
    """Holm over all pairs of this judging."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class JudgeOutcome:
    """Everything that one judging came to."""

    judging_id: str
    experiment_id: str
    model: str
    rubric: str
    complete: bool
    pairs: tuple[JudgedApproach, ...]
    metrics: dict[str, dict[str, Interval]]
    """Mean by approach id and metric."""
    unmeasured: dict[str, dict[str, int]]
    """Answers that a metric could not measure, by approach id and metric."""
    flip_rate: Interval | None
    """Share of pairs in which the order decided."""
    first_shown: Interval | None
    """Share of decided calls that chose the answer shown first; without a liking for places it is a half."""
    calls: int
    finished: int
    failed: int
    unreadable: int
    """Replies without a verdict that could be read."""
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    """Of the calls that have a price; None when none has."""
    currency: str

    @property
    def measured(self) -> frozenset[str]:
        """Metrics that it measured, or tried to."""
        return frozenset(name for found in (self.metrics, self.unmeasured) for each in found.values() for name in each)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form with the same names, but for the cost, which stays exact."""
        return asdict(self)


def judge_outcome(judging_id: str) -> JudgeOutcome:
    """Sum a judging up as far as it has come.

    Raises:
        KurabeError: `store.missing`.
    """
    judging, rows = _loaded(judging_id)
    owner = _owners(judging, rows)
    calls = [row for row in rows if row.kind == PAIR]
    pairs = _paired(calls)
    same = _same(judging, owner)
    decided = [c for row in calls if row.status == "finished" and (c := read_choice(row.text)) in ("first", "second")]
    metrics, unmeasured = _metrics(judging, rows, owner)
    readable = [pair for pair in pairs if pair.verdict is not None]
    costs = [row.cost for row in rows if row.cost is not None]
    return JudgeOutcome(
        judging_id=judging.id,
        experiment_id=judging.experiment_id,
        model=str(judging.config["model"]["ref"]),
        rubric=str(judging.config.get("rubric", "")),
        complete=judging.completed_at is not None,
        pairs=_approaches(pairs, same, owner),
        metrics=metrics,
        unmeasured=unmeasured,
        flip_rate=proportion_interval(sum(p.flipped for p in readable), len(readable)) if readable else None,
        first_shown=proportion_interval(decided.count("first"), len(decided)) if decided else None,
        calls=len(rows),
        finished=sum(row.status == "finished" for row in rows),
        failed=sum(row.status == "failed" for row in rows),
        unreadable=sum(row.status == "finished" and not _readable(row) for row in rows),
        prompt_tokens=sum(row.prompt_tokens or 0 for row in rows),
        completion_tokens=sum(row.completion_tokens or 0 for row in rows),
        cost=sum(costs, Decimal(0)) if costs else None,
        currency=next((row.currency for row in rows if row.currency), ""),
    )


def judged_pairs(judging_id: str) -> list[JudgedPair]:
    """Every pair of a judging with the verdict of both orders.

    Raises:
        KurabeError: `store.missing`.
    """
    return _paired([row for row in _loaded(judging_id)[1] if row.kind == PAIR])


@dataclass(frozen=True, slots=True)
class JudgementPage:
    """Some of a judging's calls in full."""

    rows: tuple[tb.Judgement, ...]
    questions: dict[str, str]
    """Question by example id."""
    total: int


def judgements(judging_id: str, show: str = "all", *, offset: int = 0, limit: int = 20) -> JudgementPage:
    """Calls of a judging, page by page.

    Args:
        judging_id: The judging.
        show: `all`, `flipped` (both orders of pairs in which the order decided), `unreadable` or `failed`.
        offset: How many to leave out.
        limit: Most to return.

    Raises:
        KurabeError: `store.missing`.
    """
    _, rows = _loaded(judging_id)
    if show == "flipped":
        turned = {(p.first, p.second) for p in _paired([r for r in rows if r.kind == PAIR]) if p.flipped}
        rows = [row for row in rows if (row.answer_id, row.other_answer_id) in turned]
    elif show == "unreadable":
        rows = [row for row in rows if row.status == "finished" and not _readable(row)]
    elif show == "failed":
        rows = [row for row in rows if row.status == "failed"]
    ids = [row.id for row in rows[offset : offset + limit]]
    with read() as session:
        full = select(tb.Judgement).where(tb.Judgement.id.in_(ids)).order_by(tb.Judgement.id)
        shown = list(session.scalars(full))
        wanted = select(tb.Example.id, tb.Example.question).where(tb.Example.id.in_({row.example_id for row in shown}))
        questions = {example_id: question for example_id, question in session.execute(wanted)}
    return JudgementPage(tuple(shown), questions, len(rows))


def _loaded(judging_id: str) -> tuple[tb.Judging, list[tb.Judgement]]:
    with read() as session:
        judging = session.get(tb.Judging, judging_id)
        if judging is None:
            raise KurabeError("store.missing", kind="judging", id=judging_id)
        wanted = select(tb.Judgement).where(tb.Judgement.judging_id == judging_id).order_by(tb.Judgement.id)
        # what was sent holds both answers and all passages, and nothing that is summed up needs it
        return judging, list(session.scalars(wanted.options(defer(tb.Judgement.messages))))


def _owners(judging: tb.Judging, rows: Sequence[tb.Judgement]) -> dict[str, str]:
    """Approach of every answer that was judged, by id."""
    known = {answer_id for row in rows for answer_id in (row.answer_id, row.other_answer_id) if answer_id}
    ids = sorted(known.union(*(judging.config.get("same_pairs") or [])))
    found: dict[str, str] = {}
    with read() as session:
        for start in range(0, len(ids), _PART):
            wanted = select(tb.Answer.id, tb.Answer.approach_id).where(tb.Answer.id.in_(ids[start : start + _PART]))
            found.update({answer_id: approach_id for answer_id, approach_id in session.execute(wanted)})
    return found


def _readable(row: tb.Judgement) -> bool:
    if row.kind == PAIR:
        return read_choice(row.text) is not None
    if row.kind == "groundedness":
        return read_yes_no(row.text) is not None
    return read_scale(row.text) is not None


def _paired(calls: Sequence[tb.Judgement]) -> list[JudgedPair]:
    both: dict[tuple[str, str], dict[bool, tb.Judgement]] = defaultdict(dict)
    for row in calls:
        both[row.answer_id, row.other_answer_id][row.swapped] = row
    return [_pair(first, second, orders) for (first, second), orders in both.items()]


def _pair(first: str, second: str, orders: dict[bool, tb.Judgement]) -> JudgedPair:
    said = [_choice(orders.get(swapped), swapped) for swapped in (False, True)]
    example_id = next(iter(orders.values())).example_id
    if None in said:
        return JudgedPair(example_id, first, second, None, False)
    flipped = said[0] != said[1]
    return JudgedPair(example_id, first, second, "tie" if flipped else said[0], flipped)


def _choice(row: tb.Judgement | None, swapped: bool) -> Choice | None:
    """The verdict in terms of the pair, whichever answer was shown first."""
    said = read_choice(row.text) if row is not None and row.status == "finished" else None
    if swapped and said in ("first", "second"):
        return "second" if said == "first" else "first"
    return said


def _same(judging: tb.Judging, owner: dict[str, str]) -> Counter[tuple[str, str]]:
    """Pairs with the same words, by approaches: ties that nobody was asked about."""
    known = judging.config.get("same_pairs") or []
    return Counter((owner[a], owner[b]) for a, b in known if a in owner and b in owner)


def _approaches(
    pairs: Sequence[JudgedPair], same: Counter[tuple[str, str]], owner: dict[str, str]
) -> tuple[JudgedApproach, ...]:
    grouped: dict[tuple[str, str], list[JudgedPair]] = {key: [] for key in same}
    for pair in pairs:
        if pair.first in owner and pair.second in owner:
            grouped.setdefault((owner[pair.first], owner[pair.second]), []).append(pair)
    values = {key: _values(found, same[key]) for key, found in grouped.items()}
    made = {key: paired_difference(v, 1 - v) for key, v in values.items() if v.size}
    adjusted = dict(zip(made, holm([d.p_value for d in made.values()]), strict=True))
    return tuple(
        _summed(key, found, same[key], values[key], made.get(key), adjusted.get(key)) for key, found in grouped.items()
    )


def _values(pairs: Sequence[JudgedPair], same: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    points = {"first": 1.0, "second": 0.0, "tie": 0.5}
    return np.array([points[p.verdict] for p in pairs if p.verdict is not None] + [0.5] * same)


def _summed(
    key: tuple[str, str],
    pairs: Sequence[JudgedPair],
    same: int,
    values: np.ndarray[Any, np.dtype[np.float64]],
    difference: Difference | None,
    adjusted: float | None,
) -> JudgedApproach:
    said = Counter(pair.verdict for pair in pairs)
    word: Verdict = finding(difference, adjusted) if difference and adjusted is not None else "not_enough"
    return JudgedApproach(
        first=key[0],
        second=key[1],
        wins=said["first"],
        losses=said["second"],
        ties=said["tie"] + same,
        flips=sum(pair.flipped for pair in pairs),
        undecided=said[None],
        share=mean_interval(values, bounds=(0.0, 1.0)) if values.size else None,
        adjusted_p=adjusted,
        verdict=word,
    )


def _metrics(
    judging: tb.Judging, rows: Sequence[tb.Judgement], owner: dict[str, str]
) -> tuple[dict[str, dict[str, Interval]], dict[str, dict[str, int]]]:
    """Mean of each metric by approach from this judging's own replies, and what it could not measure.

    Scores are those of the newest judge; replies stay, so that whoever opens an earlier judging finds what it said.
    """
    if judging.completed_at is None:
        return {}, {}
    known = {name: judging.config[name] for name in JudgeConfig.model_fields if name in judging.config}
    metrics = {metric.name: metric for metric in judged_metrics(JudgeConfig.model_validate(known))}
    replies: dict[tuple[str, str], list[tb.Judgement]] = defaultdict(list)
    for row in rows:
        if row.kind in metrics and row.answer_id in owner:
            replies[row.kind, row.answer_id].append(row)
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    missing: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (name, answer_id), said in replies.items():
        value = _value(metrics[name], said)
        if value is None:
            missing[owner[answer_id]][name] += 1
        else:
            values[owner[answer_id]][name].append(value)
    means = {
        approach: {name: mean_interval(np.array(found), bounds=(0.0, 1.0)) for name, found in by_metric.items()}
        for approach, by_metric in values.items()
    }
    return means, {approach: dict(counts) for approach, counts in missing.items()}


def _value(metric: JudgedMetric, said: Sequence[tb.Judgement]) -> float | None:
    """What the replies about one answer add up to; None where one is missing or cannot be read."""
    if any(row.status != "finished" for row in said):
        return None
    return metric.combine([row.text for row in sorted(said, key=lambda row: row.part)]).value
