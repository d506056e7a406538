"""Many answers at once: workers ask, what is answered is saved at once, failures that may pass are tried again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
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
GATHER_SECONDS = 0.01
"""Answers that come within this time are saved in one transaction, which costs more than a row in it."""
BACK_OFF_SECONDS = (0.5, 2.0, 8.0)
"""Waits before the second, third and fourth call of an answer that failed in a way that may pass."""
BUSY_SECONDS = (0.5, 2.0, 8.0, 15.0, 30.0, 60.0)
"""The same for a server that asks for a pause: it is there, and will answer."""
LONGEST_PAUSE = 120.0
"""Longest pause that a server is granted; one that asks for more is asked again then."""

Asked = TypeVar("Asked")
Row = TypeVar("Row")
_Event = Future[None] | Sequence[Row] | Exception
"""A question was answered, rows were saved, or saving failed."""

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
    ask = partial(ask_patiently, should_stop=should_stop)
    yield from ask_each(tasks, ask, save_rows, concurrency=concurrency, should_stop=should_stop)


def ask_each(
    tasks: Iterable[Asked],
    ask: Callable[[Asked], Row],
    save: Callable[[Sequence[Row]], None],
    *,
    concurrency: int,
    should_stop: ShouldStop,
) -> Iterator[list[Row]]:
    """Ask in the given order, `concurrency` at a time, save what comes, and yield it in batches once it is saved."""
    waiting, events = iter(tasks), SimpleQueue[_Event[Row]]()
    finished: list[Row] = []
    asked, ended, saved, told = 0, 0, 0, time.monotonic()
    more = True
    with Keeper(save, events.put) as keeper, ThreadPoolExecutor(concurrency, thread_name_prefix="answer") as pool:
        while more or saved < asked:
            while more and asked - ended < concurrency:
                task = None if should_stop() else next(waiting, None)
                if more := task is not None:
                    pool.submit(_ask_and_keep, task, ask, keeper).add_done_callback(events.put)
                    asked += 1
            rows = _next(events) if saved < asked else []
            ended += rows is None
            saved += len(rows or ())
            finished += rows or ()
            if finished and (time.monotonic() - told >= TELL_SECONDS or not (more or saved < asked)):
                yield finished
                finished, told = [], time.monotonic()


def _next(events: SimpleQueue[_Event[Row]]) -> Sequence[Row] | None:
    """The rows that were saved next; None: a question was answered; nothing of either for a while: no rows.

    Raises:
        Exception: what kept a row from being asked or saved.
    """
    try:
        event = events.get(timeout=TELL_SECONDS)
    except Empty:
        return ()
    if isinstance(event, BaseException):
        raise event
    if isinstance(event, Future):
        event.result()
        return None
    return event


class Keeper(Generic[Row]):
    """Saves rows in a thread of its own, those of one moment together, and tells which it has saved."""

    def __init__(
        self, save: Callable[[Sequence[Row]], None], tell: Callable[[Sequence[Row] | Exception], None]
    ) -> None:
        """Keep by `save`, which stores rows in one transaction."""
        self._save, self._tell = save, tell
        self._waiting = SimpleQueue[Row | None]()
        self._thread = threading.Thread(target=self._keep_all, name="keeper", daemon=True)

    def __enter__(self) -> Keeper[Row]:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Return once everything is saved."""
        self._waiting.put(None)
        self._thread.join()

    def keep(self, row: Row) -> None:
        """Have the row saved in a moment."""
        self._waiting.put(row)

    def _keep_all(self) -> None:
        taken: list[Row | None] = []
        while None not in taken:
            taken = [self._waiting.get()]
            time.sleep(0 if None in taken else GATHER_SECONDS)
            with suppress(Empty):
                while True:
                    taken.append(self._waiting.get_nowait())
            rows = [row for row in taken if row is not None]
            if not rows:
                continue
            try:
                self._save(rows)
                self._tell(rows)
            except Exception as error:
                self._tell(error)


def _ask_and_keep(task: Asked, ask: Callable[[Asked], Row], keeper: Keeper[Row]) -> None:
    keeper.keep(ask(task))


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
