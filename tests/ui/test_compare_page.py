"""The compare page: order and baseline, sources, scores, how an answer ended, and a link that brings all of it back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import knowledge
from core.approaches import PromptChoice, ensure_presets
from core.identity import new_id
from core.prices import PriceEntry, edit_prices
from core.store import read, write
from core.store import tables as tb
from core.ui.again import with_rule
from core.ui.compare_columns import in_order, moved, named
from core.ui.marked import highlighted_text, left_out_text
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]
QUESTION = "How long is the warranty of the Amber Kettle?"
FACT = "The warranty period of the Amber Kettle is 24 months."


def ids(project: tb.Project) -> dict[str, str]:
    return {approach.preset: approach.id for approach in ensure_presets(project.id)}


def stored(project: tb.Project, preset: str, **fields: Any) -> tb.Answer:
    """One live answer as stored."""
    approach = next(a for a in ensure_presets(project.id) if a.preset == preset)
    values: dict[str, Any] = {
        "status": "finished", "text": "It is 24 months.", "finish_reason": "stop", "prompt_tokens": 50,
        "context_tokens": 0, "completion_tokens": 9, "total_seconds": 1.0, "first_token_seconds": 0.4,
        "spans": {"search": 0.1, "first_token": 0.3, "decode": 0.6}, "messages": [], "question": QUESTION,
        "compare_id": "c",
    }  # fmt: skip
    row = tb.Answer(
        id=new_id(), project_id=project.id, approach_id=approach.id, approach_hash=approach.hash,
        phase="live", **{**values, **fields},
    )  # fmt: skip
    with write() as session:
        session.add(row)
    return row


def names(app: AppTest, project: tb.Project) -> list[str]:
    """The approaches in the order of their columns, by what moves them."""
    known = {key: preset for preset, key in ids(project).items()}
    keys = [str(button.key) for button in app.button if str(button.key).startswith("move_-1_")]
    return [known[key.removeprefix("move_-1_")] for key in keys]


def asked_for(app: AppTest, name: str) -> str:
    value = app.query_params.get(name, "")
    return value[0] if isinstance(value, list) else str(value)


def test_an_order_is_read_from_the_address_and_columns_move_one_place_at_a_time() -> None:
    assert named("b,,a,b") == ["b", "a"] and named(None) == []
    assert in_order(["a", "b", "c"], ["c", "gone", "a"]) == ["c", "a", "b"]
    assert moved(["a", "b", "c"], "c", -1) == ["a", "c", "b"]
    assert moved(["a", "b", "c"], "a", -1) == ["a", "b", "c"] == moved(["a", "b", "c"], "c", 1)


def test_a_rule_for_all_keeps_what_each_says_itself() -> None:
    own = {"a": PromptChoice(instructions="Be kind.", house_rules="Cite."), "b": PromptChoice(instructions="Be brief.")}
    ruled = with_rule(own, " Say sir. ")
    assert ruled["a"] == PromptChoice(instructions="Be kind.", house_rules="Cite.\nSay sir.")
    assert ruled["b"] == PromptChoice(instructions="Be brief.", house_rules="Say sir.")
    assert with_rule(own, "  ") == own


def test_what_only_the_other_text_says_is_told_word_by_word_in_both_languages() -> None:
    assert left_out_text("It is 24 months, with the receipt.", "It is 24 months.") == "with the receipt"
    assert left_out_text("保証は24か月で、レシートが要ります。", "保証は12か月です。").startswith("24")
    assert left_out_text("Same.", "same") == "" and len(left_out_text("word " * 200, "x")) < 300
    assert left_out_text("See <b>x</b>", "See") == "b\\>x\\</b", "signs stay signs"


def test_highlighted_words_stay_text() -> None:
    shown = highlighted_text("See <b>24 months</b> here.", ((4, 16),))
    assert ":blue-background[\\<b\\>24 months]" in shown and "<b>" not in shown
    assert highlighted_text("plain", ()) == "plain"


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_are_moved_and_the_address_remembers_order_and_baseline(language: str, filled: tb.Project) -> None:
    for preset in ("base", "few_shot", "rag"):
        stored(filled, preset)
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare="c")
    assert names(app, filled) == ["base", "few_shot", "rag"] and not app.error
    known = ids(filled)
    app.button(key=f"move_-1_{known['rag']}").click().run()
    assert names(app, filled) == ["base", "rag", "few_shot"]
    app.button(key=f"baseline_{known['few_shot']}").click().run()
    assert asked_for(app, "baseline") == known["few_shot"] and asked_for(app, "columns").split(",")[1] == known["rag"]
    link = {name: asked_for(app, name) for name in ("columns", "baseline", "compare")}
    other = Visitor(language, filled).open("compare", **link)
    assert names(other, filled) == ["base", "rag", "few_shot"]
    assert not [b for b in other.button if b.key == f"baseline_{known['few_shot']}"], "the baseline is that one already"
    label = visitor.says("ui.compare.differences").format(base=visitor.says("approaches.preset.few_shot"))
    assert label in [toggle.label for toggle in other.toggle]


def test_moving_the_first_column_does_not_change_the_baseline(filled: tb.Project) -> None:
    stored(filled, "base"), stored(filled, "rag")
    app = Visitor("en", filled).open("compare", compare="c")
    app.button(key=f"move_1_{ids(filled)['base']}").click().run()
    assert names(app, filled) == ["rag", "base"] and asked_for(app, "baseline") == ids(filled)["base"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_baseline_that_failed_is_named_and_no_other_takes_its_place(language: str, filled: tb.Project) -> None:
    error = {"code": "approaches.no_index", "params": {}}
    stored(filled, "base", status="failed", text="", finish_reason=None, error=error, prompt_tokens=None)
    stored(filled, "rag"), stored(filled, "few_shot")
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare="c", differences="1")
    [warning] = [w.value for w in app.warning if visitor.says("approaches.preset.base") in w.value]
    assert visitor.says("ui.compare.baseline.silent").split("{base}")[1][:12] in warning
    assert not [toggle for toggle in app.toggle if str(toggle.key).startswith("differences")]
    assert "background[" not in texts(app).replace(":blue-background[:material", "")
    assert visitor.says("error.approaches.no_index") in " ".join(e.value.replace("\\", "") for e in app.error)
    assert visitor.says("ui.compare.finish.failed") in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", ["stop", "length", None, "eos_token"])
def test_how_an_answer_ended_is_always_told(reason: str | None, language: str, filled: tb.Project) -> None:
    stored(filled, "base", finish_reason=reason), stored(filled, "rag", finish_reason=reason, text="")
    visitor = Visitor(language, filled)
    said = texts(visitor.open("compare", compare="c"))
    key = {None: "unknown", "eos_token": "other"}.get(reason, reason)
    assert said.count(visitor.says(f"ui.compare.finish.{key}").split("{")[0]) == 2
    assert visitor.says("ui.compare.empty_answer") in said


def test_what_the_answer_used_is_highlighted_among_the_passages(filled: tb.Project) -> None:
    index = knowledge.latest_index(knowledge.default_kb(filled.id).id)
    assert index is not None
    hits = knowledge.search(index.id, QUESTION, k=3).hits
    chunks = [
        {"number": n, "chunk_id": hit.chunk_id, "document": hit.document_name, "title": hit.title, "score": hit.score,
         "text_rank": n, "vector_rank": None}
        for n, hit in enumerate(hits, 1)
    ]  # fmt: skip
    kettle = next(n for n, hit in enumerate(hits, 1) if "Kettle" in hit.document_name)
    stored(filled, "base"), stored(filled, "rag", text=f"You have 2 years [{kettle}].", chunks=chunks,
                                   index_version_id=index.id)  # fmt: skip
    app = Visitor("en", filled).open("compare", compare="c")
    said = texts(app)
    assert not app.error and ":blue-background[24 months]" in said
    assert said.count(":green-badge[") == 1, "one passage is cited"
    assert f"place by words: {kettle}" in said
    [label] = [each.label for each in app.expander if each.label.startswith("Passages read: 3")]
    assert label == "Passages read: 3 · used by the answer: 1"


def test_whole_documents_and_examples_are_sources_too(filled: tb.Project) -> None:
    found = knowledge.documents(knowledge.default_kb(filled.id).id)
    shown = "\n\n".join(f"[{n}] {d.title or d.name}\n{d.text.strip()}" for n, d in enumerate(found, 1))
    messages = [{"role": "user", "content": f"Documents:\n{shown}\n\nQuestion: {QUESTION}"}]
    chunks = [{"number": n, "chunk_id": "", "title": d.title or d.name} for n, d in enumerate(found, 1)]
    stored(filled, "whole_context", text=FACT, messages=messages, chunks=chunks)
    said = ("What does the Cedar Fan cost?", "89 dollars", QUESTION)
    turns = [{"role": role, "content": text} for role, text in zip(("user", "assistant", "user"), said, strict=True)]
    stored(filled, "few_shot", text="It is 89 dollars.", messages=turns)
    app = Visitor("en", filled).open("compare", compare="c")
    labels = [each.label for each in app.expander]
    assert f"Whole documents read: {len(found)} · used by the answer: 1" in labels
    assert "Examples read: 1 · used by the answer: 1" in labels
    said = texts(app)
    assert ":blue-background[89 dollars]" in said and "24 months]" in said
    assert "Read, no trace in the answer:" in said and "Cedar Fan" in said


def test_a_whole_document_that_was_deleted_is_not_shown_again(filled: tb.Project) -> None:
    kb = knowledge.default_kb(filled.id)
    kettle = knowledge.current_document(kb.id, "Amber Kettle.md")
    assert kettle is not None
    content = f"Documents:\n[1] {kettle.title or kettle.name}\n{FACT}\n\nQuestion: {QUESTION}"
    chunks = [{"number": 1, "chunk_id": "", "title": kettle.title or kettle.name}]
    stored(filled, "base", text="")
    stored(filled, "whole_context", text="[1]", messages=[{"role": "user", "content": content}], chunks=chunks)
    knowledge.delete_document(kettle.id)
    visitor = Visitor("en", filled)
    said = texts(visitor.open("compare", compare="c"))
    assert visitor.says("ui.compare.source_removed") in said and FACT not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reference_brings_every_metric_that_applies(language: str, filled: tb.Project) -> None:
    with read() as session:
        example = session.scalars(select(tb.Example).where(tb.Example.question == QUESTION)).one()
    stored(filled, "base", text="It is 12 months.", example_id=example.id)
    stored(filled, "rag", text=FACT, example_id=example.id)
    visitor = Visitor(language, filled)
    said = texts(visitor.open("compare", compare="c"))
    [wrong, right] = [line for line in said.split("\n") if visitor.says("ui.compare.scores") in line]
    for metric in ("value_match", "exact_match", "token_f1", "chrf", "rouge_l"):
        assert visitor.says(f"measures.metric.{metric}").split("(")[0] in right.replace("\\", "")
    exact = visitor.says("measures.metric.exact_match")
    assert f"{exact} 1.00" in right and f"{exact} 0.00" in wrong
    assert visitor.says("measures.metric.json_valid") not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_tokens_and_prices_are_said(language: str, filled: tb.Project) -> None:
    unknown = {"prompt_tokens": None, "completion_tokens": None, "context_tokens": None}
    stored(filled, "base", **unknown), stored(filled, "rag", text="Other.")
    visitor = Visitor(language, filled)
    said = texts(visitor.open("compare", compare="c"))
    assert said.count(visitor.says("ui.compare.tokens.unknown")) == 1
    assert said.count(visitor.says("ui.compare.cost.unknown")) == 2
    assert visitor.says("charts.tokens.title.same").split("{")[0] in said


def test_costs_are_priced_again_with_the_prices_of_today(filled: tb.Project) -> None:
    amounts = {"input": Decimal(10), "output": Decimal(20)}
    edit_prices({"tokens/house": PriceEntry("tokens/house", "million_tokens", amounts, "2026-02-03", "contract")})
    money = {"model": "house", "cost": Decimal("0.5"), "currency": "USD", "cost_basis": "list", "price_version": "old"}
    stored(filled, "base", completion_tokens=25, **money)
    stored(filled, "rag", prompt_tokens=1050, context_tokens=1000, completion_tokens=25, **money)
    visitor = Visitor("en", filled)
    said = texts(visitor.open("compare", compare="c")).replace("\\", "")
    assert f"{visitor.says('approaches.preset.base')} costs least at today's prices: $1.00 per 1,000 answers" in said
    assert visitor.says("ui.compare.prices.changed") in said and "$500.00 per 1,000" in said


def test_asking_several_times_is_drawn_over_all_answers(filled: tb.Project) -> None:
    for repetition, seconds in enumerate((1.0, 2.0, 3.0)):
        stored(filled, "base", repetition=repetition, spans={"decode": seconds}, total_seconds=seconds)
        stored(filled, "rag", repetition=repetition, spans={"decode": 4 * seconds}, total_seconds=4 * seconds)
    app = Visitor("en", filled).open("compare", compare="c")
    assert "took the least time on average\\: 2\\.0 s \\(n \\= 3\\)" in texts(app) and not app.error
    assert len(app.dataframe[0].value) == 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_approach_keeps_a_prompt_of_its_own_to_edit(language: str, filled: tb.Project) -> None:
    known = ids(filled)
    tried = PromptChoice(instructions="Answer in rhymes.", house_rules="Be kind.")
    stored(filled, "base", notes={"prompt": tried.model_dump()}), stored(filled, "rag")
    app = Visitor(language, filled).open("compare", compare="c")
    app.segmented_control(key="again_c").set_value("prompt").run()
    own = next(a for a in ensure_presets(filled.id) if a.preset == "rag").spec["prompt"]["instructions"]
    assert app.text_area(key=f"again_c_instructions_{known['base']}").value == "Answer in rhymes."
    assert app.text_area(key=f"again_c_instructions_{known['rag']}").value == own != "Answer in rhymes."
    app.button(key="again_ask_prompt").click().run()
    assert app.error and "compare" in app.query_params, "nothing was edited, so nobody is asked"


def test_a_style_can_be_tried_for_one_question_too(filled: tb.Project) -> None:
    tried = PromptChoice(instructions="Answer.", style="Like a pirate.")
    stored(filled, "base", notes={"prompt": tried.model_dump()}), stored(filled, "rag")
    app = Visitor("en", filled).open("compare", compare="c")
    app.segmented_control(key="again_c").set_value("prompt").run()
    assert app.text_area(key=f"again_c_style_{ids(filled)['base']}").value == "Like a pirate."


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_before_the_change_says_why_it_failed_and_what_it_took(language: str, filled: tb.Project) -> None:
    error = {"code": "approaches.no_index", "params": {}}
    stored(filled, "base", compare_id="b", status="failed", text="", finish_reason=None, error=error)
    stored(filled, "rag", compare_id="b", text="Before.", prompt_tokens=777)
    prompt = {
        "before": PromptChoice(instructions="A").model_dump(),
        "after": PromptChoice(instructions="B").model_dump(),
    }
    again = {"before": "b", "prompts": {ids(filled)["rag"]: prompt}}
    stored(filled, "base", notes={"again": again}), stored(filled, "rag", notes={"again": again})
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare="c")
    said = texts(app)
    assert "Before." in said and "777" in said and visitor.says("ui.compare.finish.failed") in said
    assert visitor.says("error.approaches.no_index") in " ".join(e.value.replace("\\", "") for e in app.error)


def test_the_form_takes_up_what_a_linked_comparison_asked(filled: tb.Project) -> None:
    with write() as session:
        example = session.scalars(select(tb.Example).where(tb.Example.question == QUESTION)).one()
        example.split = "validation"
        version = session.get_one(tb.DatasetVersion, example.version_id)
        version.counts = {**(version.counts or {}), "slices": {"validation": {"other": 1, example.slice: 1}}}
    for repetition in range(3):
        stored(filled, "base", question="What if?", repetition=repetition)
        stored(filled, "rag", question="What if?", repetition=repetition, notes={"retrieval_off": True})
    stored(filled, "base", compare_id="d", example_id=example.id, question=example.question)
    stored(filled, "rag", compare_id="d", example_id=example.id, question=example.question)
    app = Visitor("en", filled).open("compare", compare="c")
    assert app.text_area(key="compare_question").value == "What if?" and not app.warning
    assert app.number_input(key="compare_times").value == 3 and app.toggle(key="compare_search_off").value
    app.query_params["compare"] = "d"
    app.run()
    assert app.selectbox(key=f"compare_pick_{example.slice}").value == example.id
    assert app.number_input(key="compare_times").value == 1 and not app.toggle(key="compare_search_off").value
    other = Visitor("en", filled).open("compare", compare="gone")
    assert other.error and not other.exception


def test_the_full_record_holds_what_was_counted_and_noted(filled: tb.Project) -> None:
    stored(filled, "base", cached_tokens=7, notes={"documents": {"n": 2}}), stored(filled, "rag")
    app = Visitor("en", filled).open("compare", compare="c")
    record = next(found for each in app.json if (found := json.loads(each.value))["cached_tokens"])
    assert record["cached_tokens"] == 7 and record["notes"] == {"documents": {"n": 2}} and record["created_at"]


def test_one_approach_alone_is_no_comparison_and_a_link_chooses_those_it_asked(filled: tb.Project) -> None:
    stored(filled, "base"), stored(filled, "few_shot")
    visitor = Visitor("en", filled)
    app = visitor.open("compare", compare="c")
    known = ids(filled)
    pills = app.pills(key="compare_approaches")
    assert sorted(pills.value) == sorted([known["base"], known["few_shot"]])
    pills.set_value([known["base"]]).run()
    assert visitor.says("ui.compare.too_few") in [warning.value for warning in app.warning]
    assert next(b for b in app.button if b.label == visitor.says("ui.compare.ask")).disabled
    assert asked_for(app, "approaches") == known["base"]


def test_a_presented_comparison_keeps_order_baseline_and_marks(filled: tb.Project) -> None:
    stored(filled, "base"), stored(filled, "few_shot", text="It is 36 months."), stored(filled, "rag")
    known = ids(filled)
    query = {"columns": f"{known['rag']},{known['few_shot']}", "baseline": known["rag"], "differences": "1"}
    app = Visitor("en", filled).open("compare", compare="c", present="1", **query)
    assert not app.error and not [b for b in app.button if str(b.key).startswith(("move_", "baseline_"))]
    assert ":blue-background[36]" in texts(app)
    assert "Not said, unlike the baseline: 24" in texts(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_prompt_of_an_answer_is_one_press_away_as_it_was_sent(language: str, filled: tb.Project) -> None:
    sent = [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "An example <b>question</b>"},
        {"role": "assistant", "content": "Its answer"},
        {"role": "user", "content": QUESTION},
    ]
    row = stored(filled, "base", messages=sent)
    visitor = Visitor(language, filled)
    app = visitor.open("compare", compare=str(row.compare_id))
    assert not app.error, [error.value for error in app.error]
    assert [one.value for one in app.code if one.value in {m["content"] for m in sent}] == [m["content"] for m in sent]
    for role in ("system", "user", "assistant"):
        assert visitor.says(f"ui.approaches.role.{role}") in [caption.value for caption in app.caption]
