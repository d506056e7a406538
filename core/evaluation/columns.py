"""Stored answers and scores of one experiment as columns: read approach by approach, so that a million fit."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, String, cast, select
from sqlalchemy.orm import aliased

from core.approaches import PRESETS
from core.measures import METRICS
from core.prices import Cost as PriceOf
from core.prices import convert
from core.store import read
from core.store import tables as tb

from .cost_shares import Spent

Floats = NDArray[np.float64]

_NUMBERS = (
    "prompt_tokens",
    "context_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "device_seconds",
    "cost",
)

_PAID = ("cost", "prompt_tokens", "cached_tokens", "context_tokens", "completion_tokens")
"""What is summed up of an answer that was paid for."""

LONG = 120
"""Characters from which a text is one that no two models write alike by chance."""

_STREAMED = {"yield_per": 5_000}
"""Rows that a query holds at a time."""


@dataclass(slots=True)
class Answers:
    """Quality answers of one approach; place i of every column is one answer, repetitions in their order."""

    place: array[int] = field(default_factory=lambda: array("q"))
    """Place of its question in the experiment."""
    status: list[str] = field(default_factory=list)
    numbers: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in _NUMBERS})
    """Token counts, cost and device seconds; NaN where unknown."""
    texts: dict[int, int] = field(default_factory=dict)
    """Hash of the first repetition's finished text by question, this process's: equal texts have equal ones."""
    long: set[int] = field(default_factory=set)
    """Questions whose first text is so long that two models hardly ever write it alike."""
    scores: dict[str, Floats] = field(default_factory=dict)
    """Values by metric, shape ``(answers,)``; NaN where nothing was measured."""
    failed_scores: Counter[str] = field(default_factory=Counter)
    """How many answers a metric could not measure although it applies."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why an answer did not get the full score in the primary metric, by place in the columns."""
    named: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Answers by the category that was right and the one that they named."""
    currency: Counter[str] = field(default_factory=Counter)
    basis: Counter[str] = field(default_factory=Counter)
    prices: Counter[str] = field(default_factory=Counter)
    spent: dict[tuple[str, str], Spent] = field(default_factory=dict)
    """Sums over priced answers by basis and version of the price book."""
    errors: Counter[str] = field(default_factory=Counter)
    failed_with: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By error code, what one of the stored errors says."""
    empty: int = 0
    cut: int = 0

    def score(self, metric: str) -> Floats:
        """Values of a metric, all NaN if nobody measured it."""
        return self.scores.get(metric, np.full(len(self.status), np.nan))


class Columns:
    """Everything the results are computed from; answers are read when they are asked for, and not kept."""

    def __init__(self, experiment: tb.Experiment) -> None:
        """Read what belongs to all approaches."""
        self.experiment = experiment
        self.config: dict[str, Any] = experiment.config
        self.primary = str(self.config["primary_metric"])
        self.questions: list[str] = list(self.config["example_ids"])
        self.place = {example_id: n for n, example_id in enumerate(self.questions)}
        self.approaches = self._approaches()
        self.rates = _Rates(experiment.project_id)
        self.slice_of = [""] * len(self.questions)
        self.sources = np.arange(len(self.questions), dtype=np.int64)
        """By question, a number for the document that its answer stands in; its own where nobody knows one."""
        self.slices, self.coverage, self.absent = self._labels()
        self.judgings = self._judgings()
        self.covered = [
            next((name for name, mask in self.coverage.items() if mask[place]), None)
            for place in range(len(self.questions))
        ]

    def _approaches(self) -> list[tb.Approach]:
        with read() as session:
            found = session.scalars(select(tb.Approach).where(tb.Approach.id.in_(self.config["approach_ids"])))
            order = list(PRESETS)
            return sorted(found, key=lambda a: (order.index(a.preset), a.id))

    def _labels(self) -> tuple[dict[str, Floats], dict[str, Floats], list[bool]]:
        """Masks over questions by slice and by coverage, and which questions have no answer in the data."""
        slices: dict[str, Floats] = {}
        coverage: dict[str, Floats] = {}
        absent = [False] * len(self.questions)
        documents: dict[str, int] = {}
        wanted = select(tb.Example.id, tb.Example.slice, tb.Example.coverage, tb.Example.expects, tb.Example.gold)
        wanted = wanted.where(
            tb.Example.version_id == self.experiment.dataset_version_id, tb.Example.split == self.experiment.split
        )
        with read() as session:
            for example_id, name, covered, expects, gold in session.execute(wanted, execution_options=_STREAMED):
                place = self.place.get(example_id)
                if place is None:
                    continue
                self.slice_of[place] = name
                slices.setdefault(name, np.zeros(len(self.questions)))[place] = 1
                if covered:
                    coverage.setdefault(covered, np.zeros(len(self.questions)))[place] = 1
                absent[place] = bool((expects or {}).get("abstain"))
                if source := next((str(g["document"]) for g in gold or () if g.get("document")), None):
                    self.sources[place] = documents.setdefault(source, place)
        return dict(sorted(slices.items())), dict(sorted(coverage.items())), absent

    def _judgings(self) -> dict[str, str]:
        """Newest complete judging by metric: scores of two judges are never pooled."""
        wanted = select(tb.Judging.id, tb.Judging.config).where(
            tb.Judging.experiment_id == self.experiment.id, tb.Judging.completed_at.is_not(None)
        )
        with read() as session:
            found = session.execute(wanted.order_by(tb.Judging.id)).all()
        return {metric: judging_id for judging_id, config in found for metric in config.get("metrics", ())}

    def answers(self, approach_id: str) -> Answers:
        """Read the quality answers of one approach with their scores."""
        a = tb.Answer
        columns = [getattr(a, name) for name in _NUMBERS]
        wanted = self._of(
            select(
                a.id, a.example_id, a.repetition, a.status, a.finish_reason, a.text, a.error, a.currency,
                a.cost_basis, a.price_version, *columns,
            ),
            approach_id,
        ).order_by(a.example_id, a.repetition)  # fmt: skip
        found, rows = Answers(), dict[str, int]()
        with read() as session:
            for answer_id, *rest in session.execute(wanted, execution_options=_STREAMED):
                rows[answer_id] = len(rows)
                self._append(found, rest)
        self._read_scores(found, approach_id, rows)
        return found

    def _of(self, wanted: Select[*tuple[Any, ...]], approach_id: str) -> Select[*tuple[Any, ...]]:
        return wanted.where(
            tb.Answer.experiment_id == self.experiment.id,
            tb.Answer.phase == "quality",
            tb.Answer.approach_id == approach_id,
        )

    def _append(self, into: Answers, row: list[Any]) -> None:
        example_id, repetition, status, finish, text, error, currency, basis, prices, *numbers = row
        done = status == "finished"
        into.place.append(self.place[example_id])
        into.status.append(status)
        into.empty += done and not text
        into.cut += finish == "length"
        if done and repetition == 0:
            into.texts[self.place[example_id]] = hash(text)
            if len(text) >= LONG:
                into.long.add(self.place[example_id])
        if status == "failed":
            code = str((error or {}).get("code", "internal"))
            into.errors[code] += 1
            into.failed_with.setdefault(code, dict((error or {}).get("params", {})))
        for name, value in zip(_NUMBERS, numbers, strict=True):
            into.numbers[name].append(float(value) if value is not None and done else np.nan)
        if done and basis:
            into.numbers["cost"][-1] *= self.rates.factor(currency)
            into.currency[self.rates.currency] += 1
            into.basis[basis] += 1
            into.prices[prices] += 1
            self._spend(into, basis, prices)

    def _spend(self, into: Answers, basis: str, prices: str) -> None:
        """Add the newest answer to the sums of what was paid for."""
        cost, *counts = (into.numbers[name][-1] for name in _PAID)
        if not np.isnan(cost):
            into.spent.setdefault((basis, prices or ""), Spent()).add(cost, *counts)

    def _read_scores(self, into: Answers, approach_id: str, rows: dict[str, int]) -> None:
        s = tb.Score
        values = self._of(select(s.answer_id, s.metric, s.value).join(tb.Answer), approach_id)
        values = values.where(s.metric.not_in(_judged_names()))
        judged = self._of(select(s.answer_id, s.metric, s.value, s.reason).join(tb.Answer), approach_id)
        judged = judged.where(s.metric.in_(list(self.judgings)))
        reasons = self._of(select(s.answer_id, s.reason).join(tb.Answer), approach_id)
        wrong = reasons.where(s.metric == self.primary, s.value < 1)
        named = self._of(select(s.reason).join(tb.Answer), approach_id)
        named = named.where(s.metric == "category", s.value.is_not(None))
        with read() as session:
            for answer_id, metric, value in session.execute(values, execution_options=_STREAMED):
                _put(into, rows, answer_id, metric, value)
            for answer_id, metric, value, reason in session.execute(judged, execution_options=_STREAMED):
                if self.judgings.get(metric) == reason.get("params", {}).get("judging"):
                    _put(into, rows, answer_id, metric, value)
            for answer_id, reason in session.execute(wrong, execution_options=_STREAMED):
                if answer_id in rows:
                    into.reasons[rows[answer_id]] = str(reason.get("code", ""))
            for reason in session.scalars(named, execution_options=_STREAMED):
                params = reason.get("params", {})
                into.named[str(params.get("expected", "")), str(params.get("given", ""))] += 1

    def same_messages(self, first: str, second: str) -> set[int]:
        """Questions that two approaches were asked with the very same messages, in the first repetition."""
        a, b = aliased(tb.Answer), tb.Answer
        alike = cast(a.messages, String) == cast(b.messages, String)
        pairs = select(b.example_id).join(a, (a.experiment_id == b.experiment_id) & (a.example_id == b.example_id))
        wanted = self._of(pairs, second).where(
            a.phase == "quality", a.approach_id == first, a.repetition == 0, b.repetition == 0, alike
        )
        with read() as session:
            return {self.place[str(i)] for i in session.scalars(wanted) if i in self.place}

    def by_question(self, answers: Answers, metric: str) -> Floats:
        """Mean of a metric per question over repetitions; NaN where nothing was measured."""
        return self._mean(answers, answers.score(metric))

    def primary_by_question(self, answers: Answers) -> Floats:
        """Mean of the primary metric per question; a failed answer counts as wrong, because it helped nobody."""
        failed = np.asarray([status == "failed" for status in answers.status], dtype=bool)
        values = answers.score(self.primary)
        return self._mean(answers, np.where(np.isnan(values) & failed, 0.0, values))

    def mean_by_question(self, answers: Answers, name: str) -> Floats:
        """Mean of an amount, one of `Answers.numbers`, per question over repetitions; NaN where nobody counted."""
        return self._mean(answers, np.asarray(answers.numbers[name], dtype=np.float64))

    def failed_by_question(self, answers: Answers) -> NDArray[np.int64]:
        """Failed answers per question."""
        places = [place for place, status in zip(answers.place, answers.status, strict=True) if status == "failed"]
        return np.bincount(np.asarray(places, dtype=np.int64), minlength=len(self.questions))

    def _mean(self, answers: Answers, values: Floats) -> Floats:
        known = ~np.isnan(values)
        places = np.asarray(answers.place, dtype=np.int64)[known]
        sums = np.bincount(places, weights=values[known], minlength=len(self.questions))
        counts = np.bincount(places, minlength=len(self.questions))
        return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _judged_names() -> list[str]:
    return [name for name, kind in METRICS.all().items() if kind.judged]


def _put(into: Answers, rows: dict[str, int], answer_id: str, metric: str, value: float | None) -> None:
    if value is None:
        into.failed_scores[metric] += 1
        return
    if metric not in into.scores:
        into.scores[metric] = np.full(len(rows), np.nan)
    if answer_id in rows:  # one that came in since does not count yet
        into.scores[metric][rows[answer_id]] = value


class _Rates:
    """Factors from the currencies that answers were priced in to the project's: one may have changed it since."""

    def __init__(self, project_id: str) -> None:
        with read() as session:
            self.currency = session.get_one(tb.Project, project_id).currency
        self._factors: dict[str, float] = {}

    def factor(self, currency: str) -> float:
        """Return by how much to multiply.

        Raises:
            KurabeError: ``prices.no_entry`` without an exchange rate.
        """
        if currency not in self._factors:
            one = PriceOf(Decimal(1000), currency, "list", "")
            self._factors[currency] = float(convert(one, self.currency).amount) / 1000
        return self._factors[currency]
