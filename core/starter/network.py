"""The starter's network: a Qwen3 shape, and the same computation written for fast training on a CPU.

``forward_packed`` computes what ``Qwen3ForCausalLM`` computes, on its own parameters, but over several
conversations laid end to end with no padding between them. Linear layers see one matrix of fixed height,
so the pieces around attention compile to fixed shapes; attention runs per conversation. Two processes of
one thread reach more than twice the speed of the padded original on the machine it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Qwen3Config, Qwen3ForCausalLM

from core.starter.tokenizer import CONTEXT_LENGTH, END, PAD, START

HEAD = 64
ROPE_THETA = 10_000.0
# Queries that attend at once on a CPU: each block sees only the keys before its end, so half of the score
# matrix is never computed. At 700 tokens this takes half the time of PyTorch's own kernel; measured.
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the network.

    Attributes:
        width: Width of the residual stream.
        layers: Number of blocks.
        heads: Attention heads of 64 each.
        inner: Width inside each feed-forward block.
    """

    width: int = 192
    layers: int = 5
    heads: int = 4
    inner: int = 512


def new_network(shape: Shape, vocabulary: int, seed: int = 0) -> Qwen3ForCausalLM:
    """A Qwen3 model with random weights: tied embeddings, no biases."""
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=shape.width,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            head_dim=HEAD,
            max_position_embeddings=CONTEXT_LENGTH,
            rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
            tie_word_embeddings=True,
            pad_token_id=PAD,
            bos_token_id=START,
            eos_token_id=END,
        )
    )


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    x = x.float()
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def _project(
    x: Tensor,
    norms: tuple[Tensor, Tensor, Tensor],
    weights: tuple[Tensor, Tensor, Tensor],
    turn: tuple[Tensor, Tensor],
    kind: torch.dtype,
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, each [heads, tokens, 64], of the residual stream [tokens, width]."""
    h = _norm(x, norms[0]).to(kind)
    q, k, v = (functional.linear(h, w.to(kind)).view(h.shape[0], -1, HEAD) for w in weights)
    q = _rotate(_norm(q, norms[1]), *turn).to(kind)
    k = _rotate(_norm(k, norms[2]), *turn).to(kind)
    return q.transpose(0, 1).contiguous(), k.transpose(0, 1).contiguous(), v.transpose(0, 1).contiguous()


def _feed(
    x: Tensor, mixed: Tensor, norm: Tensor, weights: tuple[Tensor, Tensor, Tensor, Tensor], kind: torch.dtype
) -> Tensor:
    """The residual stream after attention's output and the feed-forward block."""
    out, gate, up, down = (w.to(kind) for w in weights)
    x = x + functional.linear(mixed.transpose(0, 1).reshape(x.shape[0], -1), out)
    h = _norm(x, norm).to(kind)
    return x + functional.linear(functional.silu(functional.linear(h, gate)) * functional.linear(h, up), down)


class PackedForward:
    """Runs conversations laid end to end through a Qwen3 model's own parameters.

    Args:
        model: The model whose parameters are used; gradients arrive there.
        kind: Number type of matrix products; the residual stream stays 32 bit.
        compiled: Compile the pieces around attention for one fixed number of tokens.
    """

    def __init__(self, model: Qwen3ForCausalLM, *, kind: torch.dtype = torch.float32, compiled: bool = False) -> None:
        self.model = model
        self.kind = kind
        self._project: Callable[..., tuple[Tensor, Tensor, Tensor]] = _project
        self._feed: Callable[..., Tensor] = _feed
        if compiled:
            self._project = torch.compile(_project, dynamic=False)
            self._feed = torch.compile(_feed, dynamic=False)
        self._masks: dict[int, Tensor] = {}
        device = model.device
        inverse = ROPE_THETA ** (-torch.arange(0, HEAD, 2, device=device).float() / HEAD)
        angles = torch.arange(CONTEXT_LENGTH, device=device).float()[:, None] * inverse
        self._cos = torch.cat([angles, angles], 1).cos()[:, None]
        self._sin = torch.cat([angles, angles], 1).sin()[:, None]

    def __call__(
        self, ids: Tensor, lengths: Sequence[int], keep: Sequence[int] = ()
    ) -> tuple[Tensor, Mapping[int, tuple[Tensor, Tensor]]]:
        """The final hidden states [tokens, width] and, for the layers in ``keep``, queries and keys.

        Args:
            ids: Token ids of all conversations, end to end, possibly followed by padding.
            lengths: Length of each conversation; the sum is at most ``len(ids)``.
            keep: Layers whose queries and keys [heads, tokens, 64] are returned for guided attention.
        """
        positions = torch.zeros_like(ids)
        positions[: sum(lengths)] = torch.cat([torch.arange(n, device=ids.device) for n in lengths])
        turn = (self._cos[positions], self._sin[positions])
        inner = self.model.model
        x = functional.embedding(ids, inner.embed_tokens.weight)
        kept = {}
        for index, layer in enumerate(inner.layers):
            a, m = layer.self_attn, layer.mlp
            norms = (layer.input_layernorm.weight, a.q_norm.weight, a.k_norm.weight)
            q, k, v = self._project(x, norms, (a.q_proj.weight, a.k_proj.weight, a.v_proj.weight), turn, self.kind)
            if index in keep:
                kept[index] = (q, k)
            weights = (a.o_proj.weight, m.gate_proj.weight, m.up_proj.weight, m.down_proj.weight)
            x = self._feed(x, self._attend(q, k, v, lengths), layer.post_attention_layernorm.weight, weights, self.kind)
        return _norm(x, inner.norm.weight), kept

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [rows, vocabulary] of final hidden states [rows, width], in 32 bit."""
        return functional.linear(hidden.to(self.kind), self.model.model.embed_tokens.weight.to(self.kind)).float()

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, lengths: Sequence[int]) -> Tensor:
        parts, start = [], 0
        for n in lengths:
            end = start + n
            parts.append(self._attend_one(q[:, start:end], k[:, start:end], v[:, start:end], n))
            start = end
        if start < q.shape[1]:
            parts.append(torch.zeros_like(q[:, start:]))
        return torch.cat(parts, 1)

    def _attend_one(self, q: Tensor, k: Tensor, v: Tensor, n: int) -> Tensor:
        if q.device.type != "cpu":
            return functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
        parts = []
        for start in range(0, n, _BLOCK):
            end = min(start + _BLOCK, n)
            keys = k[:, :end].transpose(1, 2)
            scores = torch.baddbmm(self._mask(q)[start:end, :end], q[:, start:end], keys, alpha=HEAD**-0.5)
            parts.append(torch.bmm(scores.softmax(-1), v[:, :end]))
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    def _mask(self, q: Tensor) -> Tensor:
        """Additive causal mask, large enough for any conversation."""
        if 0 not in self._masks:
            self._masks[0] = torch.full((CONTEXT_LENGTH, CONTEXT_LENGTH), -1e9, dtype=q.dtype).triu(1)
        return self._masks[0]
