"""The test questions are sealed: pages say how often they were looked at, and where choosing belongs."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.evaluation import STRUCTURAL
from core.store import read, write
from core.store import tables as tb
from core.ui.seal import usual_split
from core.votes import cast_rating, vote_count
from tests.evaluation.test_results import Written
from tests.ui.conftest import Visitor, texts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_set_up_says_where_choosing_belongs(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    assert visitor.says("ui.seal.test") in texts(visitor.open("test_run"))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_results_say_how_often_one_looked_and_the_set_up_warns_of_one_more(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    assert visitor.says("ui.seal.counts").split("{")[0] + "1" in texts(visitor.open("test_run"))
    app = Visitor(language, measured).open("test_run", view="new", split="test")
    assert [w for w in app.warning if visitor.says("ui.seal.again").split("{")[0] in w.value]


def test_the_first_run_is_on_test_questions_and_later_ones_begin_with_validation() -> None:
    written = Written("base")
    version = tb.DatasetVersion(id=written.version_id, project_id=written.experiment.project_id)
    assert usual_split(version, ["test", "validation", "train"]) == "test"
    written.put("base", 0, 1.0)
    assert usual_split(version, ["test", "validation", "train"]) == "validation"
    assert usual_split(version, ["test", "train"]) == "test", "there is nothing else to ask"


def test_what_is_always_measured_cannot_be_left_out(filled: tb.Project) -> None:
    app = Visitor("en", filled).open("test_run")
    says = Visitor("en", filled).says
    [metrics] = [box for box in app.multiselect if box.label == says("evaluation.field.metrics")]
    assert not {says(f"measures.metric.{name}") for name in STRUCTURAL} & set(metrics.options)
    [primary] = [box for box in app.selectbox if box.label == says("evaluation.field.primary_metric")]
    assert says("measures.metric.correct") in primary.options
    assert says("measures.metric.semantic_similarity") not in primary.options


def test_results_say_what_a_cache_did_to_waiting_times_and_sort_by_numbers(measured: tb.Project) -> None:
    with write() as session:
        timed = update(tb.Answer).where(tb.Answer.phase == "latency", tb.Answer.project_id == measured.id)
        session.execute(timed.values(prompt_tokens=100, cached_tokens=80))
    visitor = Visitor("en", measured)
    app = visitor.open("test_run")
    assert "80%" in texts(app) and "in its cache" in texts(app)
    name = f"{visitor.says('measures.metric.correct')} (%)"
    table = next(frame.value for frame in app.dataframe if name in frame.value.columns)
    assert table[name].dtype.kind == "f" and max(table[name]) == 100, "a column of texts sorts 9% above 84%"


def test_a_vote_makes_the_judges_plan_anew(measured: tb.Project) -> None:
    before = vote_count(measured.id)
    with read() as session:
        answer = session.scalars(select(tb.Answer).where(tb.Answer.project_id == measured.id)).first()
    assert answer is not None
    cast_rating(answer, "someone", "as_is")
    assert vote_count(measured.id) == before + 1
