"""Scoring stored answers: build what a metric sees, measure, store each value or its visible failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import delete, insert, select

from core.approaches import MEASURED, ProjectSources, mark_measured
from core.errors import KurabeError
from core.identity import actor, new_id, now
from core.measures import METRICS, Case, Embed, Language, Measured, Metric, ShownPassage, measure
from core.measures.metrics.style import house_phrases
from core.models import ModelClient, embedder_for, ensure_host
from core.store import read, write
from core.store import tables as tb

from .kept import keep_results

_CHUNK = 400
"""Ids per SQL statement: SQLite allows a limited number of parameters."""


def embedder(language: str) -> Embed | None:
    """Embed texts of a language through the host; None when no embedder declares the language."""
    info = embedder_for(language)
    if info is None:
        return None

    def embed(texts: list[str]) -> list[list[float]]:
        return ModelClient(ensure_host()).embed(texts, "document", embedder=info)

    return embed


class Scorer:
    """Scores answers of one project against their examples; reads examples and gold passages once."""

    def __init__(
        self, sources: ProjectSources, metrics: Iterable[str], *, embed: Embed | None = None, load_embedder: bool = True
    ) -> None:
        """Choose the metrics by name.

        Raises:
            KurabeError: `registry.unknown`.
        """
        self.sources = sources
        self.metrics: tuple[Metric, ...] = tuple(METRICS.get(name)() for name in dict.fromkeys(metrics))
        self.language = cast(Language, sources.project.language)
        self._examples: dict[str, tb.Example] = {}
        self._gold: dict[str, frozenset[str]] = {}
        self._phrases: dict[str, tuple[str, ...]] = {}
        wants = any(metric.name == "semantic_similarity" for metric in self.metrics)
        self._embed = embed or (embedder(self.language) if wants and load_embedder else None)

    def learn(self, examples: Iterable[tb.Example]) -> None:
        """Take examples that are loaded anyway."""
        self._examples.update({example.id: example for example in examples})

    def case(self, row: tb.Answer, example: tb.Example) -> Case:
        """What a metric sees of a stored answer."""
        return Case(
            question=row.question,
            answer_text=row.text,
            language=self.language,
            reference=example.answer,
            value=example.value,
            expects=example.expects or {},
            gold=tuple(example.gold or ()),
            passages=self._passages(row),
            gold_chunks=self.gold_chunks(example),
            phrases=self._house_phrases(example.version_id),
            embed=self._embed,
        )

    def gold_chunks(self, example: tb.Example) -> frozenset[str]:
        """Chunks of the pinned index that hold the example's gold quotes; empty without an index."""
        if example.id not in self._gold:
            try:
                hits = self.sources.gold(example.gold or ()) if example.gold else ()
            except KurabeError:
                # no index (any more): quotes are then looked for in the text of the passages
                hits = ()
            self._gold[example.id] = frozenset(hit.chunk_id for hit in hits)
        return self._gold[example.id]

    def _house_phrases(self, version_id: str) -> tuple[str, ...]:
        """What the references of a dataset version share: those for training, which approaches may learn from."""
        if not any(metric.name == "style" for metric in self.metrics):
            return ()
        if version_id not in self._phrases:
            mine = select(tb.Example.answer).where(tb.Example.version_id == version_id)
            with read() as session:
                taught = list(session.scalars(mine.where(tb.Example.split == "train")))
                references = taught or list(session.scalars(mine))
            self._phrases[version_id] = house_phrases(references)
        return self._phrases[version_id]

    def _passages(self, row: tb.Answer) -> tuple[ShownPassage, ...]:
        return tuple(self._passage(chunk) for chunk in row.chunks)

    def _passage(self, chunk: dict[str, Any]) -> ShownPassage:
        """A passage as it was shown; a whole document is read in the version that the answer names."""
        name = str(chunk.get("document") or chunk.get("title") or "")
        text: str | None
        if chunk.get("chunk_id"):
            return ShownPassage(chunk_id=str(chunk["chunk_id"]), text="", document=name)
        if chunk.get("document_id"):
            text = self.sources.document_text(str(chunk["document_id"]))
        else:  # answers of earlier versions tell its number alone
            documents = self.sources.documents
            text = documents[chunk["number"] - 1].text if chunk["number"] <= len(documents) else None
        return ShownPassage(chunk_id="", text=text or "", document=name, removed=text is None)

    def score(self, rows: Sequence[tb.Answer]) -> list[dict[str, Any]]:
        """Values of all metrics for finished answers; what does not apply to a question is left out."""
        self._load([row.example_id for row in rows if row.example_id])
        found: list[dict[str, Any]] = []
        for row in rows:
            example = self._examples.get(row.example_id or "")
            if row.status != "finished" or example is None:
                continue
            case = self.case(row, example)
            for metric in self.metrics:
                measured = measure(metric, case)
                if measured.value is not None or measured.failed:
                    found.append(score_values(row, metric, measured))
        return found

    def save(self, rows: Sequence[tb.Answer]) -> list[dict[str, Any]]:
        """Score answers and replace what is stored of them; returns what was stored."""
        values = self.score(rows)
        replace_scores([row.id for row in rows], [metric.name for metric in self.metrics], values)
        return values

    def _load(self, ids: Iterable[str]) -> None:
        missing = [i for i in dict.fromkeys(ids) if i not in self._examples]
        with read() as session:
            for start in range(0, len(missing), _CHUNK):
                wanted = select(tb.Example).where(tb.Example.id.in_(missing[start : start + _CHUNK]))
                self.learn(session.scalars(wanted))


def sources_of(experiment: tb.Experiment) -> ProjectSources:
    """What an experiment's approaches read: the versions that were pinned when it was frozen."""
    return ProjectSources(
        experiment.project_id,
        index_version_id=experiment.config.get("index_version_id"),
        dataset_version_id=experiment.dataset_version_id,
        document_ids=experiment.config.get("document_ids"),
    )


def score_values(row: tb.Answer, metric: Metric, measured: Measured) -> dict[str, Any]:
    """Columns of one score."""
    return {
        "id": new_id(),
        "created_at": now(),
        "created_by": actor(),
        "project_id": row.project_id,
        "answer_id": row.id,
        "metric": metric.name,
        "metric_version": metric.version,
        "value": measured.value,
        "reason": {"code": measured.reason, "params": dict(measured.params)},
        "failed": measured.failed,
    }


def replace_scores(answer_ids: Sequence[str], metrics: Sequence[str], values: Sequence[dict[str, Any]]) -> None:
    """Replace what is stored of some metrics of some answers, in one transaction."""
    measured: set[str | None] = set()
    with write() as session:
        for start in range(0, len(answer_ids), _CHUNK):
            chunk = answer_ids[start : start + _CHUNK]
            session.execute(delete(tb.Score).where(tb.Score.answer_id.in_(chunk), tb.Score.metric.in_(metrics)))
            theirs = select(tb.Answer.experiment_id).where(tb.Answer.id.in_(chunk), tb.Answer.phase.in_(MEASURED))
            measured |= {*session.scalars(theirs.distinct())}
        if values:
            session.execute(insert(tb.Score), values)
        mark_measured(session, measured)


def score_live(row: tb.Answer, metrics: Iterable[str]) -> dict[str, Measured]:
    """Scores of one live answer to a dataset question, by metric; nothing is stored.

    Empty for a free question or an answer that is not finished. Metrics that do not apply are left out.
    """
    if row.status != "finished" or row.example_id is None:
        return {}
    scorer = Scorer(ProjectSources(row.project_id, index_version_id=row.index_version_id), metrics)
    with read() as session:
        example = session.get(tb.Example, row.example_id)
    if example is None:
        return {}
    case = scorer.case(row, example)
    measured = {metric.name: measure(metric, case) for metric in scorer.metrics}
    return {name: m for name, m in measured.items() if m.value is not None or m.failed}


def rescore(experiment_id: str, metrics: Iterable[str], on_progress: Callable[[int, int], None] | None = None) -> int:
    """Score an experiment's stored answers again, for a new metric or a new version of one; returns how many.

    Answers to probes keep their scores: general tasks are no rows of a dataset, and their job measures them.

    Raises:
        KurabeError: `store.missing`, `registry.unknown`, `evaluation.judged_metric` for one that a judge measures.
    """
    metrics = tuple(metrics)
    for name in metrics:
        if METRICS.get(name).judged:
            raise KurabeError("evaluation.judged_metric", name=name)
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
        if experiment is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        mine = tb.Answer.experiment_id == experiment_id, tb.Answer.phase.in_(MEASURED)
        wanted = select(tb.Answer.id).where(*mine, tb.Answer.status == "finished")
        ids = list(session.scalars(wanted))
    scorer = Scorer(sources_of(experiment), metrics)
    for start in range(0, len(ids), _CHUNK):
        with read() as session:
            rows = list(session.scalars(select(tb.Answer).where(tb.Answer.id.in_(ids[start : start + _CHUNK]))))
        scorer.save(rows)
        if on_progress is not None:
            on_progress(min(start + _CHUNK, len(ids)), len(ids))
    with suppress(KurabeError):  # a price that is missing by now is for the page to say; the scores are there
        keep_results(experiment_id)
    return len(ids)
