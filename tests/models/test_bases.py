"""Which base models there are, and what is known about them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.errors import KurabeError
from core.i18n import catalogue as sentences
from core.models import catalogue, folder_hash, remember_base, resolve_base
from core.settings import DATA


def test_the_starter_comes_first_and_lies_in_the_repository() -> None:
    first = catalogue()[0]
    assert first.ref == "starter" and first.is_practice
    assert first.folder == DATA / "starter"
    assert first.licence and set(first.languages) == {"en", "ja"}


def test_every_other_model_has_the_facts_that_a_choice_needs() -> None:
    others = catalogue()[1:]
    assert len(others) >= 20
    for model in others:
        assert model.parameters and 4e8 < model.parameters < 4e10, model.ref
        assert model.context_length and model.licence and model.languages and model.as_of, model.ref
        assert not model.is_practice
        assert model.memory_4bit_gb and model.memory_16bit_gb and model.memory_4bit_gb < model.memory_16bit_gb


def test_every_remark_of_the_catalogue_has_a_sentence_in_both_languages() -> None:
    for model in catalogue():
        for code in ("en", "ja"):
            assert not model.notes or model.notes in sentences(code)  # type: ignore[arg-type]


def test_parameters_are_counted_from_the_files() -> None:
    info = resolve_base("starter")
    size = (DATA / "starter" / "model.safetensors").stat().st_size
    assert info.parameters is not None
    assert size * 0.95 < info.parameters * 2 <= size


def test_a_folder_is_a_base_model_and_its_hash_follows_its_content(tmp_path: Path) -> None:
    copy = tmp_path / "mine"
    shutil.copytree(DATA / "starter", copy)
    same = resolve_base(str(copy))
    assert same.hash == resolve_base("starter").hash
    assert same.name == "mine" and not same.is_practice
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").chmod(0o644)
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-5}))
    assert folder_hash(copy) != same.hash


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KurabeError) as caught:
        resolve_base(str(tmp_path))
    assert caught.value.code == "models.not_a_model"
    assert "config.json" in caught.value.params["missing"]


def test_half_a_download_is_no_model(tmp_path: Path) -> None:
    copy = tmp_path / "half"
    shutil.copytree(DATA / "starter", copy)
    (copy / "model.safetensors").unlink()
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    with pytest.raises(KurabeError) as caught:
        resolve_base(str(copy))
    assert caught.value.code == "models.not_a_model"


def test_a_hub_model_that_is_not_here_is_known_but_has_no_folder() -> None:
    known = resolve_base("Qwen/Qwen3-0.6B")
    assert known.folder is None and known.parameters == 600_000_000
    strange = resolve_base("somebody/something")
    assert strange.folder is None and strange.parameters is None


@pytest.mark.parametrize("ref", ["nothing", "", "../etc", "a/b/c", "two words/x"])
def test_what_is_neither_a_folder_nor_a_hub_id_is_refused(ref: str) -> None:
    with pytest.raises(KurabeError) as caught:
        resolve_base(ref)
    assert caught.value.code == "models.unknown"


def test_a_resolved_base_is_remembered_once() -> None:
    info = resolve_base("starter")
    first = remember_base(info)
    assert remember_base(info).id == first.id
    assert first.facts["parameters"] == info.parameters
    assert "folder" not in first.facts
