"""Questions are drawn in proportion, plans say what is known, latency order is fair."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import datasets
from core.approaches import Decoding, ensure_presets, save_approach, spec_of_row
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, default_config, draw, latency_blocks, plan_experiment, start_experiment
from core.store import tables as tb
from tests.approaches.world import make_project


def examples(sizes: dict[str, int]) -> list[tb.Example]:
    return [tb.Example(id=f"{name}{n}", slice=name, question="q") for name, size in sizes.items() for n in range(size)]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 60), min_size=1),
    st.integers(1, 120),
    st.integers(0, 5),
)
@settings(deadline=None)
def test_a_draw_keeps_the_shares_of_the_slices(sizes: dict[str, int], count: int, seed: int) -> None:
    pool = examples(sizes)
    chosen = draw(pool, count, seed)
    assert len(chosen) == min(count, len(pool))
    assert [e.id for e in chosen] == [e.id for e in pool if e in chosen]
    drawn = Counter(e.slice for e in chosen)
    for name, size in sizes.items():
        assert abs(drawn[name] - size * len(chosen) / len(pool)) < len(sizes)
        assert drawn[name] or count < len(sizes)
    assert [e.id for e in draw(pool, count, seed)] == [e.id for e in chosen]


@given(st.integers(1, 20), st.integers(0, 9))
@settings(deadline=None)
def test_every_approach_is_timed_once_on_every_question_in_mixed_order(questions: int, seed: int) -> None:
    groups = {"base": ["a", "b", "c"], "tuned": ["d", "e"]}
    ids = [f"q{n}" for n in range(questions)]
    blocks = latency_blocks(groups, ids, seed)
    calls = [call for block in blocks for call in block.calls]
    assert sorted(calls) == sorted((a, q) for group in groups.values() for a in group for q in ids)
    assert all(a in groups[block.weights] for block in blocks for a, _ in block.calls)
    assert len(blocks) == 2 * min(3, questions)


def test_a_plan_says_what_nobody_has_measured_yet() -> None:
    project = make_project()
    ensure_presets(project.id)
    version = datasets.latest_version(project.id)
    assert version is not None
    plan = plan_experiment(project.id, default_config(project.id, version.id, latency_questions=6))
    assert plan.questions == 12 and plan.calls == 6 * (12 + 6)
    assert plan.seconds is None and plan.cost is None and not plan.discordance_measured
    assert plan.smallest_detectable is None
    tokens = {p.preset: p.prompt_tokens or 0.0 for p in plan.approaches}
    assert 0 < tokens["base"] < tokens["few_shot"] < tokens["many_shot"] and tokens["rag"] > tokens["base"]
    assert {w["code"] for w in plan.warnings} == {"small_slice"}


def test_an_experiment_freezes_questions_index_decoding_and_baseline() -> None:
    project = make_project()
    made = {a.preset: a for a in ensure_presets(project.id)}
    version = datasets.latest_version(project.id)
    assert version is not None
    config = ExperimentConfig(
        dataset_version_id=version.id, approach_ids=(made["rag"].id, made["base"].id), questions=8, latency_questions=3
    )
    experiment = start_experiment(project.id, config, launch=False)
    frozen = experiment.config
    assert len(frozen["example_ids"]) == 8 and set(frozen["latency_example_ids"]) <= set(frozen["example_ids"])
    assert frozen["baseline_id"] == made["base"].id and frozen["index_version_id"]
    assert Decoding.model_validate(frozen["decoding"]) == Decoding()
    assert start_experiment(project.id, config, launch=False).hash == experiment.hash


def test_approaches_that_decode_differently_are_not_compared_by_accident() -> None:
    project = make_project()
    made = {a.preset: a for a in ensure_presets(project.id)}
    hot = spec_of_row(made["base"]).model_copy(update={"name": "hot", "decoding": Decoding(temperature=1.0)})
    other = save_approach(project.id, hot)
    version = datasets.latest_version(project.id)
    assert version is not None
    config = ExperimentConfig(dataset_version_id=version.id, approach_ids=(made["base"].id, other.id))
    with pytest.raises(KurabeError, match="decoding_differs"):
        start_experiment(project.id, config, launch=False)
    pinned = config.model_copy(update={"decoding": Decoding()})
    assert start_experiment(project.id, pinned, launch=False).config["decoding"]["temperature"] == 0
    with pytest.raises(KurabeError, match="no_questions"):
        start_experiment(project.id, pinned.model_copy(update={"split": "validation"}), launch=False)
    with pytest.raises(KurabeError, match=r"registry\.unknown"):
        start_experiment(project.id, pinned.model_copy(update={"primary_metric": "corect"}), launch=False)
