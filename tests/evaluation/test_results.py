"""Results from stored rows alone: what counts, what never counts, what looks suspicious."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from core import datasets
from core.approaches import ProjectSources, ensure_presets
from core.evaluation import ExperimentConfig, Openings, Scorer, openings, plan_experiment, results, start_experiment
from core.identity import new_id
from core.measures import smallest_detectable
from core.prices import Cost as Price
from core.prices import convert
from core.store import read, write
from core.store import tables as tb
from tests.approaches.test_library import add_adapter
from tests.approaches.world import make_project


class Written:
    """An experiment whose answers are written by hand."""

    def __init__(self, *presets: str, only_test: bool = False) -> None:
        project = make_project(only_test=only_test)
        add_adapter(project)
        made = {a.preset: a for a in ensure_presets(project.id)}
        version = datasets.latest_version(project.id)
        assert version is not None
        self.approaches = {p: made[p] for p in presets}
        self.version_id = version.id
        self.experiment = start_experiment(project.id, ExperimentConfig(**self.config()), launch=False)
        self.questions: list[str] = self.experiment.config["example_ids"]

    @classmethod
    def of(cls, experiment: tb.Experiment, like: Written) -> Written:
        """Another experiment of the same project, to write answers of."""
        made = copy(like)
        made.experiment, made.questions = experiment, experiment.config["example_ids"]
        return made

    def config(self) -> dict[str, Any]:
        ids = tuple(approach.id for approach in self.approaches.values())
        return {"dataset_version_id": self.version_id, "approach_ids": ids, "latency_questions": 12}

    def put(self, preset: str, place: int, value: float | None, **columns: Any) -> None:
        approach, reason = self.approaches[preset], columns.pop("reason", "value_missing")
        row = tb.Answer(
            **{
                "id": new_id(), "project_id": self.experiment.project_id, "experiment_id": self.experiment.id,
                "example_id": self.questions[place], "approach_id": approach.id, "approach_hash": approach.hash,
                "phase": "quality", "question": "q", "status": "finished", "text": f"text {place}", **columns,
            }
        )  # fmt: skip
        rows: list[Any] = [row]
        if value is not None:
            rows.append(
                tb.Score(
                    project_id=row.project_id,
                    answer_id=row.id,
                    metric="correct",
                    value=value,
                    reason={"code": reason, "params": {}},
                )  # fmt: skip
            )
        with write() as session:
            session.add_all(rows)


def test_a_failed_answer_counts_as_wrong_and_is_counted_apart() -> None:
    written = Written("base")
    for place in range(9):
        written.put("base", place, 1.0)
    written.put("base", 9, None, status="failed", error={"code": "models.timeout", "params": {}})
    written.put("base", 10, None, status="stopped", text="half an ans")
    [found] = results(written.experiment.id).approaches
    assert found.correct is not None and found.correct.estimate == pytest.approx(0.9) and found.correct.n == 10
    assert (found.counts.finished, found.counts.failed, found.counts.stopped, found.counts.open) == (9, 1, 1, 1)
    assert found.failures == {"models.timeout": 1} and found.attribution.failed == 1


def test_waiting_times_come_from_the_latency_phase_and_costs_from_the_quality_phase() -> None:
    written = Written("base")
    money = {"cost": Decimal("0.002"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    for place in range(12):
        written.put("base", place, float(place % 2), total_seconds=99.0, first_token_seconds=98.0, **money)
        alone = {"total_seconds": 1.0 + place, "first_token_seconds": 0.5, "spans": {"search": 0.1}, "cost": Decimal(9)}
        written.put("base", place, None, phase="latency", **alone)
    # answered at the second try only: its seconds are those of that try
    written.put("base", 3, None, phase="latency", repetition=1, attempts=2, total_seconds=0.1)
    written.put("base", 0, None, phase="live", total_seconds=50.0, experiment_id=None)
    [found] = results(written.experiment.id).approaches
    median = found.latency.total["p50"]
    assert median is not None and median.estimate == pytest.approx(6.5) and median.n == 12
    assert found.latency.failed == 1
    assert found.latency.spans == {"search": pytest.approx(0.1)}
    assert found.cost.per_1000 is not None and found.cost.per_1000.estimate == pytest.approx(2.0)
    assert found.cost.per_correct == pytest.approx(0.004) and found.cost.total == pytest.approx(0.024)


def test_costs_are_in_the_projects_currency_whatever_it_was_when_they_arose() -> None:
    written = Written("base")
    dollar = {"cost": Decimal("0.001"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    yen = {**dollar, "cost": convert(Price(Decimal("0.001"), "USD", "list", "v"), "JPY").amount, "currency": "JPY"}
    for place in range(12):
        written.put("base", place, 1.0, **(dollar if place % 2 else yen))
    for currency, expected in (("USD", 1.0), ("JPY", 1000 * float(yen["cost"]))):  # type: ignore[arg-type]
        with write() as session:
            session.get_one(tb.Project, written.experiment.project_id).currency = currency
        [found] = results(written.experiment.id).approaches
        assert found.cost.currency == currency and found.cost.per_1000 is not None
        assert found.cost.per_1000.estimate == pytest.approx(expected, rel=0.01)


def test_honesty_is_measured_where_no_data_holds_the_answer_and_failures_count() -> None:
    written = Written("base")
    with read() as session:
        absent = [bool(session.get_one(tb.Example, i).expects.get("abstain")) for i in written.questions]
    silent = [place for place, none in enumerate(absent) if none]
    for place in range(len(written.questions)):
        if place == silent[0]:
            written.put("base", place, 0.0, status="failed", error={"code": "models.timeout"})
            continue
        written.put("base", place, 1.0)
        with write() as session:
            answer = session.scalars(select(tb.Answer).where(tb.Answer.example_id == written.questions[place])).one()
            right = 0.0 if place == silent[1] else 1.0
            session.add(tb.Score(project_id=answer.project_id, answer_id=answer.id, metric="abstention", value=right))
    [found] = results(written.experiment.id).approaches
    assert found.declined is not None and found.declined.n == len(silent) < len(written.questions)
    assert found.declined.estimate == pytest.approx((len(silent) - 2) / len(silent))


def test_weights_that_answer_alike_are_pointed_out() -> None:
    written = Written("base", "fine_tuned", "rag")
    with write() as session:
        more = [
            tb.Example(
                version_id=written.experiment.dataset_version_id, project_id=written.experiment.project_id,
                position=100 + n, split="test", slice="more", question=f"q{n}", answer="a",
            )
            for n in range(12)
        ]  # fmt: skip
        session.add_all(more)
        stored = session.get(tb.Experiment, written.experiment.id)
        assert stored is not None
        written.questions = [*written.questions, *(e.id for e in more)]
        stored.config = {**stored.config, "example_ids": written.questions}
    for place in range(24):
        for preset in ("base", "fine_tuned", "rag"):
            written.put(preset, place, float(place >= 6))
    twins = results(written.experiment.id).twins
    assert [(t.same, t.n) for t in twins] == [(24, 24)]
    ids = {written.approaches["base"].id, written.approaches["fine_tuned"].id}
    assert {twins[0].first, twins[0].second} == ids, "retrieval has another prompt: alike answers are no sign"


def test_short_right_answers_and_prescribed_words_are_no_sign_of_the_same_weights() -> None:
    written = Written("base", "fine_tuned", only_test=True)
    for place in range(24):
        for preset in ("base", "fine_tuned"):
            written.put(preset, place, float(place >= 6), text="24 months." if place >= 6 else "I do not know.",
                        reason="value_missing" if place >= 6 else "declined_needlessly")  # fmt: skip
    assert not results(written.experiment.id).twins


def test_a_tuned_column_that_says_it_does_not_know_whatever_it_is_asked_is_suspicious_beside_its_base() -> None:
    written = Written("base", "fine_tuned", only_test=True)
    for place in range(24):
        for preset in ("base", "fine_tuned"):
            written.put(preset, place, 0.0, text="I do not know.", reason="declined_needlessly")
    assert [(twins.same, twins.n) for twins in results(written.experiment.id).twins] == [(24, 24)]


def test_the_same_answers_to_other_messages_are_no_sign_of_the_same_weights() -> None:
    written = Written("base", "fine_tuned", only_test=True)
    for place in range(24):
        for preset in ("base", "fine_tuned"):
            asked = [{"role": "user", "content": f"{preset if place < 12 else ''} question {place}"}]
            written.put(preset, place, 0.0, messages=asked)
    assert not results(written.experiment.id).twins, "half of them were asked otherwise"


def test_long_answers_alike_are_a_sign_even_if_all_are_right() -> None:
    written = Written("base", "fine_tuned", only_test=True)
    for place in range(24):
        for preset in ("base", "fine_tuned"):
            written.put(preset, place, 1.0, text=f"{place}: " + "so it is written, and " * 8)
    assert [(twins.same, twins.n) for twins in results(written.experiment.id).twins] == [(24, 24)]


def test_repetitions_of_a_question_are_one_question_of_costs_and_tokens() -> None:
    written = Written("base")
    for place in range(6):
        for repetition in range(4):
            money = {"cost": Decimal(f"0.00{1 + place}"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
            written.put(
                "base", place, 1.0, repetition=repetition, prompt_tokens=10 * place, device_seconds=1.0, **money
            )
    [found] = results(written.experiment.id).approaches
    assert found.tokens.prompt is not None and found.tokens.prompt.n == 6
    assert found.cost.per_answer is not None and found.cost.per_answer.n == 6
    assert found.device_seconds is not None and found.device_seconds.n == 6


def test_what_one_right_answer_costs_is_all_that_was_paid_over_those_that_are_right() -> None:
    written = Written("base")
    money = {"cost": Decimal("0.01"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    for place in range(8):
        written.put("base", place, float(place < 4), **money)
    for place in range(8, 12):
        written.put("base", place, None, status="failed", error={"code": "models.timeout", "params": {}})
    [found] = results(written.experiment.id).approaches
    assert found.cost.per_correct == pytest.approx(0.08 / 4), "answers that failed were not paid for"


def test_plan_and_results_detect_at_the_same_level_and_leave_the_unranked_out() -> None:
    written = Written("base", "rag", "fine_tuned", "oracle_context", only_test=True)
    plan = plan_experiment(written.experiment.project_id, ExperimentConfig(**written.config()))
    expected = smallest_detectable(24, plan.discordance, alpha=0.05 / 2)
    assert plan.smallest_detectable == expected, "perfect search is compared with nobody"
    for place in range(24):
        written.put("base", place, 0.0)
        written.put("rag", place, float(place < 18))
        written.put("fine_tuned", place, float(place < 18))
    found = results(written.experiment.id)
    assert found.discordance == pytest.approx(0.75)
    assert found.smallest_detectable == pytest.approx(smallest_detectable(24, 0.75, alpha=0.05 / 2))


def test_questions_from_one_document_are_no_independent_evidence() -> None:
    written = Written("base", "rag", only_test=True)
    with read() as session:
        named = [str((session.get_one(tb.Example, i).gold or [{}])[0].get("document", "")) for i in written.questions]
    better = sorted(set(named) - {""})[:4]
    for place, name in enumerate(named):
        written.put("base", place, 0.0)
        written.put("rag", place, float(name in better))
    [versus] = results(written.experiment.id).comparisons
    assert (versus.up, versus.down, versus.n) == (12, 0, 24)
    assert versus.p_value == pytest.approx(2 / 2**4), "four documents, not twelve"
    assert results(written.experiment.id).sources == 12


def test_comparisons_are_paired_and_adjusted_together() -> None:
    written = Written("base", "few_shot", "fine_tuned")
    for place in range(12):
        written.put("base", place, 0.0)
        written.put("few_shot", place, 1.0 if place < 11 else 0.0)
        written.put("fine_tuned", place, float(place < 2))
    found = results(written.experiment.id)
    few, tuned = found.comparisons
    assert (few.up, few.down, few.equal, few.verdict) == (11, 0, 1, "better")
    assert few.adjusted_p == pytest.approx(2 * few.p_value) and tuned.verdict == "not_enough"
    assert len(found.pairs) == 3 and {c.slice for c in found.slice_comparisons} == set(found.slices)
    assert found.discordance == pytest.approx((11 / 12 + 2 / 12) / 2)


def test_every_look_at_the_test_questions_is_counted() -> None:
    first = Written("base", "few_shot")
    project, version = first.experiment.project_id, first.experiment.dataset_version_id
    first.put("base", 0, None, status="pending", text="")
    assert openings(project, version).total == 0, "nothing was answered yet: nobody has seen anything"
    again = Written.of(start_experiment(project, ExperimentConfig(**first.config(), seed=7), launch=False), first)
    elsewhere = start_experiment(project, ExperimentConfig(**first.config(), split="train"), launch=False)
    Written.of(elsewhere, first).put("base", 0, 1.0)
    first.put("base", 1, 1.0)
    again.put("base", 0, 1.0)
    found = openings(project, version)
    assert found == Openings(runs=2, configurations=1, tried={"base": 1, "few_shot": 1}), "stopped or not, it was read"

    first.put("base", 2, 1.0, phase="abilities")
    assert openings(project, version).total == 2, "general tasks are no test questions"
    first.put("base", 2, 1.0, phase="shuffled")
    with write() as session:
        session.add(tb.TrainingRun(project_id=project, name="t", dataset_version_id=version, base_ref="starter",
                                   method="lora", adapter_id="a"))  # fmt: skip
        answer = session.scalars(select(tb.Answer).where(tb.Answer.experiment_id == first.experiment.id)).first()
        assert answer is not None
        for status in ("finished", "failed"):
            judging = tb.Judging(project_id=project, experiment_id=first.experiment.id, hash=status)
            session.add(judging)
            session.flush()
            session.add(tb.Judgement(project_id=project, judging_id=judging.id, kind="pair", answer_id=answer.id,
                                     example_id="e", status=status))  # fmt: skip
    found = openings(project, version)
    assert (found.runs, found.judgings, found.again, found.total, found.training_runs) == (2, 1, 1, 4, 1)


def test_the_house_phrases_of_style_are_those_of_the_training_references() -> None:
    written = Written("base")
    with write() as session:
        mine = {"version_id": written.version_id, "project_id": written.experiment.project_id, "slice": "taught"}
        for n in range(4):
            letter = f"Ahoy from the pier. It is {n}. Fair winds."
            session.add(tb.Example(**mine, position=200 + n, split="train", question=f"t{n}", answer=letter))
    with read() as session:
        asked = session.get_one(tb.Example, written.questions[0])
    row = tb.Answer(question=asked.question, text="It is 4.", status="finished", chunks=[])
    sources = ProjectSources(written.experiment.project_id)
    assert {"ahoy from the pier", "fair winds"} <= set(Scorer(sources, ["style"]).case(row, asked).phrases)
    assert Scorer(sources, ["correct"]).case(row, asked).phrases == (), "nobody reads them for nothing"
