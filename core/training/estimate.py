"""How much memory a training needs, part by part, worked out from the shapes in the base's files."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.training.config import TrainingConfig

__all__ = ["MemoryEstimate", "Shapes", "estimate_memory", "read_shapes", "trained_parameters"]

_BLOCK = 64
"""Weights that share a scale in bitsandbytes' 4-bit formats."""
_STATE = ".quant_state.bitsandbytes__"
_COMPANIONS = ("absmax", "quant_map", "nested_absmax", "nested_quant_map", "quant_state")
"""What bitsandbytes stores beside a packed weight."""
_LIBRARIES = 650 << 20
"""Bytes that torch, transformers, peft, TRL and the interpreter hold before a model is loaded (measured on CPU)."""
_GPU_CONTEXT = 600 << 20
"""Bytes that a CUDA context with its kernels takes of the GPU."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """What decides how much memory a base takes."""

    linear: tuple[tuple[int, int], ...]
    """Outputs and inputs of every linear layer inside the blocks."""
    attention: tuple[tuple[int, int], ...]
    """Those of them that belong to the attention."""
    other: int
    """Numbers in embeddings, norms and biases."""
    layers: int
    hidden: int
    intermediate: int
    query: int
    """Width of all query heads together."""
    key: int
    """Width of all key heads together."""
    vocabulary: int
    packed: int = 0
    """Numbers of the linear layers that the files hold in 4 bit already; the others were left as they were."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes by part."""

    weights: int
    """The base's weights as they lie in memory; twice where they are trained and still are the reference."""
    quantisation: int
    """Scales of 4-bit weights."""
    adapter: int
    """What is trained beside the base, in 32 bit."""
    gradients: int
    optimizer: int
    """Two moments for each trained number (AdamW), in 32 bit."""
    activations: int
    """What the backward pass needs of the forward pass, for one batch of the longest rows."""
    libraries: int

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(asdict(self).values())

    @property
    def above_model(self) -> int:
        """What comes on top once the model is loaded."""
        return self.total - self.libraries - self.weights - self.quantisation

    def as_dict(self) -> dict[str, int]:
        """Return the parts and the total."""
        return {**asdict(self), "total": self.total}


def read_shapes(folder: Path) -> Shapes:
    """Read the shapes of a base from the headers of its weight files; no weight is loaded."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)
    linear, attention, other, packed = [], [], 0, 0
    for name, shape, in_four_bits in _tensors(folder):
        packed += math.prod(shape) if in_four_bits else 0
        if len(shape) == 2 and ".layers." in name and name.endswith(".weight"):
            linear.append((shape[0], shape[1]))
            if "attn" in name or "attention" in name:
                attention.append((shape[0], shape[1]))
        else:
            other += math.prod(shape)
    heads = text["num_attention_heads"]
    size = text.get("head_dim") or text["hidden_size"] // heads
    return Shapes(
        linear=tuple(linear),
        attention=tuple(attention),
        other=other,
        layers=text["num_hidden_layers"],
        hidden=text["hidden_size"],
        intermediate=text.get("intermediate_size") or 4 * text["hidden_size"],
        query=heads * size,
        key=(text.get("num_key_value_heads") or heads) * size,
        vocabulary=text["vocab_size"],
        packed=packed,
    )


def _tensors(folder: Path) -> Iterator[tuple[str, list[int], bool]]:
    """Give the name and shape of every weight, and whether it is packed into 4 bits.

    bitsandbytes stores a packed weight as one column of bytes, its scales under ``<name>.<part>``, and what shape it
    really has as JSON in ``<name>.quant_state.bitsandbytes__<type>``.
    """
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            states = {name.split(_STATE)[0]: entry for name, entry in header.items() if _STATE in name}
            for name, entry in header.items():
                if name in states:
                    start, end = states[name]["data_offsets"]
                    file.seek(8 + length + start)
                    yield name, json.loads(file.read(end - start))["shape"], True
                elif not any(f".weight.{part}" in name for part in _COMPANIONS):
                    yield name, entry["shape"], False


def trained_parameters(config: TrainingConfig, shapes: Shapes) -> int:
    """Return how many numbers the method trains."""
    method: Any = config.plugin
    if method.whole:
        return sum(out * inside for out, inside in shapes.linear) + shapes.other
    if method.name == "prefix":
        return int(method.virtual_tokens * shapes.layers * 2 * shapes.key)
    chosen = shapes.linear if method.target == "all-linear" else shapes.attention
    low_rank = sum(method.rank * (out + inside) for out, inside in chosen)
    return int(low_rank + (sum(out for out, _ in chosen) if method.name == "dora" else 0))


def estimate_memory(config: TrainingConfig, shapes: Shapes, longest: int, *, device: str) -> MemoryEstimate:
    """Estimate the peak of a training.

    Args:
        config: what is trained.
        shapes: of the base.
        longest: tokens of the longest sequence; the estimate takes a whole batch of such rows.
        device: ``cpu`` or ``cuda``.
    """
    method = config.plugin
    wide = 2 if device == "cuda" and config.precision != "fp32" else 4
    linear = sum(out * inside for out, inside in shapes.linear)
    trained = trained_parameters(config, shapes)
    if method.quantised or shapes.packed:
        packed = shapes.packed or linear
        # layers that a 4-bit checkpoint leaves in 16 bit are trained through in 32
        weights = packed // 2 + (linear - packed) * 4 + shapes.other * wide
        scales = int(packed / _BLOCK * (1 + 4 / 256)) if getattr(method, "double_quantisation", True) else packed // 16
    else:
        weights = (linear + shapes.other) * (4 if method.whole else wide)
        scales = 0
    if config.aim.pairs and method.whole:
        weights *= 2
    return MemoryEstimate(
        weights=weights,
        quantisation=scales,
        adapter=0 if method.whole else trained * 4,
        gradients=trained * 4,
        optimizer=trained * 8,
        activations=_activations(config, shapes, longest, wide),
        libraries=_GPU_CONTEXT if device == "cuda" else _LIBRARIES,
    )


def _activations(config: TrainingConfig, shapes: Shapes, longest: int, wide: int) -> int:
    """Count what autograd keeps of a block of the Llama family, per token, and the chunked output layer.

    A block keeps: both norms' inputs and outputs (4 hidden), queries, keys and values before and after rotation,
    the attention's output, the output's input, and gate, up, activated gate and product of the feed-forward part
    (4 intermediate). Adapters keep a copy of each layer's input times their rank, which is small. With checkpointing
    only a block's input stays, and one block at a time is computed again. A row of a pair is two sequences; what the
    reference says of them is computed without anything being kept.
    """
    tokens = config.batch_size * longest * (2 if config.aim.pairs else 1)
    block = 6 * shapes.hidden + 3 * shapes.query + 4 * shapes.key + 4 * shapes.intermediate
    if config.gradient_checkpointing:
        kept = shapes.layers * shapes.hidden + block
    else:
        kept = shapes.layers * block
    # TRL computes the output layer in pieces of 256 tokens, in 32 bit, and keeps a gradient beside the logits.
    output = min(tokens, 256) * shapes.vocabulary * 4 * 3
    return tokens * kept * wide + output
