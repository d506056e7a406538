"""A test run's results as the page draws them: numbers that sort, links to the rows behind them, one case in full."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from core.approaches import ensure_presets
from core.evaluation import CAUSES, cases, latest_experiment, results
from core.i18n import Language, format_number, t
from core.identity import new_id, now
from core.knowledge import default_kb, delete_document, documents
from core.store import read, write
from core.store import tables as tb
from tests.evaluation.test_results import Written
from tests.ui.conftest import Visitor, texts

LANGUAGES: list[Language] = ["en", "ja"]


def the_run(project: tb.Project) -> tb.Experiment:
    experiment = latest_experiment(project.id)
    assert experiment is not None
    return experiment


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_holds_numbers_that_sort_and_links_to_the_rows_behind_them(
    language: Language, measured: tb.Project
) -> None:
    app = Visitor(language, measured).open("test_run")
    assert not app.error, [error.value for error in app.error]
    found = results(the_run(measured).id)
    table = app.dataframe[0].value
    pairs = {pair.first: pair for pair in found.comparisons}
    ups = [pairs[a.approach_id].up if a.approach_id in pairs else None for a in found.approaches]
    shown = [None if value != value else int(value) for value in table[t("ui.look.up", language)]]
    assert shown == ups and any(ups)
    assert [int(n) for n in table[t("ui.look.n", language)]] == [a.correct.n for a in found.approaches if a.correct]
    app.session_state["opened_ui.look.behind"] = True  # they are drawn once somebody opens them
    app.run()
    links = [link.proto for link in app.get("page_link")]
    named = [link for link in links if "show=" in link.query_string]
    assert len(named) == 3 * len(pairs)
    for pair in found.comparisons:
        mine = [link for link in named if pair.first in link.query_string]
        for show, name, count in (
            ("improvements", "up", pair.up),
            ("regressions", "down", pair.down),
            ("equal", "equal", pair.equal),
        ):
            [one] = [link for link in mine if f"show={show}" in link.query_string]
            assert one.label == t(f"ui.look.link.{name}", language, n=count)
            assert cases(found.experiment_id, show=show, approach_id=pair.first).total == count


@pytest.mark.parametrize("language", LANGUAGES)
def test_slices_are_compared_in_pairs_and_small_ones_are_warned_of(language: Language, measured: tb.Project) -> None:
    app = Visitor(language, measured).open("test_run", part="slices")
    found = results(the_run(measured).id)
    [table] = [frame.value for frame in app.dataframe if t("ui.look.p", language) in frame.value.columns]
    assert len(table) == len(found.slice_comparisons) > 0
    assert [int(n) for n in table[t("ui.look.n", language)]] == [pair.n for pair in found.slice_comparisons]
    warned = t("ui.look.small", language).split("{")[0]
    assert [one for one in app.warning if one.value.startswith(warned)], "every slice here holds a few questions"
    assert "Holm" in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_to_a_case_opens_it_in_full_in_another_browser(language: Language, measured: tb.Project) -> None:
    experiment = the_run(measured)
    asked = cases(experiment.id, show="regressions").rows[0]
    # a search that leaves the case out of the table: the address alone names it
    app = Visitor(language, measured).open("test_run", view="cases", case=asked.example_id, search="no such words")
    assert not app.error, [error.value for error in app.error]
    assert app.query_params["case"] in (asked.example_id, [asked.example_id])
    said = texts(app)
    assert "**rag** answer" in said and "**base** answer" in said, "answers are text, whatever they hold"
    with read() as session:
        stored = session.scalars(select(tb.Answer).where(tb.Answer.example_id == asked.example_id)).all()
    [calls] = [frame.value for frame in app.dataframe if t("ui.look.phase", language) in frame.value.columns]
    assert len(calls) == len(stored), "each call is there: batched ones and those asked alone"
    assert t("ui.look.phase.latency", language) in calls[t("ui.look.phase", language)].tolist()
    labels = [box.label for box in app.expander]
    assert labels.count(t("ui.look.versions", language)) == len(asked.cells)
    assert labels.count(t("ui.look.scores", language)) == len(asked.cells)


def test_a_case_of_another_run_is_not_opened(measured: tb.Project) -> None:
    app = Visitor("en", measured).open("test_run", view="cases", case="0190-none")
    assert not app.error and "case" not in app.query_params


def test_a_link_followed_on_the_page_opens_its_view(measured: tb.Project) -> None:
    app = Visitor("en", measured).open("test_run")
    app.query_params["view"], app.query_params["show"] = "cases", "improvements"
    app.run()
    assert not app.exception and app.segmented_control(key="cases_show").value == "improvements"
    app.segmented_control(key="view_of_test_run").set_value("results").run()
    assert "view" not in app.query_params, "what is chosen on the page counts again"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_says_that_documents_which_it_read_were_deleted_since(language: Language, measured: tb.Project) -> None:
    found = documents(default_kb(measured.id).id)
    delete_document(found[0].id)
    said = t("decision.note.source_removed", language, removed=1, total=len(found))
    for page in ("test_run", "decision"):
        assert said in texts(Visitor(language, measured).open(page)).replace("\\", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_of_causes_lead_to_their_questions_and_an_opened_case_names_its_cause(
    language: Language, measured: tb.Project
) -> None:
    experiment = the_run(measured)
    found = results(experiment.id)
    base = found.approach("base")
    assert base is not None
    name, count = next((name, n) for name in CAUSES if (n := getattr(base.attribution, name)))
    app = Visitor(language, measured).open("test_run", part="causes")
    assert t("ui.test.causes.open", language) in texts(app)
    word = t(f"evaluation.cause.{name}", language)
    asked = cases(experiment.id, cause=name, approach_id=base.approach_id)
    assert asked.total == count
    query = {"cause": name, "approach": base.approach_id, "case": asked.rows[0].example_id}
    app = Visitor(language, measured).open("test_run", view="cases", **query)
    assert not app.error and app.selectbox(key="cases_cause").value == name
    assert t("ui.questions.found", language, n=format_number(count)) in texts(app)
    assert t("ui.cases.cause.line", language, cause=word, what=t(f"evaluation.cause.{name}.help", language)) in texts(
        app
    )
    [calls] = [frame.value for frame in app.dataframe if t("ui.look.phase", language) in frame.value.columns]
    stored = str(asked.rows[0].cells[base.approach_id]["text"])
    assert stored in calls[t("ui.questions.answer", language)].tolist()


def test_the_slowest_answers_stand_in_the_table_where_enough_were_timed(measured: tb.Project) -> None:
    experiment = the_run(measured)
    rag = next(approach for approach in ensure_presets(measured.id) if approach.preset == "rag")
    with read() as session:
        mine = (tb.Answer.experiment_id == experiment.id, tb.Answer.phase == "latency", tb.Answer.approach_id == rag.id)
        timed = session.scalars(select(tb.Answer).where(*mine)).all()
    with write() as session:
        for repetition in range(1, 5):
            for row in timed:
                kept = {name: getattr(row, name) for name in tb.Answer.__table__.columns.keys()}
                session.add(tb.Answer(**kept | {"id": new_id(), "repetition": repetition}))
    table = Visitor("en", measured).open("test_run").dataframe[0].value
    slow = dict(zip(table[t("ui.test.approach", "en")], table[t("ui.look.slow", "en")], strict=True))
    seconds = [1.0 + place for place in range(12)] * 5
    assert slow[t("approaches.preset.rag", "en")] == pytest.approx(float(np.quantile(seconds, 0.95)))
    assert np.isnan(slow[t("approaches.preset.base", "en")]), "twelve are too few to say"


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_perfect_search_the_page_says_how_to_learn_what_could_be_gained(language: Language) -> None:
    written = Written("base", "rag")
    for place in range(len(written.questions)):
        written.put("base", place, 0.0), written.put("rag", place, 1.0)
    with write() as session:
        session.get_one(tb.Experiment, written.experiment.id).completed_at = now()
        project = session.get_one(tb.Project, written.experiment.project_id)
    assert t("ui.test.headroom.missing", language) in texts(
        Visitor(language, project).open("test_run", part="headroom")
    )
