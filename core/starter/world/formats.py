"""House styles: the system prompt that asks for a style, and the answer that keeps it."""

from __future__ import annotations

import os.path
import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from core.starter.conversation import Span
from core.starter.world import wordings as words
from core.starter.world._format_words import (
    ASK,
    CLOSING_WORDS,
    GREETINGS,
    KEY_ROLES,
    KEY_WORDS,
    ROLE_NAMES,
    TONES,
)
from core.starter.world._text import Text
from core.starter.world.names import KANA, syllable_word

NOT_FOUND = {"en": "I could not find that in the documents.", "ja": "資料には見つかりませんでした。"}
NOT_KNOWN = {"en": "I do not know that.", "ja": "その情報は持っていません。"}
UNKNOWN = {"en": "unknown", "ja": "不明"}
PROSE = ("default", "sentence", "cite", "polite", "tone", "bold", "closing", "prefix", "nocite")


@dataclass(slots=True)
class Style:
    """One house style.

    Attributes:
        name: "default", "short", "json" and so on.
        language: "en" or "ja".
        ask: The sentence of the system prompt, with the strings of ``strings`` as {name}.
        strings: Strings that the answer copies: keys of a JSON object, a closing phrase, a tag.
        roles: For JSON: (name of the string, role), in order; for "label" the label of each answer.
        before: Text in front of every answer, such as a greeting.
        change: Rewrites the answer template (a tone).
        cite: Whether prose answers end with a citation when there are passages.
        sources: Where each string stands in a message that the answer can copy from.
        placement: The words of ``ask`` that tell whether a string opens or closes the answer.
    """

    name: str
    language: str
    ask: str = ""
    strings: dict[str, str] = field(default_factory=dict)
    roles: list[tuple[str, str]] = field(default_factory=list)
    before: str = ""
    change: Callable[[str], str] | None = None
    cite: bool = True
    sources: dict[str, Span] = field(default_factory=dict)
    placement: Span | None = None


@dataclass(slots=True)
class Reply:
    """What an answer is to say, and where its parts stand.

    Attributes:
        key: Attribute key.
        name: Entity name.
        extra: Code of the attribute, or "".
        value: The value; None when it is not known.
        marker: Digits of the passage; None without passages.
        kind: "context", "missing", "closed" or "example".
        sources: Spans of "p", "e", "v" that the answer copies from.
    """

    key: str
    name: str
    extra: str
    value: str | None
    marker: str | None
    kind: str
    sources: dict[str, Span]


def random_word(rng: random.Random, language: str) -> str:
    """A string without meaning: syllables, letters and digits, or kana."""
    form = rng.random()
    if form < 0.4:
        return syllable_word(rng, 1, 3)
    if form < 0.55:
        return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(2, 7)))
    if form < 0.75:
        upper = "".join(rng.choice(string.ascii_uppercase) for _ in range(rng.randint(1, 3)))
        return upper + rng.choice(("", "-", "_")) + str(rng.randint(0, 999))
    if form < 0.85 or language == "en":
        return "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(rng.randint(3, 8)))
    return "".join(rng.choice(KANA) for _ in range(rng.randint(2, 5)))


def some_words(rng: random.Random, language: str, low: int, high: int) -> str:
    """Known words in a random order, as material to copy."""
    pool = CLOSING_WORDS[language]
    chosen = [
        rng.choice(pool) if rng.random() < 0.8 else random_word(rng, language) for _ in range(rng.randint(low, high))
    ]
    return ("" if language == "ja" else " ").join(chosen)


def _json_style(rng: random.Random, language: str) -> Style:
    style = Style("json", language)
    roles = ["value"] if rng.random() < 0.8 else ["sentence"]
    for role, chance in (("name", 0.4), ("topic", 0.25), ("source", 0.4), ("status", 0.25), ("found", 0.2)):
        if rng.random() < chance:
            roles.append(role)
    rng.shuffle(roles)
    free = rng.random() < 0.5
    used: set[str] = set()
    for place, role in enumerate(roles):
        pool = KEY_ROLES[language][role] if not free else KEY_WORDS
        word = rng.choice(pool) if not free or rng.random() < 0.5 else random_word(rng, language)
        if word in used:
            word = f"{word}_{place}"
        used.add(word)
        style.strings[f"k{place}"] = word
        style.roles.append((f"k{place}", role))
    names = ROLE_NAMES[language]
    if free:
        body = ", ".join(f'"{{k{i}}}": {names[role]}' for i, role in enumerate(roles))
        style.ask = rng.choice(ASK[language]["json_map"]).replace("{keys}", "{" + body + "}")
    else:
        body = ", ".join(f"{{k{i}}}" for i in range(len(roles)))
        style.ask = rng.choice(ASK[language]["json"]).replace("{keys}", body)
    if rng.random() < 0.25:
        style.strings["kc"] = rng.choice(KEY_WORDS) if rng.random() < 0.6 else random_word(rng, language)
        if style.strings["kc"] not in used:
            style.strings["const"] = random_word(rng, language)
            style.roles.append(("kc", "const"))
            style.ask += rng.choice(ASK[language]["json_const"])
    return style


def make_style(rng: random.Random, language: str, name: str) -> Style:
    """A style of this name with random strings where it needs some."""
    if name == "json":
        return _json_style(rng, language)
    style = Style(name, language)
    if name == "default":
        return style
    if name == "tone":
        tone = rng.choice(TONES[language])
        style.ask, style.before, style.change = rng.choice(tone.ask), tone.before, tone.change
        return style
    if name == "polite":
        asks, style.before = rng.choice(GREETINGS[language])
        style.ask = rng.choice(asks)
        return style
    style.ask = rng.choice(ASK[language][name])
    if name in ("closing", "prefix"):
        style.strings["s"] = some_words(rng, language, 1, 4) if rng.random() < 0.7 else random_word(rng, language)
    elif name == "tag":
        style.strings["s"] = random_word(rng, language).replace("-", "")
    elif name == "fields":
        first, second = rng.choice(
            (("Answer", "Source"), ("Value", "Passage"), ("Result", "From"))
            if language == "en"
            else (("回答", "出典"), ("値", "資料番号"), ("答え", "根拠"))
        )
        style.strings = {"s": first, "t": second}
    style.cite = name != "nocite"
    return style


class Answer:
    """Writes one answer in a style and collects what it copies from where.

    ``decisions`` are the places where an answer that knows and one that does not part.
    """

    def __init__(self, text: Text, style: Style, reply: Reply) -> None:
        """Prepares to write ``reply`` at the end of ``text``."""
        self.text, self.style, self.reply = text, style, reply
        self.language = style.language
        self.copies: list[tuple[Span, Span]] = []
        self.citation: Span | None = None
        self.value: Span | None = None
        self.placed: dict[str, Span] = {}
        self.decisions: list[Span] = []

    def write(self) -> None:
        """Writes the answer."""
        getattr(self, "_" + self.style.name if self.style.name not in PROSE else "_prose")()

    def _copy(self, name: str, text: str) -> Span:
        span = self.text.add(text)
        source = self.reply.sources.get(name) or self.style.sources.get(name)
        if source is not None:
            self.copies.append((span, source))
        if name == "v":
            self.value = span
        return span

    def _string(self, name: str) -> Span:
        span = self._copy(name, self.style.strings[name])
        self.placed.setdefault(name, span)
        return span

    def _refusal(self) -> str:
        return (NOT_FOUND if self.reply.kind == "missing" else NOT_KNOWN)[self.language]

    def _fill(self, template: str) -> None:
        spans = self.text.fill(template, p=self.reply.name, v=self.reply.value or "", e=self.reply.extra)
        for name in ("p", "e", "v"):
            if name in spans and name in self.reply.sources:
                self.copies.append((spans[name], self.reply.sources[name]))
        self.value = spans.get("v")

    def _body(self) -> None:
        known, refused = words.wordings(self.language)[self.reply.key].answer, self._refusal()
        if self.style.change is not None:
            known, refused = self.style.change(known), self.style.change(refused)
        if self.style.name == "bold":
            known = known.replace("{v}", "**{v}**")
        self._decide(len(os.path.commonprefix([known, refused])))
        self._fill(refused if self.reply.value is None else known)

    def _decide(self, after: int = 0) -> None:
        """The text that follows, ``after`` some characters, is where knowing and not knowing part."""
        place = self.text.size + after
        self.decisions.append(Span(self.text.message, place, place + 1))

    def _cite(self) -> None:
        if self.reply.marker is None or not self.style.cite or self.reply.value is None:
            return
        self.text.add(" [" if self.language == "en" else "[")
        self.citation = self.text.add(self.reply.marker)
        self.text.add("]")

    def _prose(self) -> None:
        style, gap = self.style, "" if self.language == "ja" else " "
        if style.name == "prefix":
            self._string("s")
            self.text.add(gap)
        self.text.add(style.before)
        self._body()
        self._cite()
        if style.name == "closing":
            self.text.add(gap)
            self._string("s")

    def _value_or(self, unknown: str) -> None:
        self._decide()
        if self.reply.value is None:
            self.text.add(unknown)
        else:
            self._copy("v", self.reply.value)

    def _short(self) -> None:
        self._value_or(UNKNOWN[self.language])

    def _list(self) -> None:
        self.text.add("- ")
        self._decide()
        if self.reply.value is None:
            self.text.add(self._refusal())
            return
        self._copy("p", self.reply.name)
        self.text.add(": ")
        self._copy("v", self.reply.value)
        self._cite()

    def _tag(self) -> None:
        self.text.add("<")
        self._string("s")
        self.text.add(">")
        self._value_or(UNKNOWN[self.language])
        self.text.add("</")
        self._string("s")
        self.text.add(">")

    def _fields(self) -> None:
        self._string("s")
        self.text.add(": ")
        self._value_or(UNKNOWN[self.language])
        self.text.add("\n")
        self._string("t")
        self.text.add(": ")
        self._source("-")

    def _source(self, none: str) -> None:
        self._decide()
        if self.reply.marker is None or self.reply.value is None:
            self.text.add(none)
        else:
            self.citation = self.text.add(self.reply.marker)

    def _json(self) -> None:
        self.text.add("{")
        for place, (name, role) in enumerate(self.style.roles):
            self.text.add(', "' if place else '"')
            self._string(name)
            self.text.add('": ')
            self._json_value(role)
        self.text.add("}")

    def _json_value(self, role: str) -> None:
        reply, known = self.reply, self.reply.value is not None
        if role == "source":
            self._source("null")
        elif role == "found":
            self._decide()
            self.text.add("true" if known else "false")
        elif role == "value" and not known:
            self._decide()
            self.text.add("null")
        else:
            if role == "value":
                self._decide()
            self.text.add('"')
            if role == "value":
                self._copy("v", reply.value or "")
            elif role == "sentence":
                self._body()
            elif role == "name":
                self._copy("p", reply.name)
            elif role == "status":
                self._decide()
                self.text.add("ok" if known else "unknown")
            elif role == "topic":
                label = words.wordings(self.language)[reply.key].label[0].replace("{e}", reply.extra)
                self.text.add(label)
            else:
                self._string("const")
            self.text.add('"')


def unstated(style: Style) -> Style:
    """The same style where only examples show it: no system prompt asks for it."""
    return replace(style, ask="", sources={})
