"""Which passages an answer used: its citations, its words, its values, in both languages."""

from __future__ import annotations

import pytest

from core.measures import Language, passages_used

KETTLE = "The warranty period of the Amber Kettle is 24 months. It is made in Oslo."
LAMP = "The warranty period of the Birch Lamp is 36 months. It is made in Lyon."


def said(passage: str, answer: str, language: Language = "en", question: str = "") -> list[str]:
    """The words of a passage that an answer says again."""
    [use] = passages_used(answer, [passage], language, question=question)
    return [passage[start:stop] for start, stop in use.spans]


def test_a_cited_number_marks_its_passage_and_no_other() -> None:
    uses = passages_used("Two years, I believe [2].", [LAMP, KETTLE, "Nothing to do with it."], "en")
    assert [use.cited for use in uses] == [False, True, False]


def test_a_number_in_brackets_is_no_citation_where_the_model_saw_no_numbers() -> None:
    [use] = passages_used("See [1].", [KETTLE], "en", numbered=False)
    assert not use.cited and not use.used


def test_a_value_is_found_in_another_spelling() -> None:
    assert said(KETTLE, "You have 2 years.") == ["24 months"]
    assert said("保証期間は２４か月です。", "2年間です。", "ja") == ["２４か月"]
    assert said("価格は1万2,000円(税込)です。", "12000円です。", "ja") == ["1万2,000円"]


def test_another_value_marks_nothing() -> None:
    uses = passages_used("It is 24 months.", [KETTLE, LAMP], "en")
    assert [use.used for use in uses] == [True, False]


def test_words_that_only_repeat_the_question_are_no_sign_of_use() -> None:
    question = "How long is the warranty period of the Birch Lamp?"
    answer = "The warranty period of the Birch Lamp is not something that I know."
    assert said(LAMP, answer, question=question) == []
    assert said(LAMP, answer) != [], "the same words tell something where nobody asked with them"


def test_words_that_most_documents_share_are_how_they_are_written() -> None:
    fan = "The warranty period of the Cedar Fan is 12 months. It is made in Porto."
    uses = passages_used("The warranty period of the Amber Kettle is 24 months.", [LAMP, KETTLE, fan], "en")
    assert [use.used for use in uses] == [False, True, False]


def test_a_run_of_words_is_marked_as_it_stands() -> None:
    passage = "Send the device back with the ORIGINAL receipt, please."
    assert said(passage, "Keep the original receipt, please.") == ["the ORIGINAL receipt, please"]


def test_japanese_is_compared_by_characters_and_grammar_alone_is_no_use() -> None:
    passage = "返品には購入時のレシートが必要です。送料はお客様の負担となります。"
    assert said(passage, "購入時のレシートが必要になります。", "ja") == ["購入時のレシートが必要"]
    assert said(passage, "それはありません。調べることとなります。", "ja") == []


def test_a_code_is_enough_and_a_lone_small_figure_is_not() -> None:
    assert said("Error AB-200: open the lid.", "It shows AB-200.") == ["AB-200"]
    assert said("Step 8: press the button.", "There are 8.") == []


@pytest.mark.parametrize("answer", ["", "   ", "[1]", "。", "ｶﾞ"])
def test_an_empty_or_broken_answer_repeats_nothing(answer: str) -> None:
    assert said(KETTLE + " ガス ｶﾞｽ", answer) == []


def test_spans_stand_apart_in_order_and_within_the_passage() -> None:
    passage = ("保証は24か月。" + KETTLE) * 20
    [use] = passages_used("保証は24か月です。 The warranty period of the Amber Kettle is 24 months.", [passage], "ja")
    ends = [0, *(stop for _, stop in use.spans)]
    assert use.spans and all(start >= end for (start, _), end in zip(use.spans, ends, strict=False))
    assert use.spans[-1][1] <= len(passage)
