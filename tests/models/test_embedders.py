"""No text is embedded by a model that does not declare its language."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import KurabeError
from core.models import EmbedderInfo, embedder_for, embedders, find_embedder
from core.settings import reset_settings


def test_english_gets_the_packaged_model() -> None:
    found = embedder_for("en")
    assert found is not None
    assert found.name == "all-MiniLM-L6-v2" and found.dimension == 384 and found.hash.startswith("k1:")


def test_japanese_gets_no_model_that_cannot_read_it() -> None:
    found = embedder_for("ja")
    assert found is None or found.reads("ja")
    both = embedder_for(("en", "ja"))
    assert both is None or (both.reads("ja") and both.reads("en"))


def test_a_cached_multilingual_model_comes_before_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "models--intfloat--multilingual-e5-small" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "modules.json").write_text("[]")
    (snapshot / "model.safetensors").write_bytes(b"x")
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert [info.name for info in embedders()] == ["intfloat/multilingual-e5-small", "all-MiniLM-L6-v2"]
    chosen = embedder_for("ja")
    assert chosen is not None and chosen.folder == snapshot
    assert chosen.prepared(["猫"], "query") == ["query: 猫"]
    assert chosen.prepared(["猫"], "document") == ["passage: 猫"]


def test_full_text_alone_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_EMBEDDER", "none")
    reset_settings()
    assert embedder_for("en") is None


def test_a_named_model_that_cannot_read_the_language_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_EMBEDDER", "all-MiniLM-L6-v2")
    reset_settings()
    assert embedder_for("en") == find_embedder("all-MiniLM-L6-v2")
    with pytest.raises(KurabeError) as caught:
        embedder_for("ja")
    assert caught.value.code == "models.embedder_language"


def test_a_named_model_that_is_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_EMBEDDER", "no/such-model")
    reset_settings()
    with pytest.raises(KurabeError) as caught:
        embedder_for("en")
    assert caught.value.code == "models.embedder_missing"


def test_an_endpoints_embedder_comes_first_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_MODEL_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("KURABE_EMBEDDER", "text-embedding-3-small")
    reset_settings()
    found = embedder_for("ja")
    assert isinstance(found, EmbedderInfo)
    assert found.name == "text-embedding-3-small" and found.folder is None and found.hash.startswith("k1:")
