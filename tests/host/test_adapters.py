"""Adapters of every kind answer as peft itself would, and leave the base exactly as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
)
from transformers import AutoModelForCausalLM, Qwen2Config

from core.errors import KurabeError
from core.host.adapters import Injector
from core.host.forward import Forward
from core.host.library import Library
from core.models import AdapterFiles, folder_hash, write_adapter_card
from core.settings import DATA
from tests.host.test_forward import PROMPTS, SMALL, STEPS, written_alone

TASK: dict[str, Any] = {"task_type": "CAUSAL_LM"}

KINDS: dict[str, PeftConfig] = {
    "lora": LoraConfig(r=4, target_modules="all-linear", **TASK),
    "rslora": LoraConfig(r=4, target_modules="all-linear", use_rslora=True, **TASK),
    "dora": LoraConfig(r=4, target_modules="all-linear", use_dora=True, **TASK),
    "ia3": IA3Config(target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], **TASK),
    "prefix": PrefixTuningConfig(num_virtual_tokens=5, **TASK),
    "prompt": PromptTuningConfig(num_virtual_tokens=5, **TASK),
}


def base_model() -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(Qwen2Config(**SMALL), dtype=torch.float32).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4)
    return model


def make(kind: str, folder: Path, config: PeftConfig | None = None) -> tuple[AdapterFiles, list[list[int]]]:
    """Write an adapter of one kind; return it with the answers that peft itself gives."""
    tuned = get_peft_model(base_model(), config or KINDS[kind])
    torch.manual_seed(7)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * (0.5 if "prompt" in name or "ia3" in name else 0.1))
    tuned.eval()
    tuned.save_pretrained(str(folder))
    write_adapter_card(folder, base_ref="tiny", base_hash="k1:tiny", kind=kind)
    files = AdapterFiles(kind, folder, "tiny", "k1:tiny", kind, False, folder_hash(folder))
    return files, [written_alone(tuned, prompt) for prompt in PROMPTS]


def written(injector: Injector) -> list[list[int]]:
    """Return what the host writes for all prompts in one batch, with the adapter that is active."""
    forward, extra = injector.forward, injector.prefix.length if injector.prefix else 0
    caches = forward.read(PROMPTS, extra + max(map(len, PROMPTS)) + STEPS, injector.prefix)
    rows = [[prompt[-1]] for prompt in PROMPTS]
    for _ in range(STEPS):
        for row, token in zip(rows, forward.step([row[-1] for row in rows], caches).argmax(-1).tolist(), strict=True):
            row.append(token)
    return [row[1:] for row in rows]


def make_injector() -> Injector:
    model = base_model()
    forward = Forward(model)
    assert forward.prove()
    return Injector(model, forward, "k1:tiny")


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_answers_as_peft_itself_would(kind: str, tmp_path: Path) -> None:
    files, expected = make(kind, tmp_path / kind)
    injector = make_injector()
    plain = written(injector)
    assert injector.switch(files) is True
    assert written(injector) == expected
    assert expected != plain
    assert injector.switch(None) is False
    assert written(injector) == plain


def test_switching_between_kinds_brings_each_ones_answers_back(tmp_path: Path) -> None:
    made = {kind: make(kind, tmp_path / kind) for kind in KINDS}
    injector = make_injector()
    plain = written(injector)
    for kind in [*KINDS, *reversed(KINDS)]:
        files, expected = made[kind]
        injector.switch(files)
        assert written(injector) == expected, kind
        injector.switch(None)
        assert written(injector) == plain, kind


def test_adapters_of_one_kind_stay_loaded_together(tmp_path: Path) -> None:
    first, _ = make("lora", tmp_path / "lora")
    second, _ = make("dora", tmp_path / "dora")
    injector = make_injector()
    assert [injector.switch(files) for files in (first, second, first, second)] == [True, True, False, False]


def test_an_adapter_that_was_trained_again_is_loaded_again(tmp_path: Path) -> None:
    files, _ = make("lora", tmp_path / "a")
    again, _ = make("lora", tmp_path / "a", LoraConfig(r=2, target_modules="all-linear", **TASK))
    injector = make_injector()
    injector.switch(files)
    assert injector.switch(again) is True


def test_an_adapter_that_changes_the_base_is_refused(tmp_path: Path) -> None:
    files, _ = make("lora", tmp_path / "a", LoraConfig(r=2, target_modules="all-linear", bias="all", **TASK))
    with pytest.raises(KurabeError) as caught:
        make_injector().switch(files)
    assert caught.value.code == "host.adapter_changes_base"


@pytest.mark.parametrize("fault", ["changes the base", "damaged"])
def test_the_base_is_read_afresh_after_an_adapter_that_was_refused(home: Path, fault: str) -> None:
    base = home / "tiny"
    base_model().save_pretrained(base)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (base / name).write_bytes((DATA / "starter" / name).read_bytes())
    folder = home / "adapters" / "bad"
    bias: Any = "all" if fault == "changes the base" else "none"
    make("lora", folder, LoraConfig(r=2, target_modules="all-linear", bias=bias, **TASK))
    write_adapter_card(folder, base_ref=str(base), base_hash=folder_hash(base), kind="lora")
    if fault == "damaged":
        (folder / "adapter_model.safetensors").write_bytes(b"cut off")
    library = Library()
    before = library.activate(str(base))[0].forward.probe()
    with pytest.raises(KurabeError) as caught:
        library.activate("adapter:bad")
    assert caught.value.code == ("host.adapter_files" if fault == "damaged" else "host.adapter_changes_base")
    loaded, seconds = library.activate(str(base))
    assert seconds > 0
    assert torch.equal(loaded.forward.probe(), before)
