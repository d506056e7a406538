"""The test questions are sealed: pages say how often they were looked at, and where choosing belongs."""

from __future__ import annotations

import pytest

from core.store import tables as tb
from core.ui import test_run as page
from core.ui.seal import usual_split
from tests.evaluation.test_results import Written
from tests.ui.conftest import Visitor, texts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_set_up_says_where_choosing_belongs_and_results_how_often_one_looked(
    language: str, filled: tb.Project, measured: tb.Project
) -> None:
    visitor = Visitor(language, filled)
    assert visitor.says("ui.seal.test") in texts(visitor.open("test_run"))
    assert not visitor.app.warning
    looked = Visitor(language, measured)
    shown = texts(looked.open("test_run"))
    assert looked.says("ui.seal.counts").split("{")[0] + "1" in shown
    app = Visitor(language, measured).open("test_run", view="new")
    assert [w for w in app.warning if looked.says("ui.seal.again").split("{")[0] in w.value]


def test_the_first_run_is_on_test_questions_and_later_ones_begin_with_validation() -> None:
    written = Written("base")
    version = tb.DatasetVersion(id=written.version_id, project_id=written.experiment.project_id)
    assert usual_split(version, ["test", "validation", "train"]) == "test"
    written.put("base", 0, 1.0)
    assert usual_split(version, ["test", "validation", "train"]) == "validation"
    assert usual_split(version, ["test", "train"]) == "test", "there is nothing else to ask"


def test_what_is_always_measured_cannot_be_left_out(filled: tb.Project) -> None:
    app = Visitor("en", filled).open("test_run")
    [metrics] = [box for box in app.multiselect if "ROUGE-L" in box.options]
    assert not {"retrieval", "category", "abstention"} & set(metrics.value)
    [primary] = [box for box in app.selectbox if "BLEU" in box.options]
    assert Visitor("en", filled).says("measures.metric.semantic_similarity") not in primary.options
    assert page.STRUCTURAL
