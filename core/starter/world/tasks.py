"""Tasks without passages: copying and spelling strings, sorting inquiries into labels of the system prompt."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.starter.conversation import Lookup, Span
from core.starter.world import wordings as words
from core.starter.world._fillers import FILLERS
from core.starter.world._format_words import CLASSIFY, COPY, GROUPS, KEY_WORDS, KINDS, SPELL, TAGGED
from core.starter.world.attributes import ATTRIBUTES, BY_ENTITY, BY_KEY
from core.starter.world.entities import make_name
from core.starter.world.formats import make_style, random_word, some_words
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


FORMS = {"label": 2, "code": 2, "json": 1, "shown": 3, "topic": 2, "kind": 1}
"""Ways to sort and how often each is practised.

Labels or codes that the system prompt lists, a label in JSON, codes that earlier inquiries show, and two ways whose
labels stand nowhere: what an inquiry is about, and what kind of thing it asks about. These are learned by heart, so
that what a message is about is known before any list is read: a convention that tuning teaches starts from there.
"""


def _cases(rng: random.Random, form: str) -> list[tuple[str, ...]]:
    """The cases of a conversation: groups of attributes, up to three of which may share a code."""
    if form == "kind":
        return [(kind,) for kind in KINDS]
    groups = rng.sample(sorted(GROUPS), len(GROUPS))
    if form == "topic":
        return [(group,) for group in groups]
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
        where: Where it stands in the system prompt or in an example, if it does.
        key: Key of a JSON answer and where the system prompt names it, if it asks for JSON.
        tag: What marks a message that is to be sorted, "[word] "; empty where all are.
        other: What marks a message that is answered as it asks for; may be empty.
    """

    targets: dict[tuple[str, ...], str]
    where: dict[tuple[str, ...], Span]
    key: tuple[str, Span] | None
    tag: str
    other: str


def add_classification(maker: Maker, turns: int) -> Maker:
    """Inquiries to sort into labels or codes; see ``FORMS``.

    In half of the conversations only messages with a mark are sorted; the others are questions as ever, or with
    another mark and a request of their own.
    """
    rng = maker.rng
    form = rng.choices(list(FORMS), list(FORMS.values()))[0]
    cases = _cases(rng, form)
    sorting = _instruct(maker, form, cases)
    if form == "shown":
        for case in rng.sample(cases, len(cases)):
            sorting.where[case] = _show(maker, case, sorting)
    for _ in range(turns):
        if sorting.tag and rng.random() < 0.4:
            _ask_otherwise(maker, sorting)
        else:
            _classify(maker, rng.choice(cases), sorting)
    return maker


def _label(rng: random.Random, form: str, case: tuple[str, ...], ja: int) -> str:
    """A word for each group of the case; always the same one where nothing lists them."""
    if form == "kind":
        return KINDS[case[0]][ja]
    if form == "topic":
        return GROUPS[case[0]][ja][0]
    return "/".join(rng.choice(GROUPS[group][ja]) for group in case)


def _instruct(maker: Maker, form: str, cases: list[tuple[str, ...]]) -> _Sorting:
    """Write the system prompt; where examples show everything there may be none."""
    rng, language, ja = maker.rng, maker.language, int(maker.language == "ja")
    labels = {case: _label(rng, form, case, ja) for case in cases}
    targets = {case: random_word(rng, "en") if form in ("code", "shown") else labels[case] for case in cases}
    name = rng.choice(KEY_WORDS) if rng.random() < 0.6 else random_word(rng, "en")
    tag, other = (f"[{random_word(rng, language)}] " if rng.random() < 0.5 else "" for _ in range(2))
    text, where = maker._message(), dict[tuple[str, ...], Span]()
    key: tuple[str, Span] | None = None
    if form == "shown" and rng.random() < 0.3:
        return _Sorting(targets, where, key, tag, other)
    if tag:
        text.add(rng.choice(TAGGED[language]).replace("{t}", tag.strip()) + ("" if ja else " "))
    for piece in re.split(r"(\{list\}|\{k\})", rng.choice(CLASSIFY[language][form])):
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
    return _Sorting(targets, where, key, tag, other)


def _ask_otherwise(maker: Maker, sorting: _Sorting) -> None:
    """Ask about a fact without the mark and without passages: that is not known, and not sorted either."""
    rng, language = maker.rng, maker.language
    key, _ = draw_fact(rng, language, None)
    name = make_name(rng, BY_KEY[key[0]].entity, language, maker.names)
    text = maker._message()
    requested = rng.random() < 0.6
    if requested:
        text.add(sorting.other)
    style = make_style(rng, language, rng.choice(("json", "json", "short", "tag")) if requested else "default")
    maker.turn(text, style, name, key, None, "closed", request=requested)


def _inquire(maker: Maker, case: tuple[str, ...], tag: str) -> None:
    """Write an inquiry about an attribute of one of the case's groups, or of the case's kind of thing."""
    rng, language = maker.rng, maker.language
    group = rng.choice(case)
    attribute = rng.choice(GROUPS[group][2] if group in GROUPS else [a.key for a in BY_ENTITY[group]])
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
    span = reply.add(sorting.targets[case])
    if case in sorting.where:
        copies.append((span, sorting.where[case]))
    reply.add('"}' if sorting.key is not None else "")
    maker._put("assistant", reply)
    maker.conversation.lookups.append(Lookup(reply.message, None, None, None, tuple(copies), None, "chat"))
