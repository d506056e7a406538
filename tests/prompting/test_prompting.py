"""One builder, one renderer, one mask: what is trained, previewed and served is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer
from trl import SFTConfig

from core.errors import KurabeError
from core.prompting import IGNORED, ChatTemplate, Passage, PromptInput, build_messages, template_hash
from core.settings import DATA

STARTER = DATA / "starter"
Turns = list[tuple[str, str]]
CHATS: list[Turns] = [
    [("user", "How heavy is the Aster 2?"), ("assistant", "It weighs 12 kg.")],
    [
        ("system", "短く答えてください。"),
        ("user", "重さは?"),
        ("assistant", "12 kg です。🍵"),
        ("user", "色は?"),
        ("assistant", "青です。"),
    ],
    [("user", "  spaces\n\nand lines  "), ("assistant", '{"text": "a\\nb", "code": "Q7"}')],
]


def chat(turns: Turns) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.fixture(scope="module")
def template() -> ChatTemplate:
    return ChatTemplate.load(STARTER)


def variant(tmp_path: Path, source: str) -> ChatTemplate:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((STARTER / name).read_bytes())
    (tmp_path / "chat_template.jinja").write_text(source, encoding="utf-8")
    return ChatTemplate.load(tmp_path)


def test_a_bare_question_is_sent_as_it_is() -> None:
    assert build_messages(PromptInput("en", " Why? ")) == [{"role": "user", "content": "Why?"}]


def test_passages_are_numbered_and_framed_in_the_language_of_the_project() -> None:
    passages = (Passage("Guide > Size", "12 cm\n"), Passage("", "青い"))
    english = build_messages(PromptInput("en", "How big?", passages=passages))[0]["content"]
    japanese = build_messages(PromptInput("ja", "大きさは?", passages=passages))[0]["content"]
    assert english == "Documents:\n[1] Guide > Size\n12 cm\n\n[2]\n青い\n\nQuestion: How big?"
    assert japanese == "資料:\n[1] Guide > Size\n12 cm\n\n[2]\n青い\n\n質問: 大きさは?"


def test_instructions_and_rules_share_one_system_message_and_examples_become_turns() -> None:
    prompt = PromptInput(
        "en", "C?", instructions="Answer.", house_rules="Be kind.", examples=(("A?", "a"), ("B?", "b"))
    )
    assert [m["role"] for m in build_messages(prompt)] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert build_messages(prompt)[0]["content"] == "Answer.\nBe kind."


def test_the_template_hash_stays_the_same_between_calls() -> None:
    assert template_hash() == template_hash() != ChatTemplate.load(STARTER).hash


@pytest.mark.parametrize("turns", CHATS)
@pytest.mark.parametrize("opening", [True, False])
def test_rendering_equals_that_of_transformers(
    template: ChatTemplate, turns: list[tuple[str, str]], opening: bool
) -> None:
    theirs = AutoTokenizer.from_pretrained(STARTER)
    messages = chat(turns[:-1] if opening else turns)
    text = theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=opening)
    ids = theirs.apply_chat_template(messages, add_generation_prompt=opening, return_dict=True)["input_ids"]
    assert template.render(messages, opening) == text
    assert template.encode(messages, opening) == ids
    assert template.count(messages) == len(template.encode(messages))


@pytest.mark.parametrize("turns", CHATS)
def test_training_on_every_answer_equals_the_mask_of_transformers(
    template: ChatTemplate, turns: list[tuple[str, str]]
) -> None:
    theirs = AutoTokenizer.from_pretrained(STARTER).apply_chat_template(
        chat(turns), return_dict=True, return_assistant_tokens_mask=True
    )
    row = template.training_row(chat(turns), "assistant")
    assert row.input_ids == theirs["input_ids"]
    trained = [int(label != IGNORED) for label in row.labels]
    # transformers leaves out trailing bytes of a character that several tokens make; they are part of the answer
    assert all(ours >= mask for ours, mask in zip(trained, theirs["assistant_masks"], strict=True))
    text = "".join(piece for piece, learned in template.preview(chat(turns), "assistant") if learned)
    assert text == "".join(content + "<|im_end|>" for role, content in turns if role == "assistant")


def test_rows_equal_what_trl_makes_of_the_same_chats(template: ChatTemplate, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTTrainer

    rows = [{"prompt": chat(turns[:-1]), "completion": chat(turns[-1:])} for turns in CHATS]
    config = SFTConfig(
        str(tmp_path), report_to=[], bf16=False, completion_only_loss=True, per_device_train_batch_size=1
    )
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(STARTER),
        config,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(STARTER),
    )
    for turns, theirs in zip(CHATS, trainer.train_dataset, strict=True):
        batch = trainer.data_collator([theirs])
        ours = template.training_row(chat(turns))
        assert ours.input_ids == batch["input_ids"][0].tolist()
        assert ours.labels == batch["labels"][0].tolist()


def test_the_preview_shows_every_character_and_marks_the_last_answer_only(template: ChatTemplate) -> None:
    messages = chat(CHATS[1])
    pieces = template.preview(messages)
    assert "".join(text for text, _ in pieces) == template.render(messages, add_generation_prompt=False)
    assert "".join(text for text, learned in pieces if learned) == "青です。<|im_end|>"


def test_a_template_without_marks_learns_the_same_tokens(template: ChatTemplate, tmp_path: Path) -> None:
    plain = template.source.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    bare = variant(tmp_path, plain)
    for mode in ("completion", "assistant"):
        assert bare.training_row(chat(CHATS[1]), mode) == template.training_row(chat(CHATS[1]), mode)


def test_an_answer_follows_the_prompt_that_is_sent_when_the_template_rewrites_the_last_turn(
    template: ChatTemplate, tmp_path: Path
) -> None:
    thinking = template.source.replace(
        "assistant\n' }}{% endif %}",
        "assistant\n' }}{% if enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}",
    )
    assert thinking != template.source
    model = variant(tmp_path, thinking)
    pieces = model.preview(chat(CHATS[0]))
    assert "".join(t for t, learned in pieces if not learned) == model.render(chat(CHATS[0])[:-1])
    assert "".join(t for t, learned in pieces if learned) == "It weighs 12 kg.<|im_end|>"


def test_nothing_may_train_on_nothing(template: ChatTemplate, tmp_path: Path) -> None:
    with pytest.raises(KurabeError, match="no_answer"):
        template.training_row(chat(CHATS[0][:1]))
    unmarked = variant(
        tmp_path, "{% for m in messages %}{% generation %}{% endgeneration %}{{ m['content'] }}{% endfor %}"
    )
    with pytest.raises(KurabeError, match="nothing_trained"):
        unmarked.training_row(chat(CHATS[0]), "assistant")


def test_templates_that_refuse_or_are_broken_say_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    refusing = variant(tmp_path / "a", "{{ raise_exception('no system role') }}")
    with pytest.raises(KurabeError, match="no system role"):
        refusing.render(chat(CHATS[0]))
    with pytest.raises(KurabeError, match="bad_template"):
        variant(tmp_path / "b", "{% for %}")


def test_templates_are_found_where_transformers_finds_them(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((STARTER / "tokenizer.json").read_bytes())
    with pytest.raises(KurabeError, match="no_template"):
        ChatTemplate.load(tmp_path)
    config = {
        "chat_template": [{"name": "default", "template": "{{ eos_token }}"}],
        "eos_token": {"content": "<|im_end|>"},
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    assert ChatTemplate.load(tmp_path).render([]) == "<|im_end|>"
    with pytest.raises(KurabeError, match="no_tokenizer"):
        ChatTemplate.load(tmp_path / "nowhere")


def test_a_template_cannot_reach_the_machine(tmp_path: Path) -> None:
    source = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(KurabeError, match="template_refused"):
        variant(tmp_path, source).render([])


def test_the_end_of_an_answer_is_known(template: ChatTemplate) -> None:
    assert template.end_of_turn == "<|im_end|>"
    assert [template.decode([i], skip_special=False) for i in template.stop_ids] == ["<|im_end|>"]
