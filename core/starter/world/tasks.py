"""Tasks without passages: copying and spelling strings, sorting inquiries into labels of the system prompt."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.starter.conversation import Lookup, Span
from core.starter.world import wordings as words
from core.starter.world._fillers import FILLERS
from core.starter.world._format_words import CLASSIFY, COPY, GROUPS, KEY_WORDS, SPELL, TAGGED
from core.starter.world.attributes import ATTRIBUTES, BY_KEY
from core.starter.world.entities import make_name
from core.starter.world.formats import Style, make_style, random_word, some_words
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


@dataclass(frozen=True, slots=True)
class _Sorting:
    """How a conversation sorts inquiries.

    Attributes:
        targets: Label or code of each case.
        where: Where it stands in the system prompt or in an example.
        key: Key of a JSON answer and where the system prompt names it, if it asks for JSON.
        tag: What marks a message that is to be sorted, "[word] "; empty where all are.
    """

    targets: dict[tuple[str, ...], str]
    where: dict[tuple[str, ...], Span]
    key: tuple[str, Span] | None
    tag: str


def add_classification(maker: Maker, turns: int) -> Maker:
    """Inquiries to sort into labels or codes that the system prompt lists, or that earlier inquiries show.

    In half of the conversations only messages with a mark are sorted; the others are questions as ever.
    """
    rng = maker.rng
    form = rng.choice(("label", "label", "code", "code", "json", "shown", "shown"))
    cases = _cases(rng, form)
    sorting = _instruct(maker, form, cases)
    if form == "shown":
        for case in rng.sample(cases, len(cases)):
            sorting.where[case] = _show(maker, case, sorting)
    style = make_style(rng, maker.language, "default")
    for _ in range(turns):
        if sorting.tag and rng.random() < 0.4:
            _ask_as_ever(maker, style)
        else:
            _classify(maker, rng.choice(cases), sorting)
    return maker


def _instruct(maker: Maker, form: str, cases: list[tuple[str, ...]]) -> _Sorting:
    """Write the system prompt."""
    rng, language, ja = maker.rng, maker.language, int(maker.language == "ja")
    labels = {case: "/".join(rng.choice(GROUPS[group][ja]) for group in case) for case in cases}
    targets = {case: random_word(rng, "en") if form in ("code", "shown") else labels[case] for case in cases}
    name = rng.choice(KEY_WORDS) if rng.random() < 0.6 else random_word(rng, "en")
    tag = f"[{random_word(rng, language)}] " if rng.random() < 0.5 else ""
    text, where = maker._message(), {}
    if tag:
        text.add(rng.choice(TAGGED[language]).replace("{t}", tag.strip()) + ("" if ja else " "))
    head, *rest = re.split(r"(\{list\}|\{k\})", rng.choice(CLASSIFY[language][form]))
    text.add(head)
    key: tuple[str, Span] | None = None
    for piece in rest:
        if piece == "{k}":
            key = (name, text.add(name))
        elif piece == "{list}":
            for place, case in enumerate(cases):
                text.add(("、" if ja else ", ") if place else "")
                where[case] = text.add(targets[case])
                text.add((" = " + labels[case]) if form == "code" else "")
        else:
            text.add(piece)
    maker._put("system", text)
    return _Sorting(targets, where, key, tag)


def _ask_as_ever(maker: Maker, style: Style) -> None:
    """Ask about a fact without a mark and without passages: that is not known, and not sorted either."""
    key, _ = draw_fact(maker.rng, maker.language, None)
    name = make_name(maker.rng, BY_KEY[key[0]].entity, maker.language, maker.names)
    maker.turn(maker._message(), style, name, key, None, "closed")


def _inquire(maker: Maker, case: tuple[str, ...], tag: str) -> None:
    """Write an inquiry about an attribute of one of the case's groups."""
    rng, language = maker.rng, maker.language
    attribute = rng.choice(GROUPS[rng.choice(case)][2])
    fact, _ = draw_of(rng, language, attribute)
    name = make_name(rng, BY_KEY[attribute].entity, language, maker.names)
    text = maker._message()
    text.add(tag)
    text.fill(rng.choice(words.questions(language, attribute, maker.wording)), p=name, e=fact[1])
    maker._put("user", text)


def _show(maker: Maker, case: tuple[str, ...], sorting: _Sorting) -> Span:
    """Write one inquiry of the case and its code: an example, whose code stands nowhere before it."""
    _inquire(maker, case, sorting.tag)
    reply = maker._message()
    span = reply.add(sorting.targets[case])
    maker._put("assistant", reply)
    maker.examples.append(reply.message)
    return span


def _classify(maker: Maker, case: tuple[str, ...], sorting: _Sorting) -> None:
    _inquire(maker, case, sorting.tag)
    reply, copies = maker._message(), []
    if sorting.key is not None:
        reply.add('{"')
        copies.append((reply.add(sorting.key[0]), sorting.key[1]))
        reply.add('": "')
    copies.append((reply.add(sorting.targets[case]), sorting.where[case]))
    reply.add('"}' if sorting.key is not None else "")
    maker._put("assistant", reply)
    maker.conversation.lookups.append(Lookup(reply.message, None, None, None, tuple(copies), None, "chat"))
