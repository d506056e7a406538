"""A store with a million answers, written as an experiment's job would have left them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import insert, text

from core.approaches import ensure_presets
from core.evaluation import ExperimentConfig, start_experiment
from core.identity import content_hash, new_id, now
from core.projects import SAMPLES
from core.settings import settings
from core.store import tables as tb
from core.store import write
from tests.approaches.test_library import add_adapter
from tests.approaches.world import make_project

RIGHT = {
    "base": 0.2, "few_shot": 0.3, "many_shot": 0.33, "rag": 0.6, "fine_tuned": 0.5, "fine_tuned_rag": 0.72,
    "raft": 0.7, "whole_context": 0.4, "oracle_context": 0.85,
}  # fmt: skip
"""Share of right answers by preset; others get one half."""
SLICES = ("warranty", "price", "origin", "category", "absent")
CATEGORIES = ("order", "return", "repair", "other")
LATENCY = 60
"""Questions asked alone."""
_BATCH = 5_000
_PASSAGE = "The warranty period of product {n} is {months} months from the day of purchase, parts and labour included. "


@dataclass(frozen=True)
class Filled:
    """What was written."""

    answers: int
    project: str
    experiment: str
    """The large one."""
    small_project: str
    small_experiment: str
    """Another project's, with a hundred questions: what a page takes that has little to show."""


def fill(answers: int, seed: int = 1) -> Filled:
    """Write half of the answers as one experiment of 5 repetitions, the rest as five of one, and a small project.

    Every experiment asks the same questions of 10 approaches. A tenth of the answers is made here; the database
    itself multiplies them, which is many times faster.
    """
    (settings().path("run") / "samples.json").write_text(json.dumps(list(SAMPLES.values())))
    project, rows = _project()
    version = _dataset(project, answers // 100)
    large = _experiment(project, version, rows, 5, seed)
    _ask(large, rows, seed)
    for number in range(1, 5):
        _multiply(large, large, number, repetition=number)
    for number in range(5, 10):
        other = _experiment(project, version, rows, 1, seed + number)
        _multiply(large, other, number, repetition=0)
        _complete(other)
    _complete(large)
    small_project, small_rows = _project()
    small = _experiment(small_project, _dataset(small_project, 100), small_rows, 1, seed)
    _ask(small, small_rows, seed)
    _complete(small)
    return Filled(answers, project.id, large.id, small_project.id, small.id)


def _project() -> tuple[tb.Project, list[tb.Approach]]:
    """Return a project with ten approaches."""
    project = make_project()
    add_adapter(project)
    add_adapter(project, "raft", name="raft")
    rows = ensure_presets(project.id)
    return project, rows + [_copy(row, number) for number, row in enumerate(rows[: 10 - len(rows)])]


def _multiply(source: tb.Experiment, target: tb.Experiment, number: int, *, repetition: int) -> None:
    """Copy the first repetition in the database; every eighth copied score of the primary metric is turned round."""
    mark = f"'f{number}' || "
    new = {
        "id": mark + "substr(id, 3)", "answer_id": mark + "substr(answer_id, 3)", "repetition": str(repetition),
        "experiment_id": f"'{target.id}'",
        "value": "CASE WHEN metric = 'correct' AND substr(id, 36, 1) IN ('0', '1') THEN 1 - value ELSE value END",
    }  # fmt: skip
    phases = "'quality'" if source is target else "'quality', 'latency'"
    answers = f"experiment_id = '{source.id}' AND repetition = 0 AND phase IN ({phases})"
    which = {"answers": answers, "scores": f"answer_id IN (SELECT id FROM answers WHERE {answers})"}
    for table in (tb.Answer.__table__, tb.Score.__table__):
        names = [f'"{column.name}"' for column in table.columns]
        values = [new.get(column.name, f'"{column.name}"') for column in table.columns]
        columns, copied = ", ".join(names), ", ".join(values)
        chosen = f"SELECT {copied} FROM {table.name} WHERE {which[table.name]}"
        with write() as session:
            session.execute(text(f"INSERT INTO {table.name} ({columns}) {chosen}"))


def _complete(experiment: tb.Experiment) -> None:
    with write() as session:
        session.get_one(tb.Experiment, experiment.id).completed_at = now()


def _copy(row: tb.Approach, number: int) -> tb.Approach:
    """Return another approach of the same kind, as a team makes one."""
    name = f"{row.name} {number + 2}"
    made = tb.Approach(
        project_id=row.project_id, name=name, preset=row.preset, version=1, hash=content_hash([row.hash, number]),
        spec={**row.spec, "name": name}, position=100 + number,
    )  # fmt: skip
    with write() as session:
        session.add(made)
    return made


def _dataset(project: tb.Project, questions: int) -> str:
    stamp = {"created_at": now(), "created_by": "benchmark", "project_id": project.id}
    dataset = tb.Dataset(project_id=project.id, name="many questions")
    with write() as session:
        session.add(dataset)
    counts = {"splits": {"test": questions}, "slices": {"test": dict.fromkeys(SLICES, questions // len(SLICES))}}
    version = tb.DatasetVersion(
        project_id=project.id, dataset_id=dataset.id, hash=f"k1:{new_id()}", ready=True, row_count=questions,
        counts=counts,
    )  # fmt: skip
    with write() as session:
        session.add(version)
    rows = (
        {
            **stamp, "id": new_id(), "version_id": version.id, "position": n, "key": str(n), "split": "test",
            "slice": (name := SLICES[n % len(SLICES)]), "question": f"What about the {name} of product {n}?",
            "answer": f"The {name} of product {n} is {n % 60} months.", "value": f"{n % 60} months",
            "expects": {"abstain": True} if name == "absent" else {}, "gold": [], "messages": [], "tags": {},
            "coverage": ("taught", "documents", "both", "neither")[n % 4],
        }
        for n in range(questions)
    )  # fmt: skip
    _insert(tb.Example, rows)
    return version.id


def _experiment(
    project: tb.Project, version: str, rows: Sequence[tb.Approach], repetitions: int, seed: int
) -> tb.Experiment:
    config = ExperimentConfig(
        dataset_version_id=version, approach_ids=tuple(row.id for row in rows), seed=seed, repetitions=repetitions,
        latency_questions=LATENCY, metrics=("correct", "token_f1", "abstention", "category", "retrieval"),
        name=f"Run {seed}",
    )  # fmt: skip
    return start_experiment(project.id, config, launch=False)


def _ask(experiment: tb.Experiment, rows: Sequence[tb.Approach], seed: int) -> None:
    """Write the first repetition of every answer, and the latency phase."""
    dice = random.Random(seed)
    for row in rows:
        answers = list(_answers(experiment, row, dice))
        _insert(tb.Answer, (answer for answer, _ in answers))
        _insert(tb.Score, (score for _, scores in answers for score in scores))


def _answers(
    experiment: tb.Experiment, approach: tb.Approach, dice: random.Random
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    share = RIGHT.get(approach.preset, 0.5)
    config = experiment.config
    for place, example_id in enumerate(config["example_ids"]):
        right = dice.random() < share
        answer = _answer(experiment, approach, example_id, place, dice, right)
        yield answer, _scores(answer, place, right, dice) if answer["status"] == "finished" else []
    for place, example_id in enumerate(config["latency_example_ids"]):
        yield {**_answer(experiment, approach, example_id, place, dice, True), "phase": "latency"}, []


def _answer(
    experiment: tb.Experiment, approach: tb.Approach, example_id: str, place: int, dice: random.Random, right: bool
) -> dict[str, Any]:
    failed = dice.random() < 0.002
    words = f"The answer to number {place} is {place % 60 if right else dice.randrange(60, 99)} months, as documented."
    passage = "".join(_PASSAGE.format(n=n, months=n % 60) for n in range(place, place + 4))
    moment = now()
    return {
        "id": new_id(), "created_at": moment, "created_by": "benchmark", "project_id": experiment.project_id,
        "experiment_id": experiment.id, "example_id": example_id, "approach_id": approach.id, "compare_id": None,
        "approach_hash": approach.hash, "phase": "quality", "repetition": 0, "question": f"What about product {place}?",
        "messages": [{"role": "system", "content": passage}, {"role": "user", "content": f"What about {place}?"}],
        "template_hash": "k1:t", "model": "starter", "model_hash": "k1:m", "index_version_id": None,
        "chunks": [], "decoding": {"temperature": 0.7}, "seed": place, "status": "failed" if failed else "finished",
        "text": "" if failed else words, "reasoning": "", "finish_reason": None if failed else "stop",
        "error": {"code": "models.timeout", "params": {}} if failed else None, "prompt_tokens": dice.randrange(80, 400),
        "cached_tokens": 0, "completion_tokens": dice.randrange(5, 40), "reasoning_tokens": 0,
        "context_tokens": dice.randrange(0, 80), "token_source": {"by": "server"},
        "spans": {"search": 0.01, "first_token": 0.1, "decode": 0.2}, "first_token_seconds": 0.1 + dice.random() / 10,
        "total_seconds": 0.3 + dice.random(), "serving": {"engine": "benchmark", "warm": True},
        "cost": Decimal(dice.randrange(100, 900)) / 10_000_000, "currency": "USD", "cost_basis": "device",
        "price_version": "v", "device_seconds": dice.random() / 10, "notes": {}, "owner": {}, "attempts": 1,
        "started_at": moment, "finished_at": moment,
    }  # fmt: skip


def _scores(answer: dict[str, Any], place: int, right: bool, dice: random.Random) -> list[dict[str, Any]]:
    kind = SLICES[place % len(SLICES)]
    values: dict[str, tuple[float, dict[str, Any]]] = {
        "correct": (float(right), {"code": "value_present" if right else "value_missing", "params": {}}),
        "token_f1": (round(dice.random(), 3), {"code": "", "params": {}}),
        "retrieval": (float(dice.random() < 0.7), {"code": "", "params": {}}),
    }
    if kind == "absent":
        values["abstention"] = (float(right), {"code": "", "params": {}})
    if kind == "category":
        wanted = CATEGORIES[place % len(CATEGORIES)]
        named = {"expected": wanted, "given": wanted if right else dice.choice(CATEGORIES)}
        values["category"] = (float(right), {"code": "category_wrong", "params": named})
    stamp = {name: answer[name] for name in ("created_at", "created_by", "project_id")}
    return [
        {**stamp, "id": new_id(), "answer_id": answer["id"], "metric": name, "metric_version": 1, "value": value,
         "reason": reason, "failed": False}
        for name, (value, reason) in values.items()
    ]  # fmt: skip


def _insert(table: type[tb.Base], rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, _BATCH)):
        with write() as session:
            session.execute(insert(table), batch)
