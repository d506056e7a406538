"""What a shape has no field for stays with the row, as a tag or in its messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import datasets
from core.datasets.cells import jsonable

_ASK, _SAY = {"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ann"}

KEPT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "squad",
        {"question": "Who?", "context": "Ann came.\nBob went.", "answers": {"text": ["Ann", "Ann B."]}},
        {"context": "Ann came.\nBob went.", "answers": {"text": ["Ann", "Ann B."]}},
    ),
    ("squad", {"question": "Who?", "context": "Bob went.", "answers": {"text": []}}, {"context": "Bob went."}),
    ("squad", {"question": "Who?", "context": "Ann.", "answers": {"text": ["Ann"], "answer_start": [0]}}, {}),
    ("kurabe", {"question": "Who?", "gold": [], "slice": "a", "tags": {"slice": "b"}}, {"slice": "b"}),
    (
        "kurabe",
        {"question": "Who?", "gold": [{"document": "a.md", "page": 3}]},
        {"gold": [{"document": "a.md", "page": 3}]},
    ),
    ("chat", {"messages": [_ASK, _SAY], "id": "1", "metadata": {"id": "2", "team": "x"}}, {"id": "2", "team": "x"}),
    (
        "preference",
        {"prompt": "Which?", "chosen": [_ASK, _SAY], "rejected": [_ASK, {"role": "assistant", "content": "Bob"}]},
        {"prompt": "Which?", "rejected": "Bob"},
    ),
    (
        "preference",
        {
            "prompt": "Who?",
            "chosen": "Ann",
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Bob"}],
        },
        {
            "rejected": "Bob",
            "rejected_messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Bob"}],
        },
    ),
    ("question_answer", {"質問": "誰?", "回答": "葵", "category": "a", "slice": "b"}, {"slice": "b"}),
    ("question_answer", {"質問": "誰?", "回答": "葵", "id": "x" * 120}, {"id": "x" * 120}),
]


@pytest.mark.parametrize(("shape", "row", "tags"), KEPT)
def test_what_has_no_field_becomes_a_tag(tmp_path: Path, shape: str, row: dict[str, Any], tags: dict[str, Any]) -> None:
    assert made(tmp_path, shape, row).tags == tags


GOLD: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("question_answer", {"question": "Who?", "answer": "Ann", "gold": " ", "document": "a.md"}, [("a.md", "")]),
    (
        "question_answer",
        {"question": "Who?", "answer": "Ann", "gold": "b.md", "document": "a.md"},
        [("b.md", ""), ("a.md", "")],
    ),
    ("question_answer", {"question": "Who?", "answer": "Ann", "gold": "a.md", "document": "a.md"}, [("a.md", "")]),
    (
        "squad",
        {"question": "Who?", "context": "Ann came.", "answers": {"text": ["Ann"]}, "gold": ["", "b.md"]},
        [("b.md", ""), ("", "Ann came.")],
    ),
]


@pytest.mark.parametrize(("shape", "row", "gold"), GOLD)
def test_gold_passages_named_in_two_places_are_all_kept_and_blanks_name_none(
    tmp_path: Path, shape: str, row: dict[str, Any], gold: list[tuple[str, str]]
) -> None:
    assert [(each["document"], each["quote"]) for each in made(tmp_path, shape, row).gold] == gold


def test_a_turn_of_sharegpt_keeps_what_stands_beside_its_words(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Ann", "weight": 0}]
    row = made(tmp_path, "sharegpt", {"conversations": turns})
    assert row.messages == [_ASK, {**_SAY, "weight": 0}]


def test_an_answer_that_was_not_liked_leaves_the_turns_before_it(tmp_path: Path) -> None:
    prompt = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"}, _ASK]
    row = made(tmp_path, "unpaired_preference", {"prompt": prompt, "completion": [_SAY], "label": False})
    assert (row.answer, row.messages, row.tags) == ("", prompt, {"disliked": "Ann", "label": False})


def test_an_infinite_number_of_a_parquet_file_is_not_taken_for_an_empty_cell() -> None:
    assert jsonable([float("inf"), float("nan"), 1], "note") == ["inf", None, 1]


def made(folder: Path, shape: str, values: dict[str, Any]) -> Any:
    """Return the row that a file with these values becomes."""
    path = folder / "a.jsonl"
    path.write_text(json.dumps(values), encoding="utf-8")
    seen = datasets.preview(path, "a.jsonl", shape=shape)
    assert seen.problems == []
    return seen.rows[0]
