"""The second look: the same questions under changed circumstances, kept apart from the test run's own figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from core.approaches import ApproachSpec, Decoding, ModelChoice, batch, save_approach
from core.errors import KurabeError
from core.evaluation import (
    ExperimentConfig,
    RobustnessConfig,
    current_look,
    plan_robustness,
    results,
    robustness_outcome,
    start_experiment,
    start_robustness,
)
from core.evaluation.jobs import run_experiment
from core.evaluation.robustness import abilities, reworded
from core.evaluation.robustness.running import run_robustness
from core.identity import now
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.evaluation.judge_server import judge_server
from tests.evaluation.test_experiment import begin, context
from tests.evaluation.test_results import Written


def asked(experiment: tb.Experiment, phase: str) -> list[tb.Answer]:
    wanted = select(tb.Answer).where(tb.Answer.experiment_id == experiment.id, tb.Answer.phase == phase)
    with read() as session:
        return list(session.scalars(wanted.order_by(tb.Answer.id)))


def test_every_probe_changes_what_it_says_and_nothing_else(served: Served, tmp_path: Path) -> None:
    experiment = begin("base", "rag", questions=4)
    run_experiment(context(experiment, tmp_path))
    before = results(experiment.id).as_dict()
    config = RobustnessConfig(experiment_id=experiment.id, questions=4, repetitions=2)
    plan = plan_robustness(config)
    assert plan.by_probe == {"shuffled": 4, "outage": 4, "reworded": 8, "repeated": 16, "abilities": 20}
    start_robustness(config, launch=False)
    payload = {"config": config.model_dump(mode="json")}
    ctx = JobContext("job", payload, tmp_path, project_id=experiment.project_id)
    assert run_robustness(ctx) == {"experiment_id": experiment.id, "answers": plan.calls, "failed": 0}
    first = {(row.approach_id, row.example_id): row for row in asked(experiment, "quality")}
    for row in asked(experiment, "shuffled"):
        was = [chunk["chunk_id"] for chunk in first[row.approach_id, row.example_id].chunks]
        is_now = [chunk["chunk_id"] for chunk in row.chunks]
        assert sorted(is_now) == sorted(was) and (is_now != was or len(was) < 2)
    assert all(row.chunks == [] and row.notes["retrieval_off"] for row in asked(experiment, "outage"))
    assert all(row.question != first[row.approach_id, row.example_id].question for row in asked(experiment, "reworded"))
    repeated = asked(experiment, "repeated")
    assert {row.decoding["temperature"] for row in repeated} == {0.7}
    assert len({row.seed for row in repeated}) == len(repeated)
    general = asked(experiment, "abilities")
    assert all(len(row.messages) == 1 and row.chunks == [] for row in general)
    # nothing of it is pooled with the test run's own figures
    assert results(experiment.id).as_dict() == before
    outcome = robustness_outcome(experiment.id)
    assert outcome.open == 0 and {r.probe for r in outcome.results} == set(plan.by_probe)
    assert {r.n for r in outcome.of("repeated")} == {4} and all(r.same is not None for r in outcome.of("repeated"))
    # asked once more: the rows are replaced, and a resumed job finds nothing left to ask
    assert run_robustness(ctx)["answers"] == plan.calls
    start_robustness(config.model_copy(update={"probes": ("outage",)}), launch=False)
    assert robustness_outcome(experiment.id).open == 4


def looked_at(probe: str, now_right: int, before_right: int) -> tuple[Written, Any]:
    """An experiment of twelve questions with one probe of retrieval, written by hand."""
    made = Written("base", "rag")
    for place in range(12):
        made.put("rag", place, float(place < before_right), text=f"before {place}")
        made.put("rag", place, float(place < now_right), phase=probe, text=f"before {place}" if place < 3 else "now")
    return made, robustness_outcome(made.experiment.id)


def test_what_was_lost_is_counted_question_by_question() -> None:
    made, outcome = looked_at("outage", now_right=2, before_right=12)
    [result] = outcome.results
    assert (result.approach_id, result.n, result.lost, result.gained) == (made.approaches["rag"].id, 12, 10, 0)
    assert result.before is not None and result.now is not None
    assert (result.before.estimate, result.now.estimate) == (1.0, pytest.approx(2 / 12))
    assert result.verdict == "worse" and result.same == pytest.approx(3 / 12)


def test_a_failed_answer_counts_as_wrong_and_is_counted_apart() -> None:
    made = Written("rag")
    made.put("rag", 0, 1.0)
    made.put("rag", 0, None, phase="outage", status="failed", text="", error={"code": "models.timeout", "params": {}})
    [result] = robustness_outcome(made.experiment.id).results
    assert result.now is not None and (result.now.estimate, result.lost, result.failed) == (0.0, 1, 1)


def test_few_questions_that_differ_are_no_finding() -> None:
    _, outcome = looked_at("reworded", now_right=8, before_right=12)
    [result] = outcome.results
    assert result.verdict == "not_enough" and result.lost == 4


def test_repetitions_agree_as_often_as_pairs_of_them_say_the_same() -> None:
    made = Written("base")
    for place, texts in enumerate((("a", "A ", "a"), ("a", "b", "b"))):
        made.put("base", place, 1.0, text="a")
        for repetition, text in enumerate(texts):
            made.put(
                "base", place, 1.0, phase="repeated", repetition=repetition, text=text, decoding={"temperature": 0.7}
            )
    [result] = robustness_outcome(made.experiment.id).results
    assert result.same == pytest.approx((1 + 1 / 3) / 2) and result.temperature == 0.7 and result.n == 2


def test_the_tuned_model_is_held_against_the_plain_one_on_general_tasks() -> None:
    made = Written("base", "fine_tuned")
    keys = list(abilities("en"))
    for place, key in enumerate(keys):
        made.put("base", 0, float(place < 16), phase="abilities", example_id=key)
        made.put("fine_tuned", 0, float(place < 4), phase="abilities", example_id=key)
    plain, tuned = robustness_outcome(made.experiment.id).of("abilities")
    assert plain.verdict is None and plain.now is not None and plain.now.estimate == pytest.approx(0.8)
    assert (tuned.lost, tuned.gained, tuned.verdict, tuned.n) == (12, 0, "worse", 20)


def asked_elsewhere(url: str, **decoding: Any) -> Written:
    """A finished experiment with one approach at an address and nothing stored yet."""
    made = Written("base")
    spec = ApproachSpec.model_validate(made.approaches["base"].spec)
    theirs = ModelChoice(kind="endpoint", ref="theirs", url=url)
    changes = {"name": "Theirs", "preset": "endpoint", "managed": False, "model": theirs}
    made.approaches = {"theirs": save_approach(made.experiment.project_id, spec.model_copy(update=changes))}
    config = ExperimentConfig(**made.config(), decoding=Decoding(max_tokens=20, **decoding))
    made.experiment = start_experiment(made.experiment.project_id, config, launch=False)
    with write() as session:
        session.get_one(tb.Experiment, made.experiment.id).completed_at = now()
    return made


def look_again(made: Written, folder: Path, **changes: Any) -> JobContext:
    """The job of a second look that is stored and has not begun."""
    config = RobustnessConfig(experiment_id=made.experiment.id, questions=4, **changes)
    start_robustness(config, launch=False)
    return JobContext("job", {"config": config.model_dump(mode="json")}, folder, project_id=made.experiment.project_id)


def test_a_server_that_is_gone_fails_the_job_and_a_resumed_one_asks_again(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(batch, "BACK_OFF_SECONDS", ())
    with judge_server(lambda system, user: "An answer.") as server:
        made = asked_elsewhere(server.url)
        ctx = look_again(made, tmp_path, probes=("reworded",))
        server.broken = True
        with pytest.raises(KurabeError, match="server_gone"):
            run_robustness(ctx)
        assert {row.status for row in asked(made.experiment, "reworded")} == {"failed"}
        server.broken = False
        assert run_robustness(ctx) == {"experiment_id": made.experiment.id, "answers": 4, "failed": 0}


def test_answers_that_nobody_got_to_score_are_scored_when_the_job_goes_on(tmp_path: Path) -> None:
    with judge_server(lambda system, user: "An answer.") as server:
        made = asked_elsewhere(server.url)
        ctx = look_again(made, tmp_path, probes=("reworded",))
        run_robustness(ctx)
        ids = [row.id for row in asked(made.experiment, "reworded")]
        with write() as session:  # what a kill between saving and scoring leaves
            session.execute(delete(tb.Score).where(tb.Score.answer_id.in_(ids)))
        assert robustness_outcome(made.experiment.id).results == (), "not scored is not wrong"
        asked_before = len(server.asked)
        run_robustness(ctx)
    assert len(server.asked) == asked_before
    with read() as session:
        assert session.scalar(select(func.count(tb.Score.id)).where(tb.Score.answer_id.in_(ids))) == 4


def test_a_pinned_seed_does_not_make_repetitions_alike(tmp_path: Path) -> None:
    with judge_server(lambda system, user: "An answer.") as server:
        made = asked_elsewhere(server.url, seed=7)
        run_robustness(look_again(made, tmp_path, probes=("repeated", "reworded"), repetitions=3))
    assert len({row.seed for row in asked(made.experiment, "repeated")}) == 12
    assert {row.seed for row in asked(made.experiment, "reworded")} == {7}


def test_a_second_look_waits_for_the_one_that_is_on_its_way(monkeypatch: Any) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # queued, and nobody starts it
    made = asked_elsewhere("http://127.0.0.1:9/v1")
    config = RobustnessConfig(experiment_id=made.experiment.id, probes=("reworded",), questions=4)
    job_id = start_robustness(config)
    rows = [row.id for row in asked(made.experiment, "reworded")]
    with pytest.raises(KurabeError) as refused:
        start_robustness(config)
    assert refused.value.code == "robustness.active" and rows == [r.id for r in asked(made.experiment, "reworded")]
    current = current_look(made.experiment.id)
    assert current is not None and current.id == job_id and current_look("another") is None


def test_a_second_look_that_cannot_be_queued_leaves_nothing_open(monkeypatch: Any) -> None:
    def full(*args: Any, **named: Any) -> str:
        raise KurabeError("jobs.quota")

    monkeypatch.setattr("core.evaluation.robustness.planning.submit", full)
    made = asked_elsewhere("http://127.0.0.1:9/v1")
    with pytest.raises(KurabeError, match="quota"):
        start_robustness(RobustnessConfig(experiment_id=made.experiment.id, probes=("reworded",)))
    assert robustness_outcome(made.experiment.id).open == 0


def test_an_unfinished_test_run_has_nothing_to_compare_with() -> None:
    made = Written("base")
    config = RobustnessConfig(experiment_id=made.experiment.id)
    with pytest.raises(KurabeError) as refused:
        plan_robustness(config)
    assert refused.value.code == "robustness.unfinished"
    with write() as session:
        session.get_one(tb.Experiment, made.experiment.id).completed_at = now()
    assert plan_robustness(config.model_copy(update={"probes": ("outage",)})).calls == 0
    with pytest.raises(KurabeError) as refused:
        start_robustness(config.model_copy(update={"probes": ("shuffled", "outage")}))
    assert refused.value.code == "robustness.no_probes"


@pytest.mark.parametrize(
    ("language", "question"), [("en", "What does the Amber Kettle cost?"), ("ja", "価格はいくら?")]
)
def test_another_wording_asks_for_the_same_thing(language: str, question: str) -> None:
    for number in range(12):
        other = reworded(tb.Example(id=f"id-{number}", question=question, tags={}), language)
        assert other != question and question.rstrip("?").casefold() in other.casefold()
    own = tb.Example(id="1", question=question, tags={"paraphrases": ["How much?"]})
    assert reworded(own, language) == "How much?"


def test_general_tasks_exist_in_both_languages_and_their_own_answer_is_right() -> None:
    from core.evaluation.robustness.probes import ability_case
    from core.measures import METRICS, measure

    for language in ("en", "ja"):
        tasks = abilities(language)
        assert len(tasks) == 20 and len({task["question"] for task in tasks.values()}) == 20
        for task in tasks.values():
            case = ability_case(task, f"{task['value']}。" if language == "ja" else f"{task['value']}.", language)  # type: ignore[arg-type]  # en or ja
            assert measure(METRICS.get("correct")(), case).value == 1, task
