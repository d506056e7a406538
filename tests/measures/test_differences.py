"""Differences between two answers, as the compare page marks them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.measures.differences import changed_lines, differences, new_words


def new(before: str, after: str) -> list[str]:
    return [piece.text for piece in differences(before, after) if piece.new]


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("The warranty lasts 2 years.", "The warranty lasts 3 years.", ["3"]),
        ("It costs $20.", "It costs $20 plus shipping within Japan.", ["plus shipping within Japan"]),
        ("保証期間は2年です。", "保証期間は3年です。", ["3"]),
        ("定休日は月曜日です。", "定休日は火曜日と木曜日です。", ["火曜日と木"]),
        ("ABC and 12", "abc AND １２", []),
        ("same words, other marks", "Same words: other marks!", []),
        ("", "All of it", ["All of it"]),
        ("Gone", "", []),
    ],
)
def test_only_what_is_new_is_marked(before: str, after: str, marked: list[str]) -> None:
    assert new(before, after) == marked


def test_changes_with_a_single_shared_word_between_them_are_one_change() -> None:
    assert new("a b c d e", "x b y d e") == ["x b y"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_the_text_to_the_letter(before: str, after: str) -> None:
    assert "".join(piece.text for piece in differences(before, after)) == after


@given(st.text(max_size=60))
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert new(text, text) == []


def test_answers_that_go_round_in_circles_do_not_take_long() -> None:
    first, second = "the red lamp and " * 500, "the red lamp or the blue lamp and " * 300
    began = time.perf_counter()
    assert "".join(piece.text for piece in differences(first, second)) == second
    assert time.perf_counter() - began < 1.0


def test_lines_that_changed_are_paired_and_lines_that_came_stand_alone() -> None:
    before, after = "Fee: 9\nVisits: 37 times\n", "Fee: 9\nVisits: 8 times\n\nNew: yes\n"
    assert changed_lines("a\nb\nc", "a\nB\nc") == [("b", "B")]
    assert changed_lines(before, after) == [("Visits: 37 times", "Visits: 8 times\nNew: yes")]
    japanese = "駅前です。閉店は午後4時です。駐車場は9台です。"
    assert changed_lines(japanese, japanese.replace("4時", "6時")) == [("閉店は午後4時です。", "閉店は午後6時です。")]
    assert changed_lines("a\nb", "a") == [("b", "")] and changed_lines(before, before) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("Visits: 37 times", "Visits: 8 times", ["8 times"]),
        ("訪問は37回", "訪問は8回", ["8回"]),
        ("You need a vacuum cleaner.", "You need a small spanner.", ["small spanner"]),
        ("the same", "the same", []),
    ],
)
def test_new_words_carry_the_unit_of_a_figure(before: str, after: str, words: list[str]) -> None:
    assert new_words(before, after) == words
