"""100,000 passages with given vectors: building, recall, and waiting times beside a NumPy scan and LanceDB itself.

`make bench-search`. Every way is asked each question, warm and in a random order, Kurabe and LanceDB one right after
the other, so that whatever else the machine does slows both alike. The overhead is the median over the questions of
the ratio of the two times: read that, and the times themselves only on a quiet machine.

It ends with exit code 1 when a limit is missed. Half of the vectors lie close to their cluster's centre, half far
from it and between the clusters, where partitions are easily the wrong ones. Rehearse with ``--passages 1000
--questions 20 --exact-up-to 500``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.limits import Limit, all_kept

DIMENSION = 384
CLUSTERS = 500
PASSAGES_A_DOCUMENT = 50
K = 10
POOL = 50
"""Passages that each side brings into a hybrid search: what Kurabe asks LanceDB for."""

BUILD_SECONDS, P95_MS, RECALL, OVERHEAD_PERCENT = 60, 40, 0.98, 15

NEAR, FAR = 0.8, (0.8, 1.2)
"""Distance from the centre for the close half, and between what it lies for the other, in lengths of the centre."""

Vectors = NDArray[np.float32]


def clustered(count: int, seed: int) -> Vectors:
    """Return unit vectors around `CLUSTERS` centres, close and far in turn.

    Two close ones of a cluster have a cosine of about 0.6, two far ones of 0.4 to 0.6: farther out, no number of
    partitions would be enough, and the graph that is then built takes minutes.
    """
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, DIMENSION))
    chance = np.random.default_rng(seed)
    spread = np.where(np.arange(count) % 2, chance.uniform(*FAR, count), NEAR)[:, None]
    made = centres[chance.integers(CLUSTERS, size=count)] + spread * chance.standard_normal((count, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


class Words:
    """Words that are used as often as those of a language: the n-th in proportion to 1 / n."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(7)
        parts = ("ka", "ri", "mo", "ten", "su", "bel", "no", "dra", "vi", "pon", "lu", "che")
        self.all = ["".join(chance.choice(parts, 2 + number % 3)) for number in range(20_000)]
        weights = 1 / np.arange(1, len(self.all) + 1)
        self._share = weights / weights.sum()
        self._chance = np.random.default_rng(seed)

    def some(self, count: int) -> list[str]:
        """Return so many words."""
        return [self.all[place] for place in self._chance.choice(len(self.all), count, p=self._share)]


def fill(passages: int) -> str:
    """Add documents of fifty sections each; return the knowledge base."""
    from core import knowledge
    from core.store import tables as tb
    from core.store import write

    with write() as session:
        project = tb.Project(name="Benchmark", language="en")
        session.add(project)
    base = knowledge.default_kb(project.id).id
    words = Words(1)
    drawn = words.some(passages * 70)
    for number in range(passages // PASSAGES_A_DOCUMENT):
        sections = []
        for place in range(PASSAGES_A_DOCUMENT):
            start = (number * PASSAGES_A_DOCUMENT + place) * 70
            sections.append(f"## Part {place}\n\n{' '.join(drawn[start : start + 70])}.")
        knowledge.add_document(base, f"d{number}.md", (f"# Document {number}\n\n" + "\n\n".join(sections)).encode())
    return base


class Build:
    """The build of the index, its stages timed; vectors are given instead of computed."""

    def __init__(self, base: str, vectors: Vectors) -> None:
        import core.knowledge.index as room

        self.stages: dict[str, float] = {}
        self._given, self._used = vectors, 0
        self._stage, self._since = "", time.perf_counter()
        real = room.embed_texts
        room.embed_texts = self._embedded  # type: ignore[assignment]  # the vectors are given
        began, used = time.perf_counter(), cpu_seconds()
        try:
            self.version = room.build_index(base, room.IndexConfig(tokenizer="estimate"), self._report)
        finally:
            room.embed_texts = real
        self.seconds, self.cpu = time.perf_counter() - began, cpu_seconds() - used
        self._report("", 0, 0)

    def _embedded(self, texts: Sequence[str], *_: Any) -> list[Any]:
        self._used += len(texts)
        return list(self._given[self._used - len(texts) : self._used])

    def _report(self, stage: str, done: int, total: int) -> None:
        now = time.perf_counter()
        self.stages[self._stage] = self.stages.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now


def cpu_seconds() -> float:
    """Return the processor time of this process and its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Direct:
    """LanceDB called directly, in the way that costs least: asynchronously, both queries at once."""

    def __init__(self, version: Any) -> None:
        import lancedb
        from lancedb.background_loop import LOOP

        from core.knowledge.versions import served_index
        from core.settings import settings

        self._run = LOOP.run
        self._index = served_index(version.id).vectors
        self._table = self._run(self._opened(lancedb, settings().index(), version.table_name))

    @staticmethod
    async def _opened(lancedb: Any, uri: str, name: str) -> Any:
        return await (await lancedb.connect_async(uri)).open_table(name)

    def vector(self, vector: Vectors, k: int = K, exact: bool = False) -> list[dict[str, Any]]:
        """Return the nearest rows."""
        query = self._vector(vector, k)
        return self._run((query.bypass_vector_index() if exact else query).to_list())  # type: ignore[no-any-return]

    def _vector(self, vector: Vectors, k: int) -> Any:
        query = self._table.query().nearest_to(vector.tolist()).column("vector").distance_type("cosine")
        return self._index.asked(query, k).select([*COLUMNS, "_distance"])

    def text(self, words: str) -> list[dict[str, Any]]:
        """Return the rows that hold the words."""
        return self._run(self._text(words).to_list())  # type: ignore[no-any-return]

    def _text(self, words: str) -> Any:
        query = self._table.query().nearest_to_text(words, columns="search_text")
        return query.select([*COLUMNS, "_score"]).limit(POOL)

    def both(self, vector: Vectors, words: str) -> list[Any]:
        """Return what both bring, asked at once."""

        async def asked() -> list[Any]:
            queries = (self._vector(vector, POOL), self._text(words))
            return list(await asyncio.gather(*(query.to_list() for query in queries)))

        return self._run(asked())  # type: ignore[no-any-return]


COLUMNS = ["chunk_id", "document_id", "document_name", "position", "title", "heading", "text", "tokens", "page"]


PAIRS = [
    ("kurabe hybrid", "direct both"),
    ("kurabe vector", "direct vector"),
    ("kurabe text", "direct text"),
    ("numpy",),
]
"""What is asked one right after the other, in either order."""


def timed(call: Callable[[], Any], into: list[tuple[float, float]]) -> Any:
    """Call, and note the seconds it took by the clock and of the processor, all threads together."""
    began, used = time.perf_counter(), cpu_seconds()
    found = call()
    into.append((time.perf_counter() - began, cpu_seconds() - used))
    return found


def measure(version: Any, vectors: Vectors, asked: int) -> dict[str, Any]:
    """Ask every way each question in turn; return their times, and the recall of the vector part."""
    from core import knowledge
    from core.knowledge import Embedded

    direct, words = Direct(version), Words(2)
    held = direct_vectors(version)
    times: dict[str, list[tuple[float, float]]] = {name: [] for pair in PAIRS for name in pair}
    recall: list[float] = []
    chance = random.Random(1)
    for number, question in enumerate(clustered(asked + 20, seed=99)):
        query = " ".join(words.some(8))
        given = Embedded(question.tolist(), 0.0)

        def kurabe(mode: str, query: str = query, given: Embedded = given) -> Any:
            return knowledge.search(version.id, query, k=K, mode=mode, embedded=given)  # type: ignore[arg-type]

        calls: dict[str, Callable[[], Any]] = {
            "kurabe hybrid": lambda: kurabe("hybrid"),
            "direct both": lambda q=question, w=query: direct.both(q, w),
            "kurabe vector": lambda: kurabe("vector"),
            "direct vector": lambda q=question: direct.vector(q, POOL),
            "kurabe text": lambda: kurabe("text"),
            "direct text": lambda w=query: direct.text(w),
            "numpy": lambda q=question: np.argpartition(-(held[1] @ q), POOL)[:POOL],
        }
        direct.both(question, query)  # whoever is asked first would pay for reading what the others find in memory
        order = [name for pair in chance.sample(PAIRS, len(PAIRS)) for name in chance.sample(pair, len(pair))]
        found = {name: timed(calls[name], times[name] if number >= 20 else []) for name in order}
        nearest = {held[0][place] for place in np.argsort(-(held[1] @ question))[:K]}
        recall.append(len(nearest & {hit.chunk_id for hit in found["kurabe vector"].hits}) / K)
    exact: list[tuple[float, float]] = []
    for question in clustered(10, seed=5):
        timed(lambda q=question: direct.vector(q, exact=True), exact)  # type: ignore[misc]
    return {"times": times, "recall": recall, "exact": exact}


def direct_vectors(version: Any) -> tuple[list[str], Vectors]:
    """Return the ids and vectors that the index holds."""
    from core.knowledge.tables import open_table

    rows = open_table(version.table_name).to_arrow().select(["chunk_id", "vector"])
    vectors = rows["vector"].combine_chunks().flatten().to_numpy().reshape(rows.num_rows, -1)
    return rows["chunk_id"].to_pylist(), vectors


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--home", help="Keep what is built here, and measure it again.")
    parser.add_argument("--exact-up-to", type=int, help="Rows that need no vector index; for rehearsals with few.")
    chosen = parser.parse_args()
    if chosen.exact_up_to is not None:
        from core.knowledge import tables

        tables.EXACT_UP_TO = chosen.exact_up_to
    with tempfile.TemporaryDirectory() as folder:
        # The server is never asked: its name makes the index one with vectors.
        os.environ |= {
            "KURABE_HOME": chosen.home or folder,
            "KURABE_MODEL_URL": "http://127.0.0.1:9/v1",
            "KURABE_EMBEDDER": "given",
        }
        kept = run(chosen.passages, chosen.questions)
    sys.exit(0 if kept else 1)


def run(passages: int, questions: int) -> bool:
    """Fill a home if it is empty, and measure it; return whether all limits are kept."""
    from core.knowledge import default_kb, latest_index
    from core.projects import projects
    from core.store import migrate

    migrate()
    kept = projects()
    version = latest_index(default_kb(kept[0].id).id) if kept else None
    built: float | None = None
    if version is None:
        base = fill(passages)
        build = Build(base, clustered(passages, seed=1))
        version, built = build.version, build.seconds
        stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in build.stages.items() if name)
        say(f"built {version.chunk_count:,} passages in {build.seconds:.1f} s ({stages}); processor {build.cpu:.1f} s")
    say(f"vector index: {version.config['vector_index']}")
    found = measure(version, clustered(passages, seed=1), questions)
    report(found)
    return all_kept(limits(found, built))


def limits(found: dict[str, Any], built: float | None) -> list[Limit]:
    """Return what must be kept, with what was measured."""
    hybrid, both = (np.array(found["times"][name])[:, 0] for name in PAIRS[0])
    return [
        Limit("build without embedding", built, BUILD_SECONDS, " s"),
        Limit("hybrid search, p95, warm", 1000 * float(np.percentile(hybrid, 95)), P95_MS, " ms"),
        Limit(f"recall@{K} of the vector part", float(np.mean(found["recall"])), RECALL, at_least=True),
        Limit("hybrid over LanceDB, median", 100 * float(np.median(hybrid / both - 1)), OVERHEAD_PERCENT, " %"),
    ]


def report(found: dict[str, Any]) -> None:
    """Print the times, the recall and the overhead."""
    times = {name: np.array(rows) for name, rows in found["times"].items()}
    say(f"{'':16}{'median':>10}{'p95':>10}{'processor':>12}   ms a question, {len(times['numpy'])} questions in turn")
    for name, rows in [*times.items(), ("exact LanceDB", np.array(found["exact"]))]:
        clock, processor = rows[:, 0], rows[:, 1].mean()
        say(f"{name:16}{1000 * np.median(clock):10.1f}{1000 * np.percentile(clock, 95):10.1f}{1000 * processor:12.1f}")
    near, far = found["recall"][::2], found["recall"][1::2]
    say(
        f"recall@{K} of the vector part against exact search: {np.mean(found['recall']):.4f}"
        f" (questions close to a centre {np.mean(near):.4f}, far from it {np.mean(far):.4f})"
    )
    for mine, theirs in (pair for pair in PAIRS if len(pair) == 2):
        ratios = times[mine][:, 0] / times[theirs][:, 0] - 1
        low, high = middle(ratios)
        processor = times[mine][:, 1].sum() / times[theirs][:, 1].sum() - 1
        say(
            f"{mine} over {theirs}: {100 * np.median(ratios):+.1f} % of the time (95 %: {100 * low:+.1f} to"
            f" {100 * high:+.1f}), {100 * processor:+.1f} % of the processor's"
        )


def middle(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the median, from 2,000 draws with replacement."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
