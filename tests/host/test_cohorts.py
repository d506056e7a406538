"""Which rows have their prompts read together."""

from __future__ import annotations

from collections.abc import Sequence

from core.host.attention import PromptStates
from core.host.cohorts import Read, Together, begin_alike, next_together
from core.host.rows import Row
from core.host.sampling import Sampling


def row(prompt: Sequence[int], salt: str | None = None, model: str = "m") -> Row:
    made = Row(model, [], Sampling(), lambda event: None, cache_salt=salt)
    made.prompt, made.positions = list(prompt), len(prompt) + 10
    return made


def chosen(rows: list[Row], last: Read | None = None, positions: int = 10_000, most: int = 32) -> Together | None:
    return next_together(rows, last, lambda wanted: wanted <= positions, most)


def test_the_row_that_waited_longest_goes_with_those_of_about_its_length() -> None:
    rows = [row([0] * length) for length in (50, 500, 52, 10, 60, 900, 49)]
    found = chosen(rows)
    assert found is not None and found.rows[0] is rows[0]
    assert sorted(len(member.prompt) for member in found.rows) == [49, 50, 52, 60]
    assert (found.capacity, found.positions, found.tokens) == (70, 280, 240)


def test_no_more_go_together_than_memory_places_and_worth_allow() -> None:
    rows = [row([0] * 50) for _ in range(40)]
    assert [len(found.rows) for found in (chosen(rows, positions=200), chosen(rows, most=5)) if found] == [3, 5]
    assert len((chosen(rows) or Together([])).rows) == 20, "a thousand tokens keep a processor busy"
    assert chosen(rows, positions=59) is None


def test_of_rows_that_begin_alike_the_first_is_read_alone_and_the_others_know_its_beginning() -> None:
    common = list(range(100, 200))
    rows = [row([*common, number, number], salt="run") for number in range(5)]
    first = chosen(rows)
    assert first is not None and first.rows == [rows[0]] and first.known() is None
    last = Read("m", "run", rows[0].prompt, PromptStates(()))
    others = chosen([*rows[1:], row([7] * 102, salt="run")], last)
    assert others is not None and others.rows == rows[1:]
    assert others.shared == 100 and others.known() is not None
    assert others.tokens == 4 * 2, "only what is not known is read"


def test_nothing_is_shared_between_salts_models_or_beginnings_that_are_short_or_a_small_part() -> None:
    common = list(range(100, 200))
    one = row([*common, 1], salt="run")
    assert begin_alike(one, row([*common, 2], salt="run"))
    for other in (
        row([*common, 2], salt="other"),
        row([*common, 2], salt="run", model="n"),
        row([*common, 2]),
        row([*common[:15], 2], salt="run"),
        row([*common, *range(1100)], salt="run"),
    ):
        assert not begin_alike(one, other)
        assert Read("m", "run", one.prompt, PromptStates(())).shared_with(other) == 0
    same = row(one.prompt, salt="run")
    assert Read("m", "run", one.prompt, PromptStates(())).shared_with(same) == 100, "the last token is always read"
