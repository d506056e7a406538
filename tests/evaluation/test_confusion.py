"""The confusion matrix: which category was named where another was right."""

from __future__ import annotations

from core.evaluation import confusion
from core.identity import new_id
from core.store import tables as tb
from core.store import write
from tests.evaluation.test_results import Written


def put_category(written: Written, place: int, expected: str, given: str) -> None:
    """Add an answer of the plain model whose category was judged."""
    approach = written.approaches["base"]
    row = tb.Answer(
        id=new_id(), project_id=written.experiment.project_id, experiment_id=written.experiment.id,
        example_id=written.questions[place], approach_id=approach.id, approach_hash=approach.hash,
        phase="quality", question="q", status="finished", text=given,
    )  # fmt: skip
    reason = {"code": "category_right", "params": {"expected": expected, "given": given}}
    value = float(expected == given)
    score = tb.Score(project_id=row.project_id, answer_id=row.id, metric="category", value=value, reason=reason)
    with write() as session:
        session.add_all([row, score])


def test_answers_are_counted_by_right_and_named_category() -> None:
    written = Written("base")
    named = [("A1", "A1"), ("A1", "B2"), ("A1", "B2"), ("B2", "B2"), ("B2", ""), ("B2", "Z9")]
    for place, (expected, given) in enumerate(named):
        put_category(written, place, expected, given)
    found = confusion(written.experiment.id, written.approaches["base"].id)
    assert found is not None
    assert found.expected == ("A1", "B2") and found.given == ("A1", "B2", "Z9", "")
    assert found.counts == ((1, 2, 0, 0), (0, 1, 1, 1))
    assert (found.right, found.total, found.worst) == (2, 6, ("A1", "B2", 2))


def test_without_questions_about_categories_there_is_no_matrix() -> None:
    written = Written("base")
    written.put("base", 0, 1.0)
    assert confusion(written.experiment.id, written.approaches["base"].id) is None


def test_without_a_mistake_none_is_named() -> None:
    written = Written("base")
    put_category(written, 0, "A1", "A1")
    found = confusion(written.experiment.id, written.approaches["base"].id)
    assert found is not None and found.worst is None and found.right == found.total == 1
