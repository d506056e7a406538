"""The generated conversation: messages, and where each fact that they need stands.

The generator knows exactly which characters hold a value, the name that governs it and the number of
its passage; training uses these places to guide attention, evaluation to judge answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of ``messages[message]["content"]``."""

    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact stated in a passage.

    Attributes:
        name: The mention of the entity that governs the value: before the value, in the same sentence
            or line, earlier in the paragraph, or in the passage's title.
        value: Where the value stands.
        sentence: The sentence or line that states it.
        marker: The digits in "[2]" of its passage.
        attribute: The words before the value that name the attribute: a label, or the word of the
            sentence that the fewest attributes share; None where no word tells it.
    """

    name: Span
    value: Span
    sentence: Span
    marker: Span
    attribute: Span | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one assistant message must look up.

    Attributes:
        message: Index of the assistant message.
        question_name: The entity in the question; for a follow-up with a pronoun, in the earlier question.
        question_attribute: Words in the question that name the attribute.
        fact: Index into ``Conversation.facts``; None when no passage states it.
        copies: Pairs (place in the answer, source) of equal text, copied token for token.
        citation: The digits of the citation in the answer.
        kind: "context", "missing" (passages lack it), "closed" (no passages) or "chat".
        decisions: Places in the answer where one that knows and one that does not part.
        placement: Words of the system prompt that tell whether a string opens or closes the answer.
    """

    message: int
    question_name: Span | None
    question_attribute: Span | None
    fact: int | None
    copies: tuple[tuple[Span, Span], ...]
    citation: Span | None
    kind: str
    decisions: tuple[Span, ...] = ()
    placement: Span | None = None


@dataclass(slots=True)
class Conversation:
    """One generated conversation in the prompt format that the approaches send.

    Attributes:
        language: "en" or "ja".
        messages: Chat messages with "role" and "content".
        facts: Every fact stated in the passages.
        lookups: One for each assistant message that answers something.
        format: Name of the answer format, such as "default", "json" or "tone".
        tags: What is special about it: wording, kind of names, number of passages, values by message.
    """

    language: str
    messages: list[dict[str, str]]
    facts: list[Fact] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)
    format: str = "default"
    tags: dict[str, object] = field(default_factory=dict)

    def text(self, span: Span) -> str:
        """The characters that a span marks."""
        return self.messages[span.message]["content"][span.start : span.end]
