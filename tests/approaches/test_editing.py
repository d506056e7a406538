"""An approach that a person makes, changes, puts away or brings back; and what it is asked with."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import datasets
from core.approaches import (
    CONTEXTS,
    PRESETS,
    AnswerRequest,
    ApproachSpec,
    Decoding,
    ModelChoice,
    ProjectSources,
    PromptChoice,
    answer,
    approaches,
    archive_approach,
    archived_approaches,
    change_approach,
    check_connection,
    comparison,
    draft,
    ensure_presets,
    find_approaches,
    free_name,
    get_approach,
    is_running,
    label_of,
    load_parts,
    make_approach,
    preview,
    restore_approach,
    spec_from,
    spec_of_row,
    start_comparison,
    trouble,
    unavailable,
    versions,
)
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, plan_experiment, results, start_experiment
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
from core.models import delete_adapter
from core.prices import enter_token_price, list_price
from core.store import tables as tb
from tests.approaches.endpoint_server import THOUGHT, Service, service
from tests.approaches.test_library import add_adapter
from tests.approaches.world import make_project

QUESTION = "How long is the warranty of the Amber Kettle?"


@pytest.fixture
def project() -> tb.Project:
    return make_project()


def preset(project: tb.Project, name: str) -> tb.Approach:
    return next(row for row in ensure_presets(project.id) if row.name == name)


def changed(spec: ApproachSpec, **changes: Any) -> ApproachSpec:
    return spec_from(spec.model_dump() | changes)


def wide(project: tb.Project) -> ApproachSpec:
    return changed(draft(project.id, "rag"), name="Wide search", context={"name": "retrieved", "k": 8})


def at(served: Service, model: str = "team-model", key_name: str | None = None) -> ModelChoice:
    return ModelChoice(kind="endpoint", ref=model, url=served.url, key_name=key_name)


def endpoint(project: tb.Project, served: Service, model: str = "team-model", **changes: Any) -> tb.Approach:
    spec = changed(draft(project.id, "endpoint"), name=f"Our {model}", model=at(served, model).model_dump(), **changes)
    return make_approach(project.id, spec)


# kinds ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PRESETS)
def test_every_kind_can_be_begun_and_has_a_free_name(kind: str, project: tb.Project) -> None:
    begun = draft(project.id, kind)
    assert begun.preset == kind and begun.model.kind in PRESETS[kind].models and not begun.managed
    assert CONTEXTS.build(begun.context).name in (PRESETS[kind].contexts or CONTEXTS.names())
    assert begun.name == free_name(project.id, begun.name)


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("rag", {"context": {"name": "none"}}, "approaches.kind_context"),
        ("rag", {"context": {"name": "retrieved", "k": 0}}, "approaches.bad_field"),
        ("rag", {"context": {"name": "retrieved", "mode": "magic"}}, "approaches.bad_field"),
        ("rag", {"context": {}}, "registry.unknown"),
        ("base", {"model": {"kind": "adapter", "ref": "a"}}, "approaches.kind_model"),
        ("fine_tuned", {"model": {"kind": "base", "ref": "starter"}}, "approaches.kind_model"),
        ("fine_tuned", {"model": {"kind": "adapter", "ref": ""}}, "approaches.no_model"),
        ("endpoint", {"model": {"kind": "endpoint", "ref": "m", "url": "example.com"}}, "approaches.endpoint_url"),
        ("endpoint", {"model": {"kind": "endpoint", "ref": "m", "url": "http://"}}, "approaches.endpoint_url"),
        (
            "endpoint",
            {"model": {"kind": "endpoint", "ref": "m", "url": "http://me:sk@a/v1"}},
            "approaches.endpoint_url",
        ),
        ("base", {"decoding": {"max_tokens": 0}}, "approaches.bad_field"),
        ("base", {"name": ""}, "approaches.bad_field"),
        ("base", {"name": "rag"}, "approaches.name_taken"),
        ("base", {"name": "retrieval"}, "approaches.name_taken"),
        ("base", {"name": "素のモデル"}, "approaches.name_taken"),
    ],
)
def test_what_could_not_answer_or_would_be_taken_for_something_else_is_refused(
    kind: str, values: dict[str, Any], code: str, project: tb.Project
) -> None:
    before = {row.id for row in ensure_presets(project.id)}
    with pytest.raises(KurabeError) as refused:
        make_approach(project.id, spec_from(draft(project.id, kind).model_dump() | {"name": "Mine"} | values))
    assert refused.value.code == code
    assert {row.id for row in approaches(project.id)} == before


# versions ------------------------------------------------------------------------------------------------------------


def test_several_of_one_kind_stand_beside_the_standard_one(project: tb.Project) -> None:
    standard, own = preset(project, "rag"), make_approach(project.id, wide(project))
    rows = ensure_presets(project.id)
    assert [row.id for row in rows if row.preset == "rag"] == [standard.id, own.id]
    assert len({label_of(row) for row in rows}) == len(rows)
    assert [row.id for row in find_approaches(project.id, ["Wide search"])] == [own.id]
    assert [row.id for row in find_approaches(project.id, ["rag"])] == [standard.id, own.id]


def test_an_own_approach_made_before_the_standard_one_does_not_keep_it_away() -> None:
    project = make_project(index=False)
    own = make_approach(project.id, wide(project))
    from core import knowledge

    knowledge.build_index(knowledge.default_kb(project.id).id, knowledge.IndexConfig(embedder="none"))
    assert {row.name for row in ensure_presets(project.id) if row.preset == "rag"} == {"rag", own.name}


def test_a_change_is_the_next_version_and_what_was_answered_stays_with_the_old_one(project: tb.Project) -> None:
    with service() as served:
        first = endpoint(project, served)
        given = answer(AnswerRequest(project.id, first.id, QUESTION))
        prompt = PromptChoice(instructions="Answer.", style="Like a pirate.")
        second = change_approach(first.id, changed(spec_of_row(first), prompt=prompt.model_dump()))
        again = answer(AnswerRequest(project.id, second.id, QUESTION))
    assert (first.version, second.version) == (1, 2) and first.hash != second.hash
    assert given.approach_id == first.id and given.approach_hash == get_approach(first.id).hash == first.hash
    assert again.messages[0] == {"role": "system", "content": "Answer.\nLike a pirate."}
    assert given.messages[0]["content"] == project.instructions
    assert [row.version for row in versions(second)] == [2, 1]
    assert [row.id for row in ensure_presets(project.id) if row.preset == "endpoint"] == [second.id]


def test_saving_without_a_change_makes_no_version_and_leaves_the_standard_one_standard(project: tb.Project) -> None:
    standard = preset(project, "rag")
    assert change_approach(standard.id, spec_of_row(standard)).id == standard.id
    assert spec_of_row(get_approach(standard.id)).managed


def test_a_standard_approach_under_a_new_name_is_one_of_its_own(project: tb.Project) -> None:
    standard = preset(project, "rag")
    own = change_approach(
        standard.id, changed(spec_of_row(standard), name="Mine", context={"name": "retrieved", "k": 2})
    )
    assert own.version == 1 and not spec_of_row(own).managed
    assert preset(project, "rag").id == standard.id


def test_who_comes_second_with_a_change_is_told_and_overwrites_nothing(project: tb.Project) -> None:
    own = make_approach(project.id, wide(project))
    mine = change_approach(own.id, changed(spec_of_row(own), context={"name": "retrieved", "k": 2}))
    with pytest.raises(KurabeError) as refused:
        change_approach(own.id, changed(spec_of_row(own), context={"name": "retrieved", "k": 3}))
    assert refused.value.code == "approaches.changed_meanwhile"
    assert [row.id for row in find_approaches(project.id, ["Wide search"])] == [mine.id]


def test_a_renamed_approach_goes_on_counting_and_a_taken_name_is_refused(project: tb.Project) -> None:
    own, other = make_approach(project.id, wide(project)), make_approach(project.id, changed(wide(project), name="B"))
    renamed = change_approach(own.id, changed(spec_of_row(own), name="Broad search"))
    assert renamed.version == 2 and get_approach(own.id).name == "Wide search"
    with pytest.raises(KurabeError, match="name_taken"):
        change_approach(other.id, changed(spec_of_row(other), name="broad  SEARCH"))


def test_a_name_for_each_language_is_shown_to_its_readers(project: tb.Project) -> None:
    own = make_approach(project.id, changed(wide(project), names={"ja": "広い検索"}))
    assert (label_of(own, "en"), label_of(own, "ja")) == ("Wide search", "広い検索")
    assert [row.id for row in find_approaches(project.id, ["広い検索"])] == [own.id]
    with pytest.raises(KurabeError, match="name_taken"):
        make_approach(project.id, changed(wide(project), name="Other", names={"ja": "広い検索"}))


def test_what_is_put_away_stays_away_until_it_is_brought_back(project: tb.Project) -> None:
    standard = preset(project, "few_shot")
    archive_approach(standard.id)
    assert "few_shot" not in {row.name for row in ensure_presets(project.id)}
    assert [row.id for row in archived_approaches(project.id)] == [standard.id]
    restore_approach(standard.id)
    assert preset(project, "few_shot").id == standard.id and archived_approaches(project.id) == []


def test_a_specification_stored_before_there_were_styles_and_second_names_has_the_same_hash() -> None:
    spec = ApproachSpec(name="a", preset="base", model=ModelChoice(ref="starter"))
    assert spec.hash == changed(spec, names={"ja": "あ"}, archived=True).hash
    old = spec.model_dump(mode="json", exclude={"name", "names", "managed", "archived", "preset"})
    del old["prompt"]["style"], old["decoding"]["top_p"]
    from core.identity import content_hash

    assert spec.hash == content_hash(old) != changed(spec, prompt={"style": "Short."}).hash


def test_an_approach_says_what_it_lacks(project: tb.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, sources = add_adapter(project), ProjectSources(project.id)
    tuned = draft(project.id, "fine_tuned")
    assert tuned.model.ref == adapter.id and trouble(tuned, sources) is None
    delete_adapter(adapter.id)
    assert (trouble(tuned, sources) or {})["code"] == "approaches.adapter_gone"
    keyed = ModelChoice(kind="endpoint", ref="m", url="http://127.0.0.1:9/v1", key_name="TEAM_SERVICE_KEY")
    spec = changed(draft(project.id, "endpoint"), model=keyed.model_dump())
    assert (trouble(spec, sources) or {})["code"] == "approaches.key_missing"
    monkeypatch.setenv("TEAM_SERVICE_KEY", "s")
    assert trouble(spec, sources) is None
    bare = ProjectSources(make_project(index=False).id)
    assert (trouble(wide(project), bare) or {})["code"] == "approaches.no_index"


# an address ----------------------------------------------------------------------------------------------------------


def test_a_service_is_found_out_before_anything_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_SERVICE_KEY", "s3cret")
    with service(key="s3cret", refuses=("seed",)) as served:
        found = check_connection(at(served, key_name="TEAM_SERVICE_KEY"))
        assert found.listed is True and found.text.startswith("team-model: ") and found.reasoning == THOUGHT
        assert found.usage is not None and found.usage.reasoning_tokens == 7
        able = found.capabilities
        assert able.chat and able.usage_in_stream and able.stop and not able.seed
        assert "seed" in found.capabilities.missing() and "s3cret" not in repr(found)
        monkeypatch.setenv("TEAM_SERVICE_KEY", "other")
        with pytest.raises(KurabeError, match="refused_key"):
            check_connection(at(served, key_name="TEAM_SERVICE_KEY"))
    with pytest.raises(KurabeError, match="unreachable"):
        check_connection(at(served, key_name="TEAM_SERVICE_KEY"))


def test_a_service_without_a_list_of_models_and_without_counts_still_answers() -> None:
    with service(models=None, usage=False) as served:
        found = check_connection(at(served, "anything"))
    assert found.listed is None and found.usage is None and found.capabilities.chat
    assert found.capabilities.usage_in_stream is False


def test_an_existing_service_counts_as_present_once_it_was_added(project: tb.Project) -> None:
    assert "endpoint" in unavailable(project.id)
    with service() as served:
        row = endpoint(project, served)
    assert "endpoint" not in unavailable(project.id)
    assert [a.id for a in ensure_presets(project.id) if a.preset == "endpoint"] == [row.id]


def test_two_models_of_one_service_are_asked_side_by_side_and_their_thinking_is_kept_apart(project: tb.Project) -> None:
    with service() as served:
        pair = [endpoint(project, served), endpoint(project, served, "team-adapter")]
        compare_id = start_comparison(project.id, QUESTION, [row.id for row in pair])
        for _ in range(300):
            if not is_running(rows := comparison(compare_id)):
                break
            time.sleep(0.1)
    assert [row.status for row in rows] == ["finished", "finished"], [row.error for row in rows]
    assert [row.text for row in rows] == [f"team-model: {QUESTION.upper()}", f"team-adapter: {QUESTION.upper()}"]
    assert all(row.reasoning == THOUGHT and row.reasoning_tokens == 7 for row in rows)


def test_a_test_run_measures_two_of_one_kind_apart_and_prices_them(project: tb.Project, tmp_path: Path) -> None:
    version = datasets.latest_version(project.id)
    assert version is not None
    enter_token_price("team-model", "1", "10")
    with service() as served:
        first, second = endpoint(project, served), endpoint(project, served, "team-adapter")
        config = ExperimentConfig(
            dataset_version_id=version.id,
            approach_ids=(first.id, second.id),
            latency_questions=0,
            decoding=Decoding(max_tokens=33, thinking=True),
        )
        experiment = start_experiment(project.id, config, launch=False)
        run_experiment(JobContext("job", {"experiment_id": experiment.id}, tmp_path, project_id=project.id))
        found = results(experiment.id)
    assert [a.name for a in found.approaches] == ["Our team-model", "Our team-adapter"]
    priced, unpriced = found.approaches
    assert priced.cost.per_answer is not None and unpriced.cost.per_answer is None
    assert priced.cost.per_answer.estimate == pytest.approx((40 * 1 + 12 * 10) / 1_000_000)
    # thinking is pinned like all decoding: asked for although neither approach wants it by itself
    assert {body["chat_template_kwargs"]["enable_thinking"] for body in served.asked} == {True}
    # what one model took says nothing about another one at the same kind of place
    config = config.model_copy(update={"take_over": False})
    costs = {p.name: p.cost for p in plan_experiment(project.id, config).approaches}
    other = endpoint(project, served, "third")
    foreseen = plan_experiment(project.id, config.model_copy(update={"approach_ids": (first.id, other.id)}))
    assert costs["Our team-model"] and [p.cost is None for p in foreseen.approaches] == [False, True]


def test_the_list_price_of_a_model_is_known_entered_or_missing() -> None:
    listed = list_price("gpt-4.1-mini")
    assert listed is not None and (listed.input, listed.output) == (Decimal("0.4"), Decimal("1.6"))
    assert list_price("team-model") is None
    enter_token_price("team-model", "0.5", "2", "contract")
    entered = list_price("team-model")
    assert entered is not None and (entered.input, entered.output) == (Decimal("0.5"), Decimal("2"))
    with pytest.raises(KurabeError, match="bad_amount"):
        enter_token_price("team-model", "free", "2")


# the prompt ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["base", "few_shot", "rag", "whole_context", "endpoint"])
def test_the_preview_is_what_is_sent(kind: str, project: tb.Project) -> None:
    with service() as served:
        spec = changed(
            draft(project.id, kind),
            name="Previewed",
            model=at(served).model_dump(),
            prompt={"instructions": "Be exact.", "house_rules": "One sentence.", "style": "Politely."},
        )
        shown = preview(project.id, spec, QUESTION)
        assert served.asked == []
        row = answer(AnswerRequest(project.id, make_approach(project.id, spec).id, QUESTION))
    assert row.status == "finished" and served.asked[-1]["messages"] == row.messages == list(shown.messages)
    assert shown.messages[0]["content"] == "Be exact.\nOne sentence.\nPolitely."


def test_the_preview_counts_with_the_models_own_tokenizer_and_starts_nothing(project: tb.Project) -> None:
    standard = preset(project, "base")
    shown = preview(project.id, spec_of_row(standard), QUESTION)
    from core.models import host_status

    template = ProjectSources(project.id).template("starter")
    assert template is not None and shown.tokens == template.count(list(shown.messages))
    assert host_status() is None


def test_a_pinned_thinking_mode_is_the_one_that_is_asked_for(project: tb.Project) -> None:
    with service() as served:
        row = endpoint(project, served)
    sources = ProjectSources(project.id)
    assert load_parts(row, sources).thinking is None
    assert load_parts(row, sources, Decoding(thinking=True)).thinking is True
