"""Choosing the next token: greedy for all rows at once, sampled with a generator of its own for each other row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

__all__ = ["Sampling", "choose"]


@dataclass(frozen=True)
class Sampling:
    """How one row draws its tokens."""

    temperature: float = 0.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    """Draw from the smallest set of tokens whose probabilities reach this sum."""
    seed: int | None = None
    """The same seed, weights and prompt give the same answer; None draws a fresh one."""
    generator: torch.Generator = field(default_factory=torch.Generator, compare=False)

    def __post_init__(self) -> None:
        if self.seed is not None:
            self.generator.manual_seed(self.seed % (1 << 63))
        else:
            self.generator.seed()


def choose(logits: torch.Tensor, sampling: Sequence[Sampling]) -> list[int]:
    """Return one token id for each row of `logits` ``(rows, vocabulary)``."""
    tokens: list[int] = logits.argmax(dim=-1).tolist()
    for index, row in enumerate(sampling):
        if row.temperature > 0:
            tokens[index] = _draw(logits[index], row)
    return tokens


def _draw(logits: torch.Tensor, sampling: Sampling) -> int:
    # On the CPU in full precision, so that a seed means the same whatever shares the batch.
    scores = logits.float().cpu() / sampling.temperature
    probabilities = torch.softmax(scores, dim=-1)
    if sampling.top_p < 1:
        ordered, order = probabilities.sort(descending=True, stable=True)
        outside = ordered.cumsum(0) - ordered >= sampling.top_p
        probabilities[order[outside]] = 0
    return int(torch.multinomial(probabilities, 1, generator=sampling.generator))
