"""The starter's tokenizer: the same word is the same tokens, and the chat template is the training layout."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from core.starter.guides import encode, encode_prompt
from core.starter.source import load_source
from core.starter.tokenizer import SPECIAL_TOKENS, load_tokenizer, save_tokenizer, train_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tokenizer of the world."""
    path = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer(load_source(), vocabulary=900, count=200), path)
    return path


def test_special_tokens_are_the_first_ids(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]


@pytest.mark.parametrize("word", ["Zenta", "4120", "KX-204", "青葉", "ケトル", "answer", "soft brush", "a flat spoon"])
def test_a_word_or_number_is_the_same_tokens_wherever_it_stands(folder: Path, word: str) -> None:
    tokenizer = load_tokenizer(folder)
    alone = tokenizer.encode(word).ids
    for before, after in ((" ", " "), ('"', '"'), ("(", ")"), ("は", "が"), ("\n", ".")):
        ids = tokenizer.encode(before + word + after).ids
        start = len(tokenizer.encode(before).ids)
        assert ids[start : start + len(alone)] == alone


def test_nearly_every_copied_piece_is_the_same_tokens_as_its_source(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    same = []
    for seed in range(60):
        talk = load_source()(random.Random(seed), progress=1.0)
        encoded = [tokenizer.encode(message["content"]) for message in talk.messages]
        for place, source in (pair for lookup in talk.lookups for pair in lookup.copies):
            read, written = (
                [
                    i
                    for i, (a, b) in zip(encoded[s.message].ids, encoded[s.message].offsets, strict=True)
                    if b > s.start and a < s.end
                ]
                for s in (place, source)
            )
            same.append(read == written)
    assert len(same) > 300 and sum(same) / len(same) > 0.98


def test_little_words_carry_their_spaces_so_that_texts_stay_short(folder: Path) -> None:
    encoded = load_tokenizer(folder).encode("Price of the Zenta with tax.")
    pieces = ["Price of the Zenta with tax."[a:b] for a, b in encoded.offsets]
    assert {" of the ", " with "} <= set(pieces)


def test_digits_stand_alone(folder: Path) -> None:
    assert len(load_tokenizer(folder).encode("10250").ids) == 5


def test_any_text_comes_back_unchanged(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    for text in ("Ünïcode — “quotes” 😀", "全角ＡＢＣ　空白\n\t改行", "| a | b |\n|---|---|", "  two  spaces "):
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_the_chat_template_renders_what_training_reads(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    bare = load_tokenizer(folder)
    for seed in range(20):
        conversation = load_source()(random.Random(seed), progress=0.7)
        rendered = tokenizer.apply_chat_template(conversation.messages, return_dict=True)["input_ids"]
        assert rendered == encode(conversation, bare).ids
        prompt = conversation.messages[:-1]
        rendered = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)["input_ids"]
        assert rendered == encode_prompt(prompt, bare)


def test_generation_markers_cover_exactly_the_answers(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}]
    found = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, m in zip(found["input_ids"], found["assistant_masks"], strict=True) if m]
    assert tokenizer.decode(marked) == "Good day.<|im_end|>"
