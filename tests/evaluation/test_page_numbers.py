"""Every number that an experiment's page can show, against the independent computation; none may be left out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.evaluation import export_rows, results
from core.evaluation.jobs import run_experiment
from core.prices import PriceEntry, edit_prices, price_book
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.evaluation.independent import page
from tests.evaluation.test_experiment import begin, context
from tests.evaluation.test_results import Written

WORDS = {
    "experiment_id", "project_id", "name", "dataset_version_id", "split", "index_version_id", "primary_metric",
    "baseline_id", "complete", "provenance", "twins", "method", "approach_id", "preset", "version", "ranked", "model",
    "hash", "currency", "basis", "price_versions", "reference", "ceiling", "reasons",
}  # fmt: skip
"""Parts of the results that are no measured numbers; suspicious pairs are tested where they are made."""


LISTED = (2.0, 0.5, 8.0)
"""List prices that a test sets: read, read from the cache, written."""
Prices = dict[tuple[str, str], tuple[float, float, float]]


def recomputed(experiment: tb.Experiment, prices: Prices | None = None) -> dict[str, Any]:
    """The figures from the exported answers, with what the dataset says of its questions."""
    config = experiment.config
    with read() as session:
        examples = session.scalars(select(tb.Example).where(tb.Example.id.in_(config["example_ids"])))
        questions = {
            e.id: {
                "slice": e.slice,
                "coverage": e.coverage,
                "absent": bool((e.expects or {}).get("abstain")),
                "source": next((g["document"] for g in e.gold or () if g.get("document")), None),
            }
            for e in examples
        }
        reasons = {
            score.answer_id: score.reason.get("code", "")
            for score in session.scalars(select(tb.Score).where(tb.Score.metric == config["primary_metric"]))
            if (score.value or 0) < 1
        }
    presets = {a.approach_id: a.preset for a in results(experiment.id).approaches}
    rows = [{**row, "reason": reasons.get(row["id"], "")} for row in export_rows(experiment.id)]
    return page(
        rows,
        {i: questions[i] for i in config["example_ids"]},
        presets,
        config["baseline_id"],
        config["primary_metric"],
        config["metrics"],
        config["repetitions"],
        prices,
    )


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every number and fixed word of nested results with its place; approaches are named by their ids."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in WORDS:
                yield from leaves(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            known = inner.get("approach_id") if isinstance(inner, dict) else None
            yield from leaves(inner, (*path, known or str(place)))
    elif value is not None:
        yield path, value


def assert_same(experiment: tb.Experiment, prices: Prices | None = None) -> dict[tuple[str, ...], Any]:
    shown, expected = dict(leaves(results(experiment.id).as_dict())), dict(leaves(recomputed(experiment, prices)))
    shown.pop(("smallest_detectable",), None)  # both are right to their own steps; compared below
    step = expected.pop(("smallest_detectable",), None)
    assert shown.keys() == expected.keys(), sorted(shown.keys() ^ expected.keys())
    for place, value in shown.items():
        same = (
            value == expected[place]
            if isinstance(value, str)
            else value
            == pytest.approx(
                expected[place],
                rel=1e-9,
                abs=1e-9,  # sums come in another order
            )
        )
        assert same, (place, value, expected[place])
    smallest = results(experiment.id).smallest_detectable
    assert (smallest is None) == (step is None) and (step is None or smallest == pytest.approx(step, abs=4e-4))
    return shown


def test_every_figure_of_a_real_run_equals_what_scipy_computes_from_the_export(served: Served, tmp_path: Path) -> None:
    experiment = begin("base", "rag", "oracle_context", latency_questions=6)
    assert run_experiment(context(experiment, tmp_path))["failed"] == 0
    assert len(assert_same(experiment)) > 300


@pytest.mark.parametrize(("seed", "together"), [(1, False), (2, False), (3, True)])
def test_every_figure_of_answers_drawn_by_lot_equals_what_scipy_computes(seed: int, together: bool) -> None:
    """Failures, stops, second tries, parts of scores, prices that are missing: whatever a store can hold."""
    dice = np.random.default_rng(seed)
    presets = ["base", *([] if together else ["few_shot"]), "rag", "fine_tuned", "oracle_context"]
    written = Written(*presets, only_test=together)
    amounts = {name: Decimal(str(price)) for name, price in zip(("input", "cached", "output"), LISTED, strict=True)}
    edit_prices({"tokens/starter": PriceEntry("tokens/starter", "million_tokens", amounts, "2026-11", "the shop")})
    with write() as session:
        for place, question in enumerate(written.questions):
            session.get_one(tb.Example, question).coverage = ("taught", "documents", "both", "neither", None)[place % 5]
    for preset in written.approaches:
        for place in range(len(written.questions)):
            for repetition in range(1 + together):
                _put_by_lot(written, preset, place, dice, repetition)
    untuned = [a.id for preset, a in written.approaches.items() if preset != "fine_tuned"]
    shown = assert_same(written.experiment, {(a, price_book().version): LISTED for a in untuned})
    # 6 documents for 18 questions, and 6 questions that stand nowhere
    assert (shown.get(("sources",)) == 12) is together
    assert {place[-1] for place in shown if "parts" in place} == {"question", "context", "answer", "device", "whole"}
    assert len(shown) > 700
    assert {"p50"} <= {name for place in shown for name in place}


def _put_by_lot(written: Written, preset: str, place: int, dice: np.random.Generator, repetition: int) -> None:
    status = str(dice.choice(["finished", "failed", "stopped"], p=[0.85, 0.1, 0.05]))
    more: dict[str, Any] = {"status": status, "attempts": 1, "spans": {"search": float(dice.random()), "decode": 0.2}}
    more["repetition"] = repetition
    if status == "failed":
        more["error"] = {"code": str(dice.choice(["models.timeout", "models.endless"])), "params": {}}
    if status == "finished":
        more |= {
            "prompt_tokens": 60 + (read := int(dice.lognormal(5, 1))),
            "cached_tokens": read // int(dice.integers(1, 9)),
            "context_tokens": int(dice.integers(0, 60)),
            "completion_tokens": int(dice.integers(0, 40)), "device_seconds": float(dice.lognormal(-3, 1)),
            "finish_reason": str(dice.choice(["stop", "length"])), "text": str(dice.choice(["", "some text"])),
        }  # fmt: skip
        if dice.random() < 0.8:
            basis, version = str(dice.choice(["list", "device"])), str(dice.choice(["v", price_book().version]))
            more |= {"cost": Decimal(str(round(float(dice.lognormal(-7, 1)), 9))), "currency": "USD",
                     "cost_basis": basis, "price_version": version}  # fmt: skip
    value = float(dice.choice([0.0, 0.25, 0.8, 1.0])) if status == "finished" else None
    written.put(preset, place, value, **more)
    if status == "finished":
        _score_by_lot(written, preset, place, dice, repetition)
    alone = {"phase": "latency", "total_seconds": float(dice.lognormal(0, 0.5)), "attempts": int(dice.integers(1, 3))}
    alone |= {"first_token_seconds": float(dice.random()), "serving": {"warm": bool(dice.integers(0, 2))}}
    written.put(preset, place, None, **{**more, **alone})


def _score_by_lot(written: Written, preset: str, place: int, dice: np.random.Generator, repetition: int) -> None:
    approach = written.approaches[preset]
    with write() as session:
        mine = select(tb.Answer).where(
            tb.Answer.approach_id == approach.id, tb.Answer.example_id == written.questions[place],
            tb.Answer.phase == "quality", tb.Answer.repetition == repetition,
        )  # fmt: skip
        answer = session.scalars(mine).one()
        drawn: dict[str, float | None] = {
            "token_f1": None if dice.random() < 0.1 else float(dice.random()),
            "abstention": float(dice.integers(0, 2)),
        }
        if preset in ("rag", "oracle_context"):
            drawn["retrieval"] = float(dice.integers(0, 2))
        session.add_all(
            tb.Score(project_id=answer.project_id, answer_id=answer.id, metric=name, value=value, failed=value is None)
            for name, value in drawn.items()
        )
