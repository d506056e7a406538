"""The job that asks again under changed circumstances; resumable anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import case, select, update

from core.approaches import RUNNING, AnswerRequest, Decoding, Parts, Task, ask_all, load_parts, may_pass
from core.identity import process_identity
from core.jobs import JobContext
from core.measures import METRICS, PRIMARY, measure
from core.store import read, write
from core.store import tables as tb

from ..gone import Watch
from ..scoring import Scorer, replace_scores, score_values, sources_of
from .config import RobustnessConfig
from .planning import Looked, look, requests
from .probes import abilities, ability_case

_BATCH = 200
"""Answers that are scored at once when a job goes on."""


def run_robustness(ctx: JobContext) -> dict[str, Any]:
    """Ask what is open of the probes in the payload's configuration, and score it.

    Returns:
        `{"experiment_id", "answers", "failed"}`, or `{"stopped": True}`.

    Raises:
        KurabeError: as `look`, what loading an approach raises, and `evaluation.server_gone`: a resumed job asks
            again what failed in a way that may pass.
    """
    config = RobustnessConfig.model_validate(ctx.payload["config"])
    looked = look(config)
    ctx.progress(0, None, stage="loading")
    scorer, watch = _scorer(looked), Watch()
    _score_left(scorer, looked, config)
    tasks, known = _tasks(config, looked)
    done = known - len(tasks)
    for batch in ask_all(tasks, concurrency=config.concurrency, should_stop=lambda: ctx.stop_requested() is not None):
        _score(scorer, looked, batch)
        done += len(batch)
        ctx.progress(done, known, stage="robustness")
        watch.take(batch)
    if ctx.stop_requested() is not None:
        return {"stopped": True}
    watch.end(known)
    wanted = select(tb.Answer.id).where(
        tb.Answer.experiment_id == config.experiment_id,
        tb.Answer.phase.in_(list(config.probes)),
        tb.Answer.status == "failed",
    )
    with read() as session:
        failed = len(list(session.scalars(wanted)))
    return {"experiment_id": config.experiment_id, "answers": known, "failed": failed}


def _scorer(looked: Looked) -> Scorer:
    experiment = looked.experiment
    scorer = Scorer(sources_of(experiment), (experiment.config["primary_metric"],))
    scorer.learn(looked.examples)
    return scorer


def _tasks(config: RobustnessConfig, looked: Looked) -> tuple[list[Task], int]:
    """What is open, taken over by this process, and how many answers there are in all."""
    sources = _scorer(looked).sources
    usual = Decoding.model_validate(looked.experiment.config["decoding"])
    # without a seed of its own each repetition gets another one: a pinned one would make them all alike
    warm = usual.model_copy(update={"temperature": config.temperature, "seed": None})
    parts: dict[tuple[str, bool], Parts] = {}
    wanted = select(tb.Answer).where(
        tb.Answer.experiment_id == config.experiment_id, tb.Answer.phase.in_(list(config.probes))
    )
    with read() as session:
        rows = {(r.phase, r.approach_id, r.example_id, r.repetition): r for r in session.scalars(wanted)}
    tasks: list[Task] = []
    for request in requests(config, looked):
        row = rows.get((request.phase, request.approach_id, request.example_id, request.repetition))
        if row is None or not (row.status in RUNNING or (row.status == "failed" and may_pass(row))):
            continue
        key = (request.approach_id, request.phase == "repeated")
        if key not in parts:
            parts[key] = load_parts(looked.approaches[request.approach_id], sources, warm if key[1] else usual)
        tasks.append((row, _unlabelled(request), parts[key]))
    _own([row for row, _, _ in tasks])
    return tasks, len(rows)


def _unlabelled(request: AnswerRequest) -> AnswerRequest:
    """A general task is no row of a dataset: nobody may look one up for it."""
    return replace(request, example_id=None) if request.phase == "abilities" else request


def _own(rows: list[tb.Answer]) -> None:
    owner = process_identity().as_dict()
    for row in rows:
        row.status, row.text, row.reasoning, row.error, row.owner = "pending", "", "", None, owner
    if rows:
        with write() as session:
            opened = {"status": "pending", "text": "", "reasoning": "", "error": None, "owner": owner}
            session.execute(update(tb.Answer), [{"id": row.id, **opened} for row in rows])


def _score_left(scorer: Scorer, looked: Looked, config: RobustnessConfig) -> None:
    """Score answers that an earlier attempt stored but did not get to score."""
    metric = looked.experiment.config["primary_metric"]
    named = case((tb.Answer.phase == "abilities", PRIMARY), else_=metric)
    scored = select(tb.Score.id).where(tb.Score.answer_id == tb.Answer.id, tb.Score.metric == named)
    left = select(tb.Answer).where(
        tb.Answer.experiment_id == config.experiment_id,
        tb.Answer.phase.in_(list(config.probes)),
        tb.Answer.status == "finished",
        ~scored.exists(),
    )
    with read() as session:
        rows = list(session.scalars(left))
    for start in range(0, len(rows), _BATCH):
        _score(scorer, looked, rows[start : start + _BATCH])


def _score(scorer: Scorer, looked: Looked, batch: list[tb.Answer]) -> None:
    """Store the primary metric of dataset questions, and of general tasks whether they state their value."""
    scorer.save([row for row in batch if row.phase != "abilities" and row.status == "finished"])
    general = [row for row in batch if row.phase == "abilities" and row.status == "finished"]
    tasks, metric = abilities(looked.language), METRICS.get(PRIMARY)()
    values = [
        score_values(row, metric, measure(metric, ability_case(tasks[str(row.example_id)], row.text, scorer.language)))
        for row in general
        if row.example_id in tasks
    ]
    if general:
        replace_scores([row.id for row in general], [metric.name], values)
