"""What in a set of documents harms retrieval: repetitions, sentences that contradict each other, hidden instructions.

All three go by wording alone: what contradicts in other words, or instructs without saying so, is not found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.datasets import near_pairs, plain_key
from core.i18n import format_percent
from core.knowledge.documents import documents
from core.knowledge.tables import folded, names_in
from core.store import tables as tb

__all__ = ["DocumentFinding", "check_documents", "instructions_in"]

_ALIKE = 0.8
"""Similarity of character n-grams from which two documents are nearly the same."""

_LEAST = 10
"""Letters of a sentence that says enough to be contradicted."""


@dataclass(frozen=True, slots=True)
class DocumentFinding:
    """One thing that a person should look at."""

    code: Literal["near_duplicate", "contradiction", "instructions"]
    documents: tuple[str, ...]
    """File names."""
    params: dict[str, Any] = field(default_factory=dict)
    """``share`` of a repetition; ``first`` and ``second`` sentence of a contradiction; ``words`` of an instruction."""

    def words(self) -> dict[str, str]:
        """Return the parameters of its sentence, ``knowledge.finding.<code>``."""
        return {name: format_percent(value) if name == "share" else value for name, value in self.params.items()}


def check_documents(kb_id: str) -> list[DocumentFinding]:
    """Return what was found in the current documents, instructions first."""
    found = documents(kb_id)
    return [*_instructions(found), *_contradictions(found), *_repetitions(found)]


_INSTRUCTIONS = tuple(
    # ASCII: a word also ends where kana begin. MULTILINE: a heading may stand anywhere in a text.
    (words.split("/"), re.compile(pattern, re.IGNORECASE | re.ASCII | re.MULTILINE))
    for words, pattern in (
        (
            "ignore/disregard/forget/override",
            r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
            r"\b(?:previous|prior|above|earlier|all|any|these|system)\b"
            r"[^.\n]{0,30}\b(?:instruction|prompt|rule|message|direction|guideline)s?\b",
        ),
        (
            "assistant/ai/language model/chatbot",
            r"\b(?:you are|act as|pretend to be|from now on,? you)\b[^.\n]{0,40}"
            r"\b(?:assistant|AI|language model|chatbot)\b",
        ),
        ("prompt/message", r"\b(?:system|developer) (?:prompt|message)\s*[:：]"),
        (
            "im_start/im_end/system/assistant/inst]",
            r"<\|?(?:im_start|im_end|system|assistant)\|?>|\[/?INST\]|^\s*#{2,} ?(?:system|assistant)\s*:",
        ),
        (
            "system prompt/your instructions/api key",
            r"\b(?:reveal|print|repeat|show|output|leak)\b[^.\n]{0,40}"
            r"\b(?:system prompt|your instructions|api key)\b",
        ),
        ("the user", r"\b(?:do not|don't|never) (?:tell|inform|mention (?:this|it) to|show) the user\b"),
        (
            "無視/忘れ/破棄/従わ",
            r"(?:これまで|以前|今まで|上記|上の|前|すべて|全て|システム)(?:の|から)?[^。\n]{0,12}"
            r"(?:指示|命令|ルール|プロンプト|制約)[^。\n]{0,8}(?:無視|忘れ|破棄|従わ)",
        ),
        (
            "あなたは/君は/お前は",
            r"(?:あなたは|君は|お前は)[^。\n]{0,25}(?:AI|アシスタント|言語モデル|チャットボット)",
        ),
        ("プロンプト/メッセージ", r"(?:システム|開発者)(?:プロンプト|メッセージ)\s*[:：]"),
        (
            "プロンプト/あなたへの指示",
            r"(?:システム ?プロンプト|あなたへの指示)[^。\n]{0,15}(?:表示|出力|教え|開示|公開)",
        ),
        (
            "ユーザ/利用者",
            r"(?:ユーザー?|利用者)に(?:は)?[^。\n]{0,10}(?:知らせ|伝え|言わ|教え)(?:ない|ず|るな|てはいけ)",
        ),
    )
)
"""Wordings that speak to the model that reads a passage, not to the people for whom it was written.

Before each, divided by "/", words of which it needs one, in lower case: looking for them costs a thirtieth of the rest.
"""


def instructions_in(text: str) -> list[str]:
    """Return the words of a text that look like instructions to the model that reads it."""
    plain = folded(text).replace("İ", "i").replace("ı", "i")  # a pattern takes both for an i, `lower` neither
    plain = _UNSEEN.sub("", plain)
    joined = _IN_WORD_BREAK.sub("", plain)
    joined = _LINE_BREAK.sub(" ", joined)
    lower = joined.lower()
    return [
        match.group(0).strip()
        for words, pattern in _INSTRUCTIONS
        if any(word in lower for word in words) and (match := pattern.search(plain) or pattern.search(joined))
    ]


_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
"""Characters that nobody sees and that part a word all the same."""
_IN_WORD_BREAK = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff])[ \t]*\n[ \t]*(?=[\u3040-\u30ff\u3400-\u9fff])")
_LINE_BREAK = re.compile(r"(?<!\n)\n(?![\n#|>*\-+])")
"""Where a sentence goes on in the next line: not before a blank line, a heading, an item or a row."""


def _instructions(found: Sequence[tb.Document]) -> Iterator[DocumentFinding]:
    for document in found:
        for words in instructions_in(f"{document.title}\n{document.text}"):
            yield DocumentFinding("instructions", (document.name,), {"words": words})


_SENTENCE = re.compile(r"[\n。！？]+|(?<=[.!?])\s+")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_NEGATED = (
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\b(can|do|does|is|are|was|were|must|should|will|would|could|has|have)n't\b"), r"\1 not"),
    (re.compile(r"ません"), "ます not"),
    (re.compile(r"(?<=[一-鿿ぁ-ん])不可"), "可 not"),
)
_NOT = re.compile(r"\bnot\b ?")


def _contradictions(found: Sequence[tb.Document]) -> Iterator[DocumentFinding]:
    """Yield sentences of two documents that are the same but for a number or a "not", about things of one name."""
    said: dict[tuple[str, frozenset[str]], dict[tuple[str, ...], tuple[str, str]]] = defaultdict(dict)
    for document in found:
        about = frozenset(names_in(document.title))
        for sentence in _SENTENCE.split(folded(document.text)):
            words = sentence.strip(" #*|->・")
            frame, value = _frame(words)
            if len(frame) < _LEAST:
                continue
            known = said[frame, about | frozenset(names_in(words))]
            known.setdefault(value, (document.name, words))
    for values in said.values():
        first, *others = values.values()
        for second in others:
            # two values in one document are a list or a table, not a contradiction
            if second[0] != first[0]:
                yield DocumentFinding(
                    "contradiction", (first[0], second[0]), {"first": first[1][:300], "second": second[1][:300]}
                )
                break


def _frame(sentence: str) -> tuple[str, tuple[str, ...]]:
    """Divide a sentence into its wording without numbers and negation, and what was taken out."""
    text = sentence.casefold()
    for pattern, written in _NEGATED:
        text = pattern.sub(written, text)
    negated = str(len(_NOT.findall(text)))
    bare = _NOT.sub("", text)
    numbers = _NUMBER.findall(bare)
    return plain_key(_NUMBER.sub(" ", bare)), (negated, *numbers)


def _repetitions(found: Sequence[tb.Document]) -> Iterator[DocumentFinding]:
    first: dict[str, tb.Document] = {}
    for document in found:
        known = first.setdefault(plain_key(document.text), document)
        if known is not document:
            yield DocumentFinding("near_duplicate", (known.name, document.name), {"share": 1.0})
    different = list(first.values())
    for left, right, share in near_pairs([document.text for document in different], _ALIKE, whole_documents=True):
        names = (different[left].name, different[right].name)
        yield DocumentFinding("near_duplicate", names, {"share": share})
