"""Turns a conversation into tokens, loss weights and guides: where some attention heads should look.

Reading does not come by itself at this size: plain pre-training learns formats and then guesses values for
millions of tokens. The generator knows where each value stands, so a few heads are shown the place for a
while (loss: minus the logarithm of the attention that they pay to it, added to the language loss).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from tokenizers import Tokenizer

from core.starter.conversation import Conversation, Fact, Lookup, Span
from core.starter.tokenizer import END, START

# kind of guide -> (layer, head). Gathering comes first, looking up and copying after it, citing last.
HEADS: dict[str, tuple[int, int]] = {
    "governing_name": (1, 0),
    "marker": (1, 1),
    "question_name": (1, 2),
    "question_attribute": (1, 3),
    "placement": (2, 0),
    "value": (3, 0),
    "name": (3, 1),
    "instruction": (3, 2),
    "citation": (4, 0),
}

CONTEXT_WEIGHT = 0.1
FIRST_WEIGHT = 2.0
COPY_WEIGHT = 3.0
DECISION_WEIGHT = 4.0  # one token of twenty decides whether the answer is known


@dataclass(frozen=True, slots=True)
class Guide:
    """One place where a head should look.

    Attributes:
        kind: A key of ``HEADS``.
        row: Token that looks.
        start: First token to look at.
        end: One past the last token to look at; attention to all of them counts together.
    """

    kind: str
    row: int
    start: int
    end: int


@dataclass(slots=True)
class Example:
    """A conversation as training sees it.

    Attributes:
        ids: Token ids.
        weights: Loss weight of predicting each token; 0 for the first, small outside answers.
        guides: Where heads should look; empty where nothing is known.
    """

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    guides: list[Guide] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Message:
    """Where a message's content stands among the tokens: offsets are characters of the content."""

    base: int
    offsets: list[tuple[int, int]]
    role: str

    def tokens(self, start: int, end: int) -> list[int]:
        """Tokens that share a character with [start, end)."""
        first = max(0, bisect_right(self.offsets, (start, -1)) - 1)
        found = []
        for index in range(first, len(self.offsets)):
            a, b = self.offsets[index]
            if a >= end:
                break
            if b > start and b > a:
                found.append(self.base + index)
        return found


class _Encoder:
    """Builds one example."""

    def __init__(self, conversation: Conversation, tokenizer: Tokenizer) -> None:
        self.conversation = conversation
        self.tokenizer = tokenizer
        self.example = Example()
        self.messages: list[_Message] = []

    def encode(self) -> Example:
        # values in example answers stand nowhere: to learn them would be to learn to invent
        examples = self.conversation.tags.get("examples", ())
        assert isinstance(examples, (list, tuple))
        for number, message in enumerate(self.conversation.messages):
            answer = message["role"] == "assistant" and number not in examples
            self._put(message["role"], message["content"], answer)
        self.example.weights[0] = 0.0
        for fact in self.conversation.facts:
            self._fact(fact)
        for lookup in self.conversation.lookups:
            self._lookup(lookup)
        return self.example

    def _put(self, role: str, content: str, answer: bool) -> None:
        header = f"{role}\n"
        encoded = self.tokenizer.encode(header + content)
        base = len(self.example.ids) + 1
        offsets = [(a - len(header), b - len(header)) for a, b in encoded.offsets]
        self.messages.append(_Message(base, offsets, role))
        weight = 1.0 if answer else CONTEXT_WEIGHT
        self.example.ids += [START, *encoded.ids, END]
        weights = [weight if a >= 0 and answer else CONTEXT_WEIGHT for a, _ in offsets]
        self.example.weights += [CONTEXT_WEIGHT, *weights, weight]

    def _tokens(self, span: Span | None) -> list[int]:
        return [] if span is None else self.messages[span.message].tokens(span.start, span.end)

    def _guide(self, kind: str, row: int, targets: list[int]) -> None:
        if targets and targets[-1] <= row:
            self.example.guides.append(Guide(kind, row, targets[0], targets[-1] + 1))

    def _fact(self, fact: Fact) -> None:
        """Each token from the name to the value looks at the name and at its passage's number.

        From the words that name the attribute to the value it looks at them too, by the same head that
        gathers the attribute where a question is looked up.
        """
        name, value = self._tokens(fact.name), self._tokens(fact.value)
        sentence, marker = self._tokens(fact.sentence), self._tokens(fact.marker)
        if not name or not value or name[-1] >= value[0]:
            return
        for row in sentence:
            if name[-1] < row <= value[-1]:
                self._guide("governing_name", row, name[-1:])
            if row <= value[-1]:
                self._guide("marker", row, marker)
        attribute = self._tokens(fact.attribute)
        if attribute:
            for row in range(max(attribute[-1] + 1, value[0] - 1), value[-1] + 1):
                self._guide("question_attribute", row, attribute)

    def _lookup(self, lookup: Lookup) -> None:
        fact = None if lookup.fact is None else self.conversation.facts[lookup.fact]
        for place, source in lookup.copies:
            self._copy(lookup, fact, place, source)
        if lookup.kind == "chat":
            return
        self._weigh(self._first(lookup), FIRST_WEIGHT)
        self._place(lookup)
        found = self._tokens(fact.value)[:1] if fact else [0]
        for place in lookup.decisions:
            token = self._tokens(place)[0]
            self._ask(lookup, token - 1)
            self._guide("value", token - 1, found)
            self._weigh(token, DECISION_WEIGHT)
        for token in self._tokens(lookup.citation):
            self._ask(lookup, token - 1)
            self._weigh(token, COPY_WEIGHT)
            if fact:
                self._guide("citation", token - 1, self._tokens(fact.value))

    def _first(self, lookup: Lookup) -> int:
        """The first token of an answer."""
        message = self.messages[lookup.message]
        return next(i for i, (a, _) in enumerate(message.offsets) if a >= 0) + message.base

    def _place(self, lookup: Lookup) -> None:
        """Where a string could stand, before the answer and where it does stand, the words that say so are looked at.

        In Japanese they follow the string: 「…」で始めてください, 「…」で終えてください.
        """
        if lookup.placement is None:
            return
        written = [
            self._tokens(place)[0] for place, source in lookup.copies if self._kind(None, source) == "instruction"
        ]
        for token in {self._first(lookup), *written[:1]}:
            self._guide("placement", token - 1, self._tokens(lookup.placement))
            self._weigh(token, DECISION_WEIGHT)

    def _ask(self, lookup: Lookup, row: int) -> None:
        """A look-up place looks at the name and at the attribute in the question."""
        self._guide("question_name", row, self._tokens(lookup.question_name)[-1:])
        self._guide("question_attribute", row, self._tokens(lookup.question_attribute))

    def _copy(self, lookup: Lookup, fact: Fact | None, place: Span, source: Span) -> None:
        """Each copied token's place looks at the token that it copies; tokens pair by where they end."""
        kind = self._kind(fact, source)
        written, read = self.messages[place.message], self.messages[source.message]
        ends = {read.offsets[t - read.base][1] - source.start: t for t in self._tokens(source)}
        for token in self._tokens(place):
            target = ends.get(written.offsets[token - written.base][1] - place.start)
            if target is None:
                continue
            self._guide(kind, token - 1, [target])
            self._weigh(token, COPY_WEIGHT if kind == "value" else FIRST_WEIGHT)
            if kind == "value":
                self._ask(lookup, token - 1)

    def _kind(self, fact: Fact | None, source: Span) -> str:
        if fact and source.message == fact.value.message:
            if source.start < fact.value.end and fact.value.start < source.end:
                return "value"
        return "name" if self.messages[source.message].role == "user" else "instruction"

    def _weigh(self, token: int, weight: float) -> None:
        self.example.weights[token] = max(self.example.weights[token], weight)


def encode(conversation: Conversation, tokenizer: Tokenizer) -> Example:
    """Tokens, loss weights and guides of one conversation, in the chat template's layout."""
    return _Encoder(conversation, tokenizer).encode()


def encode_prompt(messages: list[dict[str, str]], tokenizer: Tokenizer) -> list[int]:
    """Tokens of the messages followed by the opening of an answer."""
    ids: list[int] = []
    for message in messages:
        ids += [START, *tokenizer.encode(f"{message['role']}\n{message['content']}").ids, END]
    return [*ids, START, *tokenizer.encode("assistant\n").ids]
