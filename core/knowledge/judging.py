"""Judge a search alone: how often it brings the passages that hold the answers, by each way of searching."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2

from core.datasets import examples
from core.errors import KurabeError
from core.knowledge.search import Hit, Mode, chunks_of, embed_questions, has_vectors, quote_key, quote_parts, search
from core.measures import Difference, Interval, Verdict, finding, holm, mean_interval, paired_difference

__all__ = [
    "MEASURES",
    "AskedOf",
    "JudgedMode",
    "ModePair",
    "Ranks",
    "RetrievalReport",
    "judge_search",
    "questions_with_gold",
]

DEPTH = 50
"""Passages looked through for the answer; one further down counts as not found."""


@dataclass(frozen=True, slots=True)
class AskedOf:
    """A question whose answer's places are known."""

    question: str
    gold: tuple[tuple[str, str], ...]
    """Document (file name, title or id; empty: any) and quote; an empty quote accepts any passage of the document."""
    slice: str = ""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where a search brought the places of one answer."""

    asked: AskedOf
    ranks: tuple[int | None, ...]
    """For each place the rank, from 1, of the first passage that holds it; None beyond `DEPTH`, or not indexed."""
    tokens: tuple[int, ...] = ()
    """Tokens of the passages that were found, best first."""

    def recall(self, k: int) -> float:
        """Share of the places within the first k passages."""
        return sum(1 for rank in self.ranks if rank and rank <= k) / len(self.ranks)

    def hit(self, k: int) -> float:
        """1 if any place is within the first k passages."""
        return float(any(rank and rank <= k for rank in self.ranks))

    def reciprocal(self) -> float:
        """1 / rank of the first place that was found; 0 without."""
        return max((1 / rank for rank in self.ranks if rank), default=0.0)

    def ndcg(self, k: int) -> float:
        """Normalised discounted cumulative gain with one point a place (Järvelin and Kekäläinen 2002)."""
        gained = sum(1 / log2(1 + rank) for rank in set(self.ranks) if rank and rank <= k)
        best = len(self.ranks) - (len([r for r in self.ranks if r]) - len({r for r in self.ranks if r}))
        return gained / sum(1 / log2(1 + place) for place in range(1, min(best, k) + 1))


MEASURES: dict[str, Callable[[Ranks, int], float]] = {
    "recall": Ranks.recall,
    "hit": Ranks.hit,
    "mrr": lambda found, k: found.reciprocal(),
    "ndcg": Ranks.ndcg,
}
"""Name → value of one question for the first k passages; the reciprocal rank looks through all `DEPTH`."""


@dataclass(frozen=True, slots=True)
class JudgedMode:
    """One way of searching over all questions."""

    mode: str
    recall: Interval
    hit: Interval
    mrr: Interval
    ndcg: Interval
    slices: dict[str, Interval]
    """Recall by slice."""
    by_slice: dict[str, dict[str, Interval]]
    """Each measure of `MEASURES` by slice."""
    ranks: tuple[Ranks, ...]

    def missed(self, k: int) -> list[Ranks]:
        """Questions of which no place is within the first k passages."""
        return [found for found in self.ranks if not found.hit(k)]


@dataclass(frozen=True, slots=True)
class ModePair:
    """Two ways of searching on the same questions: a measure of the first minus that of the second."""

    first: str
    second: str
    difference: Difference
    adjusted_p: float
    """Holm over all pairs of this measure and slice."""
    verdict: Verdict
    measure: str = "recall"
    """One of `MEASURES`."""
    slice: str | None = None
    """Only questions of this slice; None: all."""


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """What was found out about a search."""

    index_version_id: str
    k: int
    questions: int
    """Questions judged: those whose places the index holds."""
    without_gold: int
    """Questions left out because nobody said where their answer stands."""
    modes: tuple[JudgedMode, ...]
    pairs: tuple[ModePair, ...]
    """Recall over all questions, by which ways are chosen."""
    details: tuple[ModePair, ...]
    """The other measures over all questions, and every measure within each slice."""
    not_indexed: tuple[AskedOf, ...]
    """Questions left out because their places stand in no passage: the documents have changed, or a quote is wrong."""

    @property
    def best(self) -> JudgedMode:
        """The way with the highest recall; the richer way where they are level."""
        return max(reversed(self.modes), key=lambda judged: judged.recall.estimate)


def questions_with_gold(dataset_version_id: str, split: str = "test") -> list[AskedOf]:
    """Return the questions of a split with the places that their rows name: a quote, or a whole document.

    Raises:
        KurabeError: as `core.datasets.examples`.
    """
    return [
        AskedOf(
            row.question,
            tuple((str(p.get("document") or ""), str(p.get("quote") or "")) for p in row.gold or () if any(p.values())),
            row.slice,
        )
        for row in examples(dataset_version_id, split)
    ]


def judge_search(
    index_version_id: str,
    questions: Sequence[AskedOf],
    *,
    k: int = 5,
    modes: Sequence[Mode] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RetrievalReport:
    """Search for every question in every way and compare.

    Args:
        index_version_id: What is searched.
        questions: Those without gold are counted and left out.
        k: Passages that would stand in the prompt.
        modes: Ways of searching; all that the index knows by default.
        progress: Called with questions done and in all.

    Raises:
        KurabeError: ``knowledge.no_gold`` when no question says where its answer stands; as `search`.
    """
    held = _Places(chunks_of(index_version_id))
    placed = [(question, held.of(question)) for question in questions if question.gold]
    asked = [question for question, places in placed if any(places)]
    if not asked:
        raise KurabeError("knowledge.no_gold", n=len(questions))
    chosen: Sequence[Mode] = modes or (("text", "vector", "hybrid") if has_vectors(index_version_id) else ("text",))
    places = [found for _, found in placed if any(found)]
    found: dict[Mode, list[Ranks]] = {mode: [] for mode in chosen}
    made = embed_questions(index_version_id, [question.question for question in asked])
    for done, (question, wanted, vector) in enumerate(zip(asked, places, made, strict=True), 1):
        for mode in chosen:
            hits = search(index_version_id, question.question, k=DEPTH, mode=mode, embedded=vector).hits
            ranks = _ranks([hit.chunk_id for hit in hits], wanted)
            found[mode].append(Ranks(question, ranks, tuple(hit.tokens for hit in hits)))
        progress(done, len(asked))
    judged = tuple(_judged(mode, ranks, k) for mode, ranks in found.items())
    return RetrievalReport(
        index_version_id=index_version_id,
        k=k,
        questions=len(asked),
        without_gold=len(questions) - len(placed),
        modes=judged,
        pairs=_pairs(judged, k),
        details=_details(judged, k),
        not_indexed=tuple(question for question, places in placed if not any(places)),
    )


class _Places:
    """Finds the passages that hold quotes without asking the index for each."""

    def __init__(self, chunks: Sequence[Hit]) -> None:
        self._by_document: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for hit in chunks:
            entry = (hit.chunk_id, quote_key(f"{hit.full_title}\n{hit.text}"))
            for name in {hit.document_name, hit.title, hit.document_id, ""}:
                self._by_document[name].append(entry)

    def of(self, asked: AskedOf) -> list[frozenset[str]]:
        """Return for each place the chunks that hold it; places in the very same chunks are one."""
        places = [self._holding(document, quote) for document, quote in asked.gold]
        return [*dict.fromkeys(place for place in places if place), *(place for place in places if not place)]

    def _holding(self, document: str, quote: str) -> frozenset[str]:
        """Return the chunks that hold a quote; a quote that a cut divided gives both sides, as in the test run."""
        chunks, key = self._by_document.get(document, []), quote_key(quote)
        whole = frozenset(name for name, text in chunks if key in text)
        parts = quote_parts(quote)
        return whole or frozenset(name for name, text in chunks if any(part in text for part in parts))


def _ranks(chunks: Sequence[str], places: Sequence[frozenset[str]]) -> tuple[int | None, ...]:
    return tuple(next((rank for rank, chunk in enumerate(chunks, 1) if chunk in place), None) for place in places)


def _judged(mode: str, ranks: Sequence[Ranks], k: int) -> JudgedMode:
    by_slice: dict[str, list[Ranks]] = {}
    for found in ranks:
        by_slice.setdefault(found.asked.slice, []).append(found)
    apart = {name: _measured(rows, k) for name, rows in sorted(by_slice.items())}
    slices = {name: intervals["recall"] for name, intervals in apart.items()}
    return JudgedMode(mode=mode, **_measured(ranks, k), slices=slices, by_slice=apart, ranks=tuple(ranks))


def _measured(ranks: Sequence[Ranks], k: int) -> dict[str, Interval]:
    return {
        name: mean_interval([value(found, k) for found in ranks], bounds=(0.0, 1.0)) for name, value in MEASURES.items()
    }


def _pairs(
    judged: Sequence[JudgedMode], k: int, measure: str = "recall", only: str | None = None
) -> tuple[ModePair, ...]:
    """Return all pairs in one measure, over all questions or those of one slice."""

    def values(one: JudgedMode) -> list[float]:
        return [MEASURES[measure](found, k) for found in one.ranks if only is None or found.asked.slice == only]

    made = [(a.mode, b.mode, paired_difference(values(a), values(b))) for a, b in combinations(judged, 2)]
    adjusted = holm([difference.p_value for *_, difference in made])
    return tuple(
        ModePair(a, b, d, p, finding(d, p), measure, only) for (a, b, d), p in zip(made, adjusted, strict=True)
    )


def _details(judged: Sequence[JudgedMode], k: int) -> tuple[ModePair, ...]:
    slices = sorted({found.asked.slice for found in judged[0].ranks}) if judged else []
    within: list[str | None] = [None, *slices] if len(slices) > 1 else [None]
    wanted = [(measure, only) for only in within for measure in MEASURES if (measure, only) != ("recall", None)]
    return tuple(pair for measure, only in wanted for pair in _pairs(judged, k, measure, only))
