"""Work out what each test question could be known from: training, the documents, both, or neither.

Nobody's label is trusted: the value (or the reference answer) is looked for in the training rows that teach the same
fact, and in the documents as they are now. Where rows name their fact, the names decide what the same fact is; where
they do not, the names and figures in the question must agree and its words must be close enough.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from sqlalchemy import func, select, update

from core.datasets.rows import Row
from core.datasets.similarity import distinctive, plain_key, shingles
from core.datasets.versions import examples, row_of, rows_of
from core.identity import now
from core.store import read, write
from core.store import tables as tb

__all__ = [
    "COVERAGE",
    "Coverage",
    "Indexed",
    "TrainingText",
    "coverage",
    "holds_value",
    "stored_coverage",
    "taught_answers",
    "training_text",
    "value_pattern",
    "words_key",
]

_T = TypeVar("_T")

COVERAGE = ("taught", "documents", "both", "changed", "neither")
"""Where the answer stands: in training, in the documents, in both, in both but different, in neither."""

_SAME_TOPIC = 0.08
_SURELY_SAME_FACT = 0.35
_NAMELESS_TOPIC = 0.25
"""Weighted Jaccard of n-grams, names and figures aside, from which two rows may be (or surely are) about one fact."""

_CANDIDATES = 60
_FACT_TAGS = ("fact", "fact_id", "facts", "fact_ids")


_TELLING = 15
"""Letters from which a text that stands in another is no coincidence."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an index version holds."""

    version_id: str
    documents: Sequence[tuple[str, str, str]]
    """(file name, title, text) of the documents in it, as they were indexed."""


@dataclass(frozen=True, slots=True)
class TrainingText:
    """Whether an index holds the words that training teaches: retrieval then reads what tuning learned."""

    index_version_id: str
    """Index version that was looked into."""
    rows: int
    """Training rows long enough to tell."""
    held: int
    """Of these, rows whose words stand in the index."""
    questions: int
    """Test questions whose answer a training row teaches in words long enough to tell."""
    questions_held: int
    """Of these, questions whose training words stand in the index."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many questions stand where."""

    counts: dict[str, int]
    """Questions by coverage."""
    by_slice: dict[str, dict[str, int]]
    """Slice → coverage → questions."""
    training_in_documents: float | None
    """Share of the training answers whose words stand in the documents: retrieval then reads the training text too."""
    training: TrainingText | None = None
    """Whether the index holds the training text; None without an index."""
    examples: dict[str, str] = field(default_factory=dict)
    """Example id → coverage."""


def words_key(text: str) -> str:
    """Return text as values are looked up in it: one width, one case, single spaces, no thousands separators."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"(?<=\d),(?=\d{3})", "", plain).split())


_PIECE = re.compile(r"[a-z]+|\d+(?:\.\d+)*|\S")


def holds_value(text: str, value: str) -> bool:
    """Tell whether a text states a value, spaces, width, case and thousands separators aside; 12 is not in 120."""
    pattern = value_pattern(value)
    return pattern is not None and pattern.search(words_key(text)) is not None


def value_pattern(value: str) -> re.Pattern[str] | None:
    """Return what finds a value in folded text; None for a value that says nothing."""
    wanted = words_key(value).strip("。.、, ")
    if not wanted:
        return None
    middle = r"\s*".join(re.escape(piece) for piece in _PIECE.findall(wanted))
    before = r"(?<![\d.])" if wanted[0].isdigit() else r"(?<![a-z0-9])" if wanted[0].isascii() else ""
    after = r"(?!\d|\.\d)" if wanted[-1].isdigit() else r"(?![a-z])" if wanted[-1].isascii() else ""
    return re.compile(before + middle + after)


def facts_of(row: Row) -> set[str]:
    """Return the ids of the facts that a row is about, if its metadata names any."""
    found: set[str] = set()
    for name in _FACT_TAGS:
        value: Any = row.tags.get(name, row.expects.get(name))
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, (str, int)) and str(item):
                found.add(str(item))
    return found


def topic(row: Row) -> set[str]:
    """Return the n-grams of a row's question and answer without its names and figures."""
    text = unicodedata.normalize("NFKC", f"{row.question} {row.answer}").casefold()
    for name in sorted(distinctive(f"{row.question} {row.answer}"), key=len, reverse=True):
        text = text.replace(name, " ")
    return shingles(text)


@dataclass(slots=True)
class _Taught:
    """One training row, prepared for matching."""

    answer: str
    names: frozenset[str]
    grams: set[str]


class Training:
    """What the training rows teach."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Prepare the rows of the train split for matching."""
        self._rows: list[_Taught] = []
        self._by_fact: dict[str, list[_Taught]] = defaultdict(list)
        self._by_name: dict[str, set[int]] = defaultdict(set)
        self._by_gram: dict[str, list[int]] = defaultdict(list)
        self.labels: Counter[str] = Counter()
        for row in rows:
            self._add(row)

    def _add(self, row: Row) -> None:
        said = (
            "\n".join(str(m.get("content") or "") for m in row.messages if m.get("role") == "assistant") or row.answer
        )
        names = distinctive(f"{row.question} {said}")
        taught = _Taught(said, names, topic(row))
        index = len(self._rows)
        self._rows.append(taught)
        self.labels[words_key(row.answer)] += 1
        for fact in facts_of(row):
            self._by_fact[fact].append(taught)
        for name in names:
            self._by_name[name].add(index)
        for gram in taught.grams:
            self._by_gram[gram].append(index)

    def answers(self, row: Row) -> tuple[list[str], bool]:
        """Return the training answers about the question's fact, and whether they surely are about it."""
        facts = facts_of(row)
        if facts and self._by_fact:
            return [taught.answer for fact in facts for taught in self._by_fact.get(fact, ())], True
        return self._alike(row), False

    def _alike(self, row: Row) -> list[str]:
        """Return answers of rows that name the same things, closest wording first, those surely the same fact alone."""
        names = distinctive(row.question)
        grams = topic(row)
        found = self._named(names) if names else self._near(grams)
        least = _SAME_TOPIC if names else _NAMELESS_TOPIC
        scored = [(self._closeness(grams, self._rows[index].grams), index) for index in found]
        best = sorted(((score, index) for score, index in scored if score >= least), reverse=True)[:_CANDIDATES]
        value = row.value or row.answer
        same = [self._rows[index].answer for _, index in best if holds_value(self._rows[index].answer, value)]
        return same or [self._rows[index].answer for score, index in best if score >= _SURELY_SAME_FACT][:1]

    def _closeness(self, left: set[str], right: set[str]) -> float:
        """Return the Jaccard similarity weighted by rarity: what every row says tells nothing about its fact."""
        union = sum(self._weight(gram) for gram in left | right)
        return sum(self._weight(gram) for gram in left & right) / union if union else 0.0

    def _weight(self, gram: str) -> float:
        return math.log(1 + len(self._rows) / max(1, len(self._by_gram.get(gram, ()))))

    def _named(self, names: frozenset[str]) -> set[int]:
        sets = [self._by_name.get(name, set()) for name in names]
        return set.intersection(*sets) if all(sets) else set()

    def _near(self, grams: set[str]) -> list[int]:
        shared: Counter[int] = Counter()
        for gram in grams:
            rows = self._by_gram.get(gram, [])
            if len(rows) <= max(20, len(self._rows) // 5):
                shared.update(rows)
        return [index for index, _ in shared.most_common(_CANDIDATES)]


@dataclass
class _Paragraph:
    """One paragraph under its document's title, prepared once for all questions."""

    whole: str
    folded: str

    @cached_property
    def names(self) -> frozenset[str]:
        """Names and figures of the paragraph and its title."""
        return distinctive(f"the {self.whole}")

    @cached_property
    def grams(self) -> set[str]:
        """N-grams of the paragraph and its title."""
        return shingles(self.whole)


class Documents:
    """What the documents say now."""

    def __init__(self, documents: Iterable[tuple[str, str, str]]) -> None:
        """Prepare (file name, title, text) for matching."""
        self._keys: dict[str, str] = {}
        self._paragraphs: list[_Paragraph] = []
        self._said: dict[str, bool] = {}
        for name, title, text in documents:
            key = plain_key(f"{title}\n{text}")
            for called in {name, title}:
                self._keys[called] = self._keys.get(called, "") + key
            parts = [part for part in re.split(r"\n\s*\n|\n(?=#)", text) if part.strip()]
            self._paragraphs += [_Paragraph(f"{title} {part}", words_key(part)) for part in parts]
        self._all = "\n".join(dict.fromkeys(self._keys.values()))

    def hold(self, row: Row) -> bool:
        """Tell whether the documents state a question's answer: its gold quotes, else its value beside its names."""
        quotes = [place for place in row.gold if plain_key(place.get("quote", ""))]
        if quotes:
            return any(self._quoted(place) for place in quotes)
        value = row.value or (row.answer if len(row.answer) <= 60 else "")
        return bool(value) and self._stated(row.question, value)

    def _quoted(self, place: dict[str, str]) -> bool:
        text = self._keys.get(place.get("document", ""), self._all)
        return plain_key(place["quote"]) in text

    def _stated(self, question: str, value: str) -> bool:
        names, grams, pattern = distinctive(question), shingles(question), value_pattern(value)
        for paragraph in self._paragraphs:
            if pattern is None or not pattern.search(paragraph.folded):
                continue
            if names and names <= paragraph.names:
                return True
            if not names and len(grams & paragraph.grams) >= 0.5 * len(grams):
                return True
        return False

    def share_of(self, answers: Sequence[str]) -> float | None:
        """Return the share of texts of at least 15 characters whose words stand in the documents."""
        told = [held for answer in answers if (held := self.says(answer)) is not None]
        return sum(told) / len(told) if told and self._all else None

    def says(self, answer: str, question: str = "") -> bool | None:
        """Tell whether an answer's words stand in the documents; None where they are too few to tell.

        A short answer counts together with its question: only a document that holds both holds the row.
        """
        answer, question = plain_key(answer), plain_key(question)
        if answer not in self._said:
            self._said[answer] = answer in self._all
        if len(answer) >= _TELLING:
            return self._said[answer]
        return self._said[answer] and question in self._all if answer and len(question) >= _TELLING else None


def judged(row: Row, answers: Sequence[str], sure: bool, training: Training, documents: Documents) -> str:
    """Return a question's coverage, one of `COVERAGE`.

    Args:
        row: The question.
        answers: What training answers about its fact, by `Training.answers`.
        sure: Whether they surely are about it.
        training: What training teaches.
        documents: What the documents say.
    """
    if row.expects.get("abstain"):
        return "neither"
    if category := row.expects.get("category"):
        return "taught" if training.labels.get(words_key(str(category))) else "neither"
    in_documents = documents.hold(row)
    value = row.value or row.answer
    agree = [answer for answer in answers if holds_value(answer, value)]
    if not agree and not row.value:
        agree = [answer for answer in answers if plain_key(row.answer) and plain_key(row.answer) in plain_key(answer)]
    if agree and len(agree) * 2 >= len(answers):
        return "both" if in_documents else "taught"
    if answers and in_documents and (sure or row.value):
        return "changed"
    return "documents" if in_documents else "neither"


def coverage(
    version_id: str,
    documents: Iterable[tuple[str, str, str]],
    *,
    training_version_id: str | None = None,
    splits: Sequence[str] = ("validation", "test"),
    index: Indexed | None = None,
    watch: Callable[[str, int, int], None] | None = None,
) -> Coverage:
    """Work out and store the coverage of every validation and test question, and what of training the index holds.

    Args:
        version_id: Dataset version that holds the questions.
        documents: (file name, title, text) of the documents as they are now.
        training_version_id: Version whose train split is taught; the same one if not given.
        splits: Splits whose questions are judged.
        index: What the served index holds; None while there is none.
        watch: Told the stage, ``counting_rows`` of training or ``covering`` the questions, how many were gone through
            and of how many; what it raises ends the work, and nothing is stored.

    Raises:
        KurabeError: ``store.missing``.
    """
    taught = [row for row in rows_of(training_version_id or version_id, "train")]
    training = Training(_watched(taught, len(taught), "counting_rows", watch))
    held = Documents(documents)
    indexed = Documents(index.documents) if index else None
    found: dict[str, str] = {}
    told: dict[str, bool | None] = {}
    slices: dict[str, Counter[str]] = defaultdict(Counter)
    asked = [example for split in splits for example in examples(version_id, split)]
    for example in _watched(asked, len(asked), "covering", watch):
        row = row_of(example)
        answers, sure = training.answers(row)
        found[example.id] = judged(row, answers, sure, training, held)
        told[example.id] = _any_held(answers, indexed) if found[example.id] in _LEARNED else None
        if example.split == splits[-1]:
            slices[example.slice][found[example.id]] += 1
    text = _training_text(index, indexed, taught)
    _store(version_id, found, told, text)
    return Coverage(
        counts=dict(sum(slices.values(), Counter())),
        by_slice={name: dict(counts) for name, counts in sorted(slices.items())},
        training_in_documents=held.share_of([row.answer for row in taught]),
        training=training_text(version_id),
        examples=found,
    )


def _watched(
    items: Iterable[_T], total: int, stage: str, watch: Callable[[str, int, int], None] | None
) -> Iterator[_T]:
    for done, item in enumerate(items, 1):
        if watch is not None:
            watch(stage, done, total)
        yield item


_LEARNED = ("taught", "both", "changed")
"""Coverage of questions about whose fact training says something."""


def _any_held(answers: Sequence[str], indexed: Documents | None) -> bool | None:
    """Tell whether the words of any of these training answers stand in the index; None where that cannot be told."""
    if indexed is None:
        return None
    told = [held for answer in dict.fromkeys(answers) if (held := indexed.says(answer)) is not None]
    return any(told) if told else None


def _training_text(index: Indexed | None, indexed: Documents | None, taught: Sequence[Row]) -> dict[str, Any] | None:
    if index is None or indexed is None:
        return None
    told = [held for row in taught if (held := indexed.says(row.answer, row.question)) is not None]
    return {"index_version_id": index.version_id, "rows": len(told), "held": sum(told)}


def _store(version_id: str, found: dict[str, str], told: dict[str, bool | None], text: dict[str, Any] | None) -> None:
    by_value: dict[tuple[str, bool | None], list[str]] = defaultdict(list)
    for example_id, value in found.items():
        by_value[value, told[example_id]].append(example_id)
    for (value, held), ids in by_value.items():
        for start in range(0, len(ids), 500):
            with write() as session:
                chosen = tb.Example.id.in_(ids[start : start + 500])
                session.execute(update(tb.Example).where(chosen).values(coverage=value, training_indexed=held))
    made = {"judged_at": now(), "training_text": text}
    with write() as session:  # last: results that rest on the old coverage are then computed anew
        session.execute(update(tb.DatasetVersion).where(tb.DatasetVersion.id == version_id).values(**made))


def training_text(version_id: str, split: str = "test") -> TrainingText | None:
    """Return whether the index held a version's training text when its coverage was last worked out.

    None before that, and while there was no index.
    """
    query = select(tb.Example.training_indexed, func.count(tb.Example.id)).where(
        tb.Example.version_id == version_id, tb.Example.split == split, tb.Example.training_indexed.is_not(None)
    )
    with read() as session:
        found = session.get(tb.DatasetVersion, version_id)
        if found is None or not found.training_text:
            return None
        counts = {bool(held): int(n) for held, n in session.execute(query.group_by(tb.Example.training_indexed))}
    return TrainingText(**found.training_text, questions=sum(counts.values()), questions_held=counts.get(True, 0))


def stored_coverage(version_id: str, split: str = "test") -> dict[str, int]:
    """Return how many questions of a split have which coverage; "" counts those not judged yet."""
    query = select(tb.Example.coverage, func.count(tb.Example.id)).where(
        tb.Example.version_id == version_id, tb.Example.split == split
    )
    with read() as session:
        return {value or "": int(count) for value, count in session.execute(query.group_by(tb.Example.coverage))}


_MOST_TAUGHT = 20_000
"""Training rows up to which a page may look for the one that taught an answer: beyond, it would have to wait."""


def taught_answers(example: tb.Example) -> list[str]:
    """Return what the training rows of an example's version answer about its fact; empty if none is about it."""
    training = _training(example.version_id)
    return training.answers(row_of(example))[0] if training is not None else []


@lru_cache(maxsize=2)
def _training(version_id: str) -> Training | None:
    counted = select(func.count(tb.Example.id)).where(tb.Example.version_id == version_id, tb.Example.split == "train")
    with read() as session:
        if (session.scalar(counted) or 0) > _MOST_TAUGHT:
            return None
    return Training(rows_of(version_id, "train"))
