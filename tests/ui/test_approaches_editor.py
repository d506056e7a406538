"""Approaches are made, tried, changed and put away in the page; a real service answers at the address."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.approaches import (
    Decoding,
    approaches,
    archived_approaches,
    ensure_presets,
    find_approaches,
    make_approach,
    spec_of_row,
)
from core.prices import list_price
from core.store import tables as tb
from tests.approaches.endpoint_server import service
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception, [error.value for error in app.exception]


def enter(app: AppTest, **values: str) -> None:
    """Write into the fields of the editor whose keys end so."""
    for ending, value in values.items():
        [found] = [each for each in [*app.text_input, *app.text_area] if (each.key or "").endswith(f"_{ending}")]
        found.set_value(value)
    app.run()
    assert not app.exception, [error.value for error in app.exception]


def codes(app: AppTest) -> list[str]:
    return [block.value for block in app.code]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_approach_stands_in_the_list_with_what_answers_and_what_it_reads(
    language: str, filled: tb.Project
) -> None:
    visitor = Visitor(language, filled)
    app = visitor.open("compare", view="approaches")
    shown = texts(app) + "".join(str(part.value) for part in app.get("html"))
    assert visitor.says("ui.approaches.title") in shown
    for row in ensure_presets(filled.id):
        assert app.button(key=f"edit-{row.id}") and app.button(key=f"archive-{row.id}")
        assert visitor.says(f"approaches.context.{row.spec['context']['name']}").split("(")[0].strip() in shown
    assert not app.error


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_service_at_an_address_is_tried_priced_and_added(language: str, filled: tb.Project) -> None:
    visitor = Visitor(language, filled)
    app = visitor.open("compare", view="approaches", approach="new-endpoint")
    with service() as served:
        enter(app, name_en="Team service", name_ja="社内サービス", url=served.url, ref="team-model")
        assert visitor.says("ui.approaches.price.none").format(model="team\\-model") in texts(app)
        press(app, "approach_new-endpoint_endpoint_test")
        assert any(served.asked) and not app.error
        assert any(text.value.startswith("team-model: ") for text in app.text), "what it said stands there as text"
        assert visitor.says("ui.approaches.test.reasons") in texts(app)
        enter(app, price_in="0.5", price_out="2")
        press(app, "approach_new-endpoint_endpoint_price_save")
    price = list_price("team-model")
    assert price is not None and str(price.output) == "2"
    press(app, "approach_save")
    [row] = find_approaches(filled.id, ["Team service"])
    spec = spec_of_row(row)
    assert (row.preset, spec.model.url, spec.model.ref) == ("endpoint", served.url, "team-model")
    assert sorted((row.name, *spec.names.values())) == ["Team service", "社内サービス"]
    # and it can be asked at once, on both pages
    name = "社内サービス" if language == "ja" else "Team service"
    for page in ("compare", "test_run"):
        offered = Visitor(language, filled).open(page)
        [pills] = [group for group in offered.button_group if (group.key or "").endswith("_approaches")]
        assert any(name in option for option in pills.options), page


def test_a_server_that_is_not_there_is_said_and_nothing_entered_is_lost(filled: tb.Project) -> None:
    app = Visitor("en", filled).open("compare", view="approaches", approach="new-endpoint")
    enter(app, name_en="Gone", url="http://127.0.0.1:9/v1", ref="m")
    press(app, "approach_new-endpoint_endpoint_test")
    assert app.error and "127" in app.error[0].value
    enter(app, url="not an address")
    press(app, "approach_save")
    assert "http" in app.error[-1].value
    assert app.text_input(key="approach_new-endpoint_name_en").value == "Gone"
    assert "Gone" not in {row.name for row in approaches(filled.id)}
    enter(app, url="http://127.0.0.1:9/v1", key="sk-proj-abc123")
    assert app.error and "sk-proj" not in app.error[-1].value and app.button(key="approach_save").disabled


def test_a_change_shows_in_the_prompt_at_once_and_makes_the_next_version(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    row = next(each for each in ensure_presets(filled.id) if each.preset == "rag")
    app = visitor.open("compare", view="approaches", approach=row.id)
    [own] = [field for field in app.text_input if field.key == "preview_own"] or [None]
    if own is not None:
        own.set_value("How long is the warranty of the Amber Kettle?").run()
    before = codes(app)
    assert any("[4]" in text for text in before) and before[0] == filled.instructions
    enter(app, style="Like a pirate.")
    assert codes(app)[0].endswith("Like a pirate.")
    app.number_input(key=f"approach_{row.id}_rag_retrieved_k").set_value(2).run()
    assert not any("[3]" in text for text in codes(app))
    press(app, "approach_save")
    [changed] = [each for each in ensure_presets(filled.id) if each.preset == "rag"]
    spec = spec_of_row(changed)
    assert (changed.version, spec.context, spec.prompt.style) == (2, {"name": "retrieved", "k": 2}, "Like a pirate.")
    assert not spec.managed and changed.name == "rag"


def test_an_approach_is_duplicated_put_away_and_brought_back(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    row = next(each for each in ensure_presets(filled.id) if each.preset == "few_shot")
    app = visitor.open("compare", view="approaches")
    press(app, f"copy-{row.id}")
    assert app.query_params["approach"] in (f"copy-{row.id}", [f"copy-{row.id}"])
    press(app, "approach_save")
    assert len([each for each in ensure_presets(filled.id) if each.preset == "few_shot"]) == 2
    press(app, f"archive-{row.id}")
    assert row.id in [each.id for each in archived_approaches(filled.id)]
    press(app, f"restore-{row.id}")
    assert row.id in [each.id for each in ensure_presets(filled.id)]


def test_the_hint_about_a_missing_service_leads_to_its_editor(filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    app = visitor.open("test_run")
    [button] = [each for each in app.button if each.label == visitor.says("ui.approaches.add_endpoint")]
    button.click().run()
    assert not app.exception
    assert app.text_input(key="approach_new-endpoint_endpoint_url").value == ""


@pytest.mark.parametrize("kind", ["fine_tuned", "fine_tuned_rag", "raft"])
def test_without_a_training_the_editor_says_what_to_do_first(kind: str, filled: tb.Project) -> None:
    visitor = Visitor("en", filled)
    app = visitor.open("compare", view="approaches", approach=f"new-{kind}")
    assert visitor.says("ui.approaches.model.adapter.none") in [warning.value for warning in app.warning]


def test_a_limit_on_the_words_drawn_is_kept_and_can_be_set(filled: tb.Project) -> None:
    [start] = [row for row in ensure_presets(filled.id) if row.preset == "base"]
    decoding = Decoding(temperature=0.7, top_p=0.9)
    wanted = spec_of_row(start).model_copy(update={"name": "Warm", "decoding": decoding})
    made = make_approach(filled.id, wanted)
    app = Visitor("en", filled).open("compare", view="approaches", approach=made.id)
    key = f"approach_{made.id}"
    assert app.number_input(key=f"{key}_top_p").value == 0.9
    app.text_input(key=f"{key}_name_en").set_value("Warmer").run()
    app.button(key="approach_save").click().run()
    [renamed] = [row for row in approaches(filled.id) if row.name == "Warmer"]
    assert spec_of_row(renamed).decoding == decoding, "what was not touched stays"
    app = Visitor("en", filled).open("compare", view="approaches", approach=renamed.id)
    app.number_input(key=f"approach_{renamed.id}_top_p").set_value(1.0).run()
    app.button(key="approach_save").click().run()
    [free] = [row for row in approaches(filled.id) if row.name == "Warmer"]
    assert spec_of_row(free).decoding.top_p is None
