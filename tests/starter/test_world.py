"""The generated world: every place is exact, facts are unambiguous, wordings are kept apart, and seeds decide."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import pytest

from core.settings import DATA
from core.starter.conversation import Conversation
from core.starter.guides import encode_prompt
from core.starter.reading import abstains
from core.starter.tokenizer import load_tokenizer
from core.starter.world import generate
from core.starter.world.attributes import ATTRIBUTES, BY_KEY, ENTITIES
from core.starter.world.engine import STYLES
from core.starter.world.passages import with_pronoun
from core.starter.world.tellable import tellable
from core.starter.world.values import draw_value
from core.starter.world.wordings import documents, questions, wordings

LANGUAGES = ("en", "ja")


def many(language: str, count: int = 150, **options: object) -> list[Conversation]:
    rng = random.Random(11)
    steps = [step / 10 for step in range(11)]
    return [
        generate(rng, language=language, **{"progress": steps[i % 11], **options})  # type: ignore[arg-type]
        for i in range(count)
    ]


def literal(template: str) -> list[str]:
    """The fixed parts of a template that are long enough to be recognised in a text."""
    return [part for part in re.split(r"\{[^}]*\}", template) if len(part) > 5]


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_come_as_long_as_those_of_real_chunks(language: str) -> None:
    """Places that training never reached are not read: from 900 tokens on an earlier model read next to nothing."""
    tokenizer = load_tokenizer(DATA / "starter")
    asked = [talk.messages[: talk.lookups[-1].message] for talk in many(language, progress=1.0) if talk.lookups]
    lengths = [len(encode_prompt(messages, tokenizer)) for messages in asked]
    assert sum(length > 1000 for length in lengths) > len(lengths) / 10
    assert max(lengths) > 1300 and min(lengths) < 300


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wording", ["train", "heldout"])
def test_every_copied_piece_equals_its_source_and_stands_after_it(language: str, wording: str) -> None:
    copied = 0
    for talk in many(language, wording=wording):
        for lookup in talk.lookups:
            assert talk.messages[lookup.message]["role"] == "assistant"
            for place, source in lookup.copies:
                assert talk.text(place) == talk.text(source) != ""
                assert place.message == lookup.message
                assert (source.message, source.end) <= (place.message, place.start)
                copied += 1
    assert copied > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_name_governs_the_value_from_before_it_and_the_sentence_holds_the_value(language: str) -> None:
    for talk in many(language):
        for fact in talk.facts:
            assert fact.name.end <= fact.value.start < fact.value.end
            assert fact.sentence.start <= fact.value.start and fact.value.end <= fact.sentence.end
            number, before = talk.text(fact.marker), talk.messages[fact.marker.message]["content"]
            assert number.isdigit() and before[fact.marker.start - 1] == "["


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_every_statement_tells_its_attribute_by_words_before_the_value(language: str) -> None:
    told = 0
    facts = [(talk, fact) for talk in many(language, kind="context", progress=1.0) for fact in talk.facts]
    for talk, fact in facts:
        if fact.attribute is not None:
            assert fact.attribute.end <= fact.value.start and talk.text(fact.attribute).strip()
            told += 1
    assert told > 0.9 * len(facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_from_the_passages_holds_the_value_and_cites_its_passage(language: str) -> None:
    cited = 0
    for talk in many(language):
        for lookup in talk.lookups:
            if lookup.fact is None:
                assert lookup.kind in ("missing", "closed", "chat") and lookup.citation is None
                continue
            fact = talk.facts[lookup.fact]
            assert talk.text(fact.value) in talk.messages[lookup.message]["content"]
            assert lookup.question_name is not None
            assert talk.text(lookup.question_name) == talk.text(fact.name)
            if lookup.citation is not None:
                assert talk.text(lookup.citation) == talk.text(fact.marker)
                cited += 1
    assert cited > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_passages_state_the_same_attribute_of_the_same_entity(language: str) -> None:
    for talk in many(language, kind="context", progress=1.0):
        names = {talk.text(fact.name) for fact in talk.facts}
        for one in names:
            assert not any(one != other and one in other for other in names), names


def test_each_label_of_an_entity_stands_for_one_value_in_its_lines() -> None:
    """In "Label: value" passages a label that occurs twice would make the question ambiguous."""
    for talk in many("en", count=300, kind="context", progress=1.0):
        stated = Counter((talk.text(fact.name), talk.text(fact.sentence)) for fact in talk.facts)
        assert max(stated.values(), default=1) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_wordings_never_occur_in_training(language: str) -> None:
    text = "\n".join(m["content"] for talk in many(language, count=400) for m in talk.messages)
    kept = {
        part
        for key in wordings(language)
        for t in (*documents(language, key, "train"), *questions(language, key, "train"))
        for part in literal(re.sub(r"\{[<>]\}", "", t))
    }
    known = "\n".join(kept)
    fresh = 0
    for entry in wordings(language).values():
        for template in (*entry.held_documents, *entry.held_questions):
            parts = [part for part in literal(template) if part not in known]
            fresh += bool(parts)
            assert template not in {*entry.documents, *entry.questions, entry.answer}
            assert not parts or not all(part in text for part in parts), template
    assert fresh > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_conversations_use_only_held_out_questions(language: str) -> None:
    for key, entry in wordings(language).items():
        plain = {re.sub(r"\{[<>]\}", "", template) for template in questions(language, key, "heldout")}
        assert plain == set(entry.held_questions)
        assert set(documents(language, key, "heldout")) <= set(entry.held_documents)


def test_the_same_seed_makes_the_same_conversation_and_another_seed_another() -> None:
    first, again, other = (generate(random.Random(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first.messages != other.messages


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_answers_are_json_with_the_keys_that_were_asked_for(language: str) -> None:
    rng = random.Random(2)
    for _ in range(60):
        talk = generate(rng, language=language, style="json", kind="context")
        assert talk.messages[0]["role"] == "system"
        for lookup in talk.lookups:
            if lookup.kind == "chat":
                continue
            answer = json.loads(talk.messages[lookup.message]["content"])
            assert all(key in talk.messages[0]["content"] for key in answer)
            if lookup.fact is not None and lookup.citation is not None:
                assert int(talk.text(lookup.citation)) in answer.values()


@pytest.mark.parametrize("style", sorted(set(STYLES)))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_style_is_asked_for_in_the_system_prompt(language: str, style: str) -> None:
    talk = generate(random.Random(3), language=language, style=style, kind="context", progress=1.0)
    assert talk.format == style and talk.messages[0]["role"] == "system"


@pytest.mark.parametrize("language", LANGUAGES)
def test_some_questions_have_no_answer_and_without_passages_none_has(language: str) -> None:
    kinds = Counter(lookup.kind for talk in many(language, 300) for lookup in talk.lookups)
    total = sum(kinds.values())
    assert 0.1 < kinds["missing"] / total < 0.3
    assert 0.02 < kinds["closed"] / total < 0.2
    for talk in many(language, 30, kind="closed"):
        assert not talk.facts and {lookup.kind for lookup in talk.lookups} <= {"closed", "chat"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_is_said_of_no_entity_of_that_name(language: str) -> None:
    for talk in many(language, 200, kind="context", progress=1.0):
        answers = {talk.messages[x.message]["content"] for x in talk.lookups if x.kind == "missing"}
        values = {talk.text(fact.value) for fact in talk.facts if len(talk.text(fact.value)) > 5}
        assert not any(value in answer for value in values for answer in answers if "{" not in answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_of_one_is_often_stated_of_another(language: str) -> None:
    """Refusing is hard where a look-alike has what is asked for: its words stand in the passages."""
    alike = total = 0
    for talk in many(language, 200, kind="context", progress=1.0, missing=1.0, turns=1, passages=4):
        (lookup,) = (x for x in talk.lookups if x.kind == "missing")
        if lookup.question_attribute is not None:
            total += 1
            passages = talk.messages[-2]["content"].rpartition("\n\n")[0].lower()
            alike += talk.text(lookup.question_attribute).lower() in passages
    assert total > 100 and alike / total > 0.3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_curriculum_begins_with_one_short_passage_and_ends_with_up_to_five(language: str) -> None:
    easy = many(language, 60, progress=0.0, kind="context")
    full = many(language, 200, progress=1.0, kind="context")
    assert {talk.tags["passages"] for talk in easy} == {1}
    assert max(int(str(talk.tags["passages"])) for talk in full) == 5
    size = [sum(len(m["content"]) for m in talks.messages) for talks in full]
    assert sum(size) / len(size) > 1.8 * sum(len(m["content"]) for t in easy for m in t.messages) / len(easy)


def test_every_kind_of_value_is_written_in_both_languages() -> None:
    rng = random.Random(4)
    assert len(ATTRIBUTES) >= 60 and {a.entity for a in ATTRIBUTES} == set(ENTITIES)
    for attribute in ATTRIBUTES:
        english, japanese = draw_value(rng, attribute.value)
        assert english.isascii() and english.strip() and japanese.strip()
        assert bool(attribute.extra) == ("{e}" in wordings("en")[attribute.key].answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_tells_its_attribute_before_its_value(language: str) -> None:
    for key in wordings(language):
        used = documents(language, key, "train")
        assert set(tellable(language, key, used)) == set(used)


def test_english_pronouns_replace_only_where_grammar_allows() -> None:
    assert with_pronoun("The {p} costs {v}.", "en", "product", "it") == "It costs {v}."
    assert with_pronoun("You find {p} in room {v}.", "en", "person", "she") is None
    assert with_pronoun("{p} works as {v}.", "en", "person", "she") == "She works as {v}."
    assert BY_KEY["role"].entity == "person"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_tells_where_one_that_knows_and_one_that_does_not_part(language: str) -> None:
    seen: set[tuple[str, bool]] = set()
    for talk in many(language, count=600):
        for lookup in talk.lookups:
            if lookup.kind in ("context", "missing"):
                assert lookup.decisions, talk.format
                said = talk.messages[lookup.message]["content"]
                place = lookup.decisions[0].start
                seen.add((talk.format, lookup.fact is None))
                if lookup.fact is None:
                    assert abstains(said[place:]) or said[place:].startswith(("null", "false", "unknown", "-")), said
    assert {form for form, missing in seen if missing} >= {"default", "json", "prefix", "tone", "tag", "fields"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_sorted_inquiry_is_listed_or_shown_before_it(language: str) -> None:
    shown = 0
    for talk in many(language, kind="classify"):
        examples = talk.tags["examples"]
        assert isinstance(examples, list)
        shown += bool(examples)
        for lookup in talk.lookups:
            for place, source in lookup.copies:
                code = talk.messages[place.message]["content"][place.start : place.end]
                assert talk.messages[source.message]["content"][source.start : source.end] == code
                assert source.message < place.message == lookup.message
        assert not {lookup.message for lookup in talk.lookups} & set(examples)  # what only chance tells is not learned
    assert 20 < shown < 100


def test_inquiries_of_several_groups_share_a_code_in_some_conversations() -> None:
    systems = [talk.messages[0]["content"] for talk in many("en", kind="classify")]
    assert sum("/" in system for system in systems) > 20
