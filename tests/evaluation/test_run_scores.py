"""Trained weights are compared by their answers, question by question, where a test run asked both in the same way."""

from __future__ import annotations

import json

import pytest

from core import datasets
from core.approaches import ensure_presets
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, compare_run_scores, start_experiment
from core.identity import now
from core.measures import paired_difference
from core.store import tables as tb
from core.store import write
from core.training import compare_runs
from tests.approaches.world import make_project
from tests.cli.running import done, told
from tests.evaluation.test_results import Written
from tests.training.weights import put_run


class Trained:
    """Two runs of one project, and test runs of their weights whose answers are written by hand."""

    def __init__(self) -> None:
        self.project = make_project()
        version = datasets.latest_version(self.project.id)
        assert version is not None
        self.version = version.id
        self.first, self.first_tuned = self._run("first")
        self.second, self.second_tuned = self._run("second")

    def _run(self, name: str) -> tuple[str, tb.Approach]:
        run = put_run(self.project.id, self.version, name)
        made = {approach.preset: approach for approach in ensure_presets(self.project.id)}
        return run.id, made["fine_tuned"]

    def asked(self, **approaches: tb.Approach) -> Written:
        """A test run of these approaches; answers are put by the names given here."""
        written = Written.__new__(Written)
        written.approaches, written.version_id = approaches, self.version
        config = ExperimentConfig(**written.config())
        written.experiment = start_experiment(self.project.id, config, launch=False)
        written.questions = written.experiment.config["example_ids"]
        return written


def finished(written: Written) -> None:
    with write() as session:
        session.get_one(tb.Experiment, written.experiment.id).completed_at = now()


def test_two_runs_asked_in_one_test_run_are_paired_question_by_question() -> None:
    trained = Trained()
    both = trained.asked(one=trained.first_tuned, two=trained.second_tuned)
    for place in range(12):
        both.put("one", place, 0.0)
        both.put("two", place, float(place > 0))
    assert compare_run_scores([trained.first, trained.second]).scores == (), "it is not finished"
    finished(both)
    found = compare_run_scores([trained.first, trained.second])
    assert [(score.run_id, round(score.score.estimate, 3)) for score in found.scores] == [
        (trained.first, 0.0), (trained.second, round(11 / 12, 3)),
    ]  # fmt: skip
    [difference] = found.differences
    expected = paired_difference([0.0] + [1.0] * 11, [0.0] * 12)
    assert (difference.n, difference.up, difference.down, difference.verdict) == (12, 11, 0, "better")
    assert (difference.estimate, difference.low, difference.high) == (expected.estimate, expected.low, expected.high)
    assert difference.alike and difference.preset == "fine_tuned" and found.never_asked == ()

    seen = told("runs", "compare", trained.first, trained.second)
    assert seen["scores"] == json.loads(json.dumps(found.as_dict()))
    people = done("runs", "compare", trained.first, trained.second).stdout
    assert "+91.7" in people and "better" in people and "only the" in people


def changed(approach: tb.Approach, **fields: object) -> None:
    with write() as session:
        row = session.get_one(tb.Approach, approach.id)
        row.spec = {**row.spec, **fields}


def test_asked_alike_counts_what_can_change_an_answer_and_what_the_test_run_pinned() -> None:
    trained = Trained()
    both = trained.asked(one=trained.first_tuned, two=trained.second_tuned)
    for place in range(12):
        both.put("one", place, 0.0)
        both.put("two", place, 1.0)
    finished(both)
    chosen = [trained.first, trained.second]
    changed(trained.second_tuned, managed=False, archived=True, decoding={"max_tokens": 7})
    assert compare_run_scores(chosen).differences[0].alike, "one decoding was pinned for both"
    prompt = dict(trained.second_tuned.spec["prompt"], instructions="Be brief.")
    changed(trained.second_tuned, prompt=prompt)
    assert not compare_run_scores(chosen).differences[0].alike
    assert "differ too" in " ".join(done("runs", "compare", *chosen).stdout.split())


def test_what_a_deleted_adapter_answered_still_counts() -> None:
    trained = Trained()
    both = trained.asked(one=trained.first_tuned, two=trained.second_tuned)
    for place in range(12):
        both.put("one", place, 0.0)
        both.put("two", place, 1.0)
    finished(both)
    with write() as session:
        session.get_one(tb.Adapter, trained.first_tuned.spec["model"]["ref"]).deleted_at = now()
    found = compare_run_scores([trained.first, trained.second])
    assert found.never_asked == () and len(found.differences) == 1


def test_runs_asked_apart_are_paired_on_what_both_answered_and_others_are_named() -> None:
    trained = Trained()
    earlier, later = trained.asked(one=trained.first_tuned), trained.asked(two=trained.second_tuned)
    for place in range(12):
        earlier.put("one", place, 1.0)
        later.put("two", place, 1.0)
    finished(earlier)
    alone = compare_run_scores([trained.first, trained.second])
    assert alone.never_asked == (trained.second,) and alone.differences == () and len(alone.scores) == 1
    finished(later)
    [difference] = compare_run_scores([trained.first, trained.second]).differences
    assert (difference.n, difference.estimate, difference.verdict) == (12, 0.0, "not_enough")
    assert difference.experiments == (earlier.experiment.id, later.experiment.id)
    with pytest.raises(KurabeError, match="no_run"):
        compare_run_scores(["nothing", trained.first])


def test_device_time_and_cost_stand_beside_each_other() -> None:
    trained = Trained()
    with write() as session:
        run = session.get_one(tb.TrainingRun, trained.first)
        run.result = {"seconds": 3600.0, "device_seconds": 7200.0, "cost": {"amount": "5.00", "currency": "USD"}}
        session.get_one(tb.TrainingRun, trained.second).result = {"seconds": 1800.0}
    found = compare_runs([trained.first, trained.second])
    assert found.outcome["device_seconds"] == [7200.0, 1800.0]
    assert found.outcome["cost"] == [{"amount": "5.00", "currency": "USD"}, None]
    people = done("runs", "compare", trained.first, trained.second).stdout
    assert "2.000 h" in people and "$5.00" in people
