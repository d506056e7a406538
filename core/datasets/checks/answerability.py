"""Answers that a reader could not give: neither their own gold passage nor the documents say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from core.datasets.checks._base import Check, CheckInput, Finding, Severity, shortened
from core.datasets.coverage import holds_value, words_key
from core.datasets.japanese import JAPANESE, morphemes
from core.datasets.passages import Passages, content_words
from core.datasets.rows import Row
from core.datasets.similarity import distinctive

__all__ = ["Answerability"]

_NO_FACTS = ("abstain", "category", "json", "json_keys", "fields", "schema", "sql")
"""What `expects` says of rows that teach a form, a label or to decline: nobody looks their answer up."""

_MARKER = re.compile(r"(?m)^\s*(?:[(（]?\d{1,2}[.)）．、]|[①-⑳]|[-*・])\s*|\[\d{1,2}\]")
"""Numbers of steps, and citations: they say nothing about the world."""

Place = Literal["supported", "nowhere", "elsewhere", "thin"]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one answer says beyond its question."""

    position: int
    row: Row
    facts: tuple[str, ...]
    """Value, figures, codes and names."""
    words: frozenset[str]
    """Words that carry its meaning."""


@dataclass(frozen=True)
class Answerability(Check):
    """Finds answers that nobody could get to from their question.

    A row with a quoted gold passage is held against that passage. Of the others each figure, name and value of the
    answer must stand in the documents, near what the question names; an answer without any must share words with a
    passage. What the question says already, what many answers say alike, and rows that teach a form are left alone.
    """

    name: ClassVar[str] = "answerability"

    limit: int = 20_000
    """Rows without a quotation up to which answers are looked up in the documents."""

    shared: float = 0.2
    """Share of the answers from which words are the house's way of speaking, and of rows from which the documents are
    about the same things as the rows."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        passages = Passages(data.passages(), data.language)
        quoted: dict[int, tuple[Row, list[str]]] = {}
        held = count = 0
        others: list[tuple[int, Row]] = []
        for position, row in data.rows():
            if any(place.get("quote", "").strip() for place in row.gold):
                missing = _unsupported(row)
                held += not missing
                if missing:
                    quoted[position] = (row, missing)
            elif passages and row.answer.strip() and not any(row.expects.get(name) for name in _NO_FACTS):
                count += 1
                if count <= self.limit:
                    others.append((position, row))
        found = [self._unsupported(quoted, passages, data.watch)] if quoted else []
        if count > self.limit:
            return [*found, self.finding("not_examined", "info", [], limit=self.limit, count=count)]
        return found + self._without_quotation(others, passages, held, data.watch)

    def _unsupported(
        self, quoted: dict[int, tuple[Row, list[str]]], passages: Passages, watch: Callable[[], None]
    ) -> Finding:
        sample = shortened(", ".join(next(iter(quoted.values()))[1]))
        better: dict[int, list[dict[str, str]]] = {}
        for position, (row, missing) in quoted.items():
            watch()
            better[position] = _better_gold(row, missing, passages)
        changes = {position: {"gold": gold} for position, gold in better.items() if gold}
        repair: dict[str, Any] | None = {"changes": changes} if changes else None
        return self.finding("unsupported", "warning", list(quoted), repair, sample=sample)

    def _without_quotation(
        self, rows: list[tuple[int, Row]], passages: Passages, held: int, watch: Callable[[], None]
    ) -> list[Finding]:
        places: dict[str, list[int]] = {"supported": [], "nowhere": [], "elsewhere": [], "thin": []}
        samples: dict[str, str] = {}
        claims = self._claims(rows)
        for claim in claims:
            watch()
            place, said = _place(claim, passages)
            places[place].append(claim.position)
            samples.setdefault(place, shortened(said))
        accused = [place for place in places if place != "supported"]
        judged, good = held + sum(map(len, places.values())), held + len(places["supported"])
        if judged >= 10 and good < self.shared * judged:
            every = sorted(position for place in accused for position in places[place])
            return [self.finding("unrelated", "info", every)]
        taught = {claim.position for claim in claims if claim.row.split == "train"}
        absent = [position for position in places["nowhere"] if position in taught]
        # of questions that measure, a person decides: leaving out those that nothing answers would flatter retrieval
        repairs = {"nowhere": {"drop": absent}} if absent else {}
        severity: dict[str, Severity] = {"nowhere": "warning"}
        return [
            self.finding(place, severity.get(place, "info"), places[place], repairs.get(place), sample=samples[place])
            for place in accused
            if places[place]
        ]

    def _claims(self, rows: list[tuple[int, Row]]) -> list[_Claim]:
        """Return what each answer says, without what many answers say alike: closing words, the help line's number."""
        made = [_claim(position, row) for position, row in rows]
        common = Counter(said for claim in made for said in {*claim.facts, *claim.words})
        most = max(4, self.shared * len(made))
        usual = {said for said, n in common.items() if n > most}
        return [
            _Claim(claim.position, claim.row, tuple(f for f in claim.facts if f not in usual), claim.words - usual)
            for claim in made
        ]


def _claim(position: int, row: Row) -> _Claim:
    answer, known = _MARKER.sub("", row.answer), _asked(row)
    facts = [row.value] if row.value and not holds_value(known, row.value) else []
    plain = words_key(known)
    value = words_key(row.value or "")
    facts += [n for n in _facts(answer) if n not in plain and n not in value and not holds_value(known, n)]
    return _Claim(position, row, tuple(dict.fromkeys(facts)), content_words(answer) - content_words(known))


def _asked(row: Row) -> str:
    """Return all that was said before the answer."""
    turns = [str(message.get("content") or "") for message in row.messages]
    return "\n".join([row.question, *turns[:-1]])


def _facts(answer: str) -> list[str]:
    """Return figures, codes and proper names; words in katakana may be anything, so that only their wording counts."""
    names = [name for name in sorted(distinctive(answer)) if any(c.isdigit() for c in name) or name.isascii()]
    if JAPANESE.search(answer):
        names += [w.surface() for _, w in morphemes(answer) if w.part_of_speech()[1] == "固有名詞" and not w.is_oov()]
    return list(dict.fromkeys(names))


def _place(claim: _Claim, passages: Passages) -> tuple[Place, str]:
    """Tell where the documents say what an answer says, and what of it they do not."""
    asked = content_words(claim.row.question)
    if not claim.row.value and passages.best_share(asked) < 0.5:
        return "supported", ""  # a question about something else than the documents: talk, sums, a text to be written
    stated = {fact: _stating(claim, fact, passages) for fact in claim.facts}
    if absent := [fact for fact, places in stated.items() if not places]:
        return "nowhere", ", ".join(absent)
    about = _about(claim.row.question, passages)
    if apart := [fact for fact, places in stated.items() if not places & about]:
        return "elsewhere", ", ".join(apart)
    if not claim.facts and len(claim.words) >= 3 and passages.best_share(claim.words) < 0.34:
        return "thin", claim.row.answer
    return "supported", ""


def _stating(claim: _Claim, fact: str, passages: Passages) -> frozenset[int]:
    spelled = claim.row.expects.get("alternatives") if fact == claim.row.value else None
    others = [str(each) for each in spelled] if isinstance(spelled, list) else []
    found = passages.stating(fact).union(*(passages.stating(other) for other in others))
    return found or (passages.measuring(claim.row.answer, fact) if any(c.isdigit() for c in fact) else found)


def _about(question: str, passages: Passages) -> frozenset[int]:
    """Return the passages about what a question names, or all where it names nothing.

    Codes must all be named. Of three other names one may be left out, for a capital letter makes no name; and a word in
    katakana may be any word: it counts where there are no other names, and only if the documents use it.
    """
    named = sorted(distinctive(question))
    codes = [name for name in named if any(c.isdigit() for c in name)]
    latin = [name for name in named if name.isascii() and name not in codes]
    if codes or latin:
        left_out = 1 if len(latin) >= 3 else 0
        return passages.naming(codes, latin, len(latin) - left_out)
    katakana = [name for name in named if passages.stating(name)]
    return passages.naming([], katakana, min(1, len(katakana))) | passages.sharing(content_words(question), 0.5)


def _unsupported(row: Row) -> list[str]:
    """Return the names and figures of an answer that stand neither in its quoted passages nor in the question."""
    quoted = "\n".join(place.get("quote", "") for place in row.gold)
    if row.expects.get("abstain"):
        return []
    known = "\n".join([quoted, _asked(row), *(place.get("document", "") for place in row.gold)])
    plain = words_key(known)
    return [name for name in _facts(_MARKER.sub("", row.answer)) if name not in plain and not holds_value(known, name)]


def _better_gold(row: Row, missing: list[str], passages: Passages) -> list[dict[str, str]]:
    """Return the quotations of a row with the words of the documents that they lack; none where nothing says them.

    Words that hold the whole answer stand for the old quotation; others are put beside it, for it holds the rest.
    """
    place = _right_place(row, missing, passages)
    if place is None:
        return []
    whole = not _unsupported(replace(row, gold=[place]))
    return [place] if whole else [*row.gold, place]


def _right_place(row: Row, missing: list[str], passages: Passages) -> dict[str, str] | None:
    """Return the words of the documents that hold what a row's own quotation lacks, beside what the question names."""
    if not passages:
        return None
    about = _about(row.question, passages)
    for place in sorted(about.intersection(*(passages.stating(name) for name in missing))):
        found = passages.all[place]
        for line in found.text.splitlines():
            if all(holds_value(line, name) for name in missing):
                return {"document": found.document, "quote": line.strip()}
    return None
