"""A fictional company: its entities with all their facts, and the documents that state them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from core.starter.conversation import Span
from core.starter.samples.texts import TEXTS, Texts
from core.starter.world import wordings as words
from core.starter.world._text import Text
from core.starter.world.attributes import BY_ENTITY
from core.starter.world.entities import Entity, Key, family_base
from core.starter.world.passages import Plan, Writer
from core.starter.world.people import World, draw_of

SEEDS = {"en": 770_001, "ja": 770_002}
"""Seeds of the samples; training draws its seeds below 100,000 times the number of processes."""

_COUNTS = (("product", 34), ("branch", 10), ("person", 10), ("plan", 8), ("procedure", 5))
_FACTS = {"product": (8, 11), "branch": (6, 8), "person": (4, 5), "plan": (7, 10), "procedure": (5, 6)}
# yes/no cannot be told from a lucky guess; repeated codes of one attribute would need a list of their own
_LEFT_OUT = ("dishwasher_safe", "wifi_password")
FORMATS = ("md", "html", "pdf", "docx")
# pronouns in forms that were made for names; in training they do no harm, in a document they read badly
_CLUMSY = re.compile(
    r"\b(it|unit|model|device|shop|branch|offer|task) (at a glance|has this)|for (it|this \w+):|さんでは", re.IGNORECASE
)

Ask = tuple[int, Key]


@dataclass(slots=True)
class Section:
    """One section of a document.

    Attributes:
        heading: Its heading.
        lines: Its body, as Markdown lines: sentences, "- " items, "Label: value" lines, "| a | b |" rows.
        quotes: What states each fact, word for word.
    """

    heading: str
    lines: list[str]
    quotes: dict[Key, str]


@dataclass(slots=True)
class Document:
    """One document about one entity, or a list (CSV) about several.

    Attributes:
        name: File name.
        title: Its title, on the first line.
        sections: Its sections; empty for a list.
        rows: Rows of a list, header first.
        quotes: (entity number, key) to the sentence or line that states it.
    """

    name: str
    title: str
    sections: list[Section] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    quotes: dict[Ask, str] = field(default_factory=dict)


@dataclass(slots=True)
class Company:
    """The company of one sample.

    Attributes:
        language: "en" or "ja".
        seed: Seed of everything.
        texts: Its fixed words.
        world: Holds the entities; their facts are those that the current documents state.
        listed: (entity number, key) of facts that a CSV list states, by file stem.
    """

    language: str
    seed: int
    texts: Texts
    world: World
    listed: dict[str, list[Ask]] = field(default_factory=dict)

    @property
    def entities(self) -> list[Entity]:
        """All entities; their place in this list is their number."""
        return self.world.entities

    def value(self, ask: Ask) -> str:
        """The value that the current documents state."""
        return self.entities[ask[0]].facts[ask[1]]

    def facts(self) -> list[Ask]:
        """Every fact of the company."""
        return [(number, key) for number, entity in enumerate(self.entities) for key in entity.facts]


def make_company(language: str) -> Company:
    """Invents the company of a language, always the same one."""
    seed = SEEDS[language]
    rng = random.Random(seed)
    world = World(language)
    company = Company(language, seed, TEXTS[language], world)
    for kind, count in _COUNTS:
        while sum(entity.kind == kind for entity in world.entities) < count:
            base = family_base(rng, kind, language, "mixed") if rng.random() < 0.7 else None
            for _ in range(rng.randint(2, 3) if base else 1):
                if sum(entity.kind == kind for entity in world.entities) < count:
                    world.add(rng, kind, "mixed", base)
    for stem, _, kind, keys, _ in company.texts.lists:
        _list_facts(rng, company, stem, kind, keys)
    for number in range(len(world.entities)):
        _own_facts(rng, company, number)
    return company


def _list_facts(rng: random.Random, company: Company, stem: str, kind: str, keys: tuple[str, ...]) -> None:
    numbers = [i for i, entity in enumerate(company.entities) if entity.kind == kind]
    chosen = sorted(rng.sample(numbers, min(12, len(numbers))))
    company.listed[stem] = []
    for number in chosen:
        for key in keys:
            drawn, value = draw_of(rng, company.language, key)
            company.entities[number].facts[drawn] = value
            company.listed[stem].append((number, drawn))


def _own_facts(rng: random.Random, company: Company, number: int) -> None:
    """Facts that the entity's own document states."""
    entity, in_lists = company.entities[number], {key for _, _, _, keys, _ in company.texts.lists for key in keys}
    pool = [a.key for a in BY_ENTITY[entity.kind] if a.key not in _LEFT_OUT and a.key not in in_lists]
    low, high = _FACTS[entity.kind]
    for key in rng.sample(pool, min(len(pool) - 1, rng.randint(low, high))):
        drawn, value = draw_of(rng, company.language, key)
        entity.facts[drawn] = value


def make_documents(company: Company, values: dict[Ask, str] | None = None) -> list[Document]:
    """The company's documents; ``values`` replaces the values of some facts (an older or newer version)."""
    changed = values or {}
    documents, counts = [], dict.fromkeys(company.texts.stems, 0)
    for number, entity in enumerate(company.entities):
        counts[entity.kind] += 1
        kind = FORMATS[number % len(FORMATS)]
        name = f"{company.texts.stems[entity.kind]}-{counts[entity.kind]:02d}.{kind}"
        documents.append(_about(company, number, name, changed))
    for stem, title, _, keys, head in company.texts.lists:
        documents.append(_list(company, stem, title, keys, head, changed))
    return documents


def _about(company: Company, number: int, name: str, changed: dict[Ask, str]) -> Document:
    """The document about one entity; its layout depends on the seed alone, never on the values."""
    entity = company.entities[number]
    rng = random.Random(f"{company.seed}:{name}")
    listed = {ask for asks in company.listed.values() for ask in asks}
    keys = [key for key in entity.facts if (number, key) not in listed]
    rng.shuffle(keys)
    document = Document(name, rng.choice(company.texts.titles[entity.kind]).replace("{p}", entity.name))
    facts = {key: changed.get((number, key), entity.facts[key]) for key in keys}
    shown = Entity(entity.kind, entity.name, facts)
    parts = max(1, round(len(keys) / 4))
    headings = rng.sample(company.texts.sections[entity.kind], min(parts, len(company.texts.sections[entity.kind])))
    for place, heading in enumerate(headings):
        section = _section(rng, company, shown, keys[place :: len(headings)], heading, name.endswith(".pdf"))
        document.sections.append(section)
        document.quotes |= {(number, key): quote for key, quote in section.quotes.items()}
    return document


def _section(
    rng: random.Random, company: Company, entity: Entity, keys: list[Key], heading: str, is_pdf: bool
) -> Section:
    styles = ["plain", "pronouns", "pronouns", "sentences", "lines", "bullets"] + ([] if is_pdf else ["table"])
    style = rng.choice(styles)
    body, quotes = _body(rng, company, entity, keys, style)
    while _CLUMSY.search(body):
        body, quotes = _body(rng, company, entity, keys, style)
    lines = [_plain_item(line.strip()) for line in body.split("\n") if line.strip() and not line.startswith("## ")]
    return Section(heading, lines, quotes)


def _body(
    rng: random.Random, company: Company, entity: Entity, keys: list[Key], style: str
) -> tuple[str, dict[Key, str]]:
    """The text of a section and the sentence or line that states each fact."""
    text = Text(0)
    wording = "heldout" if style in ("plain", "pronouns", "sentences") and rng.random() < 0.25 else "train"
    plan = Plan([(entity, key) for key in keys], style, 0, wording)
    size = rng.randint(70, 130)
    # held-out sentences leave no filler: they are already the harder reading
    plan.size = int(size * (3.6 if company.language == "en" else 1.7)) if wording == "train" else 0
    places = Writer(rng, company.language, text, plan).write_body(Span(0, 0, 0))
    body = text.text()
    quotes = {place.key: body[place.sentence.start : place.sentence.end] for place in places}
    return body, {key: _plain_item(quote) for key, quote in quotes.items()}


def _plain_item(line: str) -> str:
    """One mark for all items, and none inside a quote."""
    for mark in ("* ", "・"):
        if line.startswith(mark):
            return "- " + line[len(mark) :]
    return line


def _list(
    company: Company, stem: str, title: str, keys: tuple[str, ...], head: str, changed: dict[Ask, str]
) -> Document:
    labels = [words.wordings(company.language)[key].label[0] for key in keys]
    document = Document(f"{stem}.csv", title, rows=[[head, *labels]])
    for number in sorted({ask[0] for ask in company.listed[stem]}):
        row = [company.entities[number].name]
        lines = [f"{head}: {row[0]}"]
        for key, label in zip(keys, labels, strict=True):
            ask = (number, (key, ""))
            row.append(changed.get(ask, company.value(ask)))
            lines.append(f"{label}: {row[-1]}")
            # each row of a wide list becomes a passage of "Label: value" lines, that of a narrow one stays a row
            document.quotes[ask] = "\n".join(lines) if len(keys) > 1 else f"| {row[0]} | {row[-1]} |"
        document.rows.append(row)
    return document


def other_value(rng: random.Random, company: Company, ask: Ask, taken: set[str]) -> str:
    """Another value of the same kind for a fact."""
    while True:
        _, value = draw_of(rng, company.language, ask[1][0])
        if value not in taken:
            return value
