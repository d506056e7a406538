"""Pages keep what people enter: ratings, decision inputs, prices, instructions."""

from __future__ import annotations

import pytest

from core.datasets.columns import FIELDS
from core.decision import decision_inputs
from core.evaluation import latest_experiment
from core.i18n import catalogue
from core.projects import delete_project, get_project, projects
from core.store import tables as tb
from core.ui.navigation import PAGES
from core.votes import summary
from tests.ui.conftest import Visitor, texts


def test_two_hidden_answers_are_rated_and_then_compared(measured: tb.Project) -> None:
    visitor = Visitor("en", measured)
    app = visitor.open("blind_rating")
    buttons = [button for button in app.button if button.label == visitor.says("ui.rating.prefer.left")]
    assert buttons[0].disabled
    shown = " ".join(str(text.value) for text in app.text)
    assert "answer" in shown
    for control in app.button_group:
        control.set_value(["as_is"] if isinstance(control.value, list) else "as_is")
    app.run()
    next(b for b in app.button if b.label == visitor.says("ui.rating.prefer.left")).click().run()
    assert not app.exception
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    found = summary(experiment.id)
    assert sum(each.ratings["as_is"] for each in found) == 2
    assert (sum(each.wins for each in found), sum(each.losses for each in found)) == (1, 1)


def test_the_names_of_the_approaches_are_not_in_the_rating_page(measured: tb.Project) -> None:
    app = Visitor("en", measured).open("blind_rating")
    drawn = " ".join(str(part.value) for part in [*app.markdown, *app.caption, *app.title])
    assert "Retrieval" not in drawn and "Fine-tuned" not in drawn and "Plain model" not in drawn


def test_decision_inputs_are_kept_with_the_project(measured: tb.Project) -> None:
    visitor = Visitor("en", measured)
    app = visitor.open("decision")
    label = visitor.says("decision.inputs.answers_per_month")
    next(number for number in app.number_input if number.label == label).set_value(77_000)
    next(b for b in app.button if b.label == visitor.says("ui.decision.save")).click().run()
    assert not app.exception
    assert decision_inputs(get_project(measured.id)).answers_per_month == 77_000


def test_who_is_not_signed_in_gives_a_name_first_and_goes_on_under_it_after_a_reload(
    measured: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.ui.blind_rating._signed_in", lambda: False)
    questions = []
    for _visit in range(2):
        visitor = Visitor("en", measured)
        app = visitor.open("blind_rating")
        assert visitor.says("ui.rating.name_first") in texts(app)
        assert not [button for button in app.button if str(button.key).startswith("prefer")]
        app.text_input(key="voter_name").set_value("Anna").run()
        questions.append([text.value for text in app.text])
    assert questions[0] == questions[1]


@pytest.mark.parametrize("key", [info.key for info in PAGES if info.key != "home"])
def test_a_page_of_a_project_that_was_deleted_says_so_and_shows_no_other(
    key: str, filled: tb.Project, empty: tb.Project
) -> None:
    visitor = Visitor("en", filled)
    app = visitor.open(key)
    delete_project(filled.id)
    app.run()
    assert visitor.says("error.project.gone").rstrip(".") in "\n".join(error.value for error in app.error)
    assert empty.name not in texts(app) and not app.button
    assert get_project(empty.id).name == empty.name


def test_deleting_in_two_tabs_deletes_one_project(filled: tb.Project, empty: tb.Project) -> None:
    tabs = [Visitor("en", filled).open("settings") for _tab in range(2)]
    for app in tabs:
        found = [button for button in app.button if button.key == f"delete_project_{filled.id}"]
        found[0].click().run()
    assert [project.id for project in projects()] == [empty.id]


def test_without_any_project_the_first_page_offers_a_new_one_and_the_sample(empty: tb.Project) -> None:
    visitor = Visitor("en", empty)
    visitor.open("home")
    delete_project(empty.id)
    visitor.app.query_params.clear()
    del visitor.app.session_state["project"]
    app = visitor.app.run()
    assert visitor.says("error.project.none").rstrip(".") in "\n".join(error.value for error in app.error)
    labels = [button.label for button in app.button]
    assert visitor.says("ui.home.sample") in labels and visitor.says("ui.home.new.create") in labels


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_a_table_has_a_name_in_both_languages(field: str) -> None:
    assert catalogue("en")[f"ui.field.{field}"] and catalogue("ja")[f"ui.field.{field}"]


def test_instructions_are_saved_and_a_wrong_base_model_is_refused(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    app = visitor.open("settings")
    area = next(area for area in app.text_area if area.label == visitor.says("approaches.spec.instructions"))
    area.set_value("Be brief.")
    next(b for b in app.button if b.label == visitor.says("ui.settings.save")).click().run()
    assert not app.exception and not app.error
    assert get_project(filled.id).instructions == "Be brief."
