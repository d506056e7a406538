"""The order in which rows are learned, and what it leaves of padding; no torch."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["padding_share", "row_order"]

_POOL = 8
"""Batches sorted together: fewer leave more padding, more make batches less varied."""


def row_order(lengths: Sequence[int], batch: int, seed: int, epoch: int) -> list[int]:
    """Return rows shuffled, then pools of several batches sorted by length, and those batches shuffled.

    Padding costs as much as tokens: a batch of bare questions must not wait for one row with long passages. The order
    depends on nothing but seed and epoch, so a resumed run sees the rows that an unbroken one would have seen.

    Args:
        lengths: tokens of each row.
        batch: rows of a batch, of all processes together.
        seed: the run's.
        epoch: 0 for the first.
    """
    draw = random.Random(f"{seed}:{epoch}")
    order = list(range(len(lengths)))
    draw.shuffle(order)
    size = batch * _POOL
    pools = [sorted(order[i : i + size], key=lambda row: lengths[row]) for i in range(0, len(order), size)]
    batches = [pool[i : i + batch] for pool in pools for i in range(0, len(pool), batch)]
    # A short batch stays last: the loader cuts batches by counting rows.
    whole = [part for part in batches if len(part) == batch]
    rest = [row for part in batches if len(part) < batch for row in part]
    draw.shuffle(whole)
    return [row for part in whole for row in part] + rest


def padding_share(lengths: Sequence[int], batch: int, processes: int, seed: int) -> float:
    """Return the share of an epoch's places that hold no token: each batch is as wide as its longest row.

    Args:
        lengths: tokens of each row.
        batch: rows of a batch of one process.
        processes: how many train together, each with batches of its own.
        seed: the run's.
    """
    order = row_order(lengths, batch * processes, seed, 0)
    parts = [[lengths[row] for row in order[i : i + batch]] for i in range(0, len(order), batch)]
    places = sum(max(part) * len(part) for part in parts)
    return 1 - sum(lengths) / places if places else 0.0
