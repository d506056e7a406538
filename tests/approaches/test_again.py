"""A question asked again after a change: what changed is kept, and nothing else does."""

from __future__ import annotations

import time

import pytest

from core import knowledge
from core.approaches import (
    PromptChoice,
    ask_after_edit,
    ask_with_prompts,
    change_before,
    comparison,
    ensure_presets,
    get_approach,
    is_running,
    prompts_of,
    save_approach,
    spec_of_row,
    start_comparison,
    tried_prompts,
)
from core.errors import KurabeError
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.world import make_project

QUESTION = "How long is the warranty of the Amber Kettle?"


@pytest.fixture
def project() -> tb.Project:
    return make_project()


def finished(compare_id: str) -> dict[str, tb.Answer]:
    """The answers by preset, once nobody writes any more."""
    for _ in range(600):
        rows = comparison(compare_id)
        if not is_running(rows):
            return {get_approach(row.approach_id).preset: row for row in rows}
        time.sleep(0.1)
    raise AssertionError("still answering")


def asked(project: tb.Project, *presets: str) -> str:
    known = {a.preset: a.id for a in ensure_presets(project.id)}
    compare_id = start_comparison(project.id, QUESTION, [known[preset] for preset in presets])
    finished(compare_id)
    return compare_id


def kettle(project: tb.Project) -> tb.Document:
    found = knowledge.current_document(knowledge.default_kb(project.id).id, "Amber Kettle.md")
    assert found is not None
    return found


def test_after_an_edit_retrieval_reads_the_new_text_and_what_changed_is_kept(
    served: Served, project: tb.Project
) -> None:
    before = asked(project, "base", "rag")
    document = kettle(project)
    again = ask_after_edit(before, document.id, document.text.replace("24 months", "84 months"))
    rows = finished(again)
    assert set(rows) == {"base", "rag"} and all(row.status == "finished" for row in rows.values())
    assert "84 months" in str(rows["rag"].messages) and "24 months" not in str(rows["rag"].messages)
    assert rows["base"].messages == finished(before)["base"].messages
    changed = change_before(list(rows.values()))
    assert changed is not None and changed.before == before and changed.document == "Amber Kettle.md"
    [(old, new)] = changed.lines
    assert "24 months" in old and "84 months" in new
    assert change_before(comparison(before)) is None


def test_a_text_that_stays_as_it_is_asks_nobody(served: Served, project: tb.Project) -> None:
    before = asked(project, "base")
    with pytest.raises(KurabeError) as refused:
        ask_after_edit(before, kettle(project).id, kettle(project).text)
    assert refused.value.code == "approaches.nothing_changed"
    base = ensure_presets(project.id)[0]
    with pytest.raises(KurabeError) as refused:
        ask_with_prompts(before, {base.id: PromptChoice.model_validate(base.spec["prompt"])})
    assert refused.value.code == "approaches.nothing_changed"
    assert kettle(project).version == 1


def test_a_tried_prompt_stands_in_the_record_and_leaves_the_approach_alone(served: Served, project: tb.Project) -> None:
    before = asked(project, "base")
    approach = ensure_presets(project.id)[0]
    wanted = PromptChoice(instructions="Answer in capitals.", house_rules="Be brief.")
    again = ask_with_prompts(before, {approach.id: wanted})
    [row] = finished(again).values()
    assert row.messages[0] == {"role": "system", "content": "Answer in capitals.\nBe brief."}
    assert row.approach_hash != approach.hash and ensure_presets(project.id)[0].hash == approach.hash
    changed = change_before([row])
    assert changed is not None and not changed.document and ("Answer in capitals." in str(changed.lines))
    # a document changed afterwards keeps the tried prompt: one change at a time
    document = kettle(project)
    third = finished(ask_after_edit(again, document.id, document.text + "\nIt is red.\n"))["base"]
    assert tried_prompts([third]) == {approach.id: wanted}
    assert third.messages == row.messages


def test_another_prompt_for_one_approach_leaves_each_other_its_own(served: Served, project: tb.Project) -> None:
    known = {a.preset: a for a in ensure_presets(project.id)}
    own = PromptChoice(instructions="Answer from the documents.", house_rules="Cite your sources.")
    rag = save_approach(project.id, spec_of_row(known["rag"]).model_copy(update={"prompt": own, "managed": False}))
    before = start_comparison(project.id, QUESTION, [known["base"].id, rag.id])
    earlier = finished(before)
    wanted = PromptChoice(instructions="Answer in one word.", house_rules="")
    again = ask_with_prompts(before, {known["base"].id: wanted, rag.id: own})
    rows = finished(again)
    assert rows["base"].messages[0]["content"] == "Answer in one word."
    assert rows["rag"].messages == earlier["rag"].messages, "another approach's text never replaces its own"
    assert rows["rag"].approach_hash == rag.hash and rows["base"].approach_hash != known["base"].hash
    changed = change_before(list(rows.values()))
    assert changed is not None and [key for key, _ in changed.prompts] == [known["base"].id]
    assert prompts_of(list(rows.values())) == {known["base"].id: wanted, rag.id: own}


def test_a_prompt_tried_by_an_earlier_release_is_still_told(served: Served, project: tb.Project) -> None:
    row = finished(asked(project, "base"))["base"]
    note = {"before": "first", "prompt": {"before": {"instructions": "Old."}, "after": {"instructions": "New."}}}
    row.notes = {"again": note, "prompt": {"instructions": "New."}}
    changed = change_before([row])
    assert changed is not None and changed.lines == (("Old.", "New."),)
    assert tried_prompts([row]) == {row.approach_id: PromptChoice(instructions="New.")}


def test_a_switched_off_search_stays_off_when_the_question_is_asked_again(served: Served, project: tb.Project) -> None:
    known = {a.preset: a.id for a in ensure_presets(project.id)}
    before = start_comparison(project.id, QUESTION, [known["rag"]], retrieval_off=True)
    finished(before)
    document = kettle(project)
    row = finished(ask_after_edit(before, document.id, document.text + "\nIt is red.\n"))["rag"]
    assert row.notes["retrieval_off"] and row.chunks == []


def test_a_document_deleted_since_is_named_as_removed(served: Served, project: tb.Project) -> None:
    before = asked(project, "base")
    document = kettle(project)
    again = ask_after_edit(before, document.id, document.text + "\nIt is red.\n")
    finished(again)
    knowledge.delete_document(kettle(project).id)
    changed = change_before(comparison(again))
    assert changed is not None and changed.removed and not changed.lines
