"""Presets appear when their parts do; an edited approach is a new version and is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from core.approaches import (
    PRESETS,
    ApproachSpec,
    Decoding,
    ModelChoice,
    approaches,
    check_key_name,
    ensure_presets,
    save_approach,
    spec_of_row,
    unavailable,
    why_unavailable,
)
from core.errors import KurabeError
from core.i18n import LANGUAGES
from core.i18n.catalogue import catalogue
from core.store import tables as tb
from core.store import write
from tests.approaches.world import make_project


def add_adapter(project: tb.Project, row_style: str = "plain", name: str = "first") -> tb.Adapter:
    adapter = tb.Adapter(
        project_id=project.id, name=name, base_ref="starter", base_hash="h", kind="lora", row_style=row_style,
        hash=f"k1:{name}", size=1,
    )  # fmt: skip
    with write() as session:
        session.add(adapter)
    return adapter


def test_presets_exist_as_soon_as_their_parts_do() -> None:
    project = make_project(index=False)
    assert [a.preset for a in ensure_presets(project.id)] == ["base", "few_shot", "many_shot", "whole_context"]
    assert unavailable(project.id)["rag"] == "approaches.no_index"
    add_adapter(project)
    assert "fine_tuned" in [a.preset for a in ensure_presets(project.id)]
    assert unavailable(project.id)["fine_tuned_rag"] == "approaches.no_index"
    assert unavailable(project.id)["raft"] == "approaches.no_raft_adapter"


def test_a_newer_adapter_makes_the_next_version() -> None:
    project = make_project()
    add_adapter(project)
    before = {a.preset: a for a in ensure_presets(project.id)}
    assert {a.id for a in ensure_presets(project.id)} == {a.id for a in before.values()}
    newest = add_adapter(project, name="second")
    after = {a.preset: a for a in ensure_presets(project.id)}
    assert spec_of_row(after["fine_tuned"]).model.ref == newest.id
    assert after["fine_tuned"].version == 2 and after["fine_tuned"].hash != before["fine_tuned"].hash
    assert after["base"].id == before["base"].id
    assert len(approaches(project.id, retired=True)) == len(after) + 2


def test_an_edited_preset_is_left_alone() -> None:
    project = make_project()
    rag = spec_of_row(next(a for a in ensure_presets(project.id) if a.preset == "rag"))
    edited = rag.model_copy(update={"context": {"name": "retrieved", "k": 2}, "managed": False})
    saved = save_approach(project.id, edited)
    assert saved.version == 2
    again = [a for a in ensure_presets(project.id) if a.preset == "rag"]
    assert [a.id for a in again] == [saved.id]


def test_the_hash_is_of_what_changes_answers() -> None:
    spec = ApproachSpec(name="a", preset="base", model=ModelChoice(ref="starter"))
    assert spec.hash == spec.model_copy(update={"name": "b", "managed": True}).hash
    assert spec.hash != spec.model_copy(update={"decoding": Decoding(temperature=0.5)}).hash


def test_a_bad_context_and_an_endpoint_without_address_are_refused() -> None:
    project = make_project(index=False)
    with pytest.raises(KurabeError, match=r"registry\.unknown"):
        save_approach(
            project.id, ApproachSpec(name="x", preset="rag", model=ModelChoice(ref="s"), context={"name": "retreived"})
        )
    with pytest.raises(KurabeError, match="endpoint_url"):
        save_approach(
            project.id,
            ApproachSpec(name="x", preset="endpoint", model=ModelChoice(kind="endpoint", ref="m", url="ftp:/")),
        )


def test_documents_that_do_not_fit_are_said_to_by_how_much() -> None:
    from core import knowledge

    project = make_project()
    text = "# Long\n\n" + "This sentence is here to fill the context of the model. " * 600
    knowledge.add_document(knowledge.default_kb(project.id).id, "long.md", text.encode())
    reason = why_unavailable(project.id)["whole_context"]
    assert reason["code"] == "approaches.too_long"
    assert reason["params"]["over"] == reason["params"]["needed"] - reason["params"]["budget"] > 5000


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_preset_and_every_reason_is_explained(language: Any) -> None:
    known = catalogue(language)
    for name, preset in PRESETS.items():
        assert {f"approaches.preset.{name}", f"approaches.preset.{name}.help"} <= known.keys()
        for need in preset.needs:
            assert need == "fits" or f"error.approaches.no_{need}" in known


@pytest.mark.parametrize(
    "pasted",
    ["sk-proj-abc123", "sk_live_abc123", "hf_aBcDeFgHiJ", "AKIAIOSFODNN7EXAMPLE", "1KEY", "A KEY", "K" * 65, "鍵"],
)
def test_a_key_in_the_place_of_its_name_is_refused_and_not_repeated(pasted: str) -> None:
    project = make_project()
    model = ModelChoice(kind="endpoint", ref="m", url="http://127.0.0.1:9/v1", key_name=pasted)
    with pytest.raises(KurabeError) as refused:
        save_approach(project.id, ApproachSpec(name="x", preset="endpoint", model=model))
    assert refused.value.code == "approaches.key_name" and pasted not in str(refused.value)


def test_names_of_variables_hold_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "_KEY2", None, ""):
        check_key_name(name)
    with pytest.raises(KurabeError):
        check_key_name("team_key")
    monkeypatch.setenv("team_key", "secret")
    check_key_name("team_key")
