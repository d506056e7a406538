"""The order of rows: reshuffled every epoch by seed and epoch alone, rows of like length side by side."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

__all__ = ["RowOrder"]


class RowOrder(Sampler[int]):
    """Shuffles rows, then sorts pools of several batches by length and shuffles the batches.

    Padding costs as much as tokens: a batch of bare questions must not wait for one row with long passages. The order
    depends on nothing but seed and epoch, so a resumed run sees the rows that an unbroken one would have seen.
    """

    POOL = 8
    """Batches sorted together: fewer leave more padding, more make batches less varied."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        """Remember the tokens of each row."""
        self.lengths = list(lengths)
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; the trainer calls it before each one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        draw = random.Random(f"{self.seed}:{self.epoch}")
        order = list(range(len(self.lengths)))
        draw.shuffle(order)
        size = self.batch * self.POOL
        pools = [sorted(order[i : i + size], key=lambda row: self.lengths[row]) for i in range(0, len(order), size)]
        batches = [pool[i : i + self.batch] for pool in pools for i in range(0, len(pool), self.batch)]
        # A short batch stays last: the loader cuts batches by counting rows.
        whole = [batch for batch in batches if len(batch) == self.batch]
        rest = [row for batch in batches if len(batch) < self.batch for row in batch]
        draw.shuffle(whole)
        return iter([row for batch in whole for row in batch] + rest)
