"""Datasets held against the documents: what the index holds of training, and answers that nothing says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import datasets, jobs, knowledge
from core.datasets import Row
from core.jobs import JobContext
from core.knowledge.covering import cover_as_job
from core.store import tables as tb
from tests.approaches.world import make_project


def newest(project: tb.Project) -> tb.DatasetVersion:
    found = datasets.latest_version(project.id)
    assert found is not None
    return found


def documents_of(project: tb.Project) -> str:
    return knowledge.default_kb(project.id).id


def with_facts(project: tb.Project) -> tb.DatasetVersion:
    """Training rows in both languages, and a test question for each that training teaches."""
    taught = [("How wide is the Koridel 205?", "The Koridel 205 is 61 cm wide."),
              ("アオバクリーン30の幅は?", "アオバクリーン30の幅は41cmです。"),
              ("How deep is the Koridel 205?", "33 cm.")]  # fmt: skip
    rows = [Row(question, answer, split="train", tags={"fact": str(n)}) for n, (question, answer) in enumerate(taught)]
    rows += [Row(f"Please: {q}", a, split="test", tags={"fact": str(n)}) for n, (q, a) in enumerate(taught)]
    rows.append(Row("Who designed the moon?", "Nobody did.", split="test", tags={"fact": "none"}))
    return datasets.edit_rows(newest(project).id, drop=range(24), add=rows)


def test_the_index_is_asked_for_the_training_text_as_it_was_built() -> None:
    project = make_project(index=False)
    made, kb = with_facts(project), documents_of(project)
    assert knowledge.dataset_coverage(kb, made.id).training is None and datasets.training_text(made.id) is None
    knowledge.add_document(kb, "faq.md", b"# FAQ\n\nThe Koridel 205 is 61 cm wide.\n")
    knowledge.add_document(kb, "faq.ja.md", "# よくある質問\n\nアオバクリーン３０の幅は４１ｃｍです。\n".encode())
    index = knowledge.build_index(kb, knowledge.IndexConfig(embedder="none"))
    told = knowledge.dataset_coverage(kb, made.id).training
    assert told is not None and told == datasets.training_text(made.id)
    assert (told.index_version_id, told.rows, told.held) == (index.id, 3, 2)
    assert (told.questions, told.questions_held) == (2, 2), "33 cm. is too short to tell, and nothing teaches the moon"
    rows = datasets.examples(made.id, "test")
    assert [row.training_indexed for row in rows] == [True, True, None, None]
    for kind in datasets.COVERAGE:
        questions = [row.question for row in rows if row.coverage == kind]
        assert [row.question for row in datasets.examples(made.id, "test", coverage=kind)] == questions
        assert datasets.count_examples(made.id, "test", coverage=kind) == len(questions)
    faq = knowledge.current_document(kb, "faq.md")
    assert faq is not None
    knowledge.edit_document(faq.id, "# FAQ\n\nIts width was measured again.\n")
    unchanged = knowledge.dataset_coverage(kb, made.id).training
    assert unchanged == told, "the index still holds the text of before the edit"
    knowledge.refresh_index(kb)
    after = knowledge.dataset_coverage(kb, made.id).training
    assert after is not None and (after.held, after.questions_held) == (1, 1)


def test_a_short_answer_is_held_by_an_index_that_holds_its_question_too() -> None:
    project = make_project(index=False)
    made, kb = with_facts(project), documents_of(project)
    knowledge.add_document(kb, "faq.md", b"# FAQ\n\nHow deep is the Koridel 205?\n\n33 cm.\n")
    knowledge.build_index(kb, knowledge.IndexConfig(embedder="none"))
    told = knowledge.dataset_coverage(kb, made.id).training
    assert told is not None and (told.rows, told.held) == (3, 1)


@pytest.mark.parametrize("checked", [True, False], ids=["with documents", "alone"])
def test_stale_answers_are_found_beside_the_documents_and_only_training_rows_left_out(checked: bool) -> None:
    project = make_project(index=False)
    rows = [Row("What does the Amber Kettle cost?", "It costs 77 dollars.", split=split) for split in ("train", "test")]
    made = datasets.edit_rows(newest(project).id, add=rows)
    run = knowledge.check_dataset if checked else datasets.run_checks
    found = [each for each in run(made.id) if each.check == "answerability"]
    if not checked:
        assert found == []
        return
    assert [(each.code, each.rows, each.repair) for each in found] == [("nowhere", [24, 25], {"drop": [24]})]
    kept = json.loads(json.dumps(datasets.version(made.id).checks))["findings"]
    assert [each["repairable"] for each in kept if each["check"] == "answerability"] == [True]
    repaired = knowledge.repair_dataset(made.id, "answerability", "nowhere")
    assert repaired.row_count == 25 and [row.split for row in datasets.rows_of(repaired.id)][-1] == "test"


def test_a_wrong_passage_is_replaced_by_the_one_that_holds_the_answer() -> None:
    project = make_project(index=False)
    gold = [{"document": "Amber Kettle.md", "quote": "The Amber Kettle is made in Oslo."}]
    rows = [
        Row("What does the Amber Kettle cost?", "It costs 59 dollars.", split="train", gold=gold),
        Row("What does the Amber Kettle cost, please?", "It costs 61 dollars.", split="train", gold=gold),
    ]
    made = datasets.edit_rows(newest(project).id, add=rows)
    [found] = [each for each in knowledge.check_dataset(made.id) if each.check == "answerability"]
    assert (found.code, found.rows) == ("unsupported", [24, 25])
    mended = list(datasets.rows_of(knowledge.repair_dataset(made.id, "answerability", "unsupported").id))
    assert "59 dollars" in mended[24].gold[0]["quote"] and mended[24].gold[0]["document"] == "Amber Kettle.md"
    assert mended[25].gold == gold, "no passage says 61 dollars: a person decides"


def test_a_quotation_that_holds_half_of_the_answer_stays_beside_the_words_for_the_other_half() -> None:
    project = make_project(index=False)
    kb = documents_of(project)
    knowledge.add_document(kb, "cost.md", b"# Amber Plan\n\nThe Amber Plan costs 500 yen.\n")
    knowledge.add_document(kb, "end.md", b"# Amber Plan\n\nThe Amber Plan ends with 45 days of notice.\n")
    gold = [{"document": "cost.md", "quote": "The Amber Plan costs 500 yen."}]
    answer = "It costs 500 yen and can be ended with 45 days of notice."
    row = Row("What does the Amber Plan cost, and how does it end?", answer, split="train", gold=gold)
    made = datasets.edit_rows(newest(project).id, add=[row])
    knowledge.check_dataset(made.id)
    repaired = knowledge.repair_dataset(made.id, "answerability", "unsupported")
    mended = list(datasets.rows_of(repaired.id))[-1]
    assert mended.gold[0] == gold[0] and "45 days" in mended.gold[1]["quote"]
    assert [each.code for each in knowledge.check_dataset(repaired.id) if each.check == "answerability"] == []


def test_questions_of_a_large_version_are_looked_up_by_a_job_that_stops_and_goes_on(tmp_path: Path) -> None:
    project = make_project(index=False)
    made, kb = with_facts(project), documents_of(project)
    payload = {"knowledge_base_id": kb, "dataset_version_id": made.id, "by": "me"}
    stopped = JobContext("job", payload, tmp_path, project_id=project.id)
    stopped.ask_to_stop()
    assert cover_as_job(stopped) == {"stopped": True} and not any(
        row.coverage for row in datasets.examples(made.id, "test")
    )
    ctx = JobContext("job", payload, tmp_path, project_id=project.id, attempt=2)
    found = cover_as_job(ctx)
    assert found["counts"] == knowledge.dataset_coverage(kb, made.id).counts == datasets.stored_coverage(made.id)
    told = {(event["stage"], event["done"], event["total"]) for event in ctx.reported()}
    assert {("counting_rows", 3, 3), ("covering", 4, 4)} <= told


def test_a_queued_lookup_runs_in_a_process_of_its_own() -> None:
    project = make_project(index=False)
    made = with_facts(project)
    view = jobs.wait(knowledge.start_coverage(project.id, documents_of(project), made.id), timeout=120)
    assert view.status == "succeeded" and sum(datasets.stored_coverage(made.id).values()) == 4
    assert "" not in datasets.stored_coverage(made.id)
