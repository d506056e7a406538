"""The order of rows as the trainer's loader takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

from core.training.ordering import row_order

__all__ = ["RowOrder"]


class RowOrder(Sampler[int]):
    """Reshuffled every epoch by seed and epoch alone, rows of like length side by side: see `row_order`."""

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
        return iter(row_order(self.lengths, self.batch, self.seed, self.epoch))
