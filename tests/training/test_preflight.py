"""Preflight: numbers and reasons before anything is started."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_config, get_peft_model
from transformers import AutoModelForCausalLM

from core.errors import KurabeError
from core.i18n import LANGUAGES, Language, format_bytes, format_number, format_percent, t, use_language
from core.models import resolve_base
from core.settings import DATA, reset_settings
from core.store import tables as tb
from core.store import write
from core.training import METHODS, Preflight, TrainingConfig, curve_series, numbers_told, preflight, seed_series
from core.training.device import _free_gpu_memory, free_memory
from core.training.estimate import estimate_memory, read_shapes, trained_parameters
from tests.training.conftest import Known

STARTER = DATA / "starter"


def look(known: Known, **fields: object) -> Preflight:
    values = {"epochs": 2, **fields}
    return preflight(TrainingConfig(dataset_version_id=known.version, **values))  # type: ignore[arg-type]  # by name


def test_a_sound_run_may_go_and_its_numbers_are_those_of_its_rows(known: Known) -> None:
    seen = look(known, batch_size=8)
    assert seen.verdict == "go"
    assert seen.rows["rows_in"] == seen.rows["trained"] == 24
    assert seen.steps == 6
    assert 0 < seen.trained_share < 1 and seen.left_out_share == 0
    assert seen.memory["total"] == sum(value for part, value in seen.memory.items() if part != "total")
    assert {finding.code for finding in seen.findings} >= {"practice_model", "time_unknown"}
    assert "".join(text for text, learned in seen.preview if learned).endswith("<|im_end|>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_numbers_are_told_in_sentences(known: Known, language: Language) -> None:
    use_language(language)
    seen = look(known, batch_size=8)
    told = "\n".join(numbers_told(seen))
    assert "⟦" not in told and "{" not in told
    for number in (seen.disk_needed, seen.disk_free, seen.memory_needed, seen.memory["activations"]):
        assert format_bytes(number) in told
    assert format_number(seen.rows["tokens"]) in told and format_percent(seen.trained_share, digits=1) in told
    assert "Apache-2.0" in told and t("training.card.unknown") in told, "the base's licence and the data's"
    assert numbers_told(look(known, epochs=2.1))[3].endswith("7"), "2.1 epochs of 3 steps: as the trainer counts them"


def test_rows_of_very_different_length_are_told_with_what_padding_they_leave(known: Known) -> None:
    assert look(known, batch_size=8).padding_share < 0.05
    with write() as session:
        for row in session.query(tb.Example).filter_by(version_id=known.version):
            row.answer = "word " * (250 if row.position % 12 == 0 else 5)
    seen = look(known, batch_size=24, max_length=4096)
    [told] = [finding for finding in seen.findings if finding.code == "padding"]
    assert told.level == "go" and told.params == {"percent": round(100 * seen.padding_share)}
    assert seen.padding_share > 0.4 and look(known, batch_size=1, max_length=4096).padding_share == 0


def test_of_a_large_dataset_a_sample_is_read_and_the_numbers_are_scaled(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = look(known, batch_size=8)
    monkeypatch.setattr("core.training.outlook._SAMPLE_PLAIN", 12)
    seen = look(known, batch_size=8)
    assert seen.rows_measured == 12 and seen.rows["rows_in"] == seen.rows["trained"] == 24
    assert seen.steps == whole.steps and 0 < seen.rows["longest"] <= whole.rows["longest"]
    assert seen.rows["tokens"] == pytest.approx(whole.rows["tokens"], rel=0.05)
    [said] = [finding for finding in seen.findings if finding.code == "sampled"]
    assert said.params == {"rows": 12, "total": 24}
    assert "sampled" not in {finding.code for finding in whole.findings}
    half = look(known, batch_size=8, data_share=0.5)
    assert (half.rows_measured, half.rows["trained"]) == (12, 12)


@pytest.mark.parametrize("method", METHODS.names())
def test_the_number_of_trained_parameters_is_exact(method: str) -> None:
    config = TrainingConfig(dataset_version_id="-", epochs=1, method={"name": method})
    model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    wanted = config.plugin.peft()
    if wanted is not None:
        model = get_peft_model(model, get_peft_config(wanted))
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained_parameters(config, read_shapes(STARTER)) == trained


def test_quantised_weights_and_checkpointing_need_less() -> None:
    shapes = read_shapes(STARTER)

    def needs(**fields: object) -> object:
        config = TrainingConfig(dataset_version_id="-", epochs=1, **fields)  # type: ignore[arg-type]  # by name
        return estimate_memory(config, shapes, 500, device="cpu")

    lora, qlora, full = needs(), needs(method={"name": "qlora"}), needs(method={"name": "full"})
    thrifty = needs(gradient_checkpointing=True)
    assert qlora.weights < lora.weights and full.optimizer > lora.optimizer  # type: ignore[attr-defined]
    assert thrifty.activations < lora.activations  # type: ignore[attr-defined]


def test_more_memory_than_there_is_will_not_work(known: Known) -> None:
    seen = look(known, batch_size=1024, accumulation=1)
    assert seen.verdict == "go"
    with write() as session:
        for row in session.query(tb.Example).filter_by(version_id=known.version):
            row.answer = "word " * 900
    seen = look(known, batch_size=1024, max_length=4096)
    assert seen.verdict == "will_not"
    assert seen.findings[0].code in ("memory", "longer_than_context")


def test_too_little_memory_is_told_with_the_mildest_change_that_is_enough(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = look(known, batch_size=8)

    def said(free: int) -> dict[str, dict[str, Any]]:
        monkeypatch.setattr("core.training.outlook.training_device", lambda _n: ("cpu", free))
        return {f.code: f.params for f in look(known, batch_size=8).findings if f.level == "will_not"}

    assert said(usual.memory_needed) == {}
    short = said(usual.memory_needed - (8 << 20))
    assert short.keys() == {"memory", "relief_batch"} and short["relief_batch"]["smaller"] == 4
    assert short["relief_batch"]["saved_mb"] >= 8 and short["relief_batch"]["accumulation"] == 2
    assert said(1 << 20).keys() == {"memory", "relief_none"}
    for language in LANGUAGES:
        for kind in ("batch", "twice", "method", "none"):
            assert "⟦" not in t(f"training.preflight.relief_{kind}", language, **short["relief_batch"])


def test_a_full_disk_will_not_work(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(10**9))
    reset_settings()
    seen = look(known)
    assert seen.verdict == "will_not" and "disk" in {finding.code for finding in seen.findings}


def test_rows_left_out_and_missing_validation_are_risky(known: Known) -> None:
    with write() as session:
        for row in session.query(tb.Example).filter_by(version_id=known.version):
            if row.split == "validation":
                row.split = "test"
            if row.position == 0:
                row.answer = ""
    seen = look(known)
    assert seen.verdict == "risky"
    assert {f.code for f in seen.findings if f.level == "risky"} == {"rows_left_out", "no_validation"}


def test_rows_that_are_too_long_are_told_with_the_longest_of_them(known: Known) -> None:
    with write() as session:
        for row in session.query(tb.Example).filter(tb.Example.position.in_([0, 4])):
            row.answer = "word " * (900 + row.position)
    [told] = [finding.params for finding in look(known).findings if finding.code == "rows_too_long"]
    assert (told["rows"], told["limit"]) == (2, 1024) and told["longest"] > 1024
    fits = look(known, max_length=told["longest"])
    assert fits.left_out_share == 0 and "rows_too_long" not in {finding.code for finding in fits.findings}


def test_nothing_trains_on_nothing(known: Known) -> None:
    with write() as session:
        for row in session.query(tb.Example).filter_by(version_id=known.version):
            row.answer = ""
    with pytest.raises(KurabeError, match="nothing_left"):
        look(known)


def test_the_time_is_known_once_something_like_it_has_run(known: Known) -> None:
    with write() as session:
        session.add(
            tb.TrainingRun(
                project_id=known.project,
                name="before",
                dataset_version_id=known.version,
                base_ref="starter",
                method="lora",
                result={"tokens_per_second": 100.0, "device": "cpu"},
            )
        )
    seen = look(known)
    assert seen.seconds == pytest.approx(seen.rows["tokens"] * 2 / 100)
    assert seen.cost is not None and float(seen.cost["amount"]) > 0
    assert look(known, seconds_limit=1).seconds == 1


@pytest.mark.parametrize(
    ("licence", "gated", "codes"),
    [
        ("Apache-2.0", False, set()),
        ("Llama 3.2 Community License", True, {"licence_terms", "gated"}),
        ("cc-by-nc-4.0", None, {"licence_private"}),
        ("", None, {"licence_unknown"}),
    ],
)
def test_licence_and_gate_of_the_base_are_told(
    known: Known, monkeypatch: pytest.MonkeyPatch, licence: str, gated: bool | None, codes: set[str]
) -> None:
    base = replace(resolve_base("starter"), licence=licence, gated=gated)
    monkeypatch.setattr("core.training.outlook.resolve_base", lambda _ref: base)
    seen = {finding.code: finding.level for finding in look(known).findings}
    assert {code for code in seen if code.startswith(("licence", "gated"))} == codes
    assert all(seen[code] == "risky" for code in codes & {"licence_private", "licence_unknown"})


def test_what_else_holds_the_graphics_card_is_named(
    known: Known, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\ncase "$*" in *compute-apps*) echo "4711, /opt/conda/bin/python, 30720";; *) echo 40000;; esac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    seen = look(known)
    [shared] = [finding for finding in seen.findings if finding.code == "gpu_shared"]
    assert shared.params["programs"] == "python (4711): 30720 MB" and shared.level == "risky"
    assert seen.device == "cuda" and seen.memory_free == 40000 << 20


def test_a_busy_processor_and_the_host_are_told(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.getloadavg", lambda: (64.0, 1.0, 1.0))
    monkeypatch.setattr("psutil.cpu_count", lambda: 4)
    monkeypatch.setattr("core.training.findings.machine.host_status", lambda: {"pid": 12, "state": "running"})
    told = {finding.code: finding.params for finding in look(known).findings}
    assert told["processor_busy"] == {"load": 64.0, "cores": 4} and told["host_holds"] == {"pid": 12}


def test_every_finding_is_worded(known: Known) -> None:
    files = list((Path(__file__).parents[2] / "core/training/findings").glob("*.py"))
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    codes = set(re.findall(r'Finding\(\s*(?:"\w+"|level), "(\w+)"', source))
    assert len(codes) >= 25
    for language in LANGUAGES:
        assert [code for code in codes if "⟦" in t(f"training.preflight.{code}", language)] == []


def test_a_series_is_told_and_priced_as_all_of_its_runs(known: Known) -> None:
    config = TrainingConfig(dataset_version_id=known.version, epochs=None, seconds_limit=60)
    one, curve, seeds = (preflight(config, runs) for runs in ([], curve_series(config), seed_series(config)))
    assert (one.seconds, curve.seconds, seeds.seconds) == (60, 4 * 60, 3 * 60), "each run has the whole time"
    assert (one.runs, curve.runs, seeds.runs) == (1, 4, 3)
    assert one.cost and seeds.cost and Decimal(seeds.cost["amount"]) == 3 * Decimal(one.cost["amount"])
    assert [finding.params for finding in seeds.findings if finding.code == "series"] == [{"runs": 3}]
    state = 12 * one.trained_parameters
    assert curve.disk_needed - one.disk_needed == 3 * (2 * state + 4 * one.trained_parameters)


def test_runs_on_a_share_of_the_rows_take_that_share_of_the_time(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.duration._measured_speed", lambda *_: 100.0)
    config = TrainingConfig(dataset_version_id=known.version, epochs=2)
    one, curve = preflight(config).seconds, preflight(config, curve_series(config)).seconds
    assert one is not None and curve == pytest.approx(1.85 * one, rel=0.01)


def test_a_container_that_allows_less_than_the_machine_has_is_believed(tmp_path: Path) -> None:
    limit, used, parts = (tmp_path / name for name in ("max", "current", "stat"))
    limit.write_text("1000000\n")
    used.write_text("900000\n")
    parts.write_text("anon 500000\ninactive_file 150000\n")
    files = ((str(limit), str(used), str(parts)),)
    assert free_memory(files) == 250_000
    limit.write_text("max\n")
    assert free_memory(files) > 1_000_000


@pytest.mark.parametrize(
    ("visible", "asked"), [(None, "0"), ("2,3", "2"), ("GPU-8f6d", "GPU-8f6d"), ("", None), ("-1", None)]
)
def test_the_gpu_that_torch_will_take_is_the_one_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, asked: str | None
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho 7000\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert _free_gpu_memory() == (7000 << 20 if asked else None)
    if asked:
        assert (tmp_path / "asked").read_text().split()[-2:] == ["-i", asked]
