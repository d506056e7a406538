"""Guides point where the generator says that things stand."""

from __future__ import annotations

import random

import pytest
from tokenizers import Tokenizer

from core.starter.conversation import Conversation, Fact, Lookup, Span
from core.starter.guides import COPY_WEIGHT, DECISION_WEIGHT, HEADS, encode
from core.starter.source import load_source
from core.starter.tokenizer import END, START, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A small tokenizer of the world."""
    return train_tokenizer(load_source(), vocabulary=900, count=200)


def place(text: str, part: str, message: int) -> Span:
    """Where ``part`` stands in a message's text."""
    start = text.index(part)
    return Span(message, start, start + len(part))


def small(found: bool, greeting: str = "") -> Conversation:
    """One passage, one question, one answer."""
    user = "Documents:\n[1] Care\nThe Zenta weighs 840 grams.\n\nQuestion: How heavy is the Zenta?"
    answer = greeting + ("The Zenta weighs 840 grams. [1]" if found else "I could not find that in the documents.")
    sentence = place(user, "The Zenta weighs 840 grams.", 0)
    fact = Fact(place(user, "Zenta", 0), place(user, "840 grams", 0), sentence, Span(0, 12, 13))
    asked = user.rindex("Zenta")
    copies = ((place(answer, "840 grams", 1), fact.value),) if found else ()
    lookup = Lookup(
        1,
        Span(0, asked, asked + 5),
        place(user, "heavy", 0),
        0 if found else None,
        copies,
        Span(1, len(answer) - 2, len(answer) - 1) if found else None,
        "context" if found else "missing",
        (Span(1, answer.index("The" if found else "I could"), answer.index("The" if found else "I could") + 1),),
    )
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return Conversation("en", messages, [fact] if found else [], [lookup])


def shown(conversation: Conversation, tokenizer: Tokenizer, kind: str) -> list[tuple[str, str]]:
    """(token that is predicted, token that is looked at) of every guide of a kind."""
    example = encode(conversation, tokenizer)

    def text(ids: list[int]) -> str:
        return tokenizer.decode(ids, skip_special_tokens=False)

    return [
        (text(example.ids[g.row + 1 : g.row + 2]), text(example.ids[g.start : g.end]))
        for g in example.guides
        if g.kind == kind
    ]


def test_every_copied_token_looks_at_the_token_that_it_copies(tokenizer: Tokenizer) -> None:
    pairs = shown(small(True), tokenizer, "value")[:-1]
    assert len(pairs) >= 4
    assert all(predicted == seen for predicted, seen in pairs)


@pytest.mark.parametrize("greeting", ["", "Dear Sir, "])
def test_where_knowing_and_not_knowing_part_the_value_or_the_very_first_token_is_looked_at(
    tokenizer: Tokenizer, greeting: str
) -> None:
    known, seen = shown(small(True, greeting), tokenizer, "value")[-1]
    assert known.strip().startswith("T") and seen == "8"
    ((refused, first),) = shown(small(False, greeting), tokenizer, "value")
    assert refused.strip().startswith("I") and first == "<|im_start|>"
    example = encode(small(False, greeting), tokenizer)
    assert example.weights.count(DECISION_WEIGHT) == 1


def test_a_citation_looks_at_the_fact_that_it_cites(tokenizer: Tokenizer) -> None:
    assert [seen.strip() for _, seen in shown(small(True), tokenizer, "citation")] == ["840 grams"]


def test_values_weigh_most_and_questions_least(tokenizer: Tokenizer) -> None:
    example = encode(small(True), tokenizer)
    assert example.weights.count(COPY_WEIGHT) >= 5
    assert example.weights[0] == 0.0 and example.weights[5] < 1.0
    assert example.ids[0] == START and example.ids[-1] == END


def test_every_guide_of_the_world_looks_back_and_has_a_head(tokenizer: Tokenizer) -> None:
    rng = random.Random(5)
    seen: set[str] = set()
    for _ in range(60):
        example = encode(load_source()(rng, progress=rng.random()), tokenizer)
        assert len(example.ids) == len(example.weights)
        for guide in example.guides:
            assert 0 <= guide.start < guide.end <= guide.row + 1 < len(example.ids)
            seen.add(guide.kind)
    assert seen == set(HEADS)
    assert len(set(HEADS.values())) == len(HEADS)


def test_an_answers_first_word_looks_at_the_words_that_tell_where_a_string_stands(tokenizer: Tokenizer) -> None:
    rng, told = random.Random(11), {"prefix": 0, "closing": 0}
    for _ in range(400):
        talk = load_source()(rng, progress=1.0, turns=1)
        lookup = talk.lookups[0] if talk.lookups else None
        if talk.format not in told or lookup is None or lookup.placement is None:
            continue
        example = encode(talk, tokenizer)
        rows = sorted(guide.row for guide in example.guides if guide.kind == "placement")
        assert tokenizer.decode(example.ids[: rows[0] + 1], skip_special_tokens=False).endswith("assistant\n")
        assert len(rows) == (1 if talk.format == "prefix" else 2)
        words = talk.text(lookup.placement)
        assert words in talk.messages[0]["content"] and len(words) > 3
        told[talk.format] += 1
    assert min(told.values()) >= 5


def test_a_value_in_a_passage_looks_at_the_words_that_name_its_attribute(tokenizer: Tokenizer) -> None:
    talk = small(found=True)
    fact, user = talk.facts[0], talk.messages[0]["content"]
    without = len(shown(talk, tokenizer, "question_attribute"))
    talk.facts[0] = Fact(fact.name, fact.value, fact.sentence, fact.marker, place(user, "weighs", 0))
    looked_at = [target for _, target in shown(talk, tokenizer, "question_attribute")]
    assert len(looked_at) > without
    assert sum("weighs" in target.replace(" ", "") for target in looked_at) == len(looked_at) - without


def test_answers_of_examples_are_not_learned(tokenizer: Tokenizer) -> None:
    talk = small(found=True)
    assert max(encode(talk, tokenizer).weights) >= 1.0
    talk.lookups, talk.tags = [], {"examples": [1]}
    assert max(encode(talk, tokenizer).weights) < 1.0
