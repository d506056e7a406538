"""Kept results are those that every answer gives now; questions are found, sorted and cut by them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import datasets
from core.approaches import AnswerRequest, new_row, save_rows, store_rows
from core.errors import KurabeError
from core.evaluation import (
    CAUSES,
    CaseFilter,
    case,
    cases,
    compute_results,
    confusion,
    count_cases,
    kept,
    rescore,
    results,
)
from core.evaluation.scoring import replace_scores
from core.identity import now
from core.settings import reset_settings
from core.store import migrate, read, reset_engine, write
from core.store import tables as tb
from core.votes import cast_rating
from tests.evaluation.test_confusion import put_category
from tests.evaluation.test_results import Written
from tests.jobs.postgres import emptied, programs, server


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    if programs() is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store of either kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("KURABE_DATABASE_URL", emptied(request.getfixturevalue("postgres_url")))
        reset_settings()
        reset_engine()
        migrate()


@pytest.fixture
def measured(store: None) -> Written:
    """A finished experiment of three approaches, with failures, categories, waiting times and two repetitions."""
    written = Written("base", "rag", "oracle_context")
    money = {"cost": Decimal("0.002"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    last = len(written.questions) - 1
    for place in range(last):
        written.put("base", place, float(place % 3 == 0), prompt_tokens=10 + place, **money)
        written.put("base", place, float(place % 2 == 0), repetition=1, **money)
        written.put("rag", place, float(place % 4 > 0), prompt_tokens=90, finish_reason="length", **money)
        written.put("oracle_context", place, 1.0, text="" if place == 2 else f"gold {place}", **money)
        written.put("base", place, None, phase="latency", total_seconds=1.0 + place, spans={"search": 0.1})
    written.put("rag", last, None, status="failed", error={"code": "models.timeout", "params": {}})
    put_category(written, last, "A1", "B2")
    with write() as session:
        session.get_one(tb.Experiment, written.experiment.id).completed_at = now()
    return written


def must_not_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(experiment_id: str) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(kept, "compute_results", refuse)


def test_kept_results_equal_those_computed_from_every_answer(
    measured: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = results(measured.experiment.id)
    fresh, _ = compute_results(measured.experiment.id)
    must_not_compute(monkeypatch)
    again = results(measured.experiment.id)
    assert again == fresh == first
    assert again.as_dict() == fresh.as_dict()
    assert list(again.slices) == list(fresh.slices), "the order of keys is kept too"
    base, rag = again.approach("base"), again.approach("rag")
    assert base is not None and rag is not None and base.correct is not None
    assert base.latency.n == 11 and rag.counts.cut == 11 and rag.failures == {"models.timeout": 1}
    matrix = confusion(measured.experiment.id, base.approach_id)
    assert matrix is not None and matrix.worst == ("A1", "B2", 1)


def test_scores_of_a_new_metric_make_new_results(measured: Written) -> None:
    def f1() -> int:
        found = results(measured.experiment.id).approach("base")
        assert found is not None
        return found.metrics["token_f1"].applicable if "token_f1" in found.metrics else 0

    assert f1() == 0
    rescore(measured.experiment.id, ("token_f1",))
    assert f1() > 0


def test_scoring_again_leaves_probes_and_judged_metrics_alone(measured: Written) -> None:
    from core.evaluation.robustness import abilities

    measured.put("base", 0, 1.0, phase="abilities", example_id=next(iter(abilities("en"))))
    rescore(measured.experiment.id, ("correct",))
    of_probes = select(tb.Score.value).join(tb.Answer).where(tb.Answer.phase == "abilities")
    with read() as session:
        assert list(session.scalars(of_probes)) == [1.0]
    with pytest.raises(KurabeError) as refused:
        rescore(measured.experiment.id, ("relevance",))
    assert refused.value.code == "evaluation.judged_metric"


def test_answers_to_probes_leave_kept_results_as_they_are(measured: Written) -> None:
    def marked() -> Any:
        with read() as session:
            return session.get_one(tb.Experiment, measured.experiment.id).measured_at

    before = marked()
    approach = measured.approaches["base"]
    asked = {"project_id": measured.experiment.project_id, "approach_id": approach.id, "question": "q"}
    for phase in ("reworded", "quality"):
        request = AnswerRequest(**asked, experiment_id=measured.experiment.id, phase=phase)  # type: ignore[arg-type]
        row = new_row(request, approach)
        store_rows([row])
        save_rows([row])
        replace_scores([row.id], ["correct"], [])
        assert (marked() == before) is (phase == "reworded")


def test_whatever_results_rest_on_makes_new_ones_when_it_changes(measured: Written) -> None:
    experiment = measured.experiment
    before = [results(experiment.id)]
    with write() as session:
        session.get_one(tb.Project, experiment.project_id).currency = "JPY"
    before.append(results(experiment.id))
    with write() as session:
        session.get_one(tb.Experiment, experiment.id).name = "Renamed"
    before.append(results(experiment.id))
    with write() as session:
        session.execute(update(tb.Example).values(coverage=None))
    documents = [("a.md", "A", "The warranty period of the Amber Kettle is 24 months.")]
    datasets.coverage(experiment.dataset_version_id, documents)
    before.append(results(experiment.id))
    assert all(one != other for place, one in enumerate(before) for other in before[:place])
    assert before[-1] == compute_results(experiment.id)[0]


def test_an_experiment_that_runs_is_computed_again_with_every_answer(measured: Written) -> None:
    with write() as session:
        session.get_one(tb.Experiment, measured.experiment.id).completed_at = None
    before = results(measured.experiment.id).approach("oracle_context")
    measured.put("oracle_context", len(measured.questions) - 1, 1.0)
    after = results(measured.experiment.id).approach("oracle_context")
    assert before is not None and after is not None
    assert after.counts.finished == before.counts.finished + 1


def test_partial_results_that_took_long_are_shown_for_a_while(
    measured: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write() as session:
        session.get_one(tb.Experiment, measured.experiment.id).completed_at = None
    first = results(measured.experiment.id)
    with write() as session:
        session.execute(update(tb.ExperimentResult).values(seconds=60.0))
    measured.put("oracle_context", len(measured.questions) - 1, 1.0)
    must_not_compute(monkeypatch)
    assert results(measured.experiment.id) == first
    monkeypatch.undo()
    with write() as session:
        session.get_one(tb.Experiment, measured.experiment.id).completed_at = now()
    assert results(measured.experiment.id) != first, "the end of the run is never late"


def test_questions_are_shown_by_how_the_approaches_fared(measured: Written) -> None:
    ids, experiment = measured.questions, measured.experiment.id
    base, rag = measured.approaches["base"].id, measured.approaches["rag"].id
    last = len(ids) - 1
    right = {p: (float(p % 3 == 0) + float(p % 2 == 0)) / 2 for p in range(last)}

    def shown(**fields: object) -> list[int]:
        found = cases(experiment, CaseFilter(**fields))  # type: ignore[arg-type]  # fields by name
        assert found.total == count_cases(experiment, CaseFilter(**fields)) == len(found.rows)  # type: ignore[arg-type]
        return [ids.index(row.example_id) for row in found.rows]

    assert shown() == list(range(last + 1))
    assert shown(show="failures") == shown(show="failures", approach_id=rag) == [last]
    assert shown(show="failures", approach_id=base) == []
    assert shown(show="regressions", approach_id=rag) == [p for p in range(last) if float(p % 4 > 0) < right[p]]
    assert shown(show="improvements", approach_id=rag) == [p for p in range(last) if float(p % 4 > 0) > right[p]]
    assert shown(show="regressions") == shown(show="regressions", approach_id=rag)
    assert shown(show="wrong", approach_id=base) == [p for p in range(last) if right[p] < 0.5]
    assert shown(show="wrong") == [last] and last in shown(sort="hardest")[:1]
    assert set(shown(show="different")) == {p for p in range(last) if {right[p], float(p % 4 > 0)} != {1.0}}
    spread = shown(sort="spread")
    assert right[spread[0]] == 0.0 or spread[0] % 4 == 0


def test_questions_are_found_by_why_an_answer_to_them_is_wrong(measured: Written) -> None:
    experiment, found = measured.experiment.id, results(measured.experiment.id)
    for approach in found.approaches:
        for name in CAUSES:
            shown = cases(experiment, cause=name, approach_id=approach.approach_id)
            assert shown.total == getattr(approach.attribution, name), (approach.preset, name)
            assert all(row.causes[approach.approach_id] == name for row in shown.rows)
    wrong = [sum(getattr(a.attribution, name) for name in CAUSES) for a in found.approaches]
    assert min(wrong) < max(wrong), "the approaches fare differently"
    rag = measured.approaches["rag"].id
    [failed] = cases(experiment, cause="failed").rows
    assert failed.causes[rag] == "failed" and failed.example_id == measured.questions[-1]
    one = case(experiment, failed.example_id)
    assert one is not None and one.causes == failed.causes


def test_pages_of_questions_come_in_order_and_without_gaps(measured: Written) -> None:
    experiment = measured.experiment.id
    pages = [cases(experiment, offset=start, limit=5).rows for start in range(0, 15, 5)]
    assert [row.example_id for page in pages for row in page] == measured.questions
    assert [len(page) for page in pages] == [5, 5, 2] and len(pages[0][0].cells) == 3
    assert cases(experiment, search="Birch").total == 2 and cases(experiment, search="%").total == 0
    assert cases(experiment, slice_name="absent").total == 6


def test_questions_on_which_people_and_scores_disagree_are_found(measured: Written) -> None:
    answer = tb.Answer
    wanted = select(answer).where(answer.phase == "quality", answer.approach_id == measured.approaches["rag"].id)
    with read() as session:
        by_question = {row.example_id: row for row in session.scalars(wanted)}
    wrong, right = by_question[measured.questions[4]], by_question[measured.questions[5]]
    for row, value in ((wrong, "as_is"), (right, "as_is"), (by_question[measured.questions[6]], "unusable")):
        cast_rating(row, "someone", value)
    found = cases(measured.experiment.id, show="disagreements")
    assert [row.example_id for row in found.rows] == [measured.questions[4], measured.questions[6]]
    base = measured.approaches["base"].id
    assert cases(measured.experiment.id, show="disagreements", approach_id=base).total == 0


def test_keeping_again_replaces_what_was_kept(measured: Written) -> None:
    for _ in range(2):
        kept.keep_results(measured.experiment.id)
    with read() as session:
        counts = [session.scalar(select(func.count(t.id))) for t in (tb.ExperimentResult, tb.ExperimentCase)]
    assert counts == [1, len(measured.questions)]
    with write() as session:
        session.delete(session.get_one(tb.Project, measured.experiment.project_id))
    with read() as session:
        assert session.scalar(select(func.count(tb.ExperimentCase.id))) == 0
