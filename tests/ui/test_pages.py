"""Every page draws in every state and language, starting at the shell as every visit does."""

from __future__ import annotations

import pytest
from plotly.graph_objects import Figure, Scatter
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.approaches import ensure_presets
from core.datasets import REJECTED
from core.datasets.versions import _pairs
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, latest_experiment, start_experiment
from core.i18n import format_duration
from core.projects import create_project
from core.store import read, write
from core.store import tables as tb
from core.training import runs
from core.ui.approaches import approach_label
from core.ui.compare import marked_text
from core.ui.navigation import PAGES
from core.ui.parts import plain
from tests.evaluation.test_results import Written
from tests.training.test_probing import RESULT
from tests.ui.conftest import Visitor, texts

KEYS = [info.key for info in PAGES if info.key != "home"]
LANGUAGES = ["en", "ja"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_an_empty_project_says_what_to_do_next(language: str, empty: tb.Project) -> None:
    visitor = Visitor(language, empty)
    assert visitor.says("ui.home.question") in texts(visitor.open("home"))
    for key in KEYS:
        app = Visitor(language, empty).open(key)
        assert [title.value for title in app.title] == [visitor.says(f"ui.page.{key}")]
        assert not app.error, [error.value for error in app.error]
    assert visitor.says("ui.questions.empty.title") in texts(Visitor(language, empty).open("questions"))
    assert visitor.says("ui.decision.empty.title") in texts(Visitor(language, empty).open("decision"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_a_project_with_data_draws_its_views(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    views = {
        "questions": ("", "import", "check", "versions"),
        "documents": ("", "add", "search", "judge", "sweep"),
        "training": ("new", "runs", "compare", "adapters"),
        "compare": ("",),
        "test_run": ("",),
        "settings": ("", "models", "prices", "machine"),
    }
    for key, names in views.items():
        for name in names:
            app = Visitor(language, filled).open(key, **({"view": name} if name else {}))
            assert visitor.says(f"ui.page.{key}") in texts(app)
            assert not app.error, (key, name, [error.value for error in app.error])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_test_run_becomes_a_finding_in_one_sentence(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    home = texts(visitor.open("home"))
    assert visitor.says("approaches.preset.rag").split("(")[0].strip() in home
    assert [metric.label for metric in visitor.app.metric][:2] == [
        visitor.says("decision.criterion.correct"),
        visitor.says("decision.criterion.cost"),
    ]
    for key in ("test_run", "decision", "blind_rating", "compare"):
        app = Visitor(language, measured).open(key)
        assert visitor.says(f"ui.page.{key}") in texts(app)
        assert not app.error, (key, [error.value for error in app.error])
    cases = Visitor(language, measured).open("test_run", view="cases")
    assert visitor.says("ui.cases.title") in texts(cases)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_run_says_how_long_it_took_or_that_it_was_resumed(language: str, measured: tb.Project) -> None:
    visitor, experiment = Visitor(language, measured), latest_experiment(measured.id)
    assert experiment is not None
    ended = {"status": "succeeded", "attempt": 1, "elapsed_seconds": 151.0, "result": {}}
    job = tb.Job(project_id=measured.id, home_id="here", kind="experiment", slot="host", slots=["host"], **ended)
    with write() as session:
        session.add(job)
        session.flush()
        session.get_one(tb.Experiment, experiment.id).job_id = job.id
    duration = format_duration(151, "ja" if language == "ja" else "en")
    assert visitor.says("ui.test.took", time=duration) in texts(visitor.open("test_run"))
    with write() as session:
        session.get_one(tb.Job, job.id).attempt = 3
    assert visitor.says("ui.test.resumed", n=2) in texts(Visitor(language, measured).open("test_run"))


def _two_alike_and_one_other() -> None:
    from core.ui.parts import draw_kept
    from tests.ui.test_pages import one_point

    for key, place in (("first", 1), ("second", 1), ("other", 2)):
        draw_kept(key, one_point, place)


MADE: list[int] = []


def one_point(place: int) -> Figure:
    MADE.append(place)
    return Figure(Scatter(x=[place], y=[place]), {"title": {"text": f"At {place}"}})


def test_a_figure_is_made_once_for_the_same_values_and_again_for_others() -> None:
    MADE.clear()
    app = AppTest.from_function(_two_alike_and_one_other).run().run()
    assert [text.value for text in app.markdown] == ["**At 1**", "**At 1**", "**At 2**"]
    assert len(app.get("plotly_chart")) == 3
    assert MADE == [1, 2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_training_could_gain_is_said_before_anyone_pays_for_it(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    assert visitor.says("ui.test.headroom") in texts(visitor.open("test_run", part="headroom"))
    told = Visitor(language, measured).open("training", view="new").info[0].value
    assert visitor.says("ui.training.headroom").split("{", 1)[0] in told and "{" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_test_run_the_training_page_says_how_to_measure_the_gain(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    assert visitor.says("ui.training.headroom.unknown") in texts(visitor.open("training", view="new"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_is_judged_without_a_model(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    app = visitor.open("documents", view="judge")
    [split] = [box for box in app.selectbox if box.label == visitor.says("ui.judging.split")]
    split.select("test").run()
    [button] = [button for button in app.button if button.label == visitor.says("ui.judging.start")]
    button.click().run()
    assert not app.exception, [error.value for error in app.exception]
    assert visitor.says("ui.search.way.text") in app.subheader[-1].value and "%" in app.subheader[-1].value


@pytest.mark.parametrize("language", LANGUAGES)
def test_runs_stand_beside_each_other_with_what_differs(language: str, trained: tb.Project) -> None:
    visitor = Visitor(language, trained)
    app = visitor.open("training", view="compare")
    outcome, differing = (table.value for table in app.dataframe)
    assert list(outcome.columns) == list(differing.columns) == [visitor.says("ui.registry.field"), "run 2", "run 1"]
    assert differing.iloc[0].tolist() == [visitor.says("training.field.learning_rate"), "0.002", "0.001"]
    assert visitor.says("ui.registry.outcome.eval_loss") in outcome.iloc[:, 0].tolist()


def button(app: AppTest, label: str) -> Button:
    [found] = [each for each in app.button if each.label == label]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_is_promoted_noted_and_put_away_on_the_page(language: str, trained: tb.Project) -> None:
    visitor = Visitor(language, trained)
    with write() as session:  # the fixture's adapters came without a run
        for row in session.query(tb.TrainingRun):
            session.get_one(tb.Adapter, row.adapter_id).training_run_id = row.id
            row.result = {**row.result, "packages": {"trl": "1.16.0"}, "samples": 4, "samples_differing": 3}
    app = visitor.open("training", view="runs")
    assert plain("trl 1.16.0") in texts(app) and visitor.says("training.proof", differing=3, questions=4) in texts(app)
    button(app, visitor.says("ui.registry.promote")).click().run()
    assert not app.exception and [run.promoted_for for run in runs(trained.id)] == ["plain", None]
    assert visitor.says("ui.registry.promoted.plain") in texts(app)
    app.text_area[0].input("Ask Mika.")
    button(app, visitor.says("ui.registry.edit.save")).click().run()
    assert runs(trained.id)[0].note == "Ask Mika." and "Ask Mika." in {text.value for text in app.text}
    button(app, visitor.says("ui.registry.archive")).click().run()
    assert not app.exception and [run.archived for run in runs(trained.id)] == [True, False]
    shown = Visitor(language, trained).open("training", view="runs")
    assert [len(box.options) for box in shown.selectbox if box.label == visitor.says("ui.training.run")] == [1]
    [tuned] = [each for each in ensure_presets(trained.id) if each.preset == "fine_tuned"]
    adapters = Visitor(language, trained).open("training", view="adapters")
    used = visitor.says("ui.training.adapter.delete.used", approaches=plain(approach_label(tuned)))
    assert used.rstrip(".。") in texts(adapters), "the familiar approaches answer with it"
    assert visitor.says("training.setting.base_ref") in {box.label for box in adapters.selectbox}
    missing = visitor.says("error.models.adapter_missing").split("{")[0]
    assert [missing in error.value for error in adapters.error] == [True], "files that are gone leave the page whole"
    assert visitor.says("ui.registry.show_archived") in [toggle.label for toggle in adapters.toggle]


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_questions_one_comes_to_the_runs_that_learned_them(language: str, trained: tb.Project) -> None:
    visitor = Visitor(language, trained)
    assert visitor.says("ui.registry.lineage.trained_on") in texts(visitor.open("questions", view="versions"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_training_is_measured_by_a_press_and_the_result_outlives_the_visit(
    language: str, filled: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really run here
    visitor = Visitor(language, filled)
    app = visitor.open("training", view="new")
    button(app, visitor.says("ui.training.measure")).click().run()
    assert not app.exception and visitor.says("jobs.kind.probe") in texts(app)
    assert visitor.says("training.preflight.time_measured").split("{")[0] not in texts(app)
    with write() as session:
        session.query(tb.TrainingProbe).one().result = RESULT
    app.run()
    said = visitor.says("training.preflight.steps_in_time").split("}")[-2].split("{")[0]
    assert said in texts(app), "what was asked before is worked out anew"
    again = Visitor(language, filled)
    app = again.open("training", view="new")
    button(app, visitor.says("ui.training.check")).click().run()
    assert said in texts(app) and not app.exception
    for number in ("memory", "disk", "rows", "time", "licences"):
        assert plain(visitor.says(f"training.numbers.{number}").split("{")[0]).rstrip() in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_preferences_have_a_form_of_their_own_which_says_what_data_they_need(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    visitor.app.session_state["training_objective"] = "dpo"
    app = visitor.open("training", view="new")
    assert visitor.says("training.field.beta") in {box.label for box in app.number_input}
    assert visitor.says("training.field.train_on") not in {box.label for box in app.selectbox}
    assert visitor.says("error.training.no_pairs").split("{")[0] in app.warning[0].value
    next(b for b in app.button if b.label == visitor.says("ui.training.start")).click().run()
    assert visitor.says("error.training.no_pairs").split("{")[0][:20] in "".join(e.value for e in app.error)
    with write() as session:
        for row in session.query(tb.Example).filter_by(project_id=filled.id):
            row.tags = {REJECTED: "No idea."}
    _pairs.cache_clear()  # versions never change; this test's did
    ready = visitor.open("training", view="new")
    assert not ready.warning
    next(b for b in ready.button if b.label == visitor.says("ui.training.check")).click().run()
    assert not ready.error and not ready.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_trained_can_be_taken_away_and_deleted(language: str, trained: tb.Project) -> None:
    visitor = Visitor(language, trained)
    listed = visitor.open("training", view="runs")
    assert visitor.says("ui.registry.again") in [button.label for button in listed.button]
    [sure] = [button for button in listed.button if button.label == visitor.says("ui.registry.delete.sure")]
    sure.click().run()
    assert not listed.exception
    left = Visitor(language, trained).open("training", view="compare")
    assert visitor.says("ui.registry.compare.none") in texts(left)
    adapters = Visitor(language, trained).open("training", view="adapters")
    assert visitor.says("ui.registry.import") in [expander.label for expander in adapters.expander]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_learning_curve_says_under_its_runs_whether_more_examples_help(language: str, trained: tb.Project) -> None:
    with write() as session:
        for run, share in zip(session.query(tb.TrainingRun).order_by(tb.TrainingRun.id), (0.5, 1.0), strict=True):
            run.config = {**run.config, "data_share": share}
            run.result = {**run.result, "eval_loss": 1 - share / 2, "rows": {"trained": int(200 * share)}}
            run.group_key = "curve"
    visitor = Visitor(language, trained)
    shown = texts(visitor.open("training", view="runs"))
    assert plain(visitor.says("charts.curve.title.helps", few="100", many="200", change="33.3%")) in shown
    assert visitor.says("ui.training.group.shares", n="2") in shown


def test_a_risky_training_starts_only_by_a_second_press_and_keeps_what_was_said(
    filled: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really train here
    visitor = Visitor("en", filled)
    app = visitor.open("training", view="new")
    [series] = [box for box in app.selectbox if box.label == visitor.says("ui.training.series")]
    series.select("curve").run()
    [start] = [button for button in app.button if button.label == visitor.says("ui.training.start")]
    start.click().run()
    assert runs(filled.id) == [], "a few rows are risky, so it waits for a second press"
    assert visitor.says("training.preflight.verdict.risky") in texts(app)
    [anyway] = [button for button in app.button if button.label == visitor.says("ui.training.anyway")]
    anyway.click().run()
    assert not app.exception, [error.value for error in app.exception]
    started = runs(filled.id)
    assert sorted(run.config.data_share for run in started) == [0.1, 0.25, 0.5, 1.0]
    assert {run.preflight["verdict"] for run in started} == {"risky"} and len({run.group for run in started}) == 1


def test_a_page_shows_what_goes_wrong_as_a_sentence_with_a_hint(filled: tb.Project) -> None:
    app = Visitor("en", filled).open("compare", compare="no-such-comparison")
    [error] = app.error
    assert plain("no-such-comparison") in error.value and "Traceback" not in error.value


def test_what_people_and_models_write_never_becomes_markup() -> None:
    hostile = "<img src=x onerror=alert(1)> **bold** [link](http://x) $x$ :red[r] # t"
    shown = plain(hostile)
    for sign in "<*[]($:#":
        assert f"\\{sign}" in shown and not shown.replace(f"\\{sign}", "").count(sign)


def test_the_menu_names_every_page_in_both_languages() -> None:
    from core.i18n import catalogue

    for code in ("en", "ja"):
        known = catalogue(code)  # type: ignore[arg-type]  # one of the two
        assert all(f"ui.page.{info.key}" in known and f"ui.page.{info.key}.question" in known for info in PAGES)


def test_an_unknown_project_in_the_address_is_said_and_another_can_be_chosen(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    visitor.app.query_params["project"] = "gone"
    app = visitor.open("questions")
    assert [error for error in app.error if visitor.says("error.project.gone").rstrip(".") in error.value]
    assert "Questions & answers" not in texts(app)
    choice = next(box for box in app.selectbox if box.label == visitor.says("ui.sidebar.project"))
    choice.set_value(filled.id).run()
    assert not app.error and "Questions & answers" in texts(app)


def test_a_page_stays_with_its_project_when_another_one_is_called_the_same(filled: tb.Project) -> None:
    other = create_project(filled.name, language="en")
    for project in (filled, other):
        visitor = Visitor("en", project)
        app = visitor.open("questions").run()
        choice = next(box for box in app.selectbox if box.label == visitor.says("ui.sidebar.project"))
        assert choice.value == project.id and app.query_params["project"] in (project.id, [project.id])
        assert sorted(choice.options) == [filled.name, f"{filled.name} (2)"], "the newer one is numbered"


def test_error_sentences_of_the_interface_exist() -> None:
    from core.i18n import describe

    message, hint = describe(KurabeError("project.none"), "ja")
    assert message and hint


def test_differences_are_marked_and_everything_else_stays_as_it_was_written() -> None:
    assert marked_text("It lasts 2 years.", "It lasts 3 years.") == "It lasts :blue-background[3] years\\."
    hostile = marked_text("safe", "safe <b>bold</b> [link](http://x) **stars**\n# head $1$ :red[x]")
    for markup in ("<b>", "[link](", "**stars", "\n# head", "$1$", ":red["):
        assert markup not in hostile, hostile
    assert "\n    " not in marked_text("x", "def f():\n\n    return 1")
    assert marked_text("同じです。", "違うものです。").count(":blue-background[") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_to_questions_opens_them_as_they_were_shown(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    app = visitor.open("test_run", view="cases", show="regressions", sort="hardest", search="Birch")
    assert app.segmented_control(key="cases_show").value == "regressions"
    [sort] = [box for box in app.selectbox if box.label == visitor.says("ui.cases.sort")]
    assert sort.value == "hardest" and app.text_input[0].value == "Birch"
    assert visitor.says("ui.questions.found", n="0") in texts(app)
    sort.set_value("spread").run()
    assert not app.exception and app.query_params["sort"] in ("spread", ["spread"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_test_runs_stand_beside_each_other(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    alone = visitor.open("test_run", view="changes")
    assert visitor.says("ui.changes.one") in texts(alone)
    _measured_again(measured)
    app = Visitor(language, measured).open("test_run", view="changes")
    assert not app.error, [error.value for error in app.error]
    table, questions = app.dataframe
    assert table.value[visitor.says("ui.changes.same")].tolist() == [visitor.says("ui.changes.same.yes")]
    assert visitor.says("decision.word.not_enough") in table.value[visitor.says("ui.changes.finding")].tolist()
    assert len(questions.value) == 9 and app.query_params["move"] in ("up", ["up"])
    [moves] = [each for each in app.segmented_control if str(each.key).startswith("move_")]
    moves.set_value("equal").run()
    assert not app.exception and len(app.dataframe[1].value) == 3


def _measured_again(project: tb.Project) -> None:
    """Finish another run of the plain model, now right everywhere: 9 questions differ, too few for a finding."""
    earlier = latest_experiment(project.id)
    assert earlier is not None
    with read() as session:
        config = session.get_one(tb.Experiment, earlier.id).config
        base = session.get_one(tb.Approach, config["baseline_id"])
    made = Written.__new__(Written)
    made.approaches = {"base": base}
    made.version_id = config["dataset_version_id"]
    made.experiment = start_experiment(project.id, ExperimentConfig(**made.config()), launch=False)
    made.questions = made.experiment.config["example_ids"]
    for place in range(len(made.questions)):
        made.put("base", place, 1.0)
    with write() as session:
        session.get_one(tb.Experiment, made.experiment.id).completed_at = made.experiment.created_at
