"""What stood in a prompt is read out of the stored messages, to the letter."""

from __future__ import annotations

import pytest

from core.prompting import Passage, PromptInput, build_messages, examples_in, passages_in

PASSAGES = (
    Passage("Kettle > Care", "Rinse it.\n\nDo not boil it dry."),
    Passage("Lamp", "See [1] Kettle for care.\n[2] is a number too."),
    Passage("", "No title."),
)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("question", ["How?", "One line\n\nQuestion: and another", " 質問: なぜ? "])
def test_passages_are_read_back_as_they_were_put_in(language: str, question: str) -> None:
    messages = build_messages(PromptInput(language, question, "Be brief.", passages=PASSAGES))
    assert passages_in(messages, [p.title for p in PASSAGES], question) == [p.text for p in PASSAGES]
    assert examples_in(messages) == []


def test_titles_that_the_prompt_does_not_hold_give_no_text() -> None:
    messages = build_messages(PromptInput("en", "How?", passages=PASSAGES[:1]))
    assert passages_in(messages, ["Kettle > Care", "Fan"], "How?") == ["", ""]
    assert passages_in([], ["Fan"], "How?") == [""]


def test_examples_are_the_turns_before_the_question() -> None:
    pairs = (("A?", "1"), ("B?", "2"))
    messages = build_messages(PromptInput("ja", "C?", "指示", examples=pairs, passages=PASSAGES))
    assert examples_in(messages) == list(pairs)
    assert examples_in(build_messages(PromptInput("en", "C?"))) == [] and examples_in([]) == []
