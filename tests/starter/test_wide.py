"""Derived wordings: many, around the attribute's own words, none of them kept from training."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest

from core.starter.world import wide
from core.starter.world.attributes import ATTRIBUTES, BY_ENTITY, BY_KEY
from core.starter.world.wordings import documents, more, questions, unmarked, wordings

LANGUAGES = ("en", "ja")
KEYS = [attribute.key for attribute in ATTRIBUTES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_wordings_by_the_hundred_and_the_written_ones_are_half_of_what_is_drawn(language: str) -> None:
    for key in KEYS:
        known = {*map(unmarked, documents(language, key, "train")), *more(language, key).documents}
        drawn = [*map(unmarked, documents(language, key, "wide"))]
        assert 0.35 < sum(template in known for template in drawn) / len(drawn) < 0.8, key
        assert len({*questions(language, key, "wide")}) > 100, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_none_is_kept_from_training(language: str) -> None:
    for key, entry in wordings(language).items():
        assert not {*map(unmarked, questions(language, key, "wide"))} & {*entry.held_questions}
        assert not {*map(unmarked, documents(language, key, "wide"))} & {*entry.held_documents}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_name_comes_before_the_value_and_conditions_are_kept(language: str) -> None:
    for key in KEYS:
        extra = bool(BY_KEY[key].extra)
        for template in {*documents(language, key, "wide")}:
            assert 0 <= template.find("{p}") < template.find("{v}"), template
            assert template.count("{v}") == 1 and ("{e}" in template) == extra, template
        for template in {*questions(language, key, "wide")}:
            assert "{p}" in template and "{v}" not in template and ("{e}" in template) == extra, template


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_keyword_belongs_to_one_attribute_of_its_kind_of_entity(language: str) -> None:
    for attributes in BY_ENTITY.values():
        seen: dict[str, str] = {}
        for attribute in attributes:
            for word in wide.keywords(language, attribute.key):
                assert seen.setdefault(word, attribute.key) == attribute.key, word


def test_every_attribute_has_twenty_more_english_wordings_that_only_training_uses() -> None:
    for key, entry in wordings("en").items():
        found = more("en", key)
        assert len({*found.documents}) >= 8 and len({*found.questions}) >= 12, key
        assert not {*found.documents} & {*entry.documents, *entry.held_documents}, key
        assert not {*found.questions} & {*entry.questions, *entry.held_questions}, key
        for new, held in ((found.documents, entry.held_documents), (found.questions, entry.held_questions)):
            for template in new:
                for kept in held:
                    same = SequenceMatcher(None, template.lower().split(), kept.lower().split()).ratio()
                    assert same < 0.8, (template, kept)
