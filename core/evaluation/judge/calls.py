"""Which calls a judge gets: every pair in both orders, every metric on every answer that it applies to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from sqlalchemy import or_, select

from core.errors import KurabeError
from core.identity import match_key
from core.knowledge import get_chunks
from core.measures import METRICS, Case, JudgedMetric
from core.measures.metrics.rubric import USUAL
from core.prompting import Message, pair_prompt
from core.store import read
from core.store import tables as tb

from ..config import JudgeChoice
from ..planning import draw
from ..scoring import Scorer, sources_of
from .config import PAIR, JudgeConfig

_CHUNKS = 400
"""Passages that are read from an index at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """One question to the judge."""

    kind: str
    example_id: str
    answer_id: str
    messages: list[Message]
    other_id: str = ""
    swapped: bool = False
    part: int = 0


@dataclass(slots=True)
class Material:
    """Everything that one judging reads: answers, references, passages."""

    experiment: tb.Experiment
    config: JudgeConfig
    answers: dict[str, dict[str, tb.Answer]] = field(default_factory=dict)
    """By question and approach: finished, first repetition, quality phase."""
    examples: dict[str, tb.Example] = field(default_factory=dict)
    scorer: Scorer = field(init=False)
    metrics: tuple[JudgedMetric, ...] = ()
    texts: dict[str, str] | None = None
    """What the passages say, by chunk; read when a metric first asks."""

    @classmethod
    def load(cls, config: JudgeConfig) -> Material:
        """Read it all.

        Raises:
            KurabeError: `store.missing`, `registry.unknown`, `judge.metric` for a metric that takes no judge,
                `judge.nothing` when there is no answer to judge.
        """
        with read() as session:
            experiment = session.get(tb.Experiment, config.experiment_id)
        if experiment is None:
            raise KurabeError("store.missing", kind="experiment", id=config.experiment_id)
        made = cls(experiment, config)
        made.metrics = judged_metrics(config)
        made._read()
        made.scorer = Scorer(sources_of(experiment), ())
        made.scorer.learn(made.examples.values())
        return made

    def _read(self) -> None:
        ids: list[str] = list(self.experiment.config["example_ids"])
        wanted = select(tb.Example).where(
            tb.Example.version_id == self.experiment.dataset_version_id, tb.Example.split == self.experiment.split
        )
        answers = select(tb.Answer).where(
            tb.Answer.experiment_id == self.experiment.id,
            tb.Answer.phase == "quality",
            tb.Answer.repetition == 0,
            tb.Answer.status == "finished",
        )
        with read() as session:
            known = {example.id: example for example in session.scalars(wanted)}
            asked = [known[i] for i in ids if i in known]
            self.examples = {e.id: e for e in draw(asked, self.config.questions, self.config.seed)}
            for row in session.scalars(answers.order_by(tb.Answer.id)):
                if row.example_id in self.examples:
                    self.answers.setdefault(str(row.example_id), {})[row.approach_id] = row
        if not self.answers:
            raise KurabeError("judge.nothing", experiment=self.experiment.name)

    @property
    def language(self) -> str:
        """Language in which the judge is asked: the project's."""
        return str(self.scorer.language)

    def case(self, row: tb.Answer) -> Case:
        """What a metric sees of an answer, with the text of the passages that it read."""
        case = self.scorer.case(row, self.examples[str(row.example_id)])
        texts = self._chunk_texts()
        shown = [replace(passage, text=texts.get(passage.chunk_id, passage.text)) for passage in case.passages]
        return replace(case, passages=tuple(shown))

    def _chunk_texts(self) -> dict[str, str]:
        """Text of every passage that an answer read; those whose index is gone are left out."""
        if self.texts is None:
            self.texts = {}
            wanted: dict[str, set[str]] = {}
            for rows in self.answers.values():
                for row in rows.values():
                    ids = {str(chunk["chunk_id"]) for chunk in row.chunks if chunk.get("chunk_id")}
                    if row.index_version_id:
                        wanted.setdefault(row.index_version_id, set()).update(ids)
            for index_id, ids in wanted.items():
                self.texts.update(_texts(index_id, sorted(ids)))
        return self.texts

    def pairs(self) -> tuple[list[tuple[tb.Answer, tb.Answer]], list[tuple[tb.Answer, tb.Answer]]]:
        """Pairs of answers to judge, and those with the same words: ties that nobody need be asked about.

        The approach in question comes first, the baseline last.
        """
        if self.config.pairs == "none":
            return [], []
        baseline = self.experiment.config["baseline_id"]
        order = [i for i in self.experiment.config["approach_ids"] if i != baseline] + [baseline]
        voted = _voted(self.experiment.id)
        asked: list[tuple[tb.Answer, tb.Answer]] = []
        same: list[tuple[tb.Answer, tb.Answer]] = []
        for example_id in self.examples:
            rows = self.answers.get(example_id, {})
            for one, two in combinations([rows[i] for i in order if i in rows], 2):
                planned = self.config.pairs == "all" or two.approach_id == baseline
                if planned or frozenset((one.id, two.id)) in voted:
                    (same if match_key(one.text) == match_key(two.text) else asked).append((one, two))
        return asked, same

    def calls(self) -> Iterator[Call]:
        """Every call, pairs first, in the order of the questions."""
        rubric = self.config.rubric.strip() or USUAL["ja" if self.language == "ja" else "en"]
        for one, two in self.pairs()[0]:
            reference = self.examples[str(one.example_id)].answer
            for swapped in (False, True):
                shown = (two.text, one.text) if swapped else (one.text, two.text)
                messages = pair_prompt(self.language, rubric, one.question, *shown, reference)
                yield Call(PAIR, str(one.example_id), one.id, messages, two.id, swapped)
        for example_id in self.examples if self.metrics else ():
            for row in self.answers.get(example_id, {}).values():
                case = self.case(row)
                for metric in self.metrics:
                    for part, messages in enumerate(metric.asks(case)):
                        yield Call(metric.name, example_id, row.id, messages, part=part)


def judged_metrics(config: JudgeConfig | JudgeChoice) -> tuple[JudgedMetric, ...]:
    """The metrics of a judging, with its rubric.

    Raises:
        KurabeError: `registry.unknown`, `judge.metric`.
    """
    made: list[JudgedMetric] = []
    for name in dict.fromkeys(config.metrics):
        kind = METRICS.get(name)
        if not issubclass(kind, JudgedMetric):
            raise KurabeError("judge.metric", name=name, known=", ".join(judged_names()))
        fields: dict[str, Any] = {"text": config.rubric} if name == "rubric" else {}
        made.append(kind(**fields))
    return tuple(made)


def judged_names() -> list[str]:
    """Names of all metrics that take a judge."""
    return [name for name, kind in METRICS.all().items() if kind.judged]


def _texts(index_id: str, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for start in range(0, len(ids), _CHUNKS):
            found.update({hit.chunk_id: hit.text for hit in get_chunks(index_id, list(ids[start : start + _CHUNKS]))})
    except KurabeError:
        return {}  # the source was removed: nothing can be held against it any more
    return found


def _voted(experiment_id: str) -> set[frozenset[str]]:
    """Pairs of answers of an experiment that people voted on."""
    first, second = tb.Vote.left_answer_id, tb.Vote.right_answer_id
    of_it = select(tb.Answer.id).where(tb.Answer.experiment_id == experiment_id)
    wanted = select(first, second).where(tb.Vote.kind == "preference", or_(first.in_(of_it), second.in_(of_it)))
    with read() as session:
        return {frozenset((left, right)) for left, right in session.execute(wanted) if right}


def count_by_kind(calls: Sequence[Call]) -> dict[str, int]:
    """Calls by kind."""
    return dict(Counter(call.kind for call in calls))
