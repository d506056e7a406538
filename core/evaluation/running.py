"""One run of an experiment: what is planned, what is still to ask, in which order, under which conditions."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import func, select, update

from core.approaches import (
    RUNNING,
    AnswerRequest,
    Decoding,
    Parts,
    Task,
    ask_all,
    ask_patiently,
    get_approach,
    load_parts,
    mark_measured,
    may_pass,
    new_row,
    perform,
    save_rows,
    store_rows,
)
from core.errors import KurabeError
from core.identity import now, process_identity
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb

from .afterwards import begin_judge
from .config import STRUCTURAL
from .kept import keep_results
from .provenance import provenance
from .reuse import Conditions, copies, reusable, sources_for
from .scoring import Scorer, sources_of

Item = TypeVar("Item")

GONE_AFTER = 30
"""Failures in a row, each of a kind that may pass, after which the server is taken to be gone."""

GONE_AT_END = 5
"""The same for the last answers of the quality phase, where no more can follow: they are not wrong, but unasked."""

BLOCKS = 3
"""How often each set of weights gets its turn in the latency phase: drift then hits all alike."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the latency phase on one set of weights."""

    weights: str
    """Name of the weights."""
    calls: tuple[tuple[str, str], ...]
    """Approach id and example id, in the order of asking."""


def latency_blocks(groups: dict[str, list[str]], example_ids: Sequence[str], seed: int) -> list[Block]:
    """Every approach on every question once, in blocks per weights whose order is drawn by lot.

    Within a block questions and, for each question, approaches come in random order.
    """
    dice = random.Random(seed)
    shuffled = list(example_ids)
    dice.shuffle(shuffled)
    blocks: list[Block] = []
    rounds = min(BLOCKS, len(shuffled))
    for number in range(rounds):
        part = shuffled[number::rounds]
        names = sorted(groups)
        dice.shuffle(names)
        for weights in names:
            calls: list[tuple[str, str]] = []
            for example_id in part:
                order = list(groups[weights])
                dice.shuffle(order)
                calls += [(approach_id, example_id) for approach_id in order]
            blocks.append(Block(weights, tuple(calls)))
    return blocks


class ExperimentRun:
    """Runs one experiment to its end, or to the next stop; everything it knows it reads from the store."""

    def __init__(self, ctx: JobContext, experiment_id: str) -> None:
        """Load the frozen experiment.

        Raises:
            KurabeError: `store.missing`; what loading an approach raises.
        """
        self.ctx = ctx
        with read() as session:
            found = session.get(tb.Experiment, experiment_id)
        if found is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        self.experiment = found
        self.config: dict[str, Any] = found.config
        self.sources = sources_of(found)
        self.examples = _examples(self.config["example_ids"])
        self.approaches = {i: get_approach(i) for i in self.config["approach_ids"]}
        self.parts: dict[str, Parts] = {}
        self.right: defaultdict[str, float] = defaultdict(float)
        self.scored: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.done = 0
        self._failing = 0

    @property
    def total(self) -> int:
        """All answers of both phases."""
        quality = len(self.examples) * self.config["repetitions"]
        return int((quality + len(self.config["latency_example_ids"])) * len(self.approaches))

    def run(self) -> dict[str, Any]:
        """Do both phases; see `jobs.run_experiment`."""
        self.ctx.progress(0, self.total, stage="loading")
        self._load()
        # one that an earlier version froze may lack those that causes and headroom rest on
        names = (self.config["primary_metric"], *self.config["metrics"], *STRUCTURAL)
        scorer = Scorer(self.sources, names)
        scorer.learn(self.examples.values())
        if not (self._quality(scorer) and self._latency(scorer)):
            return {"stopped": True}
        failed = self._finish()
        return {"experiment_id": self.experiment.id, "answers": self.total, "failed": failed}

    def _load(self) -> None:
        """Load every approach with the pinned decoding."""
        decoding = Decoding.model_validate(self.config["decoding"])
        for approach_id, approach in self.approaches.items():
            self.parts[approach_id] = load_parts(approach, self.sources, decoding)

    def _weights(self, approach_id: str) -> str:
        return self.parts[approach_id].spec.model.place

    def _by_weights(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for approach_id in self.approaches:
            groups.setdefault(self._weights(approach_id), []).append(approach_id)
        return groups

    def _stop(self) -> bool:
        return self.ctx.stop_requested() is not None

    # quality -----------------------------------------------------------------------------------

    def _quality(self, scorer: Scorer) -> bool:
        """Ask everything that is not answered, grouped by weights; False when stopped."""
        rows = self._rows("quality", list(self.examples), self.config["repetitions"])
        self.taken.update(row.approach_id for row in rows if row.taken_from is not None)
        self.failed.update(row.approach_id for row in rows if row.status == "failed")
        self._score_left(scorer, rows)
        todo = [row for row in rows if row.status in RUNNING]
        self.done = len(rows) - len(todo)
        self._tell("quality")
        place = {weights: number for number, weights in enumerate(self._by_weights())}
        order = {approach_id: number for number, approach_id in enumerate(self.approaches)}
        todo.sort(key=lambda row: (place[self._weights(row.approach_id)], order[row.approach_id]))
        for batch in ask_all(self._tasks(todo), concurrency=self.config["concurrency"], should_stop=self._stop):
            self._take(scorer, batch, "quality")
        self._unless_gone(GONE_AT_END, rows)
        return not self._stop()

    def _tasks(self, rows: Sequence[tb.Answer]) -> Iterator[Task]:
        """Hand out tasks approach by approach, the questions of the next ones embedded together."""
        for _, group in groupby(rows, key=lambda row: row.approach_id):
            for part in _parts_of(list(group), 64):
                tasks = [self._task(row) for row in part]
                tasks[0][2].expect([request.question for _, request, _ in tasks])
                yield from tasks

    def _take(self, scorer: Scorer, batch: Sequence[tb.Answer], stage: str) -> None:
        """Score a saved batch, report, and give up when the server is gone."""
        finished = [row for row in batch if row.status == "finished"]
        scores = scorer.save(finished) if finished else []
        if stage == "quality":
            self._count(scores, batch)
        self.done += sum(1 for row in batch if row.status not in RUNNING)
        self._tell(stage)
        for row in batch:
            self._failing = self._failing + 1 if row.status == "failed" and may_pass(row) else 0
        self._unless_gone(GONE_AFTER, batch)

    def _count(self, scores: Sequence[dict[str, Any]], rows: Sequence[tb.Answer]) -> None:
        """Add a batch to the provisional shares; a failed answer counts as wrong, as in the results."""
        owners = {row.id: row.approach_id for row in rows}
        self.failed.update(row.approach_id for row in rows if row.status == "failed")
        for score in scores:
            if score["metric"] == self.config["primary_metric"] and score["value"] is not None:
                self.right[owners[score["answer_id"]]] += score["value"]
                self.scored[owners[score["answer_id"]]] += 1

    def _tell(self, stage: str) -> None:
        """Report how far it is, with what is known of each approach so far."""
        partial = {
            i: {
                "right": round(self.right[i], 3),
                "scored": self.scored[i],
                "failed": self.failed[i],
                "taken": self.taken[i],
            }
            for i in self.approaches
        }
        planned = len(self.examples) * int(self.config["repetitions"])
        self.ctx.progress(self.done, self.total, stage=stage, partial=partial, planned=planned)

    def _unless_gone(self, most: int, rows: Sequence[tb.Answer]) -> None:
        """Give up after too many failures in a row; a resumed run asks them again."""
        if self._failing >= most:
            error = next((row.error for row in reversed(rows) if row.status == "failed" and may_pass(row)), None)
            reason = str((error or {}).get("code", ""))
            raise KurabeError("evaluation.server_gone", failures=self._failing, reason=reason)

    def _score_left(self, scorer: Scorer, rows: Sequence[tb.Answer]) -> None:
        """Score answers that an earlier attempt stored but did not get to score."""
        finished = {row.id: row for row in rows if row.status == "finished"}
        if not finished:
            return
        wanted = (
            select(tb.Score.answer_id, tb.Score.value)
            .join(tb.Answer, tb.Answer.id == tb.Score.answer_id)
            .where(
                tb.Answer.experiment_id == self.experiment.id,
                tb.Answer.phase == "quality",
                tb.Score.metric == self.config["primary_metric"],
            )
        )
        with read() as session:
            known: dict[str, float | None] = {i: v for i, v in session.execute(wanted)}
        for answer_id, value in known.items():
            if value is not None and answer_id in finished:
                self.right[finished[answer_id].approach_id] += value
                self.scored[finished[answer_id].approach_id] += 1
        left = [row for answer_id, row in finished.items() if answer_id not in known]
        for start in range(0, len(left), 200):
            self.ctx.progress(start, len(left), stage="scoring")
            self._count(scorer.save(left[start : start + 200]), left[start : start + 200])

    # latency -----------------------------------------------------------------------------------

    def _latency(self, scorer: Scorer) -> bool:
        """Ask a sample alone, one at a time; False when stopped."""
        ids: list[str] = self.config["latency_example_ids"]
        rows = {(row.approach_id, str(row.example_id)): row for row in self._rows("latency", ids, 1)}
        before = len(self.examples) * self.config["repetitions"] * len(self.approaches)
        self.done = before + sum(1 for row in rows.values() if row.status not in RUNNING)
        for block in latency_blocks(self._by_weights(), ids, self.config["seed"]):
            left = [rows[call] for call in block.calls if rows[call].status in RUNNING]
            if left and not self._stop():
                self._warm_up(left[0], ids)
            for row in left:
                if self._stop():
                    return False
                ask_patiently(self._task(row), self._stop, stream=True)
                save_rows([row])
                self._take(scorer, [row], "latency")
        return not self._stop()

    def _warm_up(self, row: tb.Answer, timed: Sequence[str]) -> None:
        """Ask once and throw the answer away: weights and caches are then as warm for the first as for the last.

        Another question than the timed ones: a server that keeps prompts would have this one's answer half done.
        """
        others = [i for i in self.examples if i not in timed] or [i for i in timed if i != row.example_id]
        example_id = others[0] if others else str(row.example_id)
        request = self._request(row.approach_id, example_id, "latency", 0)
        parts = self.parts[row.approach_id]
        perform(new_row(request, self.approaches[row.approach_id]), request, parts, stream=True)

    # shared ------------------------------------------------------------------------------------

    def _task(self, row: tb.Answer) -> Task:
        return (
            row,
            self._request(row.approach_id, str(row.example_id), row.phase, row.repetition),
            self.parts[row.approach_id],
        )

    def _request(self, approach_id: str, example_id: str, phase: Any, repetition: int) -> AnswerRequest:
        return AnswerRequest(
            project_id=self.experiment.project_id,
            approach_id=approach_id,
            question=self.examples[example_id].question,
            example_id=example_id,
            experiment_id=self.experiment.id,
            repetition=repetition,
            phase=phase,
        )

    def _rows(self, phase: str, example_ids: Sequence[str], repetitions: int) -> list[tb.Answer]:
        """All rows of a phase, in the planned order: found, or made pending; what was under way is asked again."""
        wanted = select(tb.Answer).where(tb.Answer.experiment_id == self.experiment.id, tb.Answer.phase == phase)
        with read() as session:
            found = {(r.approach_id, str(r.example_id), r.repetition): r for r in session.scalars(wanted)}
        planned = [
            (approach_id, example_id, repetition)
            for approach_id in self.approaches
            for example_id in example_ids
            for repetition in range(repetitions)
        ]
        owner = process_identity().as_dict()
        wanted_keys = [key for key in planned if key not in found]
        taken = self._taken(wanted_keys) if phase == "quality" else {}
        missing = [
            taken.get((a, e, r)) or new_row(self._request(a, e, phase, r), self.approaches[a], owner)
            for a, e, r in wanted_keys
        ]
        store_rows(missing)
        self._reopen(
            [row for row in found.values() if row.status in RUNNING or (row.status == "failed" and may_pass(row))]
        )
        found.update({(row.approach_id, str(row.example_id), row.repetition): row for row in missing})
        return [found[key] for key in planned]

    def _taken(self, keys: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str, int], tb.Answer]:
        """Answers that finished experiments already have, as rows of this one; see `reuse`."""
        if not keys or not self.config.get("take_over", False):
            return {}
        conditions = Conditions.of(self.experiment)
        sources = [source for source in sources_for(conditions) if source.id != self.experiment.id]
        found: dict[tuple[str, str, int], tb.Answer] = {}
        for approach_id, approach in self.approaches.items() if sources else ():
            places = [(example_id, number) for owner, example_id, number in keys if owner == approach_id]
            known = reusable(sources, conditions, self.parts[approach_id], approach.hash, places)
            rows = copies(known, self.experiment.id, approach_id)
            found |= {(approach_id, *place): row for place, row in rows.items()}
        return found

    def _reopen(self, rows: Sequence[tb.Answer]) -> None:
        """Take over rows that an earlier attempt left unfinished, and failures that may pass."""
        owner = process_identity().as_dict()
        for row in rows:
            row.status, row.text, row.reasoning, row.error, row.owner = "pending", "", "", None, owner
        values = [
            {"id": r.id, "status": "pending", "text": "", "reasoning": "", "error": None, "owner": owner} for r in rows
        ]
        if values:
            with write() as session:
                session.execute(update(tb.Answer), values)
                mark_measured(session, {self.experiment.id})

    def _finish(self) -> int:
        """Write down that it is complete and what it ran on; returns the number of failed answers."""
        self.ctx.progress(self.total, self.total, stage="finishing")
        facts = provenance(self.experiment, self.parts.values())
        mine = tb.Answer.experiment_id == self.experiment.id, tb.Answer.status == "failed"
        failed = select(func.count(tb.Answer.id)).where(*mine)
        with write() as session:
            stored = session.get(tb.Experiment, self.experiment.id)
            if stored is not None:
                stored.completed_at, stored.provenance = now(), facts
            count = session.scalar(failed) or 0
        begin_judge(self.experiment.id)
        with suppress(KurabeError):  # a price that is missing by now is for the page to say; the answers are there
            keep_results(self.experiment.id)
        return count


def _examples(ids: Sequence[str]) -> dict[str, tb.Example]:
    """Examples by id, in the given order.

    Raises:
        KurabeError: `evaluation.questions_gone` when some were deleted with their dataset.
    """
    found: dict[str, tb.Example] = {}
    with read() as session:
        for part in _parts_of(ids, 400):
            found.update({e.id: e for e in session.scalars(select(tb.Example).where(tb.Example.id.in_(part)))})
    if len(found) < len(ids):
        raise KurabeError("evaluation.questions_gone", missing=len(ids) - len(found), total=len(ids))
    return {example_id: found[example_id] for example_id in ids}


def _parts_of(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
