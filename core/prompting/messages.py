"""The prompt builder: from a question and what was gathered for it to the messages that every approach sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.identity import content_hash

__all__ = ["Message", "Passage", "PromptInput", "build_messages", "examples_in", "passages_in", "template_hash"]

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``."""

_WORDS: dict[str, dict[str, str]] = {
    "en": {"documents": "Documents:", "question": "Question: "},
    "ja": {"documents": "資料:", "question": "質問: "},
}
_VERSION = 1  # raise it when `build_messages` changes, so that `template_hash` does


@dataclass(frozen=True, slots=True)
class Passage:
    """One piece of a document that the prompt quotes."""

    title: str
    """Document title, with ``> heading`` where the piece has one; may be empty."""
    text: str
    chunk_id: str = ""
    """Where it came from; not part of the prompt."""
    document_id: str = ""
    """Version of the document that it is the whole text of; not part of the prompt."""


@dataclass(frozen=True, slots=True)
class PromptInput:
    """Everything that a prompt is made of."""

    language: Literal["en", "ja"] | str
    """Language of the words that frame passages and question."""
    question: str
    instructions: str = ""
    """What the model is asked to do."""
    house_rules: str = ""
    """How answers must look."""
    style: str = ""
    """In which voice."""
    examples: tuple[tuple[str, str], ...] = ()
    """Question and answer pairs shown before the question, as turns of the same chat."""
    passages: tuple[Passage, ...] = ()
    """Shown in this order, numbered from 1."""


def build_messages(prompt: PromptInput) -> list[Message]:
    """Return the chat: system (left out if there is nothing to say), example turns, then the question.

    The same input always gives the same characters; nothing else in Kurabe words a prompt.
    """
    messages: list[Message] = []
    parts = (prompt.instructions, prompt.house_rules, prompt.style)
    system = "\n".join(part.strip() for part in parts if part.strip())
    if system:
        messages.append({"role": "system", "content": system})
    for question, answer in prompt.examples:
        messages.append({"role": "user", "content": question.strip()})
        messages.append({"role": "assistant", "content": answer.strip()})
    messages.append({"role": "user", "content": _user_content(prompt)})
    return messages


def _user_content(prompt: PromptInput) -> str:
    question = prompt.question.strip()
    if not prompt.passages:
        return question
    words = _WORDS["ja" if prompt.language == "ja" else "en"]
    shown = "\n\n".join(_passage(number, passage) for number, passage in enumerate(prompt.passages, 1))
    return f"{words['documents']}\n{shown}\n\n{words['question']}{question}"


def _passage(number: int, passage: Passage) -> str:
    title = passage.title.strip()
    head = f"[{number}] {title}" if title else f"[{number}]"
    return f"{head}\n{passage.text.strip()}"


def examples_in(messages: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the example turns of a chat that `build_messages` made, as question and answer pairs."""
    turns = [message for message in messages if message["role"] != "system"][:-1]
    return [(turns[at]["content"], turns[at + 1]["content"]) for at in range(0, len(turns) - 1, 2)]


def passages_in(messages: Sequence[Mapping[str, str]], titles: Sequence[str], question: str) -> list[str]:
    """Return the texts of the passages in a chat that `build_messages` made, by their titles in order.

    Empty texts where the chat does not hold these titles in this order.
    """
    content = "\n" + (messages[-1]["content"] if messages else "")
    for words in _WORDS.values():
        content = content.removesuffix(f"\n\n{words['question']}{question.strip()}")
    bounds: list[tuple[int, int]] = []  # of each passage's head
    for number, title in enumerate(titles, 1):
        head = f"\n[{number}] {title.strip()}".rstrip() + "\n"
        begin = content.find(head, bounds[-1][1] if bounds else 0)
        if begin < 0:
            return [""] * len(titles)
        bounds.append((begin, begin + len(head)))
    ends = [*(begin for begin, _ in bounds[1:]), len(content)]
    return [content[start:end].strip() for (_, start), end in zip(bounds, ends, strict=True)]


def template_hash() -> str:
    """Return the hash of how prompts are worded; it changes when `build_messages` does."""
    parts: dict[str, Any] = {"version": _VERSION, "words": _WORDS}
    return content_hash(parts)
