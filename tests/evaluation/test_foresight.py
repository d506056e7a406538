"""Forecasts before a test run: prompts are really written, prices are looked up, and every figure says its basis."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core import datasets
from core.approaches import (
    ApproachSpec,
    Decoding,
    ModelChoice,
    ProjectSources,
    approaches,
    ensure_presets,
    load_parts,
    prompter,
    save_approach,
    spec_of_row,
)
from core.evaluation import ExperimentConfig, Plan, PlannedApproach, default_config, plan_experiment
from core.models import ChatRequest, Endpoint
from core.models.client import _body
from core.store import tables as tb
from tests.approaches.world import make_project
from tests.evaluation.test_results import Written

PRICED = "openai/gpt-4o-mini"


def service(ref: str) -> ApproachSpec:
    model = ModelChoice(kind="endpoint", ref=ref, url="http://127.0.0.1:9/v1")
    return ApproachSpec(name=ref, preset="endpoint", model=model, context={"name": "retrieved", "k": 2})


def planned(project: tb.Project, **changes: Any) -> tuple[Plan, dict[str, PlannedApproach]]:
    version = datasets.latest_version(project.id)
    assert version is not None
    plan = plan_experiment(project.id, default_config(project.id, version.id, **changes))
    return plan, {p.name: p for p in plan.approaches}


def test_before_any_answer_prompts_are_written_and_answers_are_as_long_as_the_references() -> None:
    project = make_project()
    ensure_presets(project.id)
    plan, found = planned(project)
    rag = found["rag"]
    assert (rag.prompt_basis, rag.completion_basis) == ("rendered", "references")
    [row] = [a for a in approaches(project.id) if a.preset == "rag"]
    writer = prompter(spec_of_row(row), ProjectSources(project.id))
    [example, *_] = datasets.examples(str(plan_version(project)), "test")
    gathered = writer.context.gather(writer.gather_input(example.question, None))
    assert gathered.hits and writer.template is not None, "passages come from a real search"
    one = writer.template.count(writer.messages(example.question, gathered))
    assert rag.prompt_tokens == pytest.approx(one, rel=0.25)
    assert plan.tokens is not None and plan.tokens > 0
    assert (rag.cost_basis, rag.time_basis, rag.cost, rag.seconds) == ("unknown", "unknown", None, None)
    assert plan.untimed == plan.unpriced == len(plan.approaches)


def plan_version(project: tb.Project) -> str:
    version = datasets.latest_version(project.id)
    assert version is not None
    return version.id


def test_a_hosted_model_is_foreseen_at_its_list_price_before_anything_was_asked() -> None:
    project = make_project()
    for ref in (PRICED, "nobody/knows-this"):
        save_approach(project.id, service(ref))
    plan, found = planned(project)
    priced, unknown = found[PRICED], found["nobody/knows-this"]
    assert (priced.prompt_basis, priced.completion_basis, priced.cost_basis) == ("estimated", "estimated", "list")
    assert priced.cost is not None and priced.cost > 0 and priced.prompt_tokens and priced.completion_tokens
    assert (unknown.cost, unknown.cost_basis) == (None, "no_price"), "an unknown price is not zero"
    assert plan.cost == priced.cost and plan.unpriced == 1


def test_time_comes_from_earlier_answers_of_the_model_and_cost_from_its_rate() -> None:
    made = Written("base")
    for place in range(12):
        tokens = {"prompt_tokens": 100 + place, "completion_tokens": 10 + place % 3}
        seconds = tokens["prompt_tokens"] * 0.001 + tokens["completion_tokens"] * 0.01
        made.put("base", place, 1.0, **tokens, device_seconds=seconds, cost=Decimal("0.001"), currency="USD")
        made.put("base", place, None, phase="latency", total_seconds=2.0)
    project = ProjectSources(made.experiment.project_id).project
    plan, found = planned(project, latency_questions=6)
    base, few, tuned = found["base"], found["few_shot"], found["fine_tuned"]
    assert (base.prompt_basis, base.cost_basis, base.time_basis) == ("measured", "measured", "measured")
    assert base.cost == Decimal("0.001") * 18
    assert base.seconds == pytest.approx(12 * 0.215 + 6 * 2.0, rel=0.02)
    assert (few.prompt_basis, few.cost_basis, few.time_basis) == ("rendered", "device", "model")
    assert few.prompt_tokens and few.completion_tokens and few.seconds and few.cost
    one = few.prompt_tokens * 0.001 + few.completion_tokens * 0.01
    assert few.seconds == pytest.approx(12 * one + 6 * 2.0, rel=0.02), "longer prompts take longer"
    assert tuned.time_basis == "base" and plan.untimed == 0


def test_repetitions_without_a_temperature_are_warned_of() -> None:
    project = make_project()
    ensure_presets(project.id)
    cold, _ = planned(project, repetitions=3)
    warm, _ = planned(project, repetitions=3, decoding=Decoding(temperature=0.7))
    codes = [{warning["code"] for warning in plan.warnings} for plan in (cold, warm)]
    assert "alike_repetitions" in codes[0] and "alike_repetitions" not in codes[1]
    assert cold.calls == len(cold.approaches) * (3 * 12 + 12)


def test_pinned_decoding_reaches_the_server_whole() -> None:
    project = make_project()
    row = save_approach(project.id, service("m"))
    parts = load_parts(row, ProjectSources(project.id), Decoding(thinking=True, top_p=0.9, temperature=0.5))
    assert parts.thinking is True and parts.spec.decoding.top_p == 0.9
    endpoint = Endpoint(url="http://127.0.0.1:9/v1")
    assert _body(ChatRequest("m", [], top_p=0.9), endpoint)["top_p"] == 0.9
    assert "top_p" not in _body(ChatRequest("m", []), endpoint)


def test_approaches_that_were_stored_without_a_top_p_keep_their_hash() -> None:
    spec = service("m")
    stored = spec.model_dump(mode="json")
    del stored["decoding"]["top_p"], stored["prompt"]["style"]
    from core.identity import content_hash

    before = content_hash(
        {name: v for name, v in stored.items() if name not in ("name", "names", "managed", "archived", "preset")}
    )
    assert spec.hash == before
    assert spec.model_copy(update={"decoding": Decoding(top_p=0.9)}).hash != before


def test_a_judge_that_could_not_begin_is_refused_beforehand() -> None:
    from core.errors import KurabeError
    from core.evaluation import JudgeChoice, start_experiment

    project = make_project()
    ids = tuple(a.id for a in ensure_presets(project.id))
    judge = JudgeChoice(model=ModelChoice(kind="endpoint", ref="m", url="nowhere"))
    config = ExperimentConfig(dataset_version_id=plan_version(project), approach_ids=ids, judge=judge)
    with pytest.raises(KurabeError, match="endpoint_url"):
        start_experiment(project.id, config, launch=False)
