"""How much memory a training needs, part by part, worked out from the shapes in the base's files."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.training.config import TrainingConfig
from core.training.tensors import stored_tensors

__all__ = [
    "HEAD_TOKENS",
    "MemoryEstimate",
    "Shapes",
    "estimate_memory",
    "kept_by_blocks",
    "read_shapes",
    "trained_parameters",
]

_BLOCK = 64
"""Weights that share a scale in bitsandbytes' 4-bit formats."""
_LIBRARIES = 650 << 20
"""Bytes that torch, transformers, peft, TRL and the interpreter hold before a model is loaded (measured on CPU)."""
_GPU_CONTEXT = 600 << 20
"""Bytes that a CUDA context with its kernels takes of the GPU."""

HEAD_TOKENS = 256
"""Tokens whose logits are computed at once on a CPU; the trainer sets TRL's pieces to it."""
_HEAD_TOKENS_GPU = 4096
"""The same on a GPU: TRL's own pieces."""
_HEAD_WORDS = 32768
"""Most words of the vocabulary in one piece (TRL)."""
_HEAP_LIMIT = 32 << 20
"""From this size on, glibc gives a block back to the system as soon as it is free."""
_GAPS_KEPT = 0.5
"""Share of the passing results' memory that stays lost among the kept ones (measured with glibc 2.36)."""
_HEAD_COPIES = 8.25
"""A piece's logits at the worst moment of the way back on a CPU, in 32 bit: the product, what it was scaled to twice,
logarithm, probability, gradient, two terms of it, and a mask of bytes. A GPU kernel works in place."""


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
    head_norms: bool = False
    """Whether queries and keys are normed in each head, as Qwen3 does."""


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
    """What gradients add: activations make room for most of them while they are computed."""
    optimizer: int
    """Two moments for each trained number (AdamW), in 32 bit."""
    activations: int
    """What the backward pass needs of the forward pass, for one batch of the longest rows."""
    gaps: int
    """Memory between the activations that the process holds and cannot use again; none on a GPU."""
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
    linear, attention, other, packed, head_norms = [], [], 0, 0, False
    for name, shape, in_four_bits in stored_tensors(folder):
        packed += math.prod(shape) if in_four_bits else 0
        if len(shape) == 2 and ".layers." in name and name.endswith(".weight"):
            linear.append((shape[0], shape[1]))
            if "attn" in name or "attention" in name:
                attention.append((shape[0], shape[1]))
        else:
            other += math.prod(shape)
            head_norms |= "q_norm" in name
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
        head_norms=head_norms,
    )


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
    half = config.precision == "bf16" or (config.precision == "auto" and device == "cuda")
    wide = 2 if half else 4
    linear = sum(out * inside for out, inside in shapes.linear)
    trained = trained_parameters(config, shapes)
    if method.quantised or shapes.packed:
        packed = shapes.packed or linear
        # What is not quantised is turned to 32 bit before a 4-bit base is trained.
        weights = packed // 2 + (linear - packed + shapes.other) * 4
        scales = int(packed / _BLOCK * (1 + 4 / 256)) if getattr(method, "double_quantisation", True) else packed // 16
    else:
        weights = (linear + shapes.other) * (4 if method.whole else wide)
        scales = 0
    if config.aim.pairs and method.whole:
        weights *= 2
    activations = _activations(config, shapes, longest, half=half, device=device)
    return MemoryEstimate(
        weights=weights,
        quantisation=scales,
        adapter=0 if method.whole else trained * 4,
        gradients=_gradients(config, shapes, activations, device),
        optimizer=trained * 8,
        activations=activations,
        gaps=0 if device == "cuda" else _gaps(config, shapes, longest, wide),
        libraries=_GPU_CONTEXT if device == "cuda" else _LIBRARIES,
    )


def _sequences(config: TrainingConfig) -> int:
    """Return the sequences of a batch: a row of a pair is two. What the reference says of them keeps nothing."""
    return config.batch_size * (2 if config.aim.pairs else 1)


def _gradients(config: TrainingConfig, shapes: Shapes, activations: int, device: str) -> int:
    """Return what gradients add to the peak.

    It lies at the begin of the way back, when all activations are there and only the output layer has its gradient,
    or at its end, when all gradients are there. On a GPU, AdamW then works on all weights at once and needs a copy of
    one moment; on a CPU it takes them one by one.
    """
    trained = trained_parameters(config, shapes) * 4
    first = shapes.vocabulary * shapes.hidden * 4 if config.plugin.whole else 0
    last = trained * (2 if device == "cuda" else 1) - activations
    return max(first, last)


def _activations(config: TrainingConfig, shapes: Shapes, longest: int, *, half: bool, device: str) -> int:
    """Return the bytes of what autograd keeps of the way forward, and of the worst moment of the way back."""
    tokens, wide = _sequences(config) * longest, 2 if half else 4
    kept = kept_by_blocks(config, shapes, longest, half=half)
    if config.gradient_checkpointing:
        # Only each block's input stays; one block at a time is computed again.
        stream = 2 if half and not (config.plugin.whole or config.plugin.quantised) else 4
        kept = kept // shapes.layers + shapes.layers * tokens * shapes.hidden * stream
    kept += tokens * shapes.hidden * ((8 if config.plugin.whole else 4) + wide)
    back = tokens * (3 * shapes.intermediate + 2 * shapes.hidden) * wide
    return kept + max(back, _head(tokens, shapes, wide, device))


def _gaps(config: TrainingConfig, shapes: Shapes, longest: int, wide: int) -> int:
    """Return the bytes lost to gaps in the heap of a training on a CPU.

    Results that are needed only for a moment lie between those that are kept. Once free, such a place is a little too
    short for the next block of the same size: glibc asks for 96 bytes more to align it, and keeps what it cuts off
    apart. A block passes for each result of a layer, of its adapter, of the adapter's scaling, and within norms and
    rotation. Large blocks are not in the heap.
    """
    tokens, method = _sequences(config) * longest, config.plugin

    def in_heap(width: int) -> int:
        return width if tokens * width * wide < _HEAP_LIMIT else 0

    norms, turned = (3.0 if shapes.head_norms else 0.0), 3.5
    heads = (norms + turned) * (in_heap(shapes.query) + in_heap(shapes.key))
    passing = shapes.layers * (5 * in_heap(shapes.hidden) + heads)
    target = getattr(method, "target", None)
    if target is not None:
        chosen = shapes.linear if target == "all-linear" else shapes.attention
        passing += (5 if method.name == "dora" else 3) * sum(in_heap(out) for out, _ in chosen)
    return int(_GAPS_KEPT * tokens * passing * wide)


def _head(tokens: int, shapes: Shapes, wide: int, device: str) -> int:
    """Return the bytes of the output layer on the way back: one piece of the logits, and the gradient it leaves."""
    if device == "cuda":
        piece = min(tokens, _HEAD_TOKENS_GPU) * _HEAD_WORDS * wide
    else:
        piece = int(min(tokens, HEAD_TOKENS) * min(shapes.vocabulary, _HEAD_WORDS) * 4 * _HEAD_COPIES)
    return piece + tokens * shapes.hidden * 4


def kept_by_blocks(config: TrainingConfig, shapes: Shapes, longest: int, *, half: bool) -> int:
    """Return the bytes that autograd keeps of all blocks of a model of the Llama family (a test counts them).

    For each token a block keeps:

    - the input of both norms, in 32 bit, and what they made of it if the norms' weights are trained;
    - the same for the norms of queries and keys, where there are any;
    - queries, keys and values as the attention takes them, and its result; heads that share keys get copies of them,
      because a padded batch needs a mask, and the attention's kernels then do not share;
    - gate, activated gate and second factor of the feed-forward part;
    - the input of each layer that is trained or has an adapter; in 16 bit, each layer makes a copy of its own;
    - the inner dimension of each low-rank adapter; for DoRA also the results of layer and adapter, and for each layer
      a square matrix, the identity that peft sends through the adapter;
    - one row of the mask.
    """
    wide = 2 if half else 4
    layers, hidden, inner = shapes.layers, shapes.hidden, shapes.intermediate
    both = shapes.query + shapes.key
    virtual = getattr(config.plugin, "virtual_tokens", 0)
    numbers = 4 * shapes.query + 3 * inner + (longest + virtual if _sequences(config) > 1 or virtual else 0)
    if _sequences(config) == 1 and not virtual:
        numbers -= 2 * (shapes.query - shapes.key)
    exact = 2 * hidden + (both if shapes.head_norms else 0)
    if config.plugin.whole:
        exact += 2 * hidden
        numbers += (both if shapes.head_norms else 0) + (5 if half else 2) * hidden + inner
    per_token = layers * (numbers * wide + exact * 4)
    if virtual:
        # Nothing before the first block's attention is trained, so nothing there is kept.
        per_token -= (hidden + (both if shapes.head_norms else 0)) * 4
    fixed = 2 * sum(out * inside for out, inside in shapes.linear) if config.plugin.whole and half else 0
    adapters, squares = _kept_by_adapters(config, shapes, half=half)
    return _sequences(config) * longest * (per_token + adapters * wide) + fixed + squares * wide


def _kept_by_adapters(config: TrainingConfig, shapes: Shapes, *, half: bool) -> tuple[int, int]:
    """Return how many numbers all low-rank adapters keep for each token, and how many however many tokens there are."""
    method: Any = config.plugin
    if not hasattr(method, "target"):
        return 0, 0
    chosen = shapes.linear if method.target == "all-linear" else shapes.attention
    inputs = sum(inside for _, inside in chosen)
    if not half:
        # Queries, keys and values share their input, gate and factor theirs; the last of them has the attention's
        # result, which is kept already.
        inputs = shapes.layers * (2 * shapes.hidden + shapes.intermediate)
        if method.target == "attention":
            inputs = shapes.layers * shapes.hidden
    numbers = inputs + len(chosen) * method.rank
    squares = 0
    if method.name == "dora":
        numbers += 2 * sum(out for out, _ in chosen)
        squares = sum(inside * inside for _, inside in chosen)
    return numbers, squares
