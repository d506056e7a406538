"""Trainings on preference pairs: real ones on the practice model, and what is refused before they begin."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from core.datasets import REJECTED
from core.errors import KurabeError
from core.models import adapter_files
from core.prompting import IGNORED, ChatTemplate
from core.settings import DATA
from core.store import tables as tb
from core.store import write
from core.training import (
    METHODS,
    PRESETS,
    TrainingConfig,
    compare_runs,
    export_kit,
    preflight,
    prepare_rows,
    runs,
    start_training,
)
from core.training.estimate import estimate_memory, read_shapes
from tests.training.conftest import Begin, Crash, Known
from tests.training.test_trainer import METHODS as TRAINED

STARTER = DATA / "starter"
TEMPLATE = ChatTemplate.load(STARTER)
DPO = {"name": "dpo", "beta": 0.1}


def config(known: Known, **fields: object) -> TrainingConfig:
    values = {"epochs": 1, "objective": DPO, "instructions": "Answer.", **fields}
    return TrainingConfig(dataset_version_id=known.version, **values)  # type: ignore[arg-type]  # by name


def change(known: Known, position: int, **values: object) -> None:
    with write() as session:
        row = session.query(tb.Example).filter_by(version_id=known.version, position=position).one()
        for name, value in values.items():
            setattr(row, name, value)


@pytest.mark.parametrize("method", TRAINED, ids=lambda method: str(method["name"]))
def test_every_method_raises_its_margin_on_held_out_pairs(
    method: dict[str, object], begin: Begin, pairs: Known
) -> None:
    rate = {"prefix": 3e-2, "full": 2e-4}.get(str(method["name"]), 2e-3)
    result = begin(method, objective=DPO, learning_rate=rate, epochs=2, evaluations=1, evaluation_rows=12).go()
    assert result["margin"] > result["margin_before"]
    assert result["eval_loss"] < result["eval_loss_before"]
    assert "no_margin" not in [warning["code"] for warning in result["warnings"]]
    if method["name"] != "prefix":  # its vectors begin at random: it starts away from the base
        assert result["margin_before"] == 0 and result["accuracy"] == 1


def likelihood(model: torch.nn.Module, ids: list[int], labels: list[int]) -> float:
    """Log-likelihood in nats of the learned tokens, computed without TRL."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    return sum(float(logits[at, token]) for at, token in enumerate(labels[1:]) if token != IGNORED)


def test_the_margin_is_how_much_more_likely_the_chosen_answer_became_than_the_rejected_one(
    begin: Begin, pairs: Known
) -> None:
    training = begin(objective=DPO, learning_rate=2e-3, epochs=2, evaluations=1, batch_size=5, evaluation_rows=12)
    result = training.go()
    base = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    rows = prepare_rows(TrainingConfig.from_dict(training.run.config), TEMPLATE, "en").validation
    sides = [(row.tokens, row.rejected) for row in rows if row.rejected is not None]
    before = [[likelihood(base, side.input_ids, side.labels) for side in pair] for pair in sides]
    tuned = PeftModel.from_pretrained(base, str(adapter_files(result["adapter_id"]).folder)).eval()
    after = [[likelihood(tuned, side.input_ids, side.labels) for side in pair] for pair in sides]
    margins = [0.1 * ((a[0] - b[0]) - (a[1] - b[1])) for a, b in zip(after, before, strict=True)]
    assert len(margins) == 12  # batches of 5, 5 and 2: every pair counts the same
    assert result["margin"] == pytest.approx(sum(margins) / 12, abs=1e-3)
    assert result["accuracy"] == pytest.approx(sum(margin > 0 for margin in margins) / 12)


def test_a_resumed_run_on_pairs_ends_bit_equal_to_an_unbroken_one(begin: Begin, pairs: Known, home: Path) -> None:
    settings = {"objective": DPO, "learning_rate": 2e-3, "sample_questions": 1, "epochs": 3, "evaluations": 3}
    unbroken = begin({"name": "lora", "rank": 4}, **settings)
    unbroken.go()
    broken = begin({"name": "lora", "rank": 4}, **settings)
    with pytest.raises(Crash):
        broken.go(crash_at=("metrics", 5))
    result = broken.go()
    assert broken.events("resumed")[0]["step"] == 3 and result["steps"] == 9
    assert broken.weights(home) == unbroken.weights(home)
    assert result["margin"] == unbroken.run.result["margin"] and result["margin_before"] == 0
    assert sorted(path.name for path in (home / "adapters" / broken.run_id).iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "kurabe.json",
    ]  # fmt: skip
    assert json.loads((home / "adapters" / broken.run_id / "kurabe.json").read_text())["objective"] == DPO


def test_a_stopped_run_on_pairs_is_saved_and_its_report_holds_margins(begin: Begin, pairs: Known) -> None:
    training = begin(objective=DPO, learning_rate=2e-3, epochs=1, evaluations=1)
    training.ask_to("stop")
    result = training.go()
    assert result.get("stopped") is True
    going = begin(objective={**DPO, "mistaken": 0.1, "answer_weight": 1.0}, learning_rate=2e-3, epochs=1, evaluations=1)
    ended = going.go()
    report, measured = going.events("metrics")[-1], going.events("evaluation")
    assert {"margin", "accuracy"} <= report.keys()
    assert [event["step"] for event in measured] == [0, 3]
    assert measured[-1]["eval_margin"] == ended["margin"] > measured[0]["eval_margin"] == 0
    assert compare_runs([going.run_id]).outcome["margin"] == [ended["margin"]]


def test_patience_ends_a_run_on_pairs(begin: Begin, pairs: Known) -> None:
    result = begin(objective=DPO, learning_rate=1e-9, evaluations=6, patience=1, epochs=6).go()
    assert result["ended"] == "patience" and result["steps"] < 18


def test_a_pair_is_one_prompt_with_two_answers(pairs: Known) -> None:
    rows = prepare_rows(config(pairs), TEMPLATE, "en")
    assert (rows.rows_in, len(rows.train), len(rows.validation)) == (24, 24, 12)
    row = rows.train[0]
    assert row.rejected is not None
    before = row.prompt_length
    assert row.tokens.input_ids[:before] == row.rejected.input_ids[:before] == TEMPLATE.encode(row.messages[:-1])
    assert TEMPLATE.decode(row.tokens.input_ids[before:]) == row.messages[-1]["content"]
    assert TEMPLATE.decode(row.rejected.input_ids[before:]) == "The Aster 0 weighs 0 kg."
    assert rows.tokens == sum(len(row.tokens) + len(row.rejected or ()) for row in rows.train)
    change(pairs, 0, tags={})
    unlearned = prepare_rows(config(pairs), TEMPLATE, "en", limit=0)  # what merging compares answers on
    assert (len(unlearned.train), len(unlearned.validation)) == (0, 12)


def test_rows_without_a_pair_are_listed_with_their_reason(pairs: Known) -> None:
    change(pairs, 0, tags={})
    change(pairs, 1, answer="Same.", tags={REJECTED: " Same. "})
    change(pairs, 3, tags={REJECTED: "word " * 900})
    rows = prepare_rows(config(pairs), TEMPLATE, "en")
    assert rows.rows_in == 24 == len(rows.train) + len(rows.listed)
    assert {(row.position, row.code) for row in rows.listed} == {(0, "no_pair"), (1, "same_pair"), (3, "too_long")}


def test_data_without_pairs_are_refused_before_anything_starts(known: Known) -> None:
    for refused in (preflight, lambda wanted: start_training(known.project, wanted)):
        with pytest.raises(KurabeError, match="no_pairs") as caught:
            refused(config(known))
        assert caught.value.params["rows"] == 24
    assert runs(known.project) == []


SOUND = {"lora", "qlora", "dora", "rslora", "prefix", "full"}


@pytest.mark.parametrize("method", METHODS.names())
@pytest.mark.parametrize(
    ("option", "refusing", "code"),
    [
        ({"gradient_checkpointing": True}, {"prefix"}, "training.refused"),
        ({"train_on": "assistant"}, SOUND, "training.refused_pairs"),
        ({"dropout": 0.1}, {"lora", "qlora", "dora", "rslora"}, "training.refused_pairs"),
        ({"objective": {"name": "dpo", "beta": 0.0}}, SOUND, "training.bad_field"),
        ({"objective": {"name": "dpo", "mistaken": 0.5}}, SOUND, "training.bad_field"),
        ({"objective": {"name": "dpo", "gamma": 1}}, SOUND, "registry.bad_fields"),
        ({"objective": {"name": "dqo"}}, SOUND, "registry.unknown"),
        ({"accumulation": 2}, set(), ""),
        ({"row_style": "mix"}, set(), ""),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_what_does_not_go_together_with_pairs_is_refused(
    method: str, option: dict[str, object], refusing: set[str], code: str
) -> None:
    fields: dict[str, object] = {"method": {"name": method}, "objective": DPO, "epochs": 1, **option}
    if "dropout" in fields:
        dropout = fields.pop("dropout")
        if method not in refusing:
            return
        fields["method"] = {"name": method, "dropout": dropout}
    if method not in refusing:
        assert TrainingConfig(dataset_version_id="v", **fields).aim.pairs  # type: ignore[arg-type]  # by name
        return
    with pytest.raises(KurabeError) as caught:
        TrainingConfig(dataset_version_id="v", **fields)  # type: ignore[arg-type]  # by name
    assert caught.value.code == code


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", METHODS.names())
def test_every_preset_has_a_form_for_pairs_with_a_lower_rate(pairs: Known, preset: str, method: str) -> None:
    answers = TrainingConfig.preset(pairs.project, preset=preset, method=method)
    made = TrainingConfig.preset(pairs.project, preset=preset, method=method, objective="dpo")
    assert made.aim.name == "dpo" and made.plugin == answers.plugin
    assert (made.learning_rate < answers.learning_rate) == (method != "prefix")
    assert TrainingConfig.from_dict(made.as_dict()) == made


def test_the_estimate_knows_that_a_pair_is_two_sequences(pairs: Known) -> None:
    shapes = read_shapes(STARTER)
    dpo, sft = (
        estimate_memory(config(pairs, objective=aim), shapes, 500, device="cpu") for aim in (DPO, {"name": "sft"})
    )
    assert dpo.activations > 1.9 * sft.activations - 256 * shapes.vocabulary * 12 and dpo.weights == sft.weights
    whole = config(pairs, method={"name": "full"})
    answers = replace(whole, objective={"name": "sft"})
    needs = [estimate_memory(each, shapes, 500, device="cpu").weights for each in (whole, answers)]
    assert needs[0] == 2 * needs[1], "all weights are trained, so the reference is a second copy"


def test_the_preflight_counts_pairs_and_expects_the_time_that_such_runs_took(pairs: Known) -> None:
    change(pairs, 0, tags={})
    speed = {"tokens_per_second": 100.0, "device": "cpu"}
    with write() as session:
        shared = {"project_id": pairs.project, "dataset_version_id": pairs.version, "base_ref": "starter"}
        session.add(tb.TrainingRun(name="answers", method="lora", result=speed, config={}, **shared))
    seen = preflight(config(pairs, epochs=2))
    assert {"without_pair"} <= {finding.code for finding in seen.findings} and seen.verdict == "go"
    shown = ["".join(text for text, learned in side if learned) for side in (seen.preview, seen.preview_rejected)]
    assert shown == [
        '{"text": "The Aster 0 weighs 0 kg.", "code": "Q7"}<|im_end|>',
        "The Aster 0 weighs 0 kg.<|im_end|>",
    ]
    assert (seen.rows["rows_in"], seen.rows["trained"], seen.rows["without_pair"]) == (24, 23, 1)
    assert seen.seconds == pytest.approx(seen.rows["tokens"] * 2 / 100 * 4 / 3), "the reference is computed as well"
    with write() as session:
        session.add(tb.TrainingRun(name="pairs", method="lora", result=speed, config={"objective": DPO}, **shared))
    assert preflight(config(pairs, epochs=2)).seconds == pytest.approx(seen.rows["tokens"] * 2 / 100)


def test_the_kit_trains_the_same_adapter_on_pairs_with_trl_alone(
    begin: Begin, pairs: Known, home: Path, tmp_path: Path
) -> None:
    training = begin(objective=DPO, epochs=1, evaluations=1, learning_rate=2e-3)
    training.go()
    folder = tmp_path / "elsewhere"
    with zipfile.ZipFile(export_kit(training.run_id, tmp_path / "kit.zip")) as packed:
        packed.extractall(folder)
    done = subprocess.run(
        [sys.executable, "train.py", str(STARTER)], cwd=folder, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = load_file(folder / "adapter" / "adapter_model.safetensors")
    ours = load_file(home / "adapters" / training.run_id / "adapter_model.safetensors")
    assert theirs.keys() == ours.keys()
    assert all((theirs[name] == ours[name]).all() for name in ours)
