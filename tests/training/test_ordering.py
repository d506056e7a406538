"""The order in which rows are learned: rows of like length side by side, the same for the same seed and epoch."""

from __future__ import annotations

import random

from core.training.ordering import padding_share, row_order

LENGTHS = random.Random(7).choices(range(10, 400), k=203)


def test_every_row_comes_once_and_a_short_batch_last() -> None:
    order = row_order(LENGTHS, 8, 0, 0)
    assert sorted(order) == list(range(203))
    short = order[-3:]
    assert len(set(short)) == 3, "203 rows are 25 batches of 8, and 3"


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    assert row_order(LENGTHS, 8, 3, 1) == row_order(LENGTHS, 8, 3, 1)
    assert len({tuple(row_order(LENGTHS, 8, seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_rows_of_like_length_share_a_batch_so_that_little_is_padding() -> None:
    drawn = random.Random(0).sample(range(203), 203)
    widths = [max(LENGTHS[row] for row in drawn[at : at + 8]) * len(drawn[at : at + 8]) for at in range(0, 203, 8)]
    at_random = 1 - sum(LENGTHS) / sum(widths)
    assert padding_share(LENGTHS, 8, 1, 0) < 0.5 * at_random
    assert padding_share(LENGTHS, 4, 2, 0) < padding_share(LENGTHS, 8, 1, 0), "each process pads its own half"
    assert padding_share([5, 5, 5], 2, 1, 0) == padding_share(LENGTHS, 1, 1, 0) == padding_share([], 8, 1, 0) == 0
