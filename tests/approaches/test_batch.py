"""Many at once: what is answered is saved at once, whoever reads the results meanwhile takes whatever time it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from core.approaches import ask_each


def test_what_is_handed_out_was_saved_and_nothing_is_left_out() -> None:
    saved: list[int] = []
    for batch in ask_each(range(200), abs, saved.extend, concurrency=8, should_stop=lambda: False):
        assert set(batch) <= set(saved)
    assert sorted(saved) == list(range(200))


def test_answers_are_saved_while_the_reader_is_busy_with_earlier_ones() -> None:
    saved: list[int] = []
    all_there = threading.Event()

    def save(rows: Sequence[int]) -> None:
        saved.extend(rows)
        if len(saved) == 8:
            all_there.set()

    def ask(number: int) -> int:
        time.sleep(0.6 if number == 0 else 0.8)
        return number

    batches = ask_each(range(8), ask, save, concurrency=8, should_stop=lambda: False)
    first = next(batches)
    assert len(first) < 8, "the others were still on their way"
    assert all_there.wait(5), "nobody asked for more, and yet all are kept"
    assert sorted([*first, *(row for batch in batches for row in batch)]) == list(range(8))


def test_a_stop_asks_nothing_more_and_saves_what_was_under_way() -> None:
    saved: list[int] = []
    stop = threading.Event()

    def questions() -> Iterator[int]:
        for number in range(100):
            if number == 10:
                stop.set()
            yield number

    done = [
        row
        for batch in ask_each(questions(), abs, saved.extend, concurrency=2, should_stop=stop.is_set)
        for row in batch
    ]
    assert sorted(done) == sorted(saved) == list(range(11)), "the one that was handed out when the stop came is asked"


def test_a_store_that_fails_ends_the_asking_with_its_reason() -> None:
    def save(rows: Sequence[int]) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        list(ask_each(range(1000), abs, save, concurrency=4, should_stop=lambda: False))


def test_rows_that_come_together_share_a_transaction() -> None:
    transactions: list[int] = []
    list(
        ask_each(
            range(300), abs, lambda rows: transactions.append(len(rows)), concurrency=16, should_stop=lambda: False
        )
    )
    assert sum(transactions) == 300
    assert len(transactions) < 100
