"""Two experiments are paired question by question; what cannot be paired is said."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.approaches import Decoding
from core.errors import KurabeError
from core.evaluation import MOVES, ExperimentConfig, compare_experiments, moved_questions, start_experiment
from core.measures import paired_difference
from core.store import read, write
from core.store import tables as tb
from tests.evaluation.test_results import Written


def again(written: Written, **changes: object) -> Written:
    """Start the same experiment once more; what is put from now on belongs to the new one."""
    made = Written.__new__(Written)
    made.approaches, made.version_id = dict(written.approaches), written.version_id
    config = ExperimentConfig(**{**made.config(), **changes})
    made.experiment = start_experiment(written.experiment.project_id, config, launch=False)
    made.questions = made.experiment.config["example_ids"]
    return made


def test_approaches_are_compared_on_the_questions_that_both_asked() -> None:
    first = Written("base", "rag", "few_shot")
    for place in range(12):
        first.put("base", place, float(place % 2))
        first.put("rag", place, 0.0)
        first.put("few_shot", place, 1.0)
    del first.approaches["few_shot"]
    second = again(first, questions=11)
    for place, example in enumerate(second.questions):
        second.put("base", place, float(first.questions.index(example) % 2))
        second.put("rag", place, float(place > 0))
    found = compare_experiments(first.experiment.id, second.experiment.id)
    assert (found.shared, found.only_earlier, found.only_later) == (11, 1, 0)
    assert found.left_out == (first_name(first, "few_shot"),) and found.new == ()
    base, rag = found.approaches
    assert (base.preset, base.estimate, base.up, base.down, base.verdict) == ("base", 0.0, 0, 0, "not_enough")
    assert (rag.preset, rag.up, rag.down, rag.equal, rag.n, rag.verdict) == ("rag", 10, 0, 1, 11, "better")
    expected = paired_difference([0.0] + [1.0] * 10, [0.0] * 11)
    assert (rag.estimate, rag.low, rag.high, rag.p_value) == (
        expected.estimate, expected.low, expected.high, expected.p_value,
    )  # fmt: skip
    assert rag.adjusted_p == pytest.approx(2 * rag.p_value) and base.same and rag.same
    assert rag.before.estimate == 0.0 and rag.after.estimate == pytest.approx(10 / 11)


def test_the_questions_behind_each_count_are_found_page_by_page() -> None:
    first = Written("base")
    second = again(first)
    for place in range(12):
        first.put("base", place, float(place < 8))
        second.put("base", place, float(place >= 3))
    ids, name = (first.experiment.id, second.experiment.id), first_name(first, "base")
    [change] = compare_experiments(*ids).approaches
    found = {move: moved_questions(*ids, name, move) for move in MOVES}
    assert [found[move].total for move in MOVES] == [change.up, change.down, change.equal] == [4, 3, 5]
    asked = [[row.later_example for row in found[move].rows] for move in ("down", "equal", "up")]
    assert asked == [second.questions[:3], second.questions[3:8], second.questions[8:]]
    page = moved_questions(*ids, name, "equal", offset=1, limit=2)
    assert page.total == 5 and page.rows == found["equal"].rows[1:3]
    row = page.rows[0]
    assert row.earlier_example == first.questions[4] and row.before and row.after
    with pytest.raises(KurabeError, match=r"store\.missing"):
        moved_questions(*ids, "nobody", "up")


def test_a_comparison_follows_the_answers_that_come_in_and_leaves_out_what_one_run_has_not_asked_yet() -> None:
    first = Written("base")
    second = again(first)
    for place in range(12):
        first.put("base", place, 0.0)
        if place < 6:
            second.put("base", place, 1.0)
    ids, name = (first.experiment.id, second.experiment.id), first_name(first, "base")
    [change] = compare_experiments(*ids).approaches
    assert (change.up, change.down, change.equal) == (6, 0, 0)
    assert sum(moved_questions(*ids, name, move).total for move in MOVES) == 6, "what was not asked did not move"
    for place in range(6, 12):
        second.put("base", place, 0.0)
    [change] = compare_experiments(*ids).approaches
    assert (change.up, change.down, change.equal) == (6, 0, 6)
    assert moved_questions(*ids, name, "equal").total == 6


def test_a_run_that_decodes_otherwise_is_not_told_to_be_configured_alike() -> None:
    first = Written("base")
    for place in range(12):
        first.put("base", place, 0.0)
    for decoding, alike in ((None, True), (Decoding(max_tokens=14), False)):
        second = again(first, decoding=decoding)
        for place in range(12):
            second.put("base", place, 1.0)
        [change] = compare_experiments(first.experiment.id, second.experiment.id).approaches
        assert change.same is alike


def first_name(written: Written, preset: str) -> str:
    with read() as session:
        wanted = select(tb.Approach.name).where(
            tb.Approach.project_id == written.experiment.project_id, tb.Approach.preset == preset
        )
        return str(session.scalar(wanted))


def test_a_question_whose_reference_changed_is_not_the_same_question() -> None:
    first = Written("base")
    second = again(first)
    for place in range(12):
        first.put("base", place, 0.0)
        second.put("base", place, 1.0)
    with write() as session:
        copy = session.get_one(tb.Example, second.questions[0])
        other = tb.Example(
            version_id=copy.version_id, project_id=copy.project_id, position=99, split="test", slice=copy.slice,
            question=copy.question, answer="another reference",
        )  # fmt: skip
        session.add(other)
        session.flush()
        stored = session.get_one(tb.Experiment, second.experiment.id)
        stored.config = {**stored.config, "example_ids": [other.id, *second.questions[1:]]}
        session.delete(
            session.scalars(
                select(tb.Answer).where(
                    tb.Answer.experiment_id == stored.id, tb.Answer.example_id == second.questions[0]
                )
            ).one()
        )
    found = compare_experiments(first.experiment.id, second.experiment.id)
    assert (found.shared, found.only_earlier, found.only_later) == (11, 1, 1)


def test_what_cannot_be_compared_is_refused_with_a_reason() -> None:
    first = Written("base")
    other_metric = again(first, primary_metric="token_f1")
    with pytest.raises(KurabeError, match="evaluation.metrics_differ"):
        compare_experiments(first.experiment.id, other_metric.experiment.id)
    training = again(first, split="train")
    with pytest.raises(KurabeError, match="evaluation.nothing_shared"):
        compare_experiments(first.experiment.id, training.experiment.id)
