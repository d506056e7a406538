"""Bases that come in 4 bits: wholly, or with chosen layers kept in 16; and what each method makes of each option."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.errors import KurabeError
from core.models import resolve_base
from core.settings import DATA
from core.training import METHODS, TrainingConfig, preflight
from core.training.estimate import estimate_memory, read_shapes, trained_parameters
from tests.training.conftest import Begin, Known

STARTER = DATA / "starter"
KEPT = "model.layers.0.mlp.down_proj"


def pack(folder: Path, keep: list[str]) -> Path:
    """Write the starter in 4 bits as people upload such models, with these layers left in 16."""
    wanted = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=["lm_head", *keep],
    )
    model = AutoModelForCausalLM.from_pretrained(
        STARTER, quantization_config=wanted, dtype=torch.bfloat16, device_map={"": "cpu"}
    )
    model.save_pretrained(folder)
    for path in STARTER.iterdir():
        if path.suffix in (".json", ".jinja") and path.name not in ("config.json", "generation_config.json"):
            shutil.copy2(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("packed")
    return {"all": pack(place / "all", []), "some": pack(place / "some", [KEPT])}


@pytest.mark.parametrize("which", ["all", "some"])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_base_that_comes_in_four_bits_is_trained(
    which: str, method: str, packed: dict[str, Path], begin: Begin
) -> None:
    training = begin(
        {"name": method, "rank": 8, "alpha": 16},
        base_ref=str(packed[which]),
        epochs=2,
        evaluations=1,
        evaluation_rows=12,
    )
    result = training.go()
    assert result["eval_loss"] < result["eval_loss_before"]
    assert result["steps"] == 6 and not result["is_whole"]


def test_layers_that_were_kept_in_sixteen_bits_stay_unpacked_and_get_an_adapter(packed: dict[str, Path]) -> None:
    from core.training.trainer.model import attach, load_base

    config = TrainingConfig(dataset_version_id="-", epochs=1, base_ref=str(packed["some"]))
    model = attach(load_base(packed["some"], config, "cpu"), config)
    layers = {name: module for name, module in model.named_modules() if hasattr(module, "base_layer")}
    kinds = {name: type(module.base_layer).__name__ for name, module in layers.items()}
    assert [name.removeprefix("base_model.model.") for name, kind in kinds.items() if kind == "Linear"] == [KEPT]
    assert set(kinds.values()) == {"Linear", "Linear4bit"}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert {parameter.dtype for parameter in trained} == {torch.float32}
    assert trained_parameters(config, read_shapes(packed["some"])) == sum(p.numel() for p in trained)


def test_shapes_and_sizes_of_a_packed_base_are_those_of_the_model(packed: dict[str, Path]) -> None:
    whole, all_, some = (read_shapes(folder) for folder in (STARTER, packed["all"], packed["some"]))
    assert sorted(all_.linear) == sorted(some.linear) == sorted(whole.linear) and all_.other == whole.other
    assert all_.packed == sum(out * inside for out, inside in whole.linear)
    assert some.packed == all_.packed - 192 * 512 and whole.packed == 0
    counts = {resolve_base(str(folder)).parameters for folder in (STARTER, packed["all"], packed["some"])}
    assert len(counts) == 1
    config = TrainingConfig(dataset_version_id="-", epochs=1)
    needs = [estimate_memory(config, shapes, 100, device="cpu").weights for shapes in (all_, some, whole)]
    assert needs == sorted(needs) and len(set(needs)) == 3


def test_that_its_own_weights_cannot_be_trained_is_said_before_the_start(packed: dict[str, Path], known: Known) -> None:
    seen = preflight(
        TrainingConfig(dataset_version_id=known.version, epochs=1, base_ref=str(packed["all"]), method={"name": "full"})
    )
    assert seen.verdict == "will_not" and "quantised_whole" in {finding.code for finding in seen.findings}


OPTIONS = {
    "gradient_checkpointing": {"gradient_checkpointing": True},
    "bf16": {"precision": "bf16"},
    "assistant": {"train_on": "assistant", "accumulation": 2},
    "four-bit base": {},
}
REFUSED = {
    ("prefix", "gradient_checkpointing"): "training.refused",
    ("full", "four-bit base"): "training.quantised_whole",
}
"""Method and option that cannot work together, with the error that says so; every other pair trains."""


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("method", METHODS.names())
def test_every_method_trains_with_every_option_or_refuses_it(
    method: str, option: str, packed: dict[str, Path], begin: Begin
) -> None:
    base = {"base_ref": str(packed["some"])} if option == "four-bit base" else {}
    fields = {"epochs": 0.3, "evaluations": 1, "evaluation_rows": 2, **base, **OPTIONS[option]}
    code = REFUSED.get((method, option))
    if code is not None:
        with pytest.raises(KurabeError) as caught:
            begin({"name": method}, **fields).go()
        assert caught.value.code == code
        return
    result = begin({"name": method}, **fields).go()
    assert result["steps"] >= 1 and math.isfinite(result["loss"]) and math.isfinite(result["eval_loss"])
