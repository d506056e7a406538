"""Puts conversations together: a small world, its passages, questions of every kind and their answers."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from core.starter.conversation import Conversation, Fact, Lookup, Span
from core.starter.world import wordings as words
from core.starter.world._fillers import BASE, CLOSERS, COMPANY, HOUSE_RULES, OPENERS, SMALL_TALK
from core.starter.world._pronouns import pronoun_question
from core.starter.world._text import Text
from core.starter.world.attributes import BY_KEY
from core.starter.world.entities import Entity, Key, make_name
from core.starter.world.formats import Answer, Reply, Style, make_style, unstated
from core.starter.world.names import syllable_word
from core.starter.world.passages import Place, Plan, Writer
from core.starter.world.people import World, build_world, draw_fact
from core.starter.world.tasks import add_classification, add_copying

STYLES = (
    "sentence",
    *("short", "cite", "nocite", "bold", "polite", "tag", "fields") * 2,
    *("list",) * 3,  # these and the next are learned more slowly: strings that must be kept to the letter
    *("closing", "prefix", "tone") * 4,
    *("json",) * 8,
)
BY_EXAMPLE = ("short", "short", "list", "polite", "tone", "bold", "closing", "prefix", "tag", "fields", "json", "json")
_STRING = re.compile(r"\{(s|t|k\d|kc|const)\}")
_FRAME = {"en": ("Documents:\n", "Question: "), "ja": ("資料:\n", "質問: ")}
_SHORT_FOLLOW = {
    "en": (
        "And the {<}{L}{>}?",
        "What about the {<}{L}{>}?",
        "And its {<}{L}{>}?",
        "The {<}{L}{>} too, please.",
        "Also the {<}{L}{>}?",
    ),
    "ja": (
        "{<}{L}{>}は?",
        "では、{<}{L}{>}は?",
        "{<}{L}{>}も教えてください。",
        "あと、{<}{L}{>}は?",
        "{<}{L}{>}はどうですか?",
    ),
}
_OTHER_FOLLOW = {
    "en": ("And the {p}?", "What about the {p}?", "And for {p}?", "How about {p}?", "The same for {p}, please."),
    "ja": ("{p}はどうですか?", "では{p}は?", "{p}の場合は?", "{p}についても教えてください。", "{p}のほうは?"),
}
_IT = {"en": ("it", "it", "this one"), "ja": ("それ", "これ", "そちら")}


@dataclass(slots=True)
class Asked:
    """What the last question was about, for follow-up questions."""

    name: str
    key: Key
    name_span: Span
    attribute_span: Span | None
    extra_span: Span | None


class Maker:
    """Builds one conversation."""

    def __init__(self, rng: random.Random, language: str, progress: float, wording: str, names: str) -> None:
        """Starts an empty conversation."""
        self.rng, self.language, self.progress = rng, language, progress
        self.wording, self.names = wording, names
        self.conversation = Conversation(language, [])
        self.places: list[Place] = []
        self.last: Asked | None = None
        self.values: dict[int, str] = {}
        self.examples: list[int] = []

    def _message(self) -> Text:
        return Text(len(self.conversation.messages))

    def _put(self, role: str, text: Text) -> None:
        self.conversation.messages.append({"role": role, "content": text.text()})

    def system(self, style: Style) -> None:
        """Writes the system message, if there is one, and notes where the style's strings stand."""
        rng, text, gap = self.rng, self._message(), " " if self.language == "en" else ""
        if rng.random() < 0.2:
            company = syllable_word(rng, 2, 3).capitalize()
            text.add(rng.choice(COMPANY[self.language]).replace("{c}", company).strip())
        if rng.random() < 0.6:
            text.add((gap if text.size else "") + rng.choice(BASE[self.language]))
        rules = rng.sample(HOUSE_RULES[self.language], rng.choice((0, 0, 0, 1, 1, 2)))
        for rule in rules:
            text.add(gap + rule if text.size else rule)
        if style.ask and text.size:
            text.add(gap)
        self._write_ask(text, style)
        if text.size:
            self._put("system", text)

    def _write_ask(self, text: Text, style: Style) -> None:
        """Writes the sentence that asks for the style and notes where its strings stand."""
        for place, piece in enumerate(_STRING.split(style.ask)):
            span = text.add(style.strings[piece] if place % 2 else piece)
            if place % 2:
                style.sources.setdefault(piece, span)
            elif style.name in ("closing", "prefix") and span.end - span.start > _length(style.placement):
                style.placement = span

    def open_block(self, text: Text, plans: list[Plan], sizes: list[int]) -> None:
        """Writes the passages and "Question: " into the user message."""
        heads = _FRAME[self.language]
        text.add(heads[0])
        for number, (plan, size) in enumerate(zip(plans, sizes, strict=True), 1):
            plan.size = text.size + size if size else 0
            self.places += Writer(self.rng, self.language, text, plan).write(number)
            text.add("\n\n")
        text.add(heads[1])

    def _frame_question(self, text: Text, template: str, spans: dict[str, str]) -> dict[str, Span]:
        rng = self.rng
        if rng.random() < 0.12 * min(1, self.progress * 3):
            text.add(rng.choice(OPENERS[self.language]))
        found = text.fill(template, **spans)
        if rng.random() < 0.06 * min(1, self.progress * 3):
            text.add(rng.choice(CLOSERS[self.language]))
        return found

    def ask(self, text: Text, name: str, key: Key, follow: str) -> tuple[Span, Span | None, Span | None]:
        """Writes a question; tells the spans of the name, the attribute's words and the code."""
        last = self.last
        if follow == "other" and last is not None:
            spans = self._frame_question(text, self.rng.choice(_OTHER_FOLLOW[self.language]), {"p": name})
            return spans["p"], last.attribute_span, last.extra_span
        template = self._template(key, follow)
        spans = self._frame_question(text, template, {"p": name, "e": key[1]})
        if "p" in spans or last is None:
            return spans["p"], spans.get("a"), spans.get("e")
        return last.name_span, spans.get("a"), spans.get("e")

    def _template(self, key: Key, follow: str) -> str:
        rng = self.rng
        choices = words.questions(self.language, key[0], self.wording)
        template = rng.choice(choices)
        if follow != "same":
            return template
        label = rng.choice(words.wordings(self.language)[key[0]].label)
        if rng.random() < 0.35 and words.is_noun(self.language, label):
            label = words.lower_label(label) if self.language == "en" else label
            return rng.choice(_SHORT_FOLLOW[self.language]).replace("{L}", label)
        person = BY_KEY[key[0]].entity == "person"
        short = pronoun_question(template, self.language, person, rng.choice(_IT[self.language]))
        if short is None:
            return template
        if self.language == "en" and rng.random() < 0.4 and short[0].isupper() and not short.startswith("I "):
            short = "And " + short[0].lower() + short[1:] if short[0] != "{" else short
        return short

    def turn(
        self,
        text: Text,
        style: Style,
        name: str,
        key: Key,
        fact: int | None,
        kind: str,
        follow: str = "",
        train: bool = True,
        request: bool = False,
    ) -> Answer:
        """Writes a question (into ``text``) and its answer; with ``request`` the question itself asks for the style."""
        name_span, attribute, extra = self.ask(text, name, key, follow)
        if request:
            text.add(" " if self.language == "en" else "")
            self._write_ask(text, style)
        self._put("user", text)
        place = self.places[fact] if fact is not None else None
        sources = {"p": name_span}
        if extra is not None:
            sources["e"] = extra
        if place is not None:
            sources["v"] = place.value
        value = place.entity.facts[key] if place is not None else None
        reply = Reply(key[0], name, key[1], value, None, kind, sources)
        if place is not None:
            reply.marker = self._content(place.marker)
        answer = self.answer(style, reply)
        if train:
            self.conversation.lookups.append(
                Lookup(
                    answer.text.message,
                    name_span,
                    attribute,
                    fact,
                    tuple(answer.copies),
                    answer.citation,
                    kind,
                    tuple(answer.decisions),
                    style.placement,
                )
            )
            if value is not None:
                self.values[answer.text.message] = value
        self.last = Asked(name, key, name_span, attribute, extra)
        return answer

    def answer(self, style: Style, reply: Reply) -> Answer:
        """Writes the assistant's message."""
        text = self._message()
        answer = Answer(text, style, reply)
        answer.write()
        self._put("assistant", text)
        return answer

    def _content(self, span: Span) -> str:
        return self.conversation.messages[span.message]["content"][span.start : span.end]

    def example(self, style: Style) -> None:
        """A question and an answer that show the style; its value stands nowhere, so nothing is learned of it."""
        key, value = draw_fact(self.rng, self.language, None)
        name = make_name(self.rng, BY_KEY[key[0]].entity, self.language, self.names)
        text = self._message()
        spans = text.fill(self.rng.choice(words.questions(self.language, key[0], "train")), p=name, e=key[1])
        self._put("user", text)
        del spans
        answer = self.answer(style, Reply(key[0], name, key[1], value, None, "example", {}))
        self.examples.append(answer.text.message)
        for string, span in answer.placed.items():
            style.sources.setdefault(string, span)

    def small_talk(self) -> None:
        """A greeting or thanks and its reply."""
        said, reply = self.rng.choice(SMALL_TALK[self.language])
        for role, content in (("user", said), ("assistant", reply)):
            text = self._message()
            text.add(content)
            self._put(role, text)
        number = len(self.conversation.messages) - 1
        self.conversation.lookups.append(Lookup(number, None, None, None, (), None, "chat"))

    def finish(self, style: str, passages: int) -> Conversation:
        """Fills in facts and tags."""
        done = self.conversation
        done.format = style
        done.facts = [Fact(p.name, p.value, p.sentence, p.marker, p.attribute) for p in self.places]
        done.tags = {
            "wording": self.wording,
            "names": self.names,
            "passages": passages,
            "values": self.values,
            "examples": self.examples,
        }
        return done


class Asker:
    """Chooses what is asked: facts, missing facts and follow-ups."""

    def __init__(self, maker: Maker, world: World, style: Style, missing: float) -> None:
        """Prepares to ask about ``world``."""
        self.maker, self.world, self.style, self.missing = maker, world, style, missing
        self.rng = maker.rng

    def run(self, first: Text, turns: int) -> None:
        """Asks ``turns`` questions, the first into the message that holds the passages."""
        maker, rng = self.maker, self.rng
        order = [i for i, p in enumerate(maker.places) if any(p.entity is e for e in self.world.entities)]
        rng.shuffle(order)
        text: Text | None = first
        while turns > 0:
            turns -= 1
            if text is None:
                if rng.random() < 0.02:
                    maker.small_talk()
                text = maker._message()
                if rng.random() < 0.25:
                    text.add(_FRAME[maker.language][1])
            if rng.random() < self.missing:
                self._ask_missing(text)
            elif order:
                self._ask_fact(text, order)
            else:
                self._ask_missing(text)
            text = None

    def _ask_fact(self, text: Text, order: list[int]) -> None:
        maker, last = self.maker, self.maker.last
        choice, follow = order[0], ""
        if last is not None and self.rng.random() < 0.35 * min(1, maker.progress * 3):
            same = [i for i in order if maker.places[i].entity.name == last.name]
            other = [i for i in order if maker.places[i].key == last.key and maker.places[i].entity.name != last.name]
            if other and self.rng.random() < 0.6:
                choice, follow = other[0], "other"
            elif same and self.world.holds(last.name):
                choice, follow = same[0], "same"
        order.remove(choice)
        place = maker.places[choice]
        maker.turn(text, self.style, place.entity.name, place.key, choice, "context", follow)

    def _ask_missing(self, text: Text) -> None:
        maker, rng = self.maker, self.rng
        entity, absent = rng.choice(self.world.entities), None
        if rng.random() < 0.6:
            entity, absent = self._alike() or (entity, self.world.absent_key(rng, maker.language, entity))
        if absent is not None:
            follow = ""
            if maker.last is not None and maker.last.name == entity.name and rng.random() < 0.3 * maker.progress:
                follow = "same"
            maker.turn(text, self.style, entity.name, absent, None, "missing", follow)
            return
        name = self.world.absent_name(rng, entity, maker.names, maker.progress)
        key = rng.choice(list(entity.facts))
        follow = ""
        if maker.last is not None and rng.random() < 0.25 * maker.progress:
            if BY_KEY[maker.last.key[0]].entity == entity.kind:
                key, follow = maker.last.key, "other"
        maker.turn(text, self.style, name, key, None, "missing", follow)

    def _alike(self) -> tuple[Entity, Key] | None:
        """An entity and what a passage states of another of its kind, not of it: the hardest question to refuse."""
        entities = self.world.entities
        found = [
            (mine, key)
            for mine in entities
            for other in entities
            if other is not mine and other.kind == mine.kind
            for key in other.facts
            if key not in mine.facts
        ]
        return self.rng.choice(found) if found and self.rng.random() < 0.75 else None


def _context(
    maker: Maker, style: Style, passages: int | None, turns: int | None, length: tuple[int, int] | None, missing: float
) -> int:
    """Adds passages and questions about them."""
    rng, progress = maker.rng, maker.progress
    most = 1 + int(4 * min(1.0, progress * 1.5))
    count = passages or (rng.randint(1, most) if rng.random() < 0.8 else most)
    world, plans, sizes = build_world(rng, maker.language, count, progress, maker.wording, maker.names, length)
    facts = sum(len(plan.items) for plan in plans)
    text = maker._message()
    maker.open_block(text, plans, sizes)
    if turns is None:
        turns = min(rng.randint(3, 5) if facts < 8 else rng.randint(4, 9), facts + (rng.random() < 0.3))
    Asker(maker, world, style, missing).run(text, turns)
    return count


def _closed(maker: Maker, style: Style, turns: int) -> None:
    """Questions without passages: the answer is not known."""
    rng = maker.rng
    for _ in range(turns):
        key, _value = draw_fact(rng, maker.language, None)
        name = make_name(rng, BY_KEY[key[0]].entity, maker.language, maker.names)
        text = maker._message()
        maker.turn(text, style, name, key, None, "closed")


def generate(
    rng: random.Random,
    *,
    language: str | None = None,
    progress: float = 1.0,
    wording: str = "wide",
    names: str = "mixed",
    passages: int | None = None,
    turns: int | None = None,
    length: tuple[int, int] | None = None,
    style: str | None = None,
    missing: float = 0.3,
    kind: str | None = None,
) -> Conversation:
    """Makes one conversation, the same for the same state of ``rng``.

    Args:
        rng: The only source of chance.
        language: "en" or "ja"; either when None.
        progress: Place in the curriculum: 0 one short passage, 1 the whole world.
        wording: "wide", as in training; "train" for its written wordings alone, or "heldout" for sentences and
            questions that training never uses.
        names: "pool", "invented" or "mixed".
        passages: Number of passages; by the curriculum when None.
        turns: Number of questions; by the number of facts when None.
        length: Least and most tokens of a passage, about; by the curriculum when None.
        style: Name of the house style; drawn when None.
        missing: Share of questions that the passages do not answer.
        kind: "context", "closed", "examples", "copy" or "classify"; drawn when None.

    Returns:
        The conversation with the place of everything that must be looked up.
    """
    language = language or rng.choices(("en", "ja"), (3, 2))[0]  # English is the slower to be read
    maker = Maker(rng, language, progress, wording, names)
    kind = kind or rng.choices(("context", "closed", "examples", "copy", "classify"), (62, 7, 10, 5, 16))[0]
    if kind == "copy":
        return add_copying(maker, turns or rng.randint(3, 6)).finish("copy", 0)
    if kind == "classify":
        return add_classification(maker, turns or rng.randint(2, 5)).finish("label", 0)
    if kind == "examples":
        chosen = make_style(rng, language, style or rng.choice(BY_EXAMPLE))
        if rng.random() < 0.6:
            chosen = unstated(chosen)
    else:
        plain = 0.45 - 0.2 * min(1.0, progress * 2)
        chosen = make_style(rng, language, style or ("default" if rng.random() < plain else rng.choice(STYLES)))
    maker.system(chosen)
    if kind == "examples":
        for _ in range(rng.randint(1, 3)):
            maker.example(chosen)
    elif rng.random() < 0.02:
        maker.small_talk()
    count = 0
    if kind == "closed":
        _closed(maker, chosen, turns or rng.randint(2, 5))
    else:
        count = _context(maker, chosen, passages, turns, length, missing)
    return maker.finish(chosen.name, count)


def _length(span: Span | None) -> int:
    return 0 if span is None else span.end - span.start
