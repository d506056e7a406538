"""The memory estimate against what autograd really keeps and what weights, adapters and moments really take."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import trl.kernels.chunked_logprob as output_layer

from core.training import TrainingConfig
from core.training.estimate import HEAD_TOKENS, estimate_memory, kept_by_blocks, read_shapes
from core.training.trainer.model import attach, load_base
from tests.benchmarks.world import Shape
from tests.training.conftest import Begin

SHAPES = {
    "qwen3": Shape(hidden=64, layers=2, heads=4, key_heads=2, head=32, intermediate=160, vocabulary=300),
    "llama": Shape(hidden=64, layers=3, heads=2, key_heads=2, head=32, intermediate=96, vocabulary=300, kind="llama"),
}


def config_of(folder: Path, method: dict[str, Any] | str, **fields: Any) -> TrainingConfig:
    spec = {"name": method} if isinstance(method, str) else method
    return TrainingConfig(dataset_version_id="-", epochs=1, base_ref=str(folder), method=spec, **fields)


def bytes_kept(folder: Path, config: TrainingConfig, longest: int) -> int:
    """Pass a padded batch forward and add up the storages that autograd keeps, weights left out."""
    model = attach(load_base(folder, config, "cpu"), config).train()
    known = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in known:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.randint(3, 300, (config.batch_size, longest))
    mask = torch.ones_like(ids)
    if config.batch_size > 1:
        mask[0, -1] = 0
    half = torch.autocast("cpu", torch.bfloat16) if config.precision == "bf16" else nullcontext()
    backbone: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), half:
        if config.plugin.name == "prefix":
            model(input_ids=ids, attention_mask=mask, use_cache=False)
        else:
            backbone.model(input_ids=ids, attention_mask=mask, use_cache=False)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


CASES: list[tuple[str, dict[str, Any] | str, dict[str, Any]]] = [
    ("qwen3", "lora", {}),
    ("qwen3", {"name": "lora", "target": "attention"}, {}),
    ("qwen3", "lora", {"batch_size": 1}),
    ("qwen3", "lora", {"precision": "bf16"}),
    ("qwen3", "qlora", {}),
    ("qwen3", "dora", {}),
    ("qwen3", "full", {}),
    ("qwen3", "full", {"precision": "bf16"}),
    ("qwen3", "prefix", {}),
    ("llama", "lora", {}),
    ("llama", "full", {}),
]


@pytest.mark.parametrize(("name", "method", "fields"), CASES, ids=str)
def test_what_autograd_keeps_is_counted(
    name: str, method: dict[str, Any] | str, fields: dict[str, Any], tmp_path: Path
) -> None:
    SHAPES[name].write(tmp_path)
    config = config_of(tmp_path, method, **{"batch_size": 4, **fields})
    longest, shapes = 150, read_shapes(tmp_path)
    blocks = kept_by_blocks(config, shapes, longest, half=config.precision == "bf16")
    last_norm = config.batch_size * longest * shapes.hidden * (8 if method == "full" else 4)
    assert bytes_kept(tmp_path, config, longest) == pytest.approx(blocks + last_norm, rel=0.05)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_weights_gradients_and_moments_are_counted_to_the_byte(method: str, precision: str, tmp_path: Path) -> None:
    SHAPES["qwen3"].write(tmp_path)
    config = config_of(tmp_path, method, precision=precision)
    base = load_base(tmp_path, config, "cpu")
    weights = sum(p.nbytes for p in base.parameters())
    model = attach(base, config).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        model(input_ids=torch.tensor([[5, 6, 7]]), labels=torch.tensor([[5, 6, 7]])).loss.backward()
    optimizer.step()
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    moments = sum(t.nbytes for state in optimizer.state.values() for t in state.values() if t.dim())
    estimate = estimate_memory(config, read_shapes(tmp_path), 3, device="cpu")
    assert (estimate.weights, estimate.optimizer) == (weights, moments)
    trained = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    assert gradients == trained == estimate.optimizer // 2
    assert estimate.adapter == (0 if method == "full" else trained)


def test_the_output_layer_works_in_small_pieces_on_a_cpu(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_layer, "TOKEN_CHUNK_SIZE", 4096)
    begin(epochs=0.1, evaluations=1).go()
    assert output_layer.TOKEN_CHUNK_SIZE == HEAD_TOKENS


def test_small_pieces_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(700, 32), torch.randn(300, 32)
    targets = torch.randint(300, (700,))

    def passed(tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
        monkeypatch.setattr(output_layer, "TOKEN_CHUNK_SIZE", tokens)
        leaf = hidden.clone().requires_grad_()
        found = output_layer.ChunkedLogProbFunction.apply(leaf, weight, None, targets, 1.0, 32768)[0]
        found.sum().backward()
        assert leaf.grad is not None
        return found.detach(), leaf.grad

    for whole, pieces in zip(passed(4096), passed(HEAD_TOKENS), strict=True):
        torch.testing.assert_close(pieces, whole)
