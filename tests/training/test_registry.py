"""What becomes of runs: compared, reproduced, taken elsewhere and back, deleted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from core.errors import KurabeError
from core.i18n import LANGUAGES, Language, t, use_language
from core.models import adapter_files, adapter_folder, adapters
from core.store import tables as tb
from core.store import write
from core.training import (
    compare_runs,
    delete_run,
    export_adapter,
    import_adapter,
    lineage,
    listed_rows,
    model_card,
    rename_run,
    run_view,
)
from tests.training.conftest import Begin, Known
from tests.training.weights import put_adapter


def test_an_adapter_goes_out_with_its_card_and_comes_back(begin: Begin, known: Known, tmp_path: Path) -> None:
    training = begin(epochs=1)
    training.go()
    archive = export_adapter(training.run_id, tmp_path / "adapter.zip")
    with zipfile.ZipFile(archive) as packed:
        card = packed.read(f"{training.run_id}/README.md").decode()
    assert "starter (k1:" in card and "vllm serve" in card and card == model_card(training.run_id)
    back = import_adapter(known.project, archive, "from elsewhere", base_ref="starter")
    weights = "adapter_model.safetensors"
    assert (adapter_folder(back.id) / weights).read_bytes() == (adapter_folder(training.run_id) / weights).read_bytes()
    assert adapter_files(back.id).base_hash == adapter_files(training.run_id).base_hash
    assert back.mixable and back.kind == "lora"
    assert {row.name for row in adapters(known.project)} == {"test", "from elsewhere"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_how_vllm_and_ollama_serve_each_kind(known: Known, language: Language) -> None:
    use_language(language)
    lora = model_card(put_adapter(known.project).id)
    assert "--enable-lora --max-lora-rank 64 --lora-modules tuned=./" in lora, "vLLM would refuse it at its usual 16"
    assert "convert_lora_to_gguf.py" in lora and "ADAPTER ./tuned.gguf" in lora and "ollama create" in lora
    for kind, sentence in (("dora", "merge_first"), ("prefix", "host_only")):
        card = model_card(put_adapter(known.project, kind=kind).id)
        assert card.count(t(f"training.card.{sentence}")) == 2 and "--enable-lora" not in card


def test_files_that_could_run_code_are_not_taken_in(known: Known, tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("x/adapter_config.json", json.dumps({"peft_type": "LORA"}))
        packed.writestr("x/adapter_model.bin", b"\x80")
    with pytest.raises(KurabeError, match="import_unsafe"):
        import_adapter(known.project, archive, "bad", base_ref="starter")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../../outside/adapter_config.json", json.dumps({"peft_type": "IA3"}))
        packed.writestr("../../outside/adapter_model.safetensors", b"")
    with pytest.raises(KurabeError, match="import_kind"):
        import_adapter(known.project, archive, "bad", base_ref="starter")
    assert not (tmp_path.parent / "outside").exists() and adapters(known.project) == []
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(KurabeError, match="import_unreadable"):
        import_adapter(known.project, tmp_path / "text.zip", "bad", base_ref="starter")


def test_runs_are_compared_by_what_differs(begin: Begin) -> None:
    first, second = begin(epochs=1), begin(epochs=2, seed=1)
    first.go()
    second.go()
    seen = compare_runs([first.run_id, second.run_id])
    assert seen.differing == {"epochs": [1, 2], "seed": [0, 1]}
    assert seen.outcome["steps"] == [3, 6]
    assert all(loss is not None for loss in seen.outcome["eval_loss"])


def test_a_run_is_renamed_and_deleted_with_what_it_left(begin: Begin, known: Known, home: Path) -> None:
    training = begin(epochs=1)
    training.go()
    rename_run(training.run_id, "  the good one ")
    assert run_view(training.run_id).name == "the good one"
    assert [row.name for row in lineage(training.run_id).adapters] == ["the good one"]
    with pytest.raises(KurabeError, match="bad_field"):
        rename_run(training.run_id, " ")
    delete_run(training.run_id)
    assert adapters(known.project) == [] and not (home / "adapters" / training.run_id).exists()
    with pytest.raises(KurabeError, match="no_run"):
        run_view(training.run_id)


def test_a_run_without_a_job_lists_no_rows(known: Known) -> None:
    with write() as session:
        run = tb.TrainingRun(
            project_id=known.project, name="old", dataset_version_id="v", base_ref="starter", method="lora"
        )
        session.add(run)
    assert listed_rows(run.id) == []
    with pytest.raises(KurabeError, match="no_run"):
        listed_rows("nothing")
