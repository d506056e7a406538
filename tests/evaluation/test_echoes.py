"""Answers after a change: those that follow, those that repeat the document's old text or the training data."""

from __future__ import annotations

import json

import pytest

from core import datasets
from core.approaches import Changed
from core.evaluation import echo
from core.store import tables as tb
from core.store import write

ROWS = [
    {"id": "t1", "question": "How often may Plan Kite be used in a year?", "split": "train", "value": "37 times",
     "answer": "Plan Kite may be used 37 times a year.", "fact": "kite/visits"},
    {"id": "t2", "question": "Which fee has Plan Kite?", "split": "train", "value": "5 dollars",
     "answer": "The fee of Plan Kite is 5 dollars.", "fact": "kite/fee"},
    {"id": "q1", "question": "What is the yearly number of visits of Plan Kite?", "split": "test", "value": "37 times",
     "answer": "Plan Kite may be used 37 times a year.", "fact": "kite/visits"},
    {"id": "q2", "question": "Tell me the fee of Plan Kite.", "split": "test", "value": "9 dollars",
     "answer": "The fee of Plan Kite is 9 dollars.", "fact": "kite/fee"},
]  # fmt: skip
TEXT = "Plan Kite\n\n- Visits per year: 8 times\n- Fee: 9 dollars"
VISITS = Changed(
    "before", "kite.md", "Plan Kite", TEXT, (("- Visits per year: 37 times", "- Visits per year: 8 times"),)
)


@pytest.fixture
def questions() -> dict[str, tb.Example]:
    project = tb.Project(name="Shop", language="en")
    with write() as session:
        session.add(project)
    datasets.import_file(project.id, "\n".join(map(json.dumps, ROWS)).encode(), "rows.jsonl")
    version = datasets.latest_version(project.id)
    assert version is not None
    return {row.question: row for row in datasets.examples(version.id, "test")}


def answered(text: str, question: str, asked: tb.Example | None = None, status: str = "finished") -> tb.Answer:
    return tb.Answer(question=question, text=text, status=status, example_id=asked.id if asked else None, notes={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("It may be used 8 times.", "after"),
        ("It may be used 37 times a year.", "before"),
        ("It may be used 88 times.", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_an_answer_follows_the_change_or_says_what_stood_there_before(text: str, says: str | None) -> None:
    found = echo(answered(text, "How often may Plan Kite be used?"), VISITS)
    assert (found.says if found else None) == says


def test_a_figure_of_another_thing_is_no_sign_of_the_change() -> None:
    assert echo(answered("It opens 8 times.", "How often does Plan Heron open?"), VISITS) is None


def test_what_training_taught_and_the_change_made_untrue_is_named_so(questions: dict[str, tb.Example]) -> None:
    asked = questions["What is the yearly number of visits of Plan Kite?"]
    found = echo(answered("37 times.", asked.question, asked), VISITS)
    assert found is not None and (found.says, found.words) == ("taught", "37 times")


def test_without_a_change_the_training_rows_tell_what_is_out_of_date(questions: dict[str, tb.Example]) -> None:
    asked = questions["Tell me the fee of Plan Kite."]
    old = echo(answered("The fee is 5 dollars.", asked.question, asked))
    assert old is not None and (old.says, old.words) == ("taught", "5 dollars")
    assert echo(answered("The fee is 9 dollars.", asked.question, asked)) is None
    assert echo(answered("The fee is 5 dollars.", asked.question, asked, status="stopped")) is None


def test_japanese_figures_are_told_apart_by_what_follows_them() -> None:
    lines = (("年間の訪問回数: 37回", "年間の訪問回数: 8回"),)
    changed = Changed("before", "plan.md", "カイトプラン", "カイトプラン\n年間の訪問回数: 8回", lines)
    question = "カイトプランの訪問は年に何回ですか。"
    after, before = (echo(answered(text, question), changed) for text in ("年8回です。", "年37回です。"))
    assert after is not None and before is not None and (after.says, before.says) == ("after", "before")
