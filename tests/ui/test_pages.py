"""Every page draws in every state and language, starting at the shell as every visit does."""

from __future__ import annotations

import pytest

from core.errors import KurabeError
from core.store import tables as tb
from core.ui.compare import marked_text
from core.ui.navigation import PAGES
from core.ui.parts import plain
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
def test_what_training_could_gain_is_said_before_anyone_pays_for_it(language: str, measured: tb.Project) -> None:
    visitor = Visitor(language, measured)
    assert visitor.says("ui.test.headroom") in texts(visitor.open("test_run"))
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_trained_can_be_taken_away_and_deleted(language: str, trained: tb.Project) -> None:
    visitor = Visitor(language, trained)
    runs = visitor.open("training", view="runs")
    assert visitor.says("ui.registry.again") in [button.label for button in runs.button]
    [sure] = [button for button in runs.button if button.label == visitor.says("ui.registry.delete.sure")]
    sure.click().run()
    assert not runs.exception
    left = Visitor(language, trained).open("training", view="compare")
    assert visitor.says("ui.registry.compare.none") in texts(left)
    adapters = Visitor(language, trained).open("training", view="adapters")
    assert visitor.says("ui.registry.import") in [expander.label for expander in adapters.expander]


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
