"""The Japanese phrases around the facts, and the change of tone of a whole answer."""

from __future__ import annotations

import re

import pytest

from core.starter.world import phrases_ja
from core.starter.world.attributes import BY_KEY, ENTITIES
from core.starter.world.tones_ja import gozaru, plain, written
from core.starter.world.wordings_ja import WORDINGS

HOLES = re.compile(r"\{([^}]*)\}")
POLITE = re.compile(r"(です|ます|ません|でした|ました)(。|\[|$)")
FORMAT_HOLES = {"json": ["keys"], "ending": ["s"], "opening": ["s"], "label": ["labels"]}


@pytest.mark.parametrize(
    ("polite", "plainly", "samurai"),
    [
        ("ノアの保証期間は24か月です。", "ノアの保証期間は24か月だ。", "ノアの保証期間は24か月でござる。"),
        ("席はB-214にあります。", "席はB-214にある。", "席はB-214にあるでござる。"),
        ("電池は14時間持ちます。", "電池は14時間持つ。", "電池は14時間持つでござる。"),
        ("赤のランプは、充電中を示します。", "赤のランプは、充電中を示す。", "赤のランプは、充電中を示すでござる。"),
        ("当社が24か月保証します。", "当社が24か月保証する。", "当社が24か月保証するでござる。"),
        ("アプリで操作できます。", "アプリで操作できる。", "アプリで操作できるでござる。"),
        ("物流部で働いています。", "物流部で働いている。", "物流部で働いているでござる。"),
        ("資料には見つかりませんでした。", "資料には見つからなかった。", "資料には見つからなかったでござる。"),
        ("その情報は持っていません。", "その情報は持っていない。", "その情報は持っていないでござる。"),
        ("答えはありません。", "答えはない。", "答えはないでござる。"),
        ("昨日始まりました。", "昨日始まった。", "昨日始まったでござる。"),
        ("価格は900円でした。", "価格は900円だった。", "価格は900円でござった。"),
        ("価格は900円です。[2]", "価格は900円だ。[2]", "価格は900円でござる。[2]"),
        ("はい、そうです。量は5です。", "はい、そうだ。量は5だ。", "はい、そうでござる。量は5でござる。"),
    ],
)
def test_polite_sentences_become_plain_and_samurai(polite: str, plainly: str, samurai: str) -> None:
    assert plain(polite) == plainly
    assert gozaru(polite) == samurai


def test_the_written_form_ends_in_de_aru() -> None:
    assert written("価格は900円です。") == "価格は900円である。"


def test_a_polite_ending_inside_a_sentence_stays() -> None:
    assert plain("「ですます」を使う店です。") == "「ですます」を使う店だ。"


@pytest.mark.parametrize("key", sorted(WORDINGS))
def test_every_answer_can_change_its_tone_and_keeps_its_name_and_value(key: str) -> None:
    answer = WORDINGS[key].answer
    for changed in (plain(answer), written(answer), gozaru(answer)):
        assert changed != answer
        assert not POLITE.search(changed), changed
        assert HOLES.findall(changed) == HOLES.findall(answer)


def test_every_format_has_six_prompts_with_exactly_its_own_places() -> None:
    for name, prompts in phrases_ja.FORMAT_PROMPTS.items():
        assert len(set(prompts)) == len(prompts) >= 6, name
        for prompt in prompts:
            assert HOLES.findall(prompt) == FORMAT_HOLES.get(name, []), prompt


def test_no_prompt_asks_for_two_formats() -> None:
    every = [prompt for prompts in phrases_ja.FORMAT_PROMPTS.values() for prompt in prompts]
    assert len(set(every)) == len(every)


def test_there_is_enough_filler_and_it_states_nothing() -> None:
    assert len(set(phrases_ja.FILLERS)) == len(phrases_ja.FILLERS) >= 25
    assert len(set(phrases_ja.HEADINGS)) == len(phrases_ja.HEADINGS) >= 20
    for text in (*phrases_ja.FILLERS, *phrases_ja.HEADINGS):
        assert not HOLES.findall(text) and not re.search(r"\d", text), text


def test_sentences_without_value_and_changed_ones_name_the_entity_first() -> None:
    for template in phrases_ja.NO_VALUE:
        assert HOLES.findall(template) == ["p", "L"], template
    for template in phrases_ja.CHANGED:
        assert HOLES.findall(template) == ["p", "L", "w", "v"], template


def test_every_kind_of_entity_has_titles_heads_and_pronouns() -> None:
    for table in (phrases_ja.TITLES, phrases_ja.SHARED_TITLES, phrases_ja.NAME_HEADS, phrases_ja.PRONOUNS):
        assert sorted(table) == sorted(ENTITIES)
    for templates in phrases_ja.TITLES.values():
        assert all(template.startswith("{p}") for template in templates)


@pytest.mark.parametrize("key", sorted(WORDINGS))
def test_a_follow_up_holds_the_pronoun_in_place_of_the_name(key: str) -> None:
    pronoun = phrases_ja.PRONOUNS[BY_KEY[key].entity][0]
    for question in WORDINGS[key].questions:
        asked = phrases_ja.follow_up(question, pronoun)
        assert asked.count(pronoun) == question.count("{p}") + question.count(pronoun)
        assert "{p}" not in asked and f"{pronoun}さん" not in asked


def test_small_talk_states_no_fact() -> None:
    for said, reply in phrases_ja.SMALL_TALK:
        assert said and reply and not re.search(r"\d", said + reply)
