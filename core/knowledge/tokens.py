"""Count tokens for chunking: with the base model's own tokenizer where there is one, else by script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import KurabeError
from core.models import resolve_base
from core.prompting import ChatTemplate

__all__ = ["TokenCounter", "counter_for", "estimate_tokens"]

_WORD = re.compile(r"[A-Za-zÀ-ɏͰ-ӿ]+|\d|[^\sA-Za-zÀ-ɏͰ-ӿ\d]")


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts the tokens of a text."""

    name: str
    """Which tokenizer: a template's hash, or ``estimate``."""
    count: Callable[[str], int]
    """Text → tokens."""


def estimate_tokens(text: str) -> int:
    """Return a rough count for any tokenizer: a word about 1.3, a digit, mark, kana or kanji about 0.8 each."""
    total = 0.0
    for piece in _WORD.findall(text):
        total += max(1.0, len(piece) / 4.5) if piece[0].isalpha() and ord(piece[0]) < 0x2E80 else 0.8
    return max(1, round(total)) if text.strip() else 0


def counter_for(base_ref: str) -> TokenCounter:
    """Return the counter of a base model's tokenizer, or the estimate where its files are not here."""
    try:
        info = resolve_base(base_ref)
    except KurabeError:
        return TokenCounter("estimate", estimate_tokens)
    if info.folder is None or not (info.folder / "tokenizer.json").is_file():
        return TokenCounter("estimate", estimate_tokens)
    template = ChatTemplate.load(info.folder)
    return TokenCounter(template.hash, template.count_text)
