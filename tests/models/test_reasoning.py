"""Thinking is told from the answer, however it is cut into pieces."""

from __future__ import annotations

import pytest

from core.models.reasoning import ThoughtSplitter


def split(text: str, size: int) -> tuple[str, str]:
    splitter = ThoughtSplitter()
    parts = [splitter.feed(text[at : at + size]) for at in range(0, len(text), size)] + [splitter.finish()]
    return "".join(answer for answer, _ in parts), "".join(thought for _, thought in parts)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_thought_before_the_answer_is_taken_apart(size: int) -> None:
    assert split("<think>2 < 3, so</think>\n\nYes.", size) == ("Yes.", "2 < 3, so")


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize("text", ["Plain.", "<b>bold", "a <think>late</think> b", "<thi", ""])
def test_text_without_a_thought_at_its_beginning_stays_as_it_is(text: str, size: int) -> None:
    assert split(text, size) == (text, "")


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_thought_that_was_cut_off_is_no_answer(size: int) -> None:
    assert split("<think>and then </thi", size) == ("", "and then </thi")
