"""An experiment's results, computed from its stored answers and scores, one approach after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.approaches import RUNNING, spec_of_row
from core.errors import KurabeError
from core.measures import (
    FEWEST_CLUSTERS,
    METRICS,
    Interval,
    mean_interval,
    paired_difference,
    smallest_detectable,
)
from core.store import read
from core.store import tables as tb

from .attribution import causes
from .columns import Answers, Columns, Floats
from .confusion import confusion_of
from .cost_shares import cost_parts
from .headroom import Measured, headroom
from .paired import told
from .report import (
    ApproachResult,
    Attribution,
    Comparison,
    Cost,
    Counts,
    Headroom,
    MetricResult,
    Results,
    Retrieval,
    Tokens,
    Twins,
)
from .spending import spending
from .timing import latency

TWINS_SHARE, TWINS_LEAST = 0.95, 20
"""Two columns of different weights with this share of equal answers, over at least so many, are suspicious."""

TELLING_LEAST = 5
"""So many of them must be wrong or long: right answers in a few words are alike whoever gives them."""

_DECLINED = ("declined_needlessly", "declined_rightly")


def compute_results(experiment_id: str) -> tuple[Results, list[dict[str, Any]]]:
    """Everything measured so far, and every question with how the approaches fared, as columns of `ExperimentCase`.

    An experiment that still runs gives partial results. It reads every answer: `results` keeps what this gives.

    Raises:
        KurabeError: `store.missing`; `prices.no_entry` without the exchange rate of an answer's currency.
    """
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
    if experiment is None:
        raise KurabeError("store.missing", kind="experiment", id=experiment_id)
    computation = _Results(Columns(experiment))
    return computation.compute(), computation.cases()


class _Results:
    """Computes from columns; what it needs of all approaches at once it keeps by question."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.experiment, self.config = columns.experiment, columns.config
        self.questions, self.approaches = columns.questions, columns.approaches
        self.baseline = str(self.config["baseline_id"])
        self.matrix: dict[str, Floats] = {}
        """Primary metric by question."""
        self.shown: dict[str, Floats] = {}
        """By question, whether the gold passages stood in the prompt."""
        self.texts: dict[str, dict[int, int]] = {}
        self.telling: dict[str, set[int]] = {}
        self.causes: dict[str, dict[int, str]] = {}
        self.failed = np.zeros(len(self.questions), dtype=np.int64)

    def compute(self) -> Results:
        """Put everything together."""
        approaches = tuple(self._approach(a) for a in self.approaches)
        baseline = self.baseline
        ranked = [a.id for a in self.approaches if spec_of_row(a).ranked]
        others = [i for i in ranked if i != baseline]
        versus = [(i, baseline) for i in others] if baseline in self.matrix else []
        comparisons = self._compare([(first, second, None) for first, second in versus])
        by_slice = [(first, second, name) for first, second in versus for name in self.columns.slices]
        discordant = [(c.up + c.down) / c.n for c in comparisons if c.n]
        discordance = float(np.mean(discordant)) if discordant else None
        return Results(
            experiment_id=self.experiment.id,
            project_id=self.experiment.project_id,
            name=self.experiment.name,
            dataset_version_id=self.experiment.dataset_version_id,
            split=self.experiment.split,
            index_version_id=self.config.get("index_version_id"),
            questions=len(self.questions),
            repetitions=int(self.config["repetitions"]),
            slices={name: int(mask.sum()) for name, mask in self.columns.slices.items()},
            coverage={name: int(mask.sum()) for name, mask in self.columns.coverage.items()},
            primary_metric=self.columns.primary,
            baseline_id=baseline,
            complete=self.experiment.completed_at is not None,
            approaches=approaches,
            comparisons=comparisons,
            slice_comparisons=self._compare(by_slice),
            pairs=self._compare([(a, b, None) for a, b in combinations(ranked, 2)]),
            smallest_detectable=smallest_detectable(len(self.questions), discordance, alpha=0.05 / len(comparisons))
            if discordance
            else None,
            discordance=discordance,
            twins=self._twins(),
            provenance=self.experiment.provenance or {},
            headroom=self._headroom(),
            sources=self._sources(np.ones(len(self.questions), dtype=bool)),
            spending=spending(self.experiment.id, self.columns.rates.currency, self.columns.rates.factor),
        )

    def _headroom(self) -> Headroom | None:
        """What is left to gain; nothing is told where an earlier version left out whether passages were shown."""
        if "retrieval" not in (self.columns.primary, *self.config["metrics"]):
            return None
        return headroom(self._measured(), self.columns.covered, self.columns.absent)

    def _measured(self) -> dict[str, Measured]:
        return {
            a.id: Measured(a.preset, self.matrix[a.id], self.shown[a.id], spec_of_row(a).model.place)
            for a in self.approaches
        }

    def cases(self) -> list[dict[str, Any]]:
        """One row a question, after `compute`."""
        names = list(self.matrix)
        values = np.stack([self.matrix[i] for i in names]) if names else np.empty((0, len(self.questions)))
        base = self.matrix.get(self.baseline, np.full(len(self.questions), np.nan))
        better, worse = (values > base).sum(axis=0), (values < base).sum(axis=0)
        rows = []
        for place, example_id in enumerate(self.questions):
            known = {i: float(v) for i, v in zip(names, values[:, place], strict=True) if not np.isnan(v)}
            rows.append(
                {
                    "position": place,
                    "example_id": example_id,
                    "slice": self.columns.slice_of[place],
                    "mean": sum(known.values()) / len(known) if known else None,
                    "low": min(known.values(), default=None),
                    "high": max(known.values(), default=None),
                    "failed": int(self.failed[place]),
                    "improved": int(better[place]),
                    "regressed": int(worse[place]),
                    "by_approach": known,
                    "causes": {i: why[place] for i, why in self.causes.items() if place in why},
                }
            )
        return rows

    def _approach(self, approach: tb.Approach) -> ApproachResult:
        spec, answers = spec_of_row(approach), self.columns.answers(approach.id)
        primary = self.matrix[approach.id] = self.columns.primary_by_question(answers)
        shown = self.shown[approach.id] = self.columns.by_question(answers, "retrieval")
        self.texts[approach.id] = answers.texts
        self.failed += self.columns.failed_by_question(answers)
        # questions are the unit: repetitions of one are averaged first
        numbers = {name: self.columns.mean_by_question(answers, name) for name in answers.numbers}
        self.telling[approach.id] = self._telling(answers)
        why = self.causes[approach.id] = causes(self._facts(answers))
        return ApproachResult(
            approach_id=approach.id,
            name=approach.name,
            names={str(code): name for code, name in spec.names.items()},
            preset=approach.preset,
            version=approach.version,
            ranked=spec.ranked,
            model=spec.model.served_name,
            hash=approach.hash,
            counts=self._counts(answers),
            correct=_interval(primary),
            slices=_masked(primary, self.columns.slices),
            coverage=_masked(primary, self.columns.coverage),
            metrics=self._metrics(answers, primary),
            tokens=Tokens(
                prompt=_amount(numbers["prompt_tokens"]),
                context=_amount(numbers["context_tokens"]),
                cached=_amount(numbers["cached_tokens"]),
                completion=_amount(numbers["completion_tokens"]),
                reasoning=_amount(numbers["reasoning_tokens"]),
            ),
            cost=self._cost(answers, numbers["cost"], spec.model.served_name),
            latency=latency(self.experiment.id, approach.id),
            device_seconds=_amount(numbers["device_seconds"]),
            attribution=Attribution(**Counter(why.values())),
            retrieval=_retrieval(shown, primary),
            failures=dict(answers.errors.most_common()),
            declined=_interval(self._declined(answers, primary)[np.asarray(self.columns.absent, dtype=bool)]),
            confusion=confusion_of(answers.named),
            reasons=dict(answers.failed_with),
        )

    def _counts(self, answers: Answers) -> Counts:
        status = Counter(answers.status)
        planned = len(self.questions) * int(self.config["repetitions"])
        running = sum(status[name] for name in RUNNING)
        return Counts(
            planned=planned,
            finished=status["finished"],
            failed=status["failed"],
            stopped=status["stopped"],
            open=planned - len(answers.status) + running,
            empty=answers.empty,
            cut=answers.cut,
        )

    def _metrics(self, answers: Answers, by_question: Floats) -> dict[str, MetricResult]:
        later = [name for name, kind in METRICS.all().items() if kind.judged]
        names = dict.fromkeys((self.columns.primary, *self.config["metrics"], *later))
        found: dict[str, MetricResult] = {}
        for name in names:
            failed = answers.failed_scores[name]
            values = by_question if name == self.columns.primary else self.columns.by_question(answers, name)
            applicable = int((~np.isnan(values)).sum())
            if applicable or failed:
                found[name] = MetricResult(_interval(values), applicable, failed)
        return found

    def _declined(self, answers: Answers, primary: Floats) -> Floats:
        """Return by question whether it said that it does not know; one that got no answer at all counts as 0."""
        values = self.columns.by_question(answers, "abstention")
        return np.where(np.isnan(values) & (primary == 0), 0.0, values)

    def _cost(self, answers: Answers, by_question: Floats, model_ref: str) -> Cost:
        """Money of the quality answers; what one right answer costs comes from the priced ones alone."""
        every = np.asarray(answers.numbers["cost"], dtype=np.float64)
        known = ~np.isnan(every)
        finished = sum(1 for status in answers.status if status == "finished")
        if not known.any():
            return Cost(unpriced=finished)
        mean = mean_interval_positive(by_question[~np.isnan(by_question)])
        total, right = float(every[known].sum()), float(np.nansum(answers.score(self.columns.primary)[known]))
        return Cost(
            per_answer=mean,
            per_1000=_times(mean, 1000),
            per_correct=total / right if right else None,
            total=total,
            currency=answers.currency.most_common(1)[0][0] if answers.currency else "",
            basis=tuple(sorted(answers.basis)),
            price_versions=tuple(sorted(answers.prices)),
            unpriced=max(0, finished - int(known.sum())),
            parts=cost_parts(answers.spent, model_ref, int(known.sum())),
        )

    def _facts(self, answers: Answers) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Facts for attribution: value and its reason, passage shown or not, no answer exists."""
        primary, shown = answers.score(self.columns.primary), answers.score("retrieval")
        for row, (place, status) in enumerate(zip(answers.place, answers.status, strict=True)):
            facts = {
                "value": None if np.isnan(primary[row]) else primary[row],
                "reason": answers.reasons.get(row, ""),
                "shown": None if np.isnan(shown[row]) else shown[row],
                "absent": self.columns.absent[place],
            }
            yield place, status, facts

    def _compare(self, wanted: Sequence[tuple[str, str, str | None]]) -> tuple[Comparison, ...]:
        """Paired comparisons of a planned list; Holm over those that could be made."""
        made = []
        for first, second, name in wanted:
            a, b = self.matrix[first], self.matrix[second]
            both = ~(np.isnan(a) | np.isnan(b))
            if name is not None:
                both &= self.columns.slices[name] > 0
            if both.any():
                clusters = self.columns.sources[both] if self._sources(both) else None
                made.append((first, second, name, paired_difference(a[both], b[both], clusters=clusters)))
        fields = told([difference for *_, difference in made])
        return tuple(
            Comparison(first, second, name, **each) for (first, second, name, _), each in zip(made, fields, strict=True)
        )

    def _sources(self, which: NDArray[np.bool_]) -> int | None:
        """Documents that questions come from, others by themselves; None where they are not counted together.

        They are not where each is from a document of its own, or where all are from so few that the result can only
        hold for these documents.
        """
        count = np.unique(self.columns.sources[which]).size
        return count if FEWEST_CLUSTERS <= count < int(which.sum()) else None

    def _telling(self, answers: Answers) -> set[int]:
        """Questions whose first answer says something about who wrote it: wrong ones and long ones.

        Good models give the same short right answers, and now and then say that they do not know in the words they
        were told; one that mostly says so is none of these.
        """
        values, first = answers.score(self.columns.primary), dict[int, int]()
        for row, place in enumerate(answers.place):
            first.setdefault(place, row)
        wrong = {place for place, row in first.items() if values[row] < 0.5}
        declined = {place for place in wrong if answers.reasons.get(first[place]) in _DECLINED}
        return answers.long | (wrong - declined if 2 * len(declined) < len(first) else wrong)

    def _twins(self) -> tuple[Twins, ...]:
        """Pairs with the same prompts and different weights whose texts are nearly always the same."""
        specs = {a.id: spec_of_row(a) for a in self.approaches}
        found = []
        for a, b in combinations(specs, 2):
            if specs[a].model == specs[b].model or specs[a].context != specs[b].context:
                continue
            shared = self.texts[a].keys() & self.texts[b].keys()
            if not self._alike(a, b, shared):
                continue  # messages are long: they are only compared where the texts raise the suspicion
            shared &= self.columns.same_messages(a, b)
            if self._alike(a, b, shared):
                same = sum(self.texts[a][question] == self.texts[b][question] for question in shared)
                found.append(Twins(a, b, same, len(shared)))
        return tuple(found)

    def _alike(self, a: str, b: str, shared: Set[int]) -> bool:
        """Whether the texts are nearly always the same, also where that is no mere agreement on what is right."""
        same = {question for question in shared if self.texts[a][question] == self.texts[b][question]}
        telling = shared & (self.telling[a] | self.telling[b])
        return (
            len(shared) >= TWINS_LEAST
            and len(same) >= TWINS_SHARE * len(shared)
            and len(telling) >= TELLING_LEAST
            and len(telling & same) >= TWINS_SHARE * len(telling)
        )


def _retrieval(shown: Floats, primary: Floats) -> Retrieval | None:
    known = ~np.isnan(shown)
    if not known.any():
        return None
    return Retrieval(
        questions=int(known.sum()),
        found=_interval(shown),
        correct_if_found=_interval(primary[known & (shown >= 0.5)]),
        correct_if_missed=_interval(primary[known & (shown < 0.5)]),
    )


def _interval(values: Floats) -> Interval | None:
    """Interval of a score between 0 and 1; None without values."""
    known = values[~np.isnan(values)]
    return mean_interval(known, bounds=(0.0, 1.0)) if known.size else None


def _masked(values: Floats, masks: dict[str, Floats]) -> dict[str, Interval]:
    found = {name: _interval(values[mask > 0]) for name, mask in masks.items()}
    return {name: interval for name, interval in found.items() if interval is not None}


def _amount(values: Floats) -> Interval | None:
    """Mean of an amount that cannot be negative; None when nobody counted."""
    known = values[~np.isnan(values)]
    return mean_interval_positive(known) if known.size else None


def mean_interval_positive(values: Floats) -> Interval:
    """Mean of an amount with a t interval clipped at 0; amounts of 0 and 1 are not taken for proportions."""
    return mean_interval(values, bounds=(0.0, np.inf))


def _times(interval: Interval, factor: float) -> Interval:
    low = None if interval.low is None else interval.low * factor
    high = None if interval.high is None else interval.high * factor
    return Interval(interval.estimate * factor, low, high, interval.n, interval.method)
