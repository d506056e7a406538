"""What the second look came to: how many right answers are left, and how often answers stay the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

import numpy as np
from sqlalchemy import or_, select

from core.errors import KurabeError
from core.identity import match_key
from core.measures import PRIMARY, Difference, Interval, Verdict, finding, holm, mean_interval, paired_difference
from core.store import read
from core.store import tables as tb

from .config import PROBES


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe of one approach."""

    approach_id: str
    probe: str
    n: int
    """Questions with an answer before and now (general tasks: with an answer)."""
    before: Interval | None
    """The metric on the same questions as they were first asked; for general tasks that of the plain model."""
    now: Interval | None
    """The metric under the changed circumstances; a failed answer counts as wrong."""
    lost: int
    """Questions that went from right to wrong."""
    gained: int
    """Questions that went from wrong to right."""
    same: float | None
    """Share of answers with the same words as before; for `repeated`: of pairs of repetitions that agree."""
    verdict: Verdict | None
    """Now against before, paired by question, Holm over all results; None where there is nothing to compare with."""
    temperature: float | None = None
    """Of the probe `repeated`."""
    failed: int = 0
    """Answers that failed: they count as wrong, and tell about the server rather than the approach."""


@dataclass(frozen=True, slots=True)
class RobustnessOutcome:
    """Every probe of every approach that it concerns, in the order of the probes."""

    experiment_id: str
    results: tuple[ProbeResult, ...]
    open: int
    """Answers that are still to come."""

    def of(self, probe: str) -> tuple[ProbeResult, ...]:
        """The results of one probe."""
        return tuple(result for result in self.results if result.probe == probe)


@dataclass(frozen=True, slots=True)
class _Given:
    """One answer as far as it is compared."""

    text: str
    value: float
    temperature: float | None
    failed: bool


_Answers = dict[str, list[_Given]]
"""By question."""


def robustness_outcome(experiment_id: str) -> RobustnessOutcome:
    """Sum up what was asked again of an experiment, as far as it has come.

    Raises:
        KurabeError: `store.missing`.
    """
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
    if experiment is None:
        raise KurabeError("store.missing", kind="experiment", id=experiment_id)
    found, left = _given(experiment)
    plain = _plain(experiment)
    results: list[tuple[ProbeResult, Difference | None]] = []
    for probe in PROBES:
        for approach_id in experiment.config["approach_ids"]:
            now = found.get((probe, approach_id))
            if not now:
                continue
            reference = found.get((probe, plain)) if probe == "abilities" else found.get(("quality", approach_id))
            results.append(_result(approach_id, probe, reference or {}, now, is_plain=approach_id == plain))
    return RobustnessOutcome(experiment_id, _judged(results), left)


def _judged(results: list[tuple[ProbeResult, Difference | None]]) -> tuple[ProbeResult, ...]:
    """Give each result its word, with Holm over all of them."""
    compared = [difference for _, difference in results if difference is not None]
    adjusted = iter(holm([difference.p_value for difference in compared]))
    return tuple(
        replace(result, verdict=finding(difference, next(adjusted))) if difference is not None else result
        for result, difference in results
    )


def _plain(experiment: tb.Experiment) -> str:
    """The approach whose weights nobody tuned and that reads nothing; empty without one."""
    wanted = select(tb.Approach.id).where(
        tb.Approach.id.in_(experiment.config["approach_ids"]), tb.Approach.preset == "base"
    )
    with read() as session:
        return session.scalars(wanted).first() or ""


def _given(experiment: tb.Experiment) -> tuple[dict[tuple[str, str], _Answers], int]:
    """Answers by probe and approach, the first ones under `quality`, and how many are still to come."""
    a, s = tb.Answer, tb.Score
    metric = experiment.config["primary_metric"]
    columns = select(a.phase, a.approach_id, a.example_id, a.status, a.text, a.decoding, s.metric, s.value)
    again = select(a.example_id).where(a.experiment_id == experiment.id, a.phase.in_(PROBES)).distinct()
    # of the first answers those to questions that were asked again: the texts of all others are read for nothing
    compared = (a.phase == "quality") & a.example_id.in_(again)
    wanted = columns.outerjoin(s, (s.answer_id == a.id) & s.metric.in_([metric, PRIMARY])).where(
        a.experiment_id == experiment.id, or_(a.phase.in_(PROBES), compared)
    )
    found: dict[tuple[str, str], _Answers] = defaultdict(lambda: defaultdict(list))
    left = 0
    with read() as session:
        for phase, approach_id, example_id, status, text, decoding, name, value in session.execute(wanted):
            if status in ("pending", "streaming"):
                left += phase != "quality"
            elif status == "failed" or (value is not None and name == (PRIMARY if phase == "abilities" else metric)):
                # what was answered and has no value is neither right nor wrong
                warm = (decoding or {}).get("temperature")
                worth = 0.0 if status == "failed" else value
                found[phase, approach_id][str(example_id)].append(
                    _Given(match_key(text), worth, warm, status == "failed")
                )
    return found, left


def _result(
    approach_id: str, probe: str, before: _Answers, now: _Answers, *, is_plain: bool
) -> tuple[ProbeResult, Difference | None]:
    shared = [question for question in now if question in before]
    first = np.array([fmean(g.value for g in before[q]) for q in shared])
    second = np.array([fmean(g.value for g in now[q]) for q in shared])
    compared = bool(shared) and not (probe == "abilities" and is_plain)
    difference = paired_difference(second, first) if compared else None
    alone = np.array([fmean(g.value for g in given) for given in now.values()])
    result = ProbeResult(
        approach_id=approach_id,
        probe=probe,
        n=len(shared) or len(now),
        before=mean_interval(first, bounds=(0.0, 1.0)) if compared else None,
        now=mean_interval(second if shared else alone, bounds=(0.0, 1.0)),
        lost=int(((first >= 0.5) & (second < 0.5)).sum()) if compared else 0,
        gained=int(((first < 0.5) & (second >= 0.5)).sum()) if compared else 0,
        same=_agreement(now) if probe == "repeated" else _same(before, now, shared) if probe != "abilities" else None,
        verdict=None,
        temperature=next(iter(now.values()))[0].temperature if probe == "repeated" else None,
        failed=sum(one.failed for given in now.values() for one in given),
    )
    return result, difference


def _same(before: _Answers, now: _Answers, shared: list[str]) -> float | None:
    return fmean(before[q][0].text == now[q][0].text for q in shared) if shared else None


def _agreement(now: _Answers) -> float | None:
    """Mean over questions of the share of pairs of repetitions with the same words."""
    shares = [
        fmean(one.text == two.text for one, two in combinations(given, 2)) for given in now.values() if len(given) > 1
    ]
    return fmean(shares) if shares else None
