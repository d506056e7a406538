"""Tasks without passages: copying and spelling strings, sorting inquiries into labels of the system prompt."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from core.starter.conversation import Lookup, Span
from core.starter.world import wordings as words
from core.starter.world._fillers import FILLERS
from core.starter.world._format_words import CLASSIFY, COPY, GROUPS, KEY_WORDS, SPELL
from core.starter.world.attributes import ATTRIBUTES, BY_KEY
from core.starter.world.entities import make_name
from core.starter.world.formats import random_word, some_words
from core.starter.world.people import draw_fact, draw_of

if TYPE_CHECKING:
    from core.starter.world.engine import Maker


def _material(rng: random.Random, language: str) -> str:
    """Something to copy: random strings, names, values, words out of their order, so that every token is produced."""
    form = rng.random()
    if form < 0.35:
        return " ".join(random_word(rng, language) for _ in range(rng.randint(1, 4)))
    if form < 0.5:
        return some_words(rng, language, 2, 6)
    if form < 0.65:
        attribute = rng.choice(ATTRIBUTES)
        return f"{make_name(rng, attribute.entity, language, 'invented')} {draw_fact(rng, language, None)[1]}"
    entry = words.wordings(language)[rng.choice(ATTRIBUTES).key]
    source = rng.choice(entry.documents + entry.questions + FILLERS[language])
    source = re.sub(r"\{[pve]\}", lambda _: random_word(rng, language), source)
    if language == "ja":
        cut = rng.randint(0, max(0, len(source) - 8))
        return source[cut : cut + rng.randint(6, 24)]
    found = source.split(" ")
    rng.shuffle(found)
    return " ".join(found[: rng.randint(2, 8)])


def add_copying(maker: Maker, turns: int) -> Maker:
    """Turns that ask to repeat or to spell a string."""
    rng, language = maker.rng, maker.language
    for _ in range(turns):
        spell = rng.random() < 0.25
        material = random_word(rng, language) if spell else _material(rng, language).strip()
        before, after = rng.choice((SPELL if spell else COPY)[language]).split("{s}")
        text = maker._message()
        text.add(before)
        source = text.add(material)
        text.add(after)
        maker._put("user", text)
        reply, copies = maker._message(), []
        if spell:
            for place, letter in enumerate(material):
                target = reply.add(letter)
                copies.append((target, Span(source.message, source.start + place, source.start + place + 1)))
                reply.add(" " if place + 1 < len(material) else "")
        else:
            copies.append((reply.add(material), source))
        maker._put("assistant", reply)
        maker.conversation.lookups.append(
            Lookup(reply.message, None, None, None, tuple(copies) if not spell else (), None, "chat")
        )
    return maker


def _cases(rng: random.Random, form: str) -> list[tuple[str, ...]]:
    """Three to five cases, each of one group of attributes, or of up to three that share a code."""
    groups = rng.sample(sorted(GROUPS), len(GROUPS))
    cases = []
    for _ in range(rng.randint(3, 5)):
        size = rng.choice((1, 1, 2, 3)) if form in ("code", "shown") else 1
        cases.append(tuple(groups[:size]))
        groups = groups[size:]
    return cases


def add_classification(maker: Maker, turns: int) -> Maker:
    """Inquiries to sort into labels or codes that the system prompt lists, or that earlier inquiries show."""
    rng, language, ja = maker.rng, maker.language, int(maker.language == "ja")
    form = rng.choice(("label", "label", "code", "code", "json", "shown", "shown"))
    cases = _cases(rng, form)
    labels = {case: "/".join(rng.choice(GROUPS[group][ja]) for group in case) for case in cases}
    targets = {case: random_word(rng, "en") if form in ("code", "shown") else labels[case] for case in cases}
    key = rng.choice(KEY_WORDS) if rng.random() < 0.6 else random_word(rng, "en")
    text, where = maker._message(), {}
    head, *rest = re.split(r"(\{list\}|\{k\})", rng.choice(CLASSIFY[language][form]))
    text.add(head)
    key_span: Span | None = None
    for piece in rest:
        if piece == "{k}":
            key_span = text.add(key)
        elif piece == "{list}":
            for place, case in enumerate(cases):
                text.add(("、" if ja else ", ") if place else "")
                where[case] = text.add(targets[case])
                text.add((" = " + labels[case]) if form == "code" else "")
        else:
            text.add(piece)
    maker._put("system", text)
    if form == "shown":
        for case in rng.sample(cases, len(cases)):
            where[case] = _show(maker, case, targets[case])
    for _ in range(turns):
        _classify(maker, rng.choice(cases), targets, where, (key, key_span) if form == "json" else None)
    return maker


def _inquire(maker: Maker, case: tuple[str, ...]) -> None:
    """Write an inquiry about an attribute of one of the case's groups."""
    rng, language = maker.rng, maker.language
    attribute = rng.choice(GROUPS[rng.choice(case)][2])
    fact, _ = draw_of(rng, language, attribute)
    name = make_name(rng, BY_KEY[attribute].entity, language, maker.names)
    text = maker._message()
    text.fill(rng.choice(words.questions(language, attribute, maker.wording)), p=name, e=fact[1])
    maker._put("user", text)


def _show(maker: Maker, case: tuple[str, ...], target: str) -> Span:
    """Write one inquiry of the case and its code: an example, whose code stands nowhere before it."""
    _inquire(maker, case)
    reply = maker._message()
    span = reply.add(target)
    maker._put("assistant", reply)
    maker.examples.append(reply.message)
    return span


def _classify(
    maker: Maker,
    case: tuple[str, ...],
    targets: dict[tuple[str, ...], str],
    where: dict[tuple[str, ...], Span],
    key: tuple[str, Span | None] | None,
) -> None:
    _inquire(maker, case)
    reply, copies = maker._message(), []
    if key is not None and key[1] is not None:
        reply.add('{"')
        copies.append((reply.add(key[0]), key[1]))
        reply.add('": "')
    copies.append((reply.add(targets[case]), where[case]))
    reply.add('"}' if key is not None else "")
    maker._put("assistant", reply)
    maker.conversation.lookups.append(Lookup(reply.message, None, None, None, tuple(copies), None, "chat"))
