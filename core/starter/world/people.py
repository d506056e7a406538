"""The little world of one conversation: entities, their facts, and which passage states which."""

from __future__ import annotations

import random

from core.starter.world.attributes import ATTRIBUTES, BY_ENTITY, BY_KEY
from core.starter.world.entities import Entity, Key, family_base, make_name
from core.starter.world.passages import Plan, pick_style
from core.starter.world.values import draw_value

_CHARS = {"en": 3.6, "ja": 1.7}
# Chunks of real documents are long: prompts of five of them reach 1,500 tokens, and a place in the prompt that
# training never reached is not read at all.
_LONG = (90, 330)
_KINDS = ("product",) * 5 + ("branch", "branch", "person", "person", "plan", "plan", "procedure")


class World:
    """The entities of a conversation."""

    def __init__(self, language: str) -> None:
        """Starts without entities."""
        self.language = language
        self.entities: list[Entity] = []
        self.bases: dict[str, str] = {}

    def holds(self, name: str) -> bool:
        """Whether an entity has this name."""
        return any(e.name == name for e in self.entities)

    def clashes(self, name: str) -> bool:
        """Whether the name holds, or is held by, the name of another entity."""
        return any(name in e.name or e.name in name for e in self.entities)

    def add(self, rng: random.Random, kind: str, names: str, base: str | None) -> Entity:
        """Adds an entity with a name of its own."""
        name = make_name(rng, kind, self.language, names, base)
        for _ in range(20):
            if not self.clashes(name):
                break
            name = make_name(rng, kind, self.language, names, base)
        else:
            name = make_name(rng, kind, self.language, "invented", None)
            while self.clashes(name):
                name = make_name(rng, kind, self.language, "invented", None)
        entity = Entity(kind, name)
        self.entities.append(entity)
        if base:
            self.bases[name] = base
        return entity

    def absent_key(self, rng: random.Random, language: str, entity: Entity) -> Key | None:
        """An attribute that nothing states of this entity, often one stated of another; None if all are."""
        others = [k for e in self.entities if e is not entity and e.kind == entity.kind for k in e.facts]
        if others and rng.random() < 0.6:
            key = rng.choice(others)
            if key not in entity.facts:
                return key
        for _ in range(40):
            attribute = rng.choice(BY_ENTITY[entity.kind])
            key = (attribute.key, draw_value(rng, attribute.extra)[language == "ja"] if attribute.extra else "")
            if key not in entity.facts:
                return key
        return None

    def absent_name(self, rng: random.Random, entity: Entity, names: str, progress: float) -> str:
        """A name that no entity has; often one that looks like this entity's."""
        base = self.bases.get(entity.name)
        if base is None and entity.kind == "product":
            base = entity.name.split(" ")[0] if " " in entity.name else None
        use = base if rng.random() < 0.6 * progress else None
        for attempt in range(30):
            name = make_name(rng, entity.kind, self.language, names, use if attempt < 10 else None)
            if not self.clashes(name):
                return name
        return make_name(rng, entity.kind, self.language, "invented", None)


def draw_fact(rng: random.Random, language: str, entity: Entity | None) -> tuple[Key, str]:
    """An attribute (of this kind of entity) and a value for it."""
    attribute = rng.choice(BY_ENTITY[entity.kind] if entity else ATTRIBUTES)
    return draw_of(rng, language, attribute.key)


def draw_of(rng: random.Random, language: str, name: str) -> tuple[Key, str]:
    """A value of this attribute, and a code where it needs one."""
    attribute, ja = BY_KEY[name], language == "ja"
    extra = draw_value(rng, attribute.extra)[ja] if attribute.extra else ""
    return (name, extra), draw_value(rng, attribute.value)[ja]


def _sizes(rng: random.Random, progress: float, length: tuple[int, int] | None) -> tuple[int, int]:
    """Number of facts and size in tokens (0: facts only) of a passage."""
    if length is not None:
        tokens = rng.randint(*length)
        return max(2, min(9, round(tokens / rng.uniform(20, 32)))), tokens
    draw = rng.random()
    if draw > progress * 2 or draw < 0.3:
        return rng.randint(2, 4) if progress < 0.3 else rng.randint(1, 4), 0
    if draw < 0.75:
        return rng.randint(2, 5), rng.randint(45, 110)
    return rng.randint(3, 7), rng.randint(90, 190)


def _give_facts(rng: random.Random, language: str, entity: Entity, count: int, shared: list[Key]) -> list[Key]:
    """Draws new facts of an entity, by preference attributes that another one has."""
    keys: list[Key] = []
    room = len(BY_ENTITY[entity.kind]) - 1  # something must stay unstated, to be asked for
    for _ in range(count * 4):
        if len(keys) == count or len({key for key, _ in entity.facts}) >= room:
            break
        if shared and rng.random() < 0.6:
            name, extra = rng.choice(shared)
            _, value = draw_of(rng, language, name)
            key = (name, extra)
        else:
            key, value = draw_fact(rng, language, entity)
        if key not in entity.facts:
            entity.facts[key] = value
            keys.append(key)
    return keys


def build_world(
    rng: random.Random,
    language: str,
    count: int,
    progress: float,
    wording: str,
    names: str,
    length: tuple[int, int] | None,
) -> tuple[World, list[Plan], list[int]]:
    """A world of ``count`` passages: the world, the plan of each passage and its size in characters."""
    world, plans, sizes = World(language), [], []
    if length is None and rng.random() < 0.8 * (2 * progress - 1):
        length = _LONG
    kind = rng.choice(_KINDS)
    base = family_base(rng, kind, language, names) if rng.random() < 0.55 * min(1, progress * 2) else None
    list_key: str | None = None
    for place in range(count):
        if place and rng.random() < 0.35:
            kind, base = rng.choice(_KINDS), None
        facts, tokens = _sizes(rng, progress, length)
        if wording != "heldout" and list_key is None and rng.random() < 0.07 * min(1, progress * 2):
            list_key = rng.choice([a.key for a in BY_ENTITY[kind] if not a.extra])
            items = _catalogue(rng, world, kind, names, base, list_key, max(2, facts))
            plans.append(Plan(items, "catalogue", 0, wording))
            sizes.append(0)
            continue
        again = [e for e in world.entities if e.kind == kind and len(e.facts) + 1 < len(BY_ENTITY[kind])]
        if again and rng.random() < 0.25:
            entity = rng.choice(again)
        else:
            entity = world.add(rng, kind, names, base)
        shared = [k for e in world.entities if e is not entity and e.kind == kind for k in e.facts]
        keys = _give_facts(rng, language, entity, facts, shared)
        if not keys:
            entity = world.add(rng, kind, names, None)
            keys = _give_facts(rng, language, entity, facts, [])
        items = [(entity, key) for key in keys]
        plans.append(Plan(items, pick_style(rng, progress, wording, items), 0, wording))
        sizes.append(int(tokens * _CHARS[language]))
    order = list(range(len(plans)))
    rng.shuffle(order)
    return world, [plans[i] for i in order], [sizes[i] for i in order]


def _catalogue(
    rng: random.Random, world: World, kind: str, names: str, base: str | None, name: str, count: int
) -> list[tuple[Entity, Key]]:
    """One attribute of several entities, some of them known from other passages."""
    items = []
    for entity in [e for e in world.entities if e.kind == kind and (name, "") not in e.facts][:2]:
        items.append(entity)
    while len(items) < count:
        items.append(world.add(rng, kind, names, base))
    rng.shuffle(items)
    found: list[tuple[Entity, Key]] = []
    for entity in items:
        key, value = draw_of(rng, world.language, name)
        entity.facts[key] = value
        found.append((entity, key))
    return found
