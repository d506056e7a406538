"""Passages as a real cutter makes them: sentences, bullet lists, "Label: value" lines, tables, questions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from core.starter.conversation import Span
from core.starter.world import wordings as words
from core.starter.world._fillers import (
    FILLERS,
    FILLERS_NAMED,
    HEADINGS,
    LIST_TITLES,
    NO_VALUE,
    NOTES,
    TITLES,
    TITLES_PLAIN,
)
from core.starter.world._text import Text
from core.starter.world.attributes import BY_ENTITY, BY_KEY
from core.starter.world.entities import Entity, Key

PRONOUNS = {
    "en": {
        "product": ("it", "the unit", "this model", "the device"),
        "branch": ("it", "the shop", "this branch"),
        "person": ("he", "she"),
        "plan": ("it", "this offer"),
        "procedure": ("it", "this task"),
    },
    "ja": {
        "product": ("本機", "本製品", "この製品"),
        "branch": ("当店", "この店舗"),
        "person": ("同氏",),
        "plan": ("この制度", "本制度"),
        "procedure": ("この作業", "本作業"),
    },
}


@dataclass(slots=True)
class Place:
    """Where a fact stands in the message."""

    entity: Entity
    key: Key
    name: Span
    value: Span
    sentence: Span
    marker: Span
    attribute: Span | None = None


@dataclass(slots=True)
class Plan:
    """What a passage is to hold: the facts of one entity, or one attribute of several."""

    items: list[tuple[Entity, Key]]
    style: str
    size: int
    wording: str = "train"
    facts: list[Place] = field(default_factory=list)


@lru_cache(maxsize=50_000)
def with_pronoun(template: str, language: str, kind: str, word: str) -> str | None:
    """The template with a pronoun in place of the name, or None where that would be no grammar."""
    if language == "ja":
        target = "{p}さん" if kind == "person" else "{p}"
        return template.replace(target, word) if target in template else None
    if kind == "person":
        return word.capitalize() + template[3:] if template.startswith("{p} ") else None
    if "{p}'s" in template or (template.startswith("The {p}") is False and "the {p}" not in template):
        return None
    if template.startswith("The {p}"):
        return word[0].upper() + word[1:] + template[7:]
    return template.replace("the {p}", word)


def label_of(rng: random.Random, language: str, key: Key) -> str:
    """A label of the attribute, its code filled in."""
    return rng.choice(words.wordings(language)[key[0]].label).replace("{e}", key[1])


class Writer:
    """Writes one passage into a message."""

    def __init__(self, rng: random.Random, language: str, text: Text, plan: Plan) -> None:
        """Prepares to write ``plan`` at the end of ``text``."""
        self.rng, self.language, self.text, self.plan = rng, language, text, plan
        self.name: Span | None = None
        self.gap = "" if language == "ja" else " "
        self.marker = Span(0, 0, 0)
        self.label: Span | None = None

    def write(self, number: int) -> list[Place]:
        """Writes "[n] title" and the body; tells where the facts stand."""
        self.text.add("[")
        self.marker = self.text.add(str(number))
        self.text.add("] ")
        self._title()
        self.text.add("\n")
        getattr(self, "_" + self.plan.style)()
        return self.plan.facts

    def write_body(self, name: Span) -> list[Place]:
        """Writes the body alone, of a section whose title ``name`` stands elsewhere."""
        self.name = name
        getattr(self, "_" + self.plan.style)()
        return self.plan.facts

    def _title(self) -> None:
        rng, entity = self.rng, self.plan.items[0][0]
        if self.plan.style == "catalogue":
            label = label_of(rng, self.language, self.plan.items[0][1])
            before, after = rng.choice(LIST_TITLES[self.language]).split("{l}")
            self.text.add(before)
            self.label = self.text.add(label)
            self.text.add(after)
            return
        named = self.plan.style in ("lines", "bullets", "table") or rng.random() < 0.7
        heading = rng.choice(HEADINGS[self.language])
        pool = TITLES if named else TITLES_PLAIN
        template = rng.choice(pool[self.language]).replace("{h}", heading)
        if entity.kind != "product":
            template = template.replace(" manual", "").replace("取扱説明書", "").replace("の >", " >")
        spans = self.text.fill(template, p=entity.name)
        self.name = spans.get("p")

    def _record(self, entity: Entity, key: Key, value: Span, sentence: Span, attribute: Span | None) -> None:
        assert self.name is not None, "a fact needs a name before it"
        self.plan.facts.append(Place(entity, key, self.name, value, sentence, self.marker, attribute))

    def _sentence(self, entity: Entity, key: Key, pronoun: str | None) -> None:
        """One sentence that states a fact; with the name, or with a pronoun after the name was given."""
        rng, language = self.rng, self.language
        template = rng.choice(words.documents(language, key[0], self.plan.wording))
        telling = words.telling_word(language, template)
        if pronoun is not None and self.name is not None:
            template = with_pronoun(template, language, entity.kind, pronoun) or template
        start = self.text.size
        if rng.random() < 0.08:
            self.text.add(rng.choice(NOTES[language]))
        marked = words.marked(template, telling)
        spans = self.text.fill(marked, p=entity.name, v=entity.facts[key], e=key[1])
        self.name = spans.get("p", self.name)
        self._record(entity, key, spans["v"], self.text.since(start), spans.get("a"))

    def _filler(self, chance: float) -> None:
        """Now and then a sentence without any fact."""
        while self.rng.random() < chance and self.text.size < self.plan.size:
            entity = self.plan.items[0][0]
            draw = self.rng.random()
            if draw < 0.25:
                spans = self.text.fill(self.rng.choice(FILLERS_NAMED[self.language]), p=entity.name)
                self.name = spans["p"]
            elif draw < 0.37:
                self._no_value(entity)
            else:
                self.text.add(self.rng.choice(FILLERS[self.language]))
            self.text.add(self.gap)
            chance *= 0.6

    def _no_value(self, entity: Entity) -> None:
        """A sentence that names an attribute without telling its value."""
        rng, language = self.rng, self.language
        key = rng.choice(BY_ENTITY[entity.kind]).key
        label = rng.choice(words.wordings(language)[key].label)
        if any(k == key for k, _ in entity.facts) or not words.is_noun(language, label):
            self.text.add(rng.choice(FILLERS[language]))
            return
        label = words.lower_label(label) if language == "en" else label
        template = rng.choice(NO_VALUE[language]).replace("{l}", label)
        if entity.kind == "person":
            template = template.replace("the {p}", "{p}")
        self.name = self.text.fill(template, p=entity.name)["p"]

    def _prose(self, pronouns: bool, breaks: float) -> None:
        rng = self.rng
        entity = self.plan.items[0][0]
        word = rng.choice(PRONOUNS[self.language][entity.kind]) if pronouns else None
        fill = 0.45 if self.plan.size else 0.0
        for place, (owner, key) in enumerate(self.plan.items):
            if place and rng.random() < breaks:
                self.text.add("\n" if rng.random() < 0.5 else "\n## " + rng.choice(HEADINGS[self.language]) + "\n")
            self._filler(fill)
            use = word if owner is entity and rng.random() < 0.7 else None
            self._sentence(owner, key, use)
            if place + 1 < len(self.plan.items):
                self.text.add(self.gap)
        if rng.random() < fill:
            self.text.add(self.gap)
            self._filler(0.7)

    def _plain(self) -> None:
        self._prose(False, 0.0)

    def _paragraphs(self) -> None:
        self._prose(False, 0.3)

    def _pronouns(self) -> None:
        self._prose(True, 0.1)

    def _sentences(self) -> None:
        """A bullet list of full sentences."""
        mark = self.rng.choice(("- ", "* ", "・" if self.language == "ja" else "- "))
        for place, (owner, key) in enumerate(self.plan.items):
            self.text.add(("\n" if place else "") + mark)
            self._sentence(owner, key, None)

    def _labelled(self, before: str, between: str, after: str) -> None:
        for place, (owner, key) in enumerate(self.plan.items):
            if place:
                self.text.add("\n")
            start = self.text.size
            label = label_of(self.rng, self.language, key)
            self.text.add(before)
            named = self.text.add(label[0].upper() + label[1:])
            self.text.add(between)
            value = self.text.add(owner.facts[key])
            self.text.add(after)
            self._record(owner, key, value, self.text.since(start), named)

    def _lead(self) -> None:
        if self.rng.random() < 0.3 and self.plan.size:
            spans = self.text.fill(self.rng.choice(FILLERS_NAMED[self.language]), p=self.plan.items[0][0].name)
            self.name = spans["p"]
            self.text.add("\n")

    def _lines(self) -> None:
        self._lead()
        self._labelled("", ": " if self.language == "en" else self.rng.choice((": ", ":")), "")

    def _bullets(self) -> None:
        self._lead()
        mark = self.rng.choice(("- ", "* ", "・" if self.language == "ja" else "- "))
        self._labelled(mark, ": " if self.language == "en" else self.rng.choice((": ", ":")), "")

    def _table(self) -> None:
        self._lead()
        if self.rng.random() < 0.7:
            head = self.rng.choice((("Item", "Value"), ("Feature", "Details"), ("Field", "Entry")))
            if self.language == "ja":
                head = self.rng.choice((("項目", "内容"), ("項目", "値"), ("仕様", "内容")))
            self.text.add(f"| {head[0]} | {head[1]} |\n" + ("| --- | --- |\n" if self.rng.random() < 0.5 else ""))
        self._labelled("| ", " | ", " |")

    def _catalogue(self) -> None:
        """One attribute of several entities, a line each."""
        before, between, after = self.rng.choice((("- ", ": ", ""), ("", ": ", ""), ("| ", " | ", " |")))
        for place, (owner, key) in enumerate(self.plan.items):
            if place:
                self.text.add("\n")
            start = self.text.size
            self.text.add(before)
            self.name = self.text.add(owner.name)
            self.text.add(between)
            value = self.text.add(owner.facts[key])
            self.text.add(after)
            self._record(owner, key, value, self.text.since(start), self.label)

    def _faq(self) -> None:
        """Question and answer, as in a page of frequent questions."""
        marks = ("Q: ", "A: ") if self.language == "en" else self.rng.choice((("Q: ", "A: "), ("問: ", "答: ")))
        for place, (owner, key) in enumerate(self.plan.items):
            if place:
                self.text.add("\n")
            start = self.text.size
            self.text.add(marks[0])
            asked = self.rng.choice(words.questions(self.language, key[0], self.plan.wording))
            spans = self.text.fill(asked, p=owner.name, e=key[1])
            self.name = spans["p"]
            self.text.add("\n" + marks[1])
            value = self.text.add(owner.facts[key])
            self.text.add("." if self.language == "en" else "")
            self._record(owner, key, value, self.text.since(start), spans.get("a"))


def pick_style(rng: random.Random, progress: float, wording: str, items: Sequence[tuple[Entity, Key]]) -> str:
    """How a passage is written; at the start of the curriculum plain sentences only."""
    if wording == "heldout":
        return rng.choice(("plain", "plain", "paragraphs", "pronouns", "sentences"))
    if rng.random() > 2.5 * progress:
        return "plain"
    if all(BY_KEY[key[0]].value not in ("instruction", "yesno") for _, key in items) and rng.random() < 0.05:
        return "faq"
    return rng.choice(
        ("plain", "plain", "plain", "paragraphs", "pronouns", "pronouns", "sentences", "lines", "bullets", "table")
    )
