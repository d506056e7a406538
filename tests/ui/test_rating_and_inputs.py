"""Pages keep what people enter: ratings, decision inputs, prices, instructions."""

from __future__ import annotations

from core.decision import decision_inputs
from core.evaluation import latest_experiment
from core.projects import get_project
from core.store import tables as tb
from core.votes import summary
from tests.ui.conftest import Visitor


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


def test_instructions_are_saved_and_a_wrong_base_model_is_refused(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    app = visitor.open("settings")
    area = next(area for area in app.text_area if area.label == visitor.says("approaches.spec.instructions"))
    area.set_value("Be brief.")
    next(b for b in app.button if b.label == visitor.says("ui.settings.save")).click().run()
    assert not app.exception and not app.error
    assert get_project(filled.id).instructions == "Be brief."
