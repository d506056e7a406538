"""The Japanese wordings: every attribute has them, each template is well formed, held ones use known words."""

from __future__ import annotations

import re

import pytest

from core.starter.world._ja_entry import GENERIC_QUESTIONS
from core.starter.world._ja_questions import asked_otherwise
from core.starter.world.attributes import ATTRIBUTES, BY_KEY, Wording
from core.starter.world.wordings_ja import WORDINGS

KEYS = [attribute.key for attribute in ATTRIBUTES]
HOLES = re.compile(r"\{([^}]*)\}")
# Runs of kanji, of katakana and of Latin letters: the words that carry the meaning.
WORDS = re.compile(r"[一-鿿々]+|[ァ-ヿ]+|[A-Za-z-]+")


def holes(template: str) -> list[str]:
    return HOLES.findall(template)


def known_word(word: str, text: str) -> bool:
    """Whether the text holds the word, or both halves of it at some cut."""
    return word in text or any(word[:cut] in text and word[cut:] in text for cut in range(1, len(word)))


def templates(wording: Wording) -> list[str]:
    return [
        *wording.documents,
        *wording.questions,
        wording.answer,
        *wording.held_documents,
        *wording.held_questions,
    ]


def test_every_attribute_has_a_wording_and_no_wording_lacks_an_attribute() -> None:
    assert sorted(WORDINGS) == sorted(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_statements_hold_name_value_and_condition_once_with_the_name_first(key: str) -> None:
    wording = WORDINGS[key]
    expected = ["e", "p", "v"] if BY_KEY[key].extra else ["p", "v"]
    for template in (*wording.documents, *wording.held_documents, wording.answer):
        assert sorted(holes(template)) == expected, template
        assert template.index("{p}") < template.index("{v}"), template
        assert template.endswith("。"), template
        assert template.find("{e}") < template.index("{v}"), template


@pytest.mark.parametrize("key", KEYS)
def test_questions_hold_the_name_and_the_condition_but_no_value(key: str) -> None:
    wording = WORDINGS[key]
    expected = ["e", "p"] if BY_KEY[key].extra else ["p"]
    for template in (*wording.questions, *wording.held_questions):
        assert sorted(holes(template)) == expected, template


@pytest.mark.parametrize("key", KEYS)
def test_there_are_enough_wordings_and_none_twice(key: str) -> None:
    wording = WORDINGS[key]
    assert 2 <= len(wording.label) <= 4
    assert len(wording.documents) >= 7
    assert len(wording.questions) >= 9
    assert len(wording.held_documents) >= 2
    assert len(wording.held_questions) >= 3
    training = {*wording.documents, *wording.questions, wording.answer}
    assert len(set(wording.documents)) == len(wording.documents)
    assert len(set(wording.questions)) == len(wording.questions)
    assert not training & {*wording.held_documents, *wording.held_questions}


@pytest.mark.parametrize("key", KEYS)
def test_no_label_and_no_template_belongs_to_two_attributes_of_the_same_entity(key: str) -> None:
    entity = BY_KEY[key].entity
    mine = {*WORDINGS[key].label, *WORDINGS[key].questions, *WORDINGS[key].held_questions}
    for other, attribute in BY_KEY.items():
        if other != key and attribute.entity == entity:
            theirs = {*WORDINGS[other].label, *WORDINGS[other].questions, *WORDINGS[other].held_questions}
            assert not mine & theirs, other


@pytest.mark.parametrize("key", KEYS)
def test_held_wordings_use_only_words_that_training_uses_for_the_same_attribute(key: str) -> None:
    wording = WORDINGS[key]
    known = " ".join([*wording.label, *wording.documents, *wording.questions, wording.answer, *GENERIC_QUESTIONS])
    for template in (*wording.held_documents, *wording.held_questions):
        unknown = [word for word in WORDS.findall(HOLES.sub(" ", template)) if not known_word(word, known)]
        assert not unknown, (template, unknown)


@pytest.mark.parametrize("key", [a.key for a in ATTRIBUTES if a.entity == "person"])
def test_persons_are_addressed_with_san(key: str) -> None:
    for template in templates(WORDINGS[key]):
        assert "{p}さん" in template
        assert "さんさん" not in template


@pytest.mark.parametrize(
    ("question", "body"),
    [
        ("{p}はいくらですか?", "{p}はいくら"),
        ("{p}はどのくらい高いですか?", "{p}はどのくらい高い"),
        ("{p}は何時に開きますか?", "{p}は何時に開く"),
        ("{p}はいくらしますか?", "{p}はいくらする"),
        ("{p}には何名いますか?", "{p}には何名いる"),
        ("{p}はいつ開業しましたか?", "{p}はいつ開業した"),
        ("{p}には何が付いてきますか?", "{p}には何が付いてくる"),
    ],
)
def test_a_question_is_asked_otherwise_in_good_grammar(question: str, body: str) -> None:
    noun_endings = ("でしょうか?", "なのか教えてください。", "なのか知りたいです。", "なの?", "なのでしょうか?")
    plain_endings = ("でしょうか?", "か教えてください。", "のか知りたいです。", "の?", "のでしょうか?", "か教えて。")
    endings = noun_endings if body.endswith("いくら") else plain_endings
    assert asked_otherwise(question) in {body + ending for ending in endings}


@pytest.mark.parametrize("question", ["{p}は?", "{p}を教えてください。", "{p}が出ました。どう直しますか?"])
def test_a_question_that_the_rules_do_not_fit_stays_alone(question: str) -> None:
    assert asked_otherwise(question) is None
