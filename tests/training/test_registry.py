"""What becomes of runs: compared, reproduced, taken elsewhere and back, deleted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.approaches import ProjectSources, ensure_presets, spec_of_row
from core.errors import KurabeError
from core.i18n import LANGUAGES, Language, t, use_language
from core.jobs import JobContext
from core.models import adapter_files, adapter_folder, adapters, delete_adapter
from core.store import tables as tb
from core.store import write
from core.training import (
    approaches_with,
    archive_run,
    compare_runs,
    delete_run,
    demote_run,
    export_adapter,
    import_adapter,
    lineage,
    listed_rows,
    model_card,
    note_run,
    promote_run,
    promoted_adapter,
    record_told,
    rename_run,
    run_named,
    run_record,
    run_view,
    runs,
    unarchive_run,
)
from core.training.trainer.outcome import finish_record
from core.training.trainer.task import load_task
from tests.training.conftest import Begin, Known
from tests.training.weights import put_adapter, put_run


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


def test_the_card_says_what_hubs_read_and_how_it_was_trained(known: Known) -> None:
    adapter = put_adapter(known.project, facts={}, training_run_id=None)
    card = model_card(adapter.id)
    assert card.startswith('---\nlibrary_name: "peft"\nlicense: "apache-2.0"\n') and "base_model:" not in card
    with write() as session:
        row = session.get_one(tb.Adapter, adapter.id)
        row.base_ref, row.licence = "Qwen/Qwen3-0.6B", 'Our "own" terms'
    card = model_card(adapter.id)
    assert 'base_model: "Qwen/Qwen3-0.6B"\n' in card and 'license_name: "Our \\"own\\" terms"\n' in card
    run = put_run(known.project, known.version)
    with write() as session:
        session.get_one(tb.TrainingRun, run.id).result = {
            "kept_step": 1200, "packages": {"trl": "1.16.0"}, "samples": 4, "samples_differing": 3
        }  # fmt: skip
    card = model_card(str(run.adapter_id))
    for name, value in (("steps", "1,200"), ("packages", "trl 1.16.0")):
        assert f"| {t(f'training.card.{name}')} | {value} |" in card
    assert t("training.proof", differing=3, questions=4) in card and f"{t('training.field.rank')} 16" in card


def save_lora(folder: Path, layer: str, outputs: int, inputs: int, rank: int = 2) -> None:
    """Write a small adapter of one layer as peft does."""
    folder.mkdir(exist_ok=True)
    name = f"base_model.model.{layer}"
    pair = {f"{name}.lora_A.weight": torch.ones(rank, inputs), f"{name}.lora_B.weight": torch.ones(outputs, rank)}
    save_file(pair, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank}))


def test_an_adapter_that_does_not_fit_the_base_or_is_cut_short_is_not_taken_in(known: Known, tmp_path: Path) -> None:
    layer = "model.layers.0.mlp.down_proj"
    save_lora(tmp_path / "fits", layer, 192, 512)
    assert import_adapter(known.project, tmp_path / "fits", "fits", base_ref="starter").kind == "lora"
    for outputs, inputs in ((192, 768), (256, 512)):
        save_lora(tmp_path / "other", layer, outputs, inputs)
        with pytest.raises(KurabeError, match="import_shape") as caught:
            import_adapter(known.project, tmp_path / "other", "other", base_ref="starter")
        assert caught.value.params["layer"] == "layers.0.mlp.down_proj"
        assert (caught.value.params["found"], caught.value.params["expected"]) in ((768, 512), (256, 192))
    save_lora(tmp_path / "torn", layer, 192, 512)
    weights = tmp_path / "torn" / "adapter_model.safetensors"
    whole = weights.read_bytes()
    for kept in (4, 100, len(whole) - 1):
        weights.write_bytes(whole[:kept])
        with pytest.raises(KurabeError, match="import_unreadable"):
            import_adapter(known.project, tmp_path / "torn", "torn", base_ref="starter")
    assert [row.name for row in adapters(known.project)] == ["fits"]


def test_a_run_has_a_record_of_what_it_rests_on_and_took(begin: Begin, known: Known) -> None:
    training = begin(epochs=1, sample_questions=0)
    result = training.go()
    record = run_record(run_view(training.run_id))
    assert record.dataset_hash == "k1:Aster" and str(record.base_hash).startswith("k1:")
    assert record.packages["trl"] and record.device in ("cpu", "cuda") and record.attempts == 1
    assert record.adapter_hash == adapter_files(training.run_id).hash and record.config_hash.startswith("k1:")
    assert (record.peak_memory_bytes or 0) > 1 << 20 and (record.device_seconds or 0) > 0
    assert record.samples == 2 and record.samples_differing is not None, "compared, though no samples were asked for"
    assert training.events("samples") == [] and result["samples"] == 2
    said = record_told(record)
    assert "k1:Aster" in said[t("training.setting.dataset_version_id")] and t("training.record.cost") in said


def test_a_run_is_named_by_the_ends_of_its_id(known: Known) -> None:
    first, second = (put_run(known.project, known.version, name) for name in ("one", "two"))
    assert [run_named(text) for text in (first.id, first.id[-12:], second.id[:-1])] == [first.id, first.id, second.id]
    for text, code in ((first.id[:6], "several_runs"), ("nothing", "no_run"), ("", "no_run")):
        with pytest.raises(KurabeError, match=code):
            run_named(text)


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


def test_a_note_is_kept_replaced_and_bounded(known: Known) -> None:
    run = put_run(known.project, known.version)
    note_run(run.id, "  Best so far.\nAsk Mika.  ")
    assert run_view(run.id).note == "Best so far.\nAsk Mika."
    note_run(run.id, "")
    assert run_view(run.id).note == ""
    with pytest.raises(KurabeError, match="bad_field"):
        note_run(run.id, "x" * 4001)


def test_what_people_write_about_a_run_while_it_goes_is_kept(known: Known, tmp_path: Path) -> None:
    run = put_run(known.project, known.version)
    task = load_task(JobContext("job", {"run_id": run.id}, tmp_path))
    rename_run(run.id, "renamed")
    note_run(run.id, "Watch this one.")
    with write() as session:
        session.get_one(tb.Adapter, run.adapter_id).id = run.id  # as the trainer leaves it
    finish_record(task, {"warnings": [], "ended": "budget"})
    seen = run_view(run.id)
    assert (seen.name, seen.note, seen.adapter_id) == ("renamed", "Watch this one.", run.id)


def test_an_adapter_deleted_while_its_run_was_stopped_is_back_when_the_run_has_ended(
    known: Known, tmp_path: Path
) -> None:
    run = put_run(known.project, known.version)
    task = load_task(JobContext("job", {"run_id": run.id}, tmp_path))
    with write() as session:
        session.get_one(tb.Adapter, run.adapter_id).id = run.id  # as the trainer leaves it
    delete_adapter(run.id)
    assert adapters(known.project) == []
    task.target.mkdir(parents=True)
    (task.target / "adapter_model.safetensors").write_bytes(b"trained further")
    finish_record(task, {"warnings": [], "ended": "budget"})
    [back] = adapters(known.project)
    assert back.id == run.id and back.size == len(b"trained further")


def test_one_run_is_promoted_for_each_purpose_and_approaches_take_it_before_newer_ones(known: Known) -> None:
    old, new = (put_run(known.project, known.version, name) for name in ("old", "new"))
    raft = put_run(known.project, known.version, "with passages", row_style="raft")
    assert chosen(known) == new.adapter_id
    assert (promote_run(new.id), promote_run(old.id), promote_run(raft.id)) == ("plain", "plain", "raft")
    assert {run.name: run.promoted_for for run in runs(known.project)} == {
        "with passages": "raft",
        "new": None,
        "old": "plain",
    }
    assert chosen(known) == old.adapter_id
    promoted = promoted_adapter(known.project, "plain")
    assert promoted is not None and promoted.id == old.adapter_id
    demote_run(old.id)
    assert chosen(known) == new.adapter_id and promoted_adapter(known.project, "plain") is None


def test_what_left_no_adapter_is_not_promoted(known: Known) -> None:
    run = put_run(known.project, known.version)
    delete_adapter(str(run.adapter_id))
    with pytest.raises(KurabeError, match="nothing_to_promote"):
        promote_run(run.id)


def test_a_run_of_another_base_is_not_promoted(known: Known) -> None:
    run = put_run(known.project, known.version)
    with write() as session:
        session.get_one(tb.Project, known.project).base_ref = "another"
    with pytest.raises(KurabeError, match="promote_base"):
        promote_run(run.id)
    assert run_view(run.id).promoted_for is None


def test_a_run_whose_adapter_is_deleted_is_promoted_no_longer(known: Known) -> None:
    run = put_run(known.project, known.version)
    promote_run(run.id)
    delete_adapter(str(run.adapter_id))
    assert run_view(run.id).promoted_for is None


def test_a_promoted_run_may_have_left_weights_of_its_own(known: Known) -> None:
    run = put_run(known.project, known.version)
    with write() as session:
        session.get_one(tb.Adapter, run.adapter_id).kind = "merged"
    assert chosen(known) is None
    promote_run(run.id)
    [tuned] = [each for each in ensure_presets(known.project) if each.preset == "fine_tuned"]
    assert spec_of_row(tuned).model.served_name == f"merged:{run.adapter_id}"


def test_an_archived_run_is_out_of_sight_kept_whole_and_taken_last(known: Known) -> None:
    old, new = (put_run(known.project, known.version, name) for name in ("old", "new"))
    promote_run(new.id)
    archive_run(new.id)
    assert [run.name for run in runs(known.project, archived=False)] == ["old"]
    assert [run.name for run in runs(known.project)] == ["new", "old"]
    assert run_view(new.id).promoted_for is None and adapter_files(str(new.adapter_id)).hash
    assert chosen(known) == old.adapter_id
    archive_run(old.id)
    assert chosen(known) == new.adapter_id, "of what is put away the newest is better than nothing"
    unarchive_run(old.id)
    assert chosen(known) == old.adapter_id
    promote_run(new.id)
    assert not run_view(new.id).archived, "what is in use is not put away"


def test_lineage_leads_from_the_data_to_the_test_runs_and_back(known: Known) -> None:
    run = put_run(known.project, known.version)
    assert lineage(run.id).approaches == lineage(run.id).experiments == []
    [tuned] = [each for each in ensure_presets(known.project) if each.preset == "fine_tuned"]
    with write() as session:
        for name, asked in (("with it", tuned.id), ("without it", "another")):
            session.add(
                tb.Experiment(
                    project_id=known.project,
                    name=name,
                    dataset_version_id=known.version,
                    split="test",
                    config={"approach_ids": [asked]},
                    hash="k1:-",
                )
            )
    found = lineage(run.id)
    assert (found.dataset_version_id, found.base_ref) == (known.version, "starter")
    assert [each.id for each in found.approaches] == [tuned.id]
    assert [each.id for each in approaches_with(found.adapters[0])] == [tuned.id]
    assert [each.name for each in found.experiments] == ["with it"]
    assert [each.id for each in runs(known.project, dataset_version_id=known.version)] == [run.id]
    assert runs(known.project, dataset_version_id="another") == []


def chosen(known: Known) -> str | None:
    """Id of the adapter that approaches of plain rows would take now."""
    found = ProjectSources(known.project).adapter("plain")
    return found.id if found else None


def test_a_run_without_a_job_lists_no_rows(known: Known) -> None:
    with write() as session:
        run = tb.TrainingRun(
            project_id=known.project, name="old", dataset_version_id="v", base_ref="starter", method="lora"
        )
        session.add(run)
    assert listed_rows(run.id) == []
    with pytest.raises(KurabeError, match="no_run"):
        listed_rows("nothing")
