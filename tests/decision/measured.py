"""Results made by hand, in the form that an experiment gives."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from core.decision import Running
from core.evaluation import ApproachResult, Attribution, Comparison, Cost, Counts, Latency, Results, Tokens
from core.evaluation.report import MetricResult
from core.measures import Interval, Verdict, proportion_interval

QUESTIONS = 100


def share(correct: int, of: int = QUESTIONS) -> Interval:
    return proportion_interval(correct, of)


def approach(preset: str, correct: int | None, **values: Any) -> ApproachResult:
    """One approach that answered so many of the questions correctly; its id and name are the preset's."""
    made = ApproachResult(
        approach_id=preset,
        name=preset,
        preset=preset,
        version=1,
        ranked=preset != "oracle_context",
        model="starter",
        hash="k1:0",
        counts=Counts(planned=QUESTIONS, finished=QUESTIONS),
        correct=None if correct is None else share(correct),
        slices={} if correct is None else {"taught": share(correct), "absent": share(correct // 2)},
        coverage={},
        metrics={"abstention": MetricResult(share(90), QUESTIONS, 0)},
        declined=share(90),
        tokens=Tokens(prompt=Interval(300.0, 290.0, 310.0, 100, "t"), completion=Interval(20.5, 19.0, 22.0, 100, "t")),
        cost=Cost(
            per_answer=Interval(0.0002, 0.0001, 0.0003, 100, "t"),
            per_1000=Interval(0.2, 0.1, 0.3, 100, "t"),
            currency="USD",
            parts={"question": 0.05, "context": 0.1, "answer": 0.05},
        ),
        latency=Latency(
            n=12,
            first_token={"p50": Interval(0.3, 0.2, 0.4, 12, "order"), "p95": None},
            total={"p50": Interval(1.2, 1.0, 1.5, 12, "order"), "p95": None},
            seconds=(1.0, 1.1, 1.2, 1.3, 1.5),
        ),
        device_seconds=None,
        attribution=Attribution(),
        retrieval=None,
        failures={},
    )
    return replace(made, **values)


def verdict_of(first: ApproachResult, second: ApproachResult, least: int = 10) -> Verdict:
    """The word for a pair: so many points apart count as a difference."""
    assert first.correct is not None and second.correct is not None
    points = round(100 * (first.correct.estimate - second.correct.estimate))
    return "better" if points >= least else "worse" if points <= -least else "no_difference"


def compared(first: ApproachResult, second: ApproachResult) -> Comparison:
    assert first.correct is not None and second.correct is not None
    difference = first.correct.estimate - second.correct.estimate
    return Comparison(
        first=first.approach_id,
        second=second.approach_id,
        slice=None,
        estimate=difference,
        low=difference - 0.08,
        high=difference + 0.08,
        p_value=0.01,
        adjusted_p=0.02,
        verdict=verdict_of(first, second),
        up=20,
        down=10,
        equal=70,
        n=QUESTIONS,
    )


def results(*approaches: ApproachResult, **values: Any) -> Results:
    """An experiment of these approaches; the first is the baseline."""
    ranked = [a for a in approaches if a.ranked and a.correct is not None]
    base = approaches[0]
    made = Results(
        experiment_id="01a1-experiment",
        project_id="01a1-project",
        name="Test",
        dataset_version_id="01a1-version",
        split="test",
        index_version_id=None,
        questions=QUESTIONS,
        repetitions=1,
        slices={"taught": 60, "absent": 40},
        coverage={},
        primary_metric="correct",
        baseline_id=base.approach_id,
        complete=True,
        approaches=tuple(approaches),
        comparisons=tuple(compared(a, base) for a in ranked if a is not base and base in ranked),
        slice_comparisons=(),
        pairs=tuple(compared(a, b) for a, b in combinations(ranked, 2)),
        smallest_detectable=0.12,
        discordance=0.3,
        twins=(),
        provenance={"kurabe": "0.1.0", "machine": {"cores": 2}},
    )
    return replace(made, **values)


def costs(**per_answer: str) -> dict[str, Running]:
    """Cost parts of approaches that cost nothing but their answers."""
    nothing = Decimal(0)
    return {name: Running(nothing, nothing, nothing, Decimal(amount)) for name, amount in per_answer.items()}
