"""Turns between weights, limits of memory, idle unloading: the engine with real weights, without HTTP."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.host.engine import MAX_ROWS, Engine
from core.host.library import Library
from core.host.rows import Event, Row
from core.host.sampling import Sampling
from core.settings import reset_settings
from tests.host.conftest import QUESTIONS, chat, make_adapter, make_merged


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    make_adapter(home, "noisy", 1)
    running = Engine()
    running.start()
    yield running
    running.stop()


class Asked:
    """A row and what its listener heard."""

    def __init__(self, engine: Engine, model: str, text: str, **options: Any) -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        options = {"max_tokens": 30, "sampling": Sampling(), **options}
        self.row = Row(model=model, messages=chat(text), listener=self.events.put, **options)
        engine.submit(self.row)

    def end(self, seconds: float = 120) -> Event:
        while True:
            event = self.events.get(timeout=seconds)
            if event.finish_reason or event.error:
                return event


def endless(seed: int) -> dict[str, Any]:
    return {"sampling": Sampling(temperature=2.0, seed=seed), "max_tokens": 1500}


def let_answers_be_endless(engine: Engine) -> None:
    """Take the end token away from the loaded weights, so that a long answer is long whatever it says."""
    assert engine._library is not None
    engine._library.loaded["starter"].end_tokens = frozenset()


def test_a_short_question_does_not_wait_for_another_models_long_answers(engine: Engine) -> None:
    Asked(engine, "starter", "Hello").end()
    let_answers_be_endless(engine)
    long = [Asked(engine, "adapter:noisy", "Hello", **endless(seed)) for seed in range(8)]
    while not all(asked.row.tokens for asked in long):
        time.sleep(0.05)
    Asked(engine, "starter", "Hello", max_tokens=10).end()
    assert any(asked.row.timings.ended_at == 0.0 for asked in long), "the long answers were still being written"
    for asked in long:
        engine.cancel(asked.row)


def test_a_model_asked_later_does_not_stop_answers_that_were_long_under_way(engine: Engine) -> None:
    Asked(engine, "starter", "Hello").end()
    let_answers_be_endless(engine)
    early = Asked(engine, "starter", "Hello", **endless(1))
    time.sleep(3.0)  # a turn in which nobody else waits
    late = Asked(engine, "adapter:noisy", "Hello", **endless(2))
    while not late.row.tokens:
        time.sleep(0.01)
    before = len(early.row.tokens)
    time.sleep(1.5)
    assert len(early.row.tokens) > before + 5, "both take turns from the first moment on"
    for asked in (early, late):
        engine.cancel(asked.row)


def test_a_question_joins_answers_that_are_being_written(engine: Engine) -> None:
    Asked(engine, "adapter:noisy", "Hello").end()
    let_answers_be_endless(engine)
    long = [Asked(engine, "adapter:noisy", "Hello", **endless(seed)) for seed in range(4)]
    joined = Asked(engine, "adapter:noisy", QUESTIONS[0])
    joined.end()
    assert joined.row.timings.as_dict()["batch_size"] > 1
    for asked in long:
        engine.cancel(asked.row)


def test_more_questions_than_fit_into_a_batch_are_all_answered(engine: Engine) -> None:
    alone = Asked(engine, "starter", QUESTIONS[2])
    alone.end()
    asked = [Asked(engine, "starter", QUESTIONS[2]) for _ in range(MAX_ROWS + 8)]
    for each in asked:
        assert each.end().finish_reason == "stop"
    assert {each.row.text for each in asked} == {alone.row.text}
    assert engine.status()["active"] == 0 and engine.status()["waiting"] == 0


def test_rows_wait_where_memory_is_short_and_one_that_can_never_fit_is_refused(engine: Engine) -> None:
    Asked(engine, "starter", "Hello").end()
    library = engine._library
    assert library is not None
    loaded = library.loaded["starter"]
    loaded.cache_budget = loaded.cache_bytes * 100
    asked = [Asked(engine, "starter", "Hello", max_tokens=60) for _ in range(5)]
    assert [each.end().finish_reason for each in asked] == ["stop"] * 5
    assert all(each.row.timings.as_dict()["batch_size"] == 1 for each in asked)
    refused = Asked(engine, "starter", "Hello", max_tokens=500).end()
    assert refused.error is not None and refused.error.code == "host.no_memory"


def test_an_adapter_waits_for_memory_that_rows_of_the_base_hold(engine: Engine) -> None:
    Asked(engine, "adapter:noisy", "Hello", max_tokens=5).end()
    Asked(engine, "starter", "Hello").end()
    library = engine._library
    assert library is not None
    loaded = library.loaded["starter"]
    loaded.cache_budget = loaded.cache_bytes * 400
    loaded.end_tokens = frozenset()
    holder = Asked(engine, "starter", "Hello", max_tokens=350)
    waiting = Asked(engine, "adapter:noisy", "Hello", max_tokens=350)
    assert waiting.end().finish_reason == "length"
    assert holder.end().finish_reason == "length"
    assert holder.row.timings.ended_at <= waiting.row.timings.started_at


def test_a_row_that_is_cancelled_while_it_waits_is_never_read(engine: Engine) -> None:
    first = Asked(engine, "starter", "Hello")
    gone = Asked(engine, "starter", "Hello")
    engine.cancel(gone.row)
    first.end()
    Asked(engine, "starter", "Hello").end()
    assert gone.row.tokens == [] and gone.events.empty()


def test_weights_are_freed_when_nobody_asks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_HOST_IDLE_SECONDS", "0.2")
    reset_settings()
    engine = Engine()
    engine.start()
    Asked(engine, "starter", "Hello").end()
    deadline = time.monotonic() + 20
    while engine.status()["loaded"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert engine.status()["loaded"] == []
    again = Asked(engine, "starter", "Hello")
    again.end()
    assert again.row.timings.as_dict()["warm"] is False
    engine.stop()


def test_a_host_that_stops_tells_whoever_waits(home: Path) -> None:
    make_adapter(home, "noisy", 1)
    engine = Engine()
    engine.start()
    asked = Asked(engine, "adapter:noisy", "Hello", **endless(1))
    waiting = Asked(engine, "starter", "Hello")
    engine.stop(60)
    ends = [asked.end(5), waiting.end(5)]
    assert all(end.finish_reason or (end.error and end.error.code == "host.stopping") for end in ends)
    assert any(end.error for end in ends)


def test_weights_whose_files_have_changed_are_read_again_unless_rows_are_under_way(home: Path) -> None:
    first = make_adapter(home, "first", 1)
    second = make_adapter(home, "second", 2)
    make_merged(home, "whole", first)
    library = Library()
    before, _ = library.activate("merged:whole")
    assert library.activate("merged:whole")[0] is before
    shutil.rmtree(home / "merged" / "whole")
    make_merged(home, "whole", second)  # as a full training that was stopped and went on leaves it
    assert library.activate("merged:whole", {"merged:whole"})[0] is before
    after, seconds = library.activate("merged:whole")
    assert after is not before and after.hash != before.hash and seconds > 0
