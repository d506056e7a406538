"""Who may start when: order, slots, lending to sub-jobs, and that nothing can lock up."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.jobs.queue import choose
from core.store import tables as tb


def job(name: str, *slots: str, parent: str | None = None) -> tb.Job:
    return tb.Job(id=name, slot=slots[0], slots=list(slots), parent_id=parent)


def names(jobs: list[tb.Job]) -> list[str]:
    return [item.id for item in jobs]


def test_a_slot_takes_what_it_holds_in_order() -> None:
    waiting = [job("a", "device"), job("b", "device"), job("c", "cpu"), job("d", "cpu"), job("e", "cpu")]
    assert names(choose(waiting, [])) == ["a", "c", "d"]


def test_a_taken_slot_makes_the_others_wait() -> None:
    assert choose([job("b", "device")], [job("a", "device")]) == []


def test_a_job_of_two_slots_is_not_overtaken_for_ever() -> None:
    running = [job("training", "device")]
    waiting = [job("experiment", "host", "device"), job("index", "host"), job("next training", "device")]
    assert choose(waiting, running) == []
    assert names(choose(waiting, [])) == ["experiment"]


def test_a_parent_lends_its_place_to_the_job_it_waits_for() -> None:
    running = [job("p", "cpu"), job("q", "cpu")]
    assert choose([job("stranger", "cpu")], running) == []
    assert names(choose([job("stranger", "cpu"), job("child", "cpu", parent="p")], running)) == ["child"]


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_whatever_is_submitted_everything_ends(seed: int) -> None:
    """Random trees of coordinators and leaves; a coordinator ends only after all it submitted has ended."""
    chance = random.Random(seed)
    waiting, holding, ended = [], [], set()
    to_submit: dict[str, list[tb.Job]] = {}
    waited_for: dict[str, set[str]] = {}

    def make(name: str, depth: int, parent: str | None) -> tb.Job:
        if depth > 0 and chance.random() < 0.6:
            to_submit[name] = [make(f"{name}.{n}", depth - 1, name) for n in range(chance.randint(1, 3))]
            return job(name, "cpu", parent=parent)
        slots = chance.choice([("cpu",), ("device",), ("host",), ("host", "device")])
        return job(name, *slots, parent=parent)

    for number in range(chance.randint(1, 6)):
        waiting.append(make(str(number), 3, None))
    for _ in range(5000):
        if not waiting and not holding:
            return
        started = choose(waiting, holding)
        for slot, most in (("device", 1), ("host", 1)):
            assert sum(slot in item.slots for item in [*holding, *started]) <= most
        waiting = [item for item in waiting if item not in started]
        holding += started
        moves = [item for item in holding if waited_for.get(item.id, set()) <= ended]
        assert moves, ("locked up", names(waiting), names(holding))
        mover = chance.choice(moves)
        if to_submit.get(mover.id):
            # One after the other or all at once, as coordinators do.
            count = chance.choice([1, len(to_submit[mover.id])])
            waiting += to_submit[mover.id][:count]
            waited_for.setdefault(mover.id, set()).update(names(to_submit[mover.id][:count]))
            del to_submit[mover.id][:count]
        else:
            holding.remove(mover)
            ended.add(mover.id)
    raise AssertionError("did not end")
