"""A changed approach re-runs only itself: what a finished experiment has is taken over, marked, and never timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core import datasets, knowledge
from core.approaches import (
    ApproachSpec,
    Decoding,
    PromptChoice,
    approaches,
    ensure_presets,
    save_approach,
    spec_of_row,
)
from core.evaluation import (
    ExperimentConfig,
    answer_scores,
    experiments,
    export_rows,
    plan_experiment,
    results,
    start_experiment,
)
from core.evaluation.jobs import run_experiment
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.world import make_project
from tests.evaluation.test_experiment import answers, context


class Again:
    """A project in which test runs are made one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.project = folder, make_project()
        ensure_presets(self.project.id)
        version = datasets.latest_version(self.project.id)
        assert version is not None
        self.version_id = version.id

    def ids(self, *presets: str) -> tuple[str, ...]:
        made = {a.preset: a.id for a in approaches(self.project.id)}
        return tuple(made[p] for p in presets)

    def config(self, *presets: str, **changes: Any) -> ExperimentConfig:
        values = {"dataset_version_id": self.version_id, "approach_ids": self.ids(*presets), "latency_questions": 0}
        return ExperimentConfig(**{**values, **changes})

    def run(self, *presets: str, **changes: Any) -> tb.Experiment:
        made = start_experiment(self.project.id, self.config(*presets, **changes), launch=False)
        folder = self.folder / made.id
        folder.mkdir()
        assert run_experiment(context(made, folder))["failed"] == 0
        return made

    def change(self, preset: str, **changes: Any) -> ApproachSpec:
        [row] = [a for a in approaches(self.project.id) if a.preset == preset]
        spec = spec_of_row(row).model_copy(update={**changes, "managed": False})
        save_approach(self.project.id, spec)
        return spec


@pytest.fixture
def again(served: Served, tmp_path: Path) -> Again:
    return Again(tmp_path)


def by_approach(experiment: tb.Experiment, phase: str = "quality") -> dict[str, list[tb.Answer]]:
    with read() as session:
        names = {a.id: a.preset for a in session.query(tb.Approach)}
    found: dict[str, list[tb.Answer]] = {}
    for row in answers(experiment).values():
        if row.phase == phase:
            found.setdefault(names[row.approach_id], []).append(row)
    return found


def test_an_experiment_with_one_changed_approach_asks_only_that_approach_again(again: Again) -> None:
    first = again.run("base", "few_shot", "rag", latency_questions=3)
    again.change("few_shot", prompt=PromptChoice(instructions="Answer in one word."))
    config = again.config("base", "few_shot", "rag", latency_questions=3)
    plan = plan_experiment(again.project.id, config)
    assert {p.preset: (p.calls, p.taken) for p in plan.approaches} == {
        "base": (3, 12), "few_shot": (15, 0), "rag": (3, 12),
    }  # fmt: skip
    second = again.run("base", "few_shot", "rag", latency_questions=3)
    before, after = by_approach(first), by_approach(second)
    assert {row.taken_from for row in after["few_shot"]} == {None}
    for preset in ("base", "rag"):
        originals = {row.id: row for row in before[preset]}
        assert {row.taken_from for row in after[preset]} == {first.id}
        for row in after[preset]:
            old = originals[row.notes["taken_over"]["answer_id"]]
            kept = (
                "text",
                "messages",
                "chunks",
                "seed",
                "cost",
                "device_seconds",
                "spans",
                "finished_at",
                "model_hash",
            )
            assert all(getattr(row, name) == getattr(old, name) for name in kept) and row.id != old.id
            old_scores, new_scores = ({s.metric: s.value for s in answer_scores(i)} for i in (old.id, row.id))
            assert old_scores == new_scores and new_scores
    timed = by_approach(second, "latency")
    assert {preset: len(rows) for preset, rows in timed.items()} == {"base": 3, "few_shot": 3, "rag": 3}
    assert all(row.taken_from is None for rows in timed.values() for row in rows), "waiting times are never taken over"
    spent = results(second.id).spending
    assert spent is not None and (spent.asked, spent.taken) == (12 + 9, 24)
    assert spent.taken_from == {first.id: 24}
    exported = [row for row in export_rows(second.id) if row["phase"] == "quality"]
    assert sum(row["taken_from"] == first.id for row in exported) == 24


def test_costs_stay_those_of_the_answers_and_the_runs_own_spending_stands_apart(again: Again) -> None:
    first = again.run("base", "rag")
    second = again.run("base", "rag")
    old, new = results(first.id), results(second.id)
    assert [a.cost for a in old.approaches] == [a.cost for a in new.approaches]
    assert new.spending is not None and old.spending is not None
    assert new.spending.asked == 0 and new.spending.cost is None and old.spending.taken == 0
    assert new.spending.taken_cost == pytest.approx(old.spending.cost)
    third = again.run("base", "rag", take_over=False)
    spent = results(third.id).spending
    assert spent is not None and (spent.asked, spent.taken) == (24, 0), "a person may have everything asked anew"


def test_what_was_taken_over_names_where_it_was_asked_first(again: Again) -> None:
    first = again.run("base")
    again.run("base", questions=8)
    third = again.run("base")
    rows = by_approach(third)["base"]
    assert {row.taken_from for row in rows} == {first.id}
    assert {row.notes["taken_over"]["experiment_id"] for row in rows} == {first.id}


def test_further_repetitions_are_asked_and_those_there_are_kept(again: Again) -> None:
    warm = Decoding(temperature=0.9, top_p=0.95, max_tokens=12)
    first = again.run("base", decoding=warm, repetitions=2, questions=6)
    second = again.run("base", decoding=warm, repetitions=3, questions=6)
    rows = by_approach(second)["base"]
    assert {row.repetition: row.taken_from for row in rows} == {0: first.id, 1: first.id, 2: None}
    assert len({row.seed for row in rows}) == 18, "no seed is used twice"
    assert all(row.decoding["top_p"] == 0.95 for row in rows)


def test_failed_and_stopped_answers_are_asked_again(again: Again) -> None:
    first = again.run("base")
    failed, stopped, *_ = by_approach(first)["base"]
    with write() as session:
        session.execute(update(tb.Answer).where(tb.Answer.id == failed.id).values(status="failed"))
        session.execute(update(tb.Answer).where(tb.Answer.id == stopped.id).values(status="stopped"))
    second = again.run("base")
    asked = {row.example_id for row in by_approach(second)["base"] if row.taken_from is None}
    assert asked == {failed.example_id, stopped.example_id}


def test_an_unfinished_experiment_lends_nothing(again: Again) -> None:
    first = again.run("base")
    with write() as session:
        session.execute(update(tb.Experiment).where(tb.Experiment.id == first.id).values(completed_at=None))
    assert plan_experiment(again.project.id, again.config("base")).taken == 0


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"decoding": Decoding(max_tokens=20)}, {"take_over": False}],
    ids=["seed", "decoding", "off"],
)
def test_under_other_conditions_everything_is_asked(again: Again, changes: dict[str, Any]) -> None:
    again.run("base")
    assert plan_experiment(again.project.id, again.config("base", **changes)).taken == 0


def test_with_other_documents_what_reads_them_is_asked_again(again: Again) -> None:
    again.run("base", "rag", "whole_context")
    kb = knowledge.default_kb(again.project.id)
    knowledge.add_document(kb.id, "News.md", b"# News\n\nThe shop is closed on Mondays.\n")
    knowledge.build_index(kb.id, knowledge.IndexConfig(embedder="none"))
    plan = plan_experiment(again.project.id, again.config("base", "rag", "whole_context"))
    assert {p.preset: p.taken for p in plan.approaches} == {"base": 12, "rag": 0, "whole_context": 0}
    second = again.run("base", "rag", "whole_context")
    taken = {preset: sum(r.taken_from is not None for r in rows) for preset, rows in by_approach(second).items()}
    assert taken == {"base": 12, "rag": 0, "whole_context": 0}


def test_answers_of_other_software_or_another_machine_are_not_taken_over(again: Again) -> None:
    first = again.run("base")
    with write() as session:
        stored = session.get_one(tb.Experiment, first.id)
        stored.provenance = {**stored.provenance, "machine": {**stored.provenance["machine"], "cores": 999}}
    assert plan_experiment(again.project.id, again.config("base")).taken == 0


def test_a_judge_chosen_beforehand_is_there_when_the_last_answer_is(again: Again) -> None:
    from core.approaches import ModelChoice
    from core.evaluation import JudgeChoice, judgings

    judge = JudgeChoice(model=ModelChoice(ref="starter", base_ref="starter"), metrics=("relevance",))
    plan = plan_experiment(again.project.id, again.config("base", "few_shot", judge=judge))
    assert plan.judge is not None and plan.judge.calls == 12 * (2 + 2) and plan.judge.tokens > 0
    made = again.run("base", "few_shot", judge=judge)
    [judging] = judgings(made.id)
    assert judging.config["metrics"] == ["relevance"] and judging.config["model"]["ref"] == "starter"
    assert [row.id for row in experiments(again.project.id)] == [made.id]


def test_progress_tells_the_shares_so_far_of_every_approach(again: Again) -> None:
    first = again.run("base")
    made = start_experiment(again.project.id, again.config("base", "few_shot"), launch=False)
    told: list[dict[str, Any]] = []
    ctx = context(made, again.folder)
    original = ctx.progress

    def progress(done: float, total: float | None, stage: str = "", **data: Any) -> None:
        original(done, total, stage, **data)
        told.append({"done": done, "stage": stage, **data})

    ctx.progress = progress  # type: ignore[method-assign]  # it looks on, and passes everything on
    run_experiment(ctx)
    ids = dict(zip(("base", "few_shot"), again.ids("base", "few_shot"), strict=True))
    begun = next(event for event in told if event["stage"] == "quality")
    assert begun["done"] == 12 and begun["planned"] == 12, "what is taken over needs no asking"
    assert begun["partial"][ids["base"]]["taken"] == 12 and begun["partial"][ids["base"]]["scored"] == 12
    assert begun["partial"][ids["few_shot"]] == {"right": 0.0, "scored": 0, "failed": 0, "taken": 0}
    last = [event for event in told if event["stage"] == "quality"][-1]["partial"]
    found = {a.preset: a.correct.estimate for a in results(made.id).approaches if a.correct}
    assert {p: round(last[ids[p]]["right"] / 12, 3) for p in ids} == {p: round(v, 3) for p, v in found.items()}
    assert results(first.id).complete
