"""Stored answers and scores of one experiment as columns: a handful of queries, no ORM rows of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from core.approaches import PRESETS
from core.prices import Cost as PriceOf
from core.prices import convert
from core.store import read
from core.store import tables as tb

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Answers:
    """Quality answers of one approach as columns; row i of each belongs to `questions[i]`."""

    questions: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    finish: list[str | None] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    """Token counts, cost and device seconds; NaN where unknown."""
    currency: Counter[str] = field(default_factory=Counter)
    basis: Counter[str] = field(default_factory=Counter)
    prices: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By error code, one of the stored errors."""
    empty: int = 0


_NUMBERS = (
    "prompt_tokens",
    "context_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "device_seconds",
    "cost",
)


class Columns:
    """Everything the results are computed from."""

    def __init__(self, experiment: tb.Experiment) -> None:
        """Read it all; answers that come in later are not seen."""
        self.experiment = experiment
        self.config: dict[str, Any] = experiment.config
        self.primary = str(self.config["primary_metric"])
        self.questions: list[str] = list(self.config["example_ids"])
        self.place = {example_id: n for n, example_id in enumerate(self.questions)}
        self.approaches = self._approaches()
        self.answers = self._answers()
        self.scores, self.failed_scores = self._scores()
        self.reasons = self._reasons()
        self.slices, self.coverage, self.absent = self._labels()
        self.covered = [
            next((name for name, mask in self.coverage.items() if mask[place]), None)
            for place in range(len(self.questions))
        ]
        self.matrix = {a.id: self._primary_values(a.id) for a in self.approaches}

    def _approaches(self) -> list[tb.Approach]:
        with read() as session:
            found = session.scalars(select(tb.Approach).where(tb.Approach.id.in_(self.config["approach_ids"])))
            order = list(PRESETS)
            return sorted(found, key=lambda a: (order.index(a.preset), a.id))

    def _answers(self) -> dict[str, Answers]:
        a = tb.Answer
        columns = [getattr(a, name) for name in _NUMBERS]
        wanted = select(
            a.approach_id, a.example_id, a.id, a.status, a.finish_reason, func.length(a.text), a.currency,
            a.cost_basis, a.price_version, *columns,
        ).where(a.experiment_id == self.experiment.id, a.phase == "quality")  # fmt: skip
        errors = select(a.approach_id, a.error).where(
            a.experiment_id == self.experiment.id, a.phase == "quality", a.status == "failed"
        )
        found = {approach.id: Answers(numbers={name: [] for name in _NUMBERS}) for approach in self.approaches}
        in_one_currency = _Rates(self.experiment.project_id)
        with read() as session:
            for approach_id, example_id, *rest in session.execute(wanted):
                _append(found[approach_id], example_id, rest, in_one_currency)
            for approach_id, error in session.execute(errors):
                code = str((error or {}).get("code", "internal"))
                found[approach_id].errors[code] += 1
                found[approach_id].reasons.setdefault(code, dict((error or {}).get("params", {})))
        return found

    def _scores(self) -> tuple[dict[str, dict[str, float]], dict[tuple[str, str], int]]:
        """Values by metric and answer id, and how many could not be measured by approach and metric."""
        wanted = (
            select(tb.Answer.approach_id, tb.Score.answer_id, tb.Score.metric, tb.Score.value)
            .join(tb.Answer, tb.Answer.id == tb.Score.answer_id)
            .where(tb.Answer.experiment_id == self.experiment.id, tb.Answer.phase == "quality")
        )
        values: dict[str, dict[str, float]] = {}
        failed: Counter[tuple[str, str]] = Counter()
        with read() as session:
            for approach_id, answer_id, metric, value in session.execute(wanted):
                if value is None:
                    failed[approach_id, metric] += 1
                else:
                    values.setdefault(metric, {})[answer_id] = value
        return values, failed

    def _reasons(self) -> dict[str, str]:
        """Why an answer did not get the full score in the primary metric, by answer id."""
        wanted = (
            select(tb.Score.answer_id, tb.Score.reason)
            .join(tb.Answer, tb.Answer.id == tb.Score.answer_id)
            .where(
                tb.Answer.experiment_id == self.experiment.id,
                tb.Answer.phase == "quality",
                tb.Score.metric == self.primary,
                tb.Score.value < 1,
            )
        )
        with read() as session:
            return {answer_id: str(reason.get("code", "")) for answer_id, reason in session.execute(wanted)}

    def _labels(self) -> tuple[dict[str, Floats], dict[str, Floats], list[bool]]:
        """Masks over questions by slice and by coverage, and which questions have no answer in the data."""
        slices: dict[str, Floats] = {}
        coverage: dict[str, Floats] = {}
        absent = [False] * len(self.questions)
        wanted = select(tb.Example.id, tb.Example.slice, tb.Example.coverage, tb.Example.expects)
        wanted = wanted.where(
            tb.Example.version_id == self.experiment.dataset_version_id, tb.Example.split == self.experiment.split
        )
        with read() as session:
            for example_id, name, covered, expects in session.execute(wanted):
                place = self.place.get(example_id)
                if place is None:
                    continue
                slices.setdefault(name, np.zeros(len(self.questions)))[place] = 1
                if covered:
                    coverage.setdefault(covered, np.zeros(len(self.questions)))[place] = 1
                absent[place] = bool((expects or {}).get("abstain"))
        return dict(sorted(slices.items())), dict(sorted(coverage.items())), absent

    def by_question(self, approach_id: str, metric: str, *, failed_as: float | None = None) -> Floats:
        """Mean of a metric per question over repetitions; NaN where nothing was measured."""
        sums, counts = np.zeros(len(self.questions)), np.zeros(len(self.questions))
        values, answers = self.scores.get(metric, {}), self.answers[approach_id]
        for question, answer_id, status in zip(answers.questions, answers.ids, answers.status, strict=True):
            value = values.get(answer_id)
            if value is None and status == "failed":
                value = failed_as
            if value is not None:
                sums[self.place[question]] += value
                counts[self.place[question]] += 1
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))

    def _primary_values(self, approach_id: str) -> Floats:
        # whoever asked and got no answer was not helped: a failed answer counts as wrong
        return self.by_question(approach_id, self.primary, failed_as=0.0)


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


def _append(into: Answers, example_id: str, rest: Sequence[Any], rates: _Rates) -> None:
    answer_id, status, finish, length, currency, basis, prices, *numbers = rest
    into.questions.append(example_id)
    into.ids.append(answer_id)
    into.status.append(status)
    into.finish.append(finish)
    done = status == "finished"
    into.empty += done and not length
    for name, value in zip(_NUMBERS, numbers, strict=True):
        into.numbers[name].append(float(value) if value is not None and done else np.nan)
    if done and basis:
        into.numbers["cost"][-1] *= rates.factor(currency)
        into.currency[rates.currency] += 1
        into.basis[basis] += 1
        into.prices[prices] += 1
