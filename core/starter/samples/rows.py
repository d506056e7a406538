"""Training rows and questions of a sample, slice by slice."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

from core.starter.samples.company import Ask, Company, Document, make_documents, other_value
from core.starter.samples.texts import TRIAGE
from core.starter.world import wordings as words
from core.starter.world.attributes import BY_ENTITY, BY_KEY
from core.starter.world.entities import Key, make_name
from core.starter.world.formats import NOT_FOUND, NOT_KNOWN
from core.starter.world.people import draw_of

Row = dict[str, Any]
STABLE, CHANGED, NEWER = 24, 16, 12
"""Taught facts that still hold, taught facts that changed since, and further facts that the second version changes."""
PHRASINGS = 5
PER_SLICE = {"validation": 10, "test": 50}
SLICES = ("taught", "documents_only", "changed", "absent", "format", "triage")
NEAR = 0.66
"""Share of equal character runs from which two questions count as the same wording."""


@dataclass(slots=True)
class Splits:
    """Everything but the documents' bytes.

    Attributes:
        train: Chat rows.
        validation: Questions.
        test: Questions.
        old: Values of the first version of the documents, where they differ.
        new: Values of the second version, where they differ.
        documents: The current documents.
    """

    train: list[Row] = field(default_factory=list)
    validation: list[Row] = field(default_factory=list)
    test: list[Row] = field(default_factory=list)
    old: dict[Ask, str] = field(default_factory=dict)
    new: dict[Ask, str] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)


def runs(text: str, size: int) -> set[str]:
    """The character runs of a text, without spaces and marks."""
    key = re.sub(r"[\W_]", "", text.casefold())
    return {key[i : i + size] for i in range(max(1, len(key) - size + 1))}


def near(left: str, right: str, language: str) -> bool:
    """Whether two questions are nearly the same wording."""
    size = 4 if language == "en" else 3
    a, b = runs(left, size), runs(right, size)
    return len(a & b) >= NEAR * len(a | b)


class Phraser:
    """Hands out questions so that no wording of a fact is used, or nearly used, in two splits."""

    def __init__(self, rng: random.Random, company: Company) -> None:
        """Nothing is used yet."""
        self.rng, self.company, self.language = rng, company, company.language
        self.used: dict[tuple[str, Key], list[tuple[str, str]]] = {}

    def ask(self, name: str, key: Key, split: str, wording: str = "train") -> str:
        """A question of a wording that is new for this split."""
        used = self.used.setdefault((name, key), [])
        for strict in (True, False):
            for kind in dict.fromkeys((wording, "train", "heldout")):
                for form in self._forms(key, kind):
                    text = form.replace("{p}", name).replace("{e}", key[1])
                    others = [other for where, other in used if strict or where != split]
                    if text not in {t for _, t in used} and not any(near(text, o, self.language) for o in others):
                        used.append((split, text))
                        return text
        raise ValueError(f"no wording is left for {key} of {name}")

    def _forms(self, key: Key, wording: str) -> list[str]:
        forms = sorted({re.sub(r"\{[<>]\}", "", t) for t in words.questions(self.language, key[0], wording)})
        self.rng.shuffle(forms)
        return forms


class RowMaker:
    """Writes the rows of one company."""

    def __init__(self, company: Company) -> None:
        """Chooses which facts are taught, changed and left to the documents."""
        self.company, self.texts, self.language = company, company.texts, company.language
        self.rng = random.Random(company.seed + 17)
        self.phraser = Phraser(self.rng, company)
        self.splits = Splits()
        self._choose()
        self.documents = make_documents(company)
        self.splits.documents = self.documents
        self.places = {ask: (d.name, quote) for d in self.documents for ask, quote in d.quotes.items()}

    def _choose(self) -> None:
        company, rng = self.company, self.rng
        listed = {ask for asks in company.listed.values() for ask in asks}
        pool = [ask for ask in company.facts() if ask not in listed]
        rng.shuffle(pool)
        once: list[Ask] = []
        for ask in pool:  # at most two taught facts of one entity, so that no document is taught as a whole
            if sum(ask[0] == other[0] for other in once) < 2:
                once.append(ask)
        self.stable, self.changed = once[:STABLE], once[STABLE : STABLE + CHANGED]
        taught = {*self.stable, *self.changed}
        self.others = [ask for ask in pool if ask not in taught] + sorted(listed)
        rng.shuffle(self.others)
        self.newer = [ask for ask in self.others if ask not in listed][:NEWER]
        for ask in self.changed:
            self.splits.old[ask] = other_value(rng, company, ask, {company.value(ask)})
        for ask in (*self.changed, *self.newer):
            taken = {company.value(ask), self.splits.old.get(ask, "")}
            self.splits.new[ask] = other_value(rng, company, ask, taken)

    def make(self) -> Splits:
        """All rows, in an order that the seed shuffles."""
        self._train_facts()
        self._train_others()
        self.rng.shuffle(self.splits.train)
        rest = iter([ask for ask in self.others if ask not in self.newer] + self.newer)
        for split, count in PER_SLICE.items():
            rows = self.splits.validation if split == "validation" else self.splits.test
            for place in range(count):
                rows.append(self._fact_row(split, "taught", self.stable[place % STABLE], place))
                rows.append(self._fact_row(split, "changed", self.changed[place % CHANGED], place))
                rows.append(self._fact_row(split, "documents_only", next(rest), place))
                rows.append(self._absent_row(split, place))
                rows.append(self._format_row(split, self.stable[-1 - place % STABLE] if place % 2 else next(rest)))
                rows.append(self._triage_row(split, place))
            self.rng.shuffle(rows)
            for number, row in enumerate(rows, 1):
                row["id"] = f"{self.texts.folder}-{split}-{number:03d}"
        return self.splits

    def _name(self, ask: Ask) -> str:
        return self.company.entities[ask[0]].name

    def _sentence(self, name: str, key: Key, value: str) -> str:
        template = words.wordings(self.language)[key[0]].answer
        return template.replace("{p}", name).replace("{e}", key[1]).replace("{v}", value)

    def _chat(self, question: str, answer: str, slice_: str, **more: Any) -> Row:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"messages": messages, "metadata": {"slice": slice_, **more}}

    def _fact_id(self, ask: Ask) -> str:
        return "/".join(part for part in (self._name(ask), *ask[1]) if part)

    def _gold(self, ask: Ask) -> list[dict[str, str]]:
        name, quote = self.places[ask]
        return [{"document": name, "quote": quote}]

    def _train_facts(self) -> None:
        for slice_, asks in (("taught", self.stable), ("changed", self.changed)):
            for ask in asks:
                value = self.splits.old.get(ask, self.company.value(ask))
                answer = self._sentence(self._name(ask), ask[1], value)
                more: dict[str, Any] = {"fact": self._fact_id(ask), "value": value}
                if slice_ == "taught":  # the passage that stated a changed fact is gone from the documents
                    more["gold"] = self._gold(ask)
                for _ in range(PHRASINGS):
                    question = self.phraser.ask(self._name(ask), ask[1], "train")
                    self.splits.train.append(self._chat(question, answer, slice_, **more))

    def _train_others(self) -> None:
        for place in range(2 * STABLE):
            row = self._format_row("train", self.stable[place % STABLE])
            more = {key: row[key] for key in ("value", "gold", "expects")}
            self.splits.train.append(self._chat(row["question"], row["answer"], "format", **more))
        for place in range(8 * len(TRIAGE)):
            row = self._triage_row("train", place)
            self.splits.train.append(self._chat(row["question"], row["answer"], "triage", expects=row["expects"]))
        for place in range(12):
            row = self._absent_row("train", place)
            row["answer"] = NOT_KNOWN[self.language]
            self.splits.train.append(self._chat(row["question"], row["answer"], "absent", expects=row["expects"]))

    def _row(self, question: str, answer: str, slice_: str, value: str | None, expects: Row) -> Row:
        return {
            "id": "",
            "question": question,
            "answer": answer,
            "slice": slice_,
            "gold": [],
            "value": value,
            "expects": expects,
        }

    def _fact_row(self, split: str, slice_: str, ask: Ask, place: int) -> Row:
        name, value = self._name(ask), self.company.value(ask)
        # every second question is worded as the practice model's pre-training never worded one
        question = self.phraser.ask(name, ask[1], split, "heldout" if place % 2 else "train")
        row = self._row(question, self._sentence(name, ask[1], value), slice_, value, {"abstain": False})
        row |= {"gold": self._gold(ask), "fact": self._fact_id(ask)}
        if slice_ == "changed":
            row["taught_value"] = self.splits.old[ask]
        if ask in self.splits.new:
            row["next_value"] = self.splits.new[ask]
        return row

    def _absent_row(self, split: str, place: int) -> Row:
        company, rng = self.company, self.rng
        number = rng.randrange(len(company.entities))
        entity = company.entities[number]
        key = company.world.absent_key(rng, self.language, entity) if place % 2 else None
        name = entity.name
        if key is None or key[0] in {k for k, _ in entity.facts}:
            name = company.world.absent_name(rng, entity, "mixed", 1.0)
            key, _ = draw_of(rng, self.language, rng.choice([a.key for a in BY_ENTITY[entity.kind]]))
        question = self.phraser.ask(name, key, split)
        return self._row(question, NOT_FOUND[self.language], "absent", None, {"abstain": True})

    def _format_row(self, split: str, ask: Ask) -> Row:
        name, value = self._name(ask), self.company.value(ask)
        plain = self.phraser.ask(name, ask[1], f"format {split}")
        keys = self.texts.ticket_keys
        fields = dict(zip(keys, (name, value, "ok"), strict=True))
        row = self._row(
            f"{self.texts.ticket}{plain}{self.texts.ticket_request}",
            json.dumps(fields, ensure_ascii=False),
            "format",
            value,
            {"abstain": False, "json_keys": list(keys), "json": fields},
        )
        row |= {"gold": self._gold(ask), "fact": self._fact_id(ask)}
        return row

    def _triage_row(self, split: str, place: int) -> Row:
        rng, groups = self.rng, sorted(TRIAGE)
        group = groups[place % len(groups)]
        attribute = rng.choice(TRIAGE[group])
        key, _ = draw_of(rng, self.language, attribute)
        kind = BY_KEY[attribute].entity
        name = make_name(rng, kind, self.language, "mixed")
        if rng.random() < 0.5:
            name = rng.choice([e.name for e in self.company.entities if e.kind == kind])
        question = self.texts.triage + self.phraser.ask(name, key, f"triage {split}")
        codes = self.texts.codes
        expects = {"abstain": False, "category": codes[group], "categories": sorted(codes.values())}
        return self._row(question, codes[group], "triage", None, expects)


def make_rows(company: Company) -> Splits:
    """Training rows, validation and test questions of a company."""
    return RowMaker(company).make()
