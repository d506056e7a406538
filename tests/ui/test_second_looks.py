"""Compare's second question, the judge, the second look and the projector's view, as pages draw them."""

from __future__ import annotations

import re

import pytest

from core import knowledge
from core.approaches import ModelChoice, ensure_presets
from core.evaluation import JudgeConfig, judgements, latest_experiment, start_judging
from core.evaluation.judge.running import run_judging
from core.identity import new_id
from core.jobs import JobContext
from core.settings import settings
from core.store import tables as tb
from core.store import write
from tests.evaluation.judge_server import judge_server
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]


def answered(project: tb.Project, compare_id: str, text: str, **notes: object) -> None:
    """Two live answers as stored."""
    known = {a.preset: a for a in ensure_presets(project.id)}
    rows = [
        tb.Answer(
            id=new_id(), project_id=project.id, compare_id=compare_id, approach_id=known[preset].id,
            approach_hash=known[preset].hash, phase="live", question="How long is the warranty of the Amber Kettle?",
            status="finished", text=text if preset == "rag" else "It is 24 months.", prompt_tokens=50,
            completion_tokens=9, total_seconds=1.0, first_token_seconds=0.4, spans={"decode": 0.6}, notes=dict(notes),
        )
        for preset in ("base", "rag")
    ]  # fmt: skip
    with write() as session:
        session.add_all(rows)


def changed_kettle(project: tb.Project) -> dict[str, object]:
    kb = knowledge.default_kb(project.id)
    before = knowledge.current_document(kb.id, "Amber Kettle.md")
    assert before is not None
    after = knowledge.edit_document(before.id, before.text.replace("24 months", "84 months"))
    return {"name": before.name, "before": before.id, "after": after.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_and_after_stand_side_by_side_with_what_changed(language: str, filled: tb.Project) -> None:
    answered(filled, "first", "It is 24 months.")
    answered(filled, "second", "It is 84 months.", again={"before": "first", "document": changed_kettle(filled)})
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare="second")
    said = texts(app)
    assert not app.error and visitor.says("ui.again.changed.document").split(":")[0].split("{")[0] in said
    assert "84 months" in said and "24 months" in said
    assert visitor.says("ui.again.before") in said and visitor.says("ui.again.after") in said
    assert visitor.says("ui.again.echo.after").split("{")[0] in said, "retrieval follows the change"
    assert visitor.says("ui.again.echo.before").split("{")[0] in said, "the plain model repeats the old text"
    assert [area.value for area in app.text_area if "84 months" in str(area.value)], "the document can be changed again"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_presented_comparison_shows_three_answers_a_screen_without_a_menu(language: str, filled: tb.Project) -> None:
    answered(filled, "first", "It is 24 months.")
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare="first", present="1")
    assert [head.value for head in app.header] == ["How long is the warranty of the Amber Kettle?"]
    assert not app.sidebar.selectbox and visitor.says("ui.page.compare") not in [title.value for title in app.title]
    assert "1 / 3" in texts(app) and not app.error
    app.button(key="slide_next").click().run()
    assert app.query_params["slide"] in ("2", ["2"]) and "2 / 3" in texts(app)
    app.button(key="slide_end").click().run()
    assert "present" not in app.query_params and visitor.says("ui.page.compare") in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_presented_decision_begins_with_the_finding(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    app = visitor.open("decision", present="1", slide="99")
    assert not app.error and not app.sidebar.selectbox
    app.query_params["slide"] = "1"
    app.run()
    assert len(app.header) == 1 and len(app.metric) == 3
    app.query_params["slide"] = "2"
    app.run()
    assert [head.value for head in app.header] == [visitor.says("ui.decision.present.three")] and len(app.metric) == 9


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_judge_and_the_second_look_say_what_they_would_take(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    app = visitor.open("test_run", view="judge")
    assert visitor.says("ui.judge.title") in texts(app) and visitor.says("ui.judge.address_first") in texts(app)
    app.text_input(key="judge_url").set_value("http://127.0.0.1:9/v1")
    app.text_input(key="judge_ref").set_value("judge-1").run()
    assert not app.error and not app.exception
    assert visitor.says("ui.judge.calls") in [metric.label for metric in app.metric]
    app = Visitor(language, measured).open("test_run", view="robustness")
    assert not app.error and visitor.says("ui.robustness.title") in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_judging_shows_how_far_it_is_to_be_trusted(language: str, measured: tb.Project) -> None:
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    with judge_server() as server:
        model = ModelChoice(kind="endpoint", ref="judge-1", url=server.url)
        judging = start_judging(
            JudgeConfig(experiment_id=experiment.id, model=model, metrics=("relevance",)), launch=False
        )
        run_judging(JobContext("job", {"judging_id": judging.id}, settings().path("run"), project_id=measured.id))
    visitor = Visitor(language, measured)
    app = visitor.open("test_run", view="judge")
    assert not app.error
    labels = [metric.label for metric in app.metric]
    assert visitor.says("ui.judge.flips") in labels and visitor.says("ui.judge.first") in labels
    # it takes whichever answer stands first, so the page warns
    assert any("100" in warning.value for warning in app.warning)


def judged(project: tb.Project, ref: str, grade: int) -> tb.Judging:
    """A judge that is done and gave every answer one grade."""
    experiment = latest_experiment(project.id)
    assert experiment is not None
    with judge_server(lambda system, user: f"So so.\nVERDICT: {grade}") as server:
        model = ModelChoice(kind="endpoint", ref=ref, url=server.url)
        asked = JudgeConfig(experiment_id=experiment.id, model=model, pairs="none", metrics=("relevance",), questions=3)
        judging = start_judging(asked, launch=False)
        run_judging(JobContext("job", {"judging_id": judging.id}, settings().path("run"), project_id=project.id))
    return judging


def test_a_link_to_judged_results_opens_the_same_judgement_in_another_browser(measured: tb.Project) -> None:
    first, second = judged(measured, "strict", 2), judged(measured, "kind", 5)
    visitor = Visitor("en", measured)
    metric = visitor.says("measures.metric.relevance")

    def shown(**query: str) -> tuple[str, set[float]]:
        app = Visitor("en", measured).open("test_run", view="results", **query)
        assert not app.error
        if not query:  # the table is drawn once somebody opens it, and by a link to what a judge said
            app.session_state["opened_ui.test.metrics"] = True
            app.run()
        [table] = [frame.value for frame in app.dataframe if visitor.says("ui.look.metric") in frame.value.columns]
        means = table[table[visitor.says("ui.look.metric")] == metric][visitor.says("ui.look.mean")]
        named = app.query_params["judging"]
        return named[0] if isinstance(named, list) else named, {round(float(mean)) for mean in means}

    assert shown() == (second.id, {100})
    assert shown(judging=first.id) == (first.id, {25}), "what the earlier judge said is still there"


@pytest.mark.parametrize(
    ("part", "figures"),
    [
        ("quality", ["test_quality"]),
        ("slices", ["test_slices"]),
        ("causes", []),
        ("cost", ["test_tradeoff", "test_tokens", "test_cost"]),
        ("waiting", ["test_tradeoff_latency", "test_latency"]),
        ("headroom", []),
    ],
)
def test_a_part_of_the_results_is_drawn_once_it_is_chosen_and_a_link_opens_it(
    part: str, figures: list[str], measured: tb.Project
) -> None:
    app = Visitor("en", measured).open("test_run", view="results", part=part)
    assert not app.error and app.query_params.get("part", ["quality"]) in (part, [part])
    drawn = [chart.proto.id for chart in app.get("plotly_chart")]
    wanted = [name for name in figures if any(re.search(rf"{name}($|-)", one) for one in drawn)]
    assert wanted == figures and len(drawn) <= len(figures) + 2, drawn


def test_a_link_opens_the_judges_record_that_was_read(measured: tb.Project) -> None:
    judging = judged(measured, "strict", 2)
    row = judgements(judging.id).rows[2]
    app = Visitor("en", measured).open("test_run", view="judge", judging=judging.id, judgement=row.id)
    assert not app.error and row.messages[-1]["content"] in [text.value for text in app.text]
    assert app.query_params["judgement"] in (row.id, [row.id])
