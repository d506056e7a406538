"""Which passage length, way and number of passages bring the right places: all tried on the same questions.

Every length is cut, embedded and indexed as it would be served, in a version that is never served and is removed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.identity import atomic_write
from core.knowledge.index import IndexConfig, trial_index
from core.knowledge.judging import AskedOf, Ranks, judge_search
from core.measures import Interval, Verdict, finding, holm, mean_interval, paired_difference

__all__ = ["SweepConfig", "SweepMiss", "SweepPoint", "SweepReport", "sweep_search"]

_MISSES = 200
"""Most missed questions that a report lists."""


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """What is tried."""

    sizes: tuple[int, ...] = (100, 200, 400)
    """Longest passage, in tokens."""
    ks: tuple[int, ...] = (2, 4, 8)
    """Passages that would stand in the prompt."""
    tokenizer: str = "base"
    """As `IndexConfig.tokenizer`."""
    embedder: str = "auto"
    """As `IndexConfig.embedder`."""

    def __post_init__(self) -> None:
        """Refuse what cannot be tried.

        Raises:
            KurabeError: ``knowledge.sweep_range``.
        """
        fits = all(20 <= size <= 4000 for size in self.sizes) and all(1 <= k <= 50 for k in self.ks)
        if not (fits and self.sizes and self.ks and len(self.sizes) <= 12):
            raise KurabeError("knowledge.sweep_range")


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One combination over all questions."""

    max_tokens: int
    mode: str
    k: int
    passages: int
    """Passages in the index."""
    tokens: float
    """Tokens that the first k passages take in the prompt, on average."""
    recall: Interval
    hit: Interval
    mrr: Interval
    ndcg: Interval
    verdict: Verdict | None = None
    """Its recall against that of the best point, paired by question (Holm over all points); None for the best."""


@dataclass(frozen=True, slots=True)
class SweepMiss:
    """A question that the best combination fails."""

    question: str
    rank: int | None
    """Where the right passage stands; None beyond the first 50."""
    documents: tuple[str, ...]
    """Where the answer stands."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What was found out."""

    questions: int
    """Questions whose places every length holds."""
    points: tuple[SweepPoint, ...]
    missed: tuple[SweepMiss, ...]
    missed_in_all: int
    """How many the best combination fails; `missed` lists those nearest to success."""

    @property
    def best(self) -> SweepPoint:
        """The point with the highest recall; of several the one that takes the fewest tokens."""
        return min(self.points, key=_worth)

    @property
    def level(self) -> list[SweepPoint]:
        """The best point and all whose recall no difference from it was found, those with the fewest tokens first."""
        same = [point for point in self.points if point.verdict in (None, "no_difference", "not_enough")]
        return sorted(same, key=lambda point: point.tokens)

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> SweepReport:
        """Return a report that `as_record` wrote."""
        measures = ("recall", "hit", "mrr", "ndcg")
        points = [{**row, **{name: Interval(**row[name]) for name in measures}} for row in record["points"]]
        missed = [SweepMiss(row["question"], row["rank"], tuple(row["documents"])) for row in record["missed"]]
        made = tuple(SweepPoint(**row) for row in points)
        return cls(record["questions"], made, tuple(missed), record["missed_in_all"])


@dataclass(slots=True)
class _Tried:
    """What one length brought, for each way of searching by question."""

    passages: int
    found: dict[str, dict[str, Ranks]] = field(default_factory=dict)


def sweep_search(
    kb_id: str,
    questions: Sequence[AskedOf],
    config: SweepConfig,
    folder: Path,
    *,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SweepReport:
    """Try every combination; lengths that an earlier attempt finished are taken from `folder`.

    Args:
        kb_id: Knowledge base; its served index is left as it is.
        questions: Those without gold are left out.
        config: What is tried.
        folder: Where finished lengths are kept.
        progress: Told the stage, how far it is, and of how much.
        should_stop: Asked between batches.

    Raises:
        KurabeError: ``knowledge.build_stopped``; as `trial_index` and `judge_search`.
    """
    asked = list({question.question: question for question in questions}.values())
    tried: dict[int, _Tried] = {}
    for number, size in enumerate(sorted(set(config.sizes))):
        kept = folder / f"sweep-{size}.json"
        if not kept.is_file():
            progress("trying", number, len(set(config.sizes)))
            _try(kb_id, asked, config, size, kept, progress, should_stop)
        tried[size] = _read(kept, asked)
    return _report(tried, sorted(set(config.ks)))


def _try(
    kb_id: str, asked: Sequence[AskedOf], config: SweepConfig, size: int, kept: Path,
    progress: Callable[[str, int, int], None], should_stop: Callable[[], bool],
) -> None:  # fmt: skip
    least = min(IndexConfig().min_tokens, size // 2)
    cut = IndexConfig(least, size, config.embedder, config.tokenizer)

    def searched(done: int, total: int) -> None:
        if should_stop():
            raise KurabeError("knowledge.build_stopped")
        progress("searching", done, total)

    with trial_index(kb_id, cut, progress, should_stop) as version:
        report = judge_search(version.id, asked, progress=searched)
    modes = {
        judged.mode: [(one.asked.question, one.ranks, one.tokens) for one in judged.ranks] for judged in report.modes
    }
    atomic_write(kept, json.dumps({"passages": version.chunk_count, "modes": modes}, ensure_ascii=False))


def _read(kept: Path, asked: Sequence[AskedOf]) -> _Tried:
    record = json.loads(kept.read_text(encoding="utf-8"))
    known = {question.question: question for question in asked}
    found = {
        mode: {name: Ranks(known[name], tuple(ranks), tuple(tokens)) for name, ranks, tokens in rows if name in known}
        for mode, rows in record["modes"].items()
    }
    return _Tried(record["passages"], found)


def _report(tried: dict[int, _Tried], ks: Sequence[int]) -> SweepReport:
    """Judge every combination on the questions whose places every length holds."""
    held = [set(rows) for one in tried.values() for rows in one.found.values()]
    common = sorted(set.intersection(*held))
    if not common:
        raise KurabeError("knowledge.no_gold", n=0)
    rows = {
        (size, mode): [one.found[mode][name] for name in common] for size, one in tried.items() for mode in one.found
    }
    points = [_point(size, mode, k, tried[size].passages, rows[size, mode]) for size, mode in rows for k in ks]
    best = min(points, key=_worth)
    top = [found.recall(best.k) for found in rows[best.max_tokens, best.mode]]
    others = [point for point in points if point is not best]
    differences = [
        paired_difference([found.recall(point.k) for found in rows[point.max_tokens, point.mode]], top)
        for point in others
    ]
    adjusted = holm([difference.p_value for difference in differences])
    verdicts = {
        id(point): finding(difference, p) for point, difference, p in zip(others, differences, adjusted, strict=True)
    }
    judged = tuple(replace(point, verdict=verdicts.get(id(point))) for point in points)
    missed = [found for found in rows[best.max_tokens, best.mode] if not found.hit(best.k)]
    return SweepReport(len(common), judged, tuple(_missed(missed)), len(missed))


def _worth(point: SweepPoint) -> tuple[float, float]:
    return (-point.recall.estimate, point.tokens)


def _point(size: int, mode: str, k: int, passages: int, rows: Sequence[Ranks]) -> SweepPoint:
    share = (0.0, 1.0)
    return SweepPoint(
        max_tokens=size,
        mode=mode,
        k=k,
        passages=passages,
        tokens=sum(sum(found.tokens[:k]) for found in rows) / len(rows),
        recall=mean_interval([found.recall(k) for found in rows], bounds=share),
        hit=mean_interval([found.hit(k) for found in rows], bounds=share),
        mrr=mean_interval([found.reciprocal() for found in rows], bounds=share),
        ndcg=mean_interval([found.ndcg(k) for found in rows], bounds=share),
    )


def _missed(missed: Sequence[Ranks]) -> list[SweepMiss]:
    """Return what was missed, what came nearest first."""
    made = [
        SweepMiss(
            found.asked.question,
            min((rank for rank in found.ranks if rank), default=None),
            tuple(dict.fromkeys(name for name, _ in found.asked.gold if name)),
        )
        for found in missed
    ]
    return sorted(made, key=lambda miss: miss.rank or 1 << 30)[:_MISSES]
