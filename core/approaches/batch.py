"""Many answers at once: workers ask, what is answered is saved at once, failures that may pass are tried again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from core.models import RETRYABLE
from core.store import tables as tb

from .answering import AnswerRequest, perform
from .library import get_approach
from .parts import Parts, load_parts
from .rows import new_row, save_rows, store_rows
from .sources import ProjectSources

TELL_SECONDS = 0.5
"""Saved answers are handed out in batches about this far apart."""
BACK_OFF_SECONDS = (0.5, 2.0, 8.0)
"""Waits before the second, third and fourth call of an answer that failed in a way that may pass."""
BUSY_SECONDS = (0.5, 2.0, 8.0, 15.0, 30.0, 60.0)
"""The same for a server that asks for a pause: it is there, and will answer."""
LONGEST_PAUSE = 120.0
"""Longest pause that a server is granted; one that asks for more is asked again then."""

Row = TypeVar("Row")

Task = tuple[tb.Answer, AnswerRequest, Parts]
"""A stored pending row, its question, and who answers."""

ShouldStop = Callable[[], bool]


def answer_many(
    requests: Sequence[AnswerRequest], *, concurrency: int = 8, should_stop: ShouldStop = lambda: False
) -> list[tb.Answer]:
    """Ask many questions and return the stored answers in the order of the requests.

    Rows of requests that were not asked because of `should_stop` stay pending and are not returned.

    Raises:
        KurabeError: when an approach cannot be loaded at all; nothing has been asked then.
    """
    approaches = {r.approach_id: get_approach(r.approach_id) for r in requests}
    sources: dict[tuple[str, str | None, str | None], ProjectSources] = {}
    parts: dict[tuple[str, str | None, str | None], Parts] = {}
    for r in requests:
        pinned = (r.project_id, r.index_version_id, r.dataset_version_id)
        if pinned not in sources:
            sources[pinned] = ProjectSources(
                r.project_id, index_version_id=r.index_version_id, dataset_version_id=r.dataset_version_id
            )
        key = (r.approach_id, *pinned[1:])
        if key not in parts:
            parts[key] = load_parts(approaches[r.approach_id], sources[pinned])
    rows = [new_row(r, approaches[r.approach_id]) for r in requests]
    store_rows(rows)
    tasks = [
        (row, r, parts[(r.approach_id, r.index_version_id, r.dataset_version_id)])
        for row, r in zip(rows, requests, strict=True)
    ]
    done = {row.id for batch in ask_all(tasks, concurrency=concurrency, should_stop=should_stop) for row in batch}
    return [row for row in rows if row.id in done and row.status != "pending"]


def ask_all(
    tasks: Iterable[Task], *, concurrency: int, should_stop: ShouldStop = lambda: False
) -> Iterator[list[tb.Answer]]:
    """Ask in the given order, `concurrency` at a time, and yield answers in batches; they are saved by then.

    When `should_stop` turns true no further question is put; those on their way are awaited and saved.
    """
    waiting, keeper = iter(tasks), Keeper(save_rows)
    ended: SimpleQueue[Future[tb.Answer]] = SimpleQueue()
    finished: list[tb.Answer] = []
    running, more, told = 0, True, time.monotonic()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="answer") as pool:
        while more or running:
            while more and running < concurrency:
                task = None if should_stop() else next(waiting, None)
                if more := task is not None:
                    pool.submit(_ask_and_keep, task, should_stop, keeper).add_done_callback(ended.put)
                    running += 1
            if running and (future := _next(ended)):
                running -= 1
                finished.append(future.result())
            if finished and (time.monotonic() - told >= TELL_SECONDS or not running):
                yield finished
                finished, told = [], time.monotonic()


def _next(ended: SimpleQueue[Future[tb.Answer]]) -> Future[tb.Answer] | None:
    try:
        return ended.get(timeout=TELL_SECONDS)
    except Empty:
        return None


class Keeper(Generic[Row]):
    """Saves rows as soon as they are there: what comes while one transaction is written goes into the next."""

    def __init__(self, save: Callable[[Sequence[Row]], None]) -> None:
        """Keep by `save`, which stores rows in one transaction."""
        self._save, self._waiting = save, list[Row]()
        self._list, self._turn = threading.Lock(), threading.Lock()

    def keep(self, row: Row) -> None:
        """Return once the row is durable."""
        with self._list:
            self._waiting.append(row)
        with self._turn:
            with self._list:
                rows, self._waiting = self._waiting, []
            # empty when whoever had the turn before saved this row as well
            self._save(rows)


def _ask_and_keep(task: Task, should_stop: ShouldStop, keeper: Keeper[tb.Answer]) -> tb.Answer:
    row = ask_patiently(task, should_stop)
    keeper.keep(row)
    return row


def ask_patiently(task: Task, should_stop: ShouldStop = lambda: False, *, stream: bool = False) -> tb.Answer:
    """Ask once, and again after a while as long as the failure may pass by itself."""
    row, request, parts = task
    for attempt in count():
        # whoever was told to pause speaks for all that ask the same server
        if not wait_unless(parts.server.quiet_until - time.monotonic(), should_stop):
            break
        row.attempts = attempt + 1
        perform(row, request, parts, stream=stream)
        pause = pause_after(row, attempt)
        if pause is None:
            break
        if _code(row) == "models.rate_limited":
            parts.server.quiet_until = time.monotonic() + pause
        go_on = wait_unless(pause, should_stop)
        # a stop while waiting leaves the row pending: a resumed run asks it, nothing is recorded as failed
        _reset(row)
        if not go_on:
            break
        parts.server.renew()
    return row


def pause_after(row: tb.Answer | tb.ModelCall, attempt: int) -> float | None:
    """Seconds until a failed answer is asked again: what the server wants, or longer each time; None: never."""
    if row.status != "failed" or not may_pass(row):
        return None
    pauses = BUSY_SECONDS if _code(row) == "models.rate_limited" else BACK_OFF_SECONDS
    if attempt == len(pauses):
        return None
    wanted = 0.0
    with suppress(ValueError, TypeError):
        wanted = float((row.error or {})["params"].get("retry_after") or 0)
    # a little apart: those that were refused together must not come back together
    return max(pauses[attempt], min(wanted, LONGEST_PAUSE)) * random.uniform(1.0, 1.3)


def _code(row: tb.Answer | tb.ModelCall) -> str:
    return str((row.error or {}).get("code", ""))


def may_pass(row: tb.Answer | tb.ModelCall) -> bool:
    """Whether the failure is one that often goes away: busy server, broken connection, time-out."""
    return _code(row) in RETRYABLE


def wait_unless(seconds: float, should_stop: ShouldStop) -> bool:
    """Wait, in steps, and tell whether to go on: False once `should_stop` is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if should_stop():
            return False
        time.sleep(min(0.2, max(0.0, end - time.monotonic())))
    return not should_stop()


def _reset(row: tb.Answer) -> None:
    row.status, row.error, row.text, row.reasoning, row.finish_reason = "pending", None, "", "", None
    row.finished_at = None
