"""An endless, resumable stream of packed batches: conversations laid end to end, nearly no padding."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from core.starter.guides import CONTEXT_WEIGHT, HEADS, Example, encode
from core.starter.source import Generate

# Predicting context teaches language but costs as much as predicting answers: learn from a sample of it.
CONTEXT_SHARE = 0.15
_GUIDED_ROWS = 96
_POOL = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """One process's share of a step.

    Attributes:
        ids: Token ids [tokens]: conversations end to end, then padding.
        lengths: Length of each conversation.
        rows: Tokens whose successor is predicted [rows].
        targets: The successors [rows].
        weights: Loss weights [rows].
        guides: For each kind of guide: [count, 4] of row, first token allowed to be seen, target start, end.
    """

    ids: Tensor
    lengths: tuple[int, ...]
    rows: Tensor
    targets: Tensor
    weights: Tensor
    guides: dict[str, Tensor]


def pack(examples: list[Example], size: int) -> list[list[Example]]:
    """First fit, longest first; examples longer than ``size`` are left out."""
    bins: list[list[Example]] = []
    room: list[int] = []
    for example in sorted((e for e in examples if len(e.ids) <= size), key=lambda e: -len(e.ids)):
        for index, free in enumerate(room):
            if len(example.ids) <= free:
                bins[index].append(example)
                room[index] -= len(example.ids)
                break
        else:
            bins.append([example])
            room.append(size - len(example.ids))
    return bins


def collate(examples: list[Example], size: int, rng: random.Random) -> Batch:
    """Lay examples end to end and draw which context tokens are predicted."""
    ids = torch.zeros(size, dtype=torch.long)
    rows: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    guides: dict[str, list[tuple[int, int, int, int]]] = {kind: [] for kind in HEADS}
    base = 0
    for example in examples:
        ids[base : base + len(example.ids)] = torch.tensor(example.ids)
        for index in range(1, len(example.ids)):
            weight = example.weights[index]
            if weight <= CONTEXT_WEIGHT and rng.random() > CONTEXT_SHARE:
                continue
            rows.append(base + index - 1)
            targets.append(example.ids[index])
            weights.append(weight / CONTEXT_SHARE if weight <= CONTEXT_WEIGHT else weight)
        for guide in example.guides:
            guides[guide.kind].append((base + guide.row, base, base + guide.start, base + guide.end))
        base += len(example.ids)
    chosen = {k: g if len(g) <= _GUIDED_ROWS else rng.sample(g, _GUIDED_ROWS) for k, g in guides.items()}
    return Batch(
        ids,
        tuple(len(e.ids) for e in examples),
        torch.tensor(rows),
        torch.tensor(targets),
        torch.tensor(weights),
        {k: torch.tensor(g) for k, g in chosen.items() if g},
    )


@dataclass(slots=True)
class Place:
    """Where a stream stands: enough to continue it exactly.

    Attributes:
        pool: Number of the pool of conversations being used.
        used: Batches of it already given out.
        progress: The curriculum's progress when it was generated.
    """

    pool: int = -1
    used: int = 0
    progress: float = 0.0


class Stream:
    """Packed batches of one process.

    The pool number, the seed and the process number determine a pool's conversations, so a stream needs
    no other state than its place.

    Args:
        generate: The world.
        tokenizer: The tokenizer.
        size: Tokens of a batch.
        name: Seed and process number, as text.
        place: Where to continue.
    """

    def __init__(self, generate: Generate, tokenizer: Tokenizer, size: int, name: str, place: Place | None = None):
        self.generate, self.tokenizer, self.size, self.name = generate, tokenizer, size, name
        self.place = place or Place()
        self._batches: list[Batch] = []
        if place is not None and place.pool >= 0:
            self._batches = self._make(place)[place.used :]

    def next(self, progress: float) -> Batch:
        """The next batch; ``progress`` (0 to 1) is where the curriculum stands."""
        while not self._batches:
            self.place = Place(self.place.pool + 1, 0, progress)
            self._batches = self._make(self.place)
        self.place.used += 1
        return self._batches.pop(0)

    def _make(self, place: Place) -> list[Batch]:
        rng = random.Random(f"{self.name}/{place.pool}")
        examples: list[Example] = []
        total = 0
        while total < _POOL * self.size:
            # Easier contexts stay in the mixture: they hold more answers per token.
            progress = place.progress * rng.random() ** 0.5
            example = encode(self.generate(rng, progress=progress), self.tokenizer)
            if len(example.ids) <= self.size:
                examples.append(example)
                total += len(example.ids)
        bins = pack(examples, self.size)
        full = [b for b in bins if sum(len(e.ids) for e in b) >= 0.6 * self.size] or bins
        rng.shuffle(full)
        return [collate(b, self.size, rng) for b in full]
