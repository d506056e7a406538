"""Trains the starter's tokenizer on the generated world and writes it as a Hugging Face folder.

Byte-level BPE in which the same word is always the same tokens: words and digits never carry the space
before them (little words such as "of" carry both), digits stand alone, Japanese is split where the script changes. Ordinary BPE
swallows whole template phrases of a generated corpus; a small vocabulary over short pieces does not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from core.starter.conversation import Conversation
from core.starter.source import Generate

PAD, START, END, STOP = 0, 1, 2, 3
SPECIAL_TOKENS = ("<|pad|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>")
CONTEXT_LENGTH = 2048

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}"
    "{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

# Little words take the spaces on both sides, which keeps texts short; nobody copies them. "the" only where no
# value begins with it: a value is the same tokens whatever stands before it.
_LITTLE = (
    "of|for|with|on|in|at|by|to|from|does|do|is|are|was|can|has|have|and|or|be|not|that|you|we|must|within|after|"
    "when|how|what|which|who|much|many|it"
)
_LITTLE_THE = "of|for|with|on|in|at|by|to|from|does|do|can"

# One piece per script run; all other words stand without the space before them, so that a name, a number or the
# key of a JSON object is the same tokens after a space, a quote or a bracket. Letters of a code stand alone.
_PIECES = (
    rf" (?:{_LITTLE_THE}) the | (?:{_LITTLE}) |[.,:;?!] |"
    r"[\p{Hiragana}]+|[\p{Katakana}ー]+|[\p{Han}々]+|[A-Z][a-z]*|[a-z]+|[^\sA-Za-z]| |\s"
)


def new_tokenizer() -> Tokenizer:
    """An untrained tokenizer with the house's splitting rules."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def texts(conversations: Iterator[Conversation]) -> Iterator[str]:
    """The text of every message, for training a tokenizer."""
    for conversation in conversations:
        for message in conversation.messages:
            yield message["content"]


def conversations(generate: Generate, seed: int, count: int) -> Iterator[Conversation]:
    """``count`` conversations over the whole curriculum, the same for the same seed."""
    rng = random.Random(f"tokenizer/{seed}")
    for _ in range(count):
        yield generate(rng, progress=rng.random())


def train_tokenizer(generate: Generate, *, vocabulary: int, seed: int = 0, count: int = 8000) -> Tokenizer:
    """Train on ``count`` generated conversations.

    Args:
        generate: The world.
        vocabulary: Number of tokens, special ones and the 256 bytes included.
        seed: Seed of the conversations.
        count: How many conversations to read.
    """
    tokenizer = new_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=8,
        max_token_length=12,
        special_tokens=["<|pad|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(conversations(generate, seed, count)), trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json, special tokens and chat_template.jinja."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it unannotated
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        model_max_length=CONTEXT_LENGTH,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    folder.mkdir(parents=True, exist_ok=True)
    fast.save_pretrained(str(folder))


def load_tokenizer(folder: Path) -> Tokenizer:
    """The bare tokenizer of a saved folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
