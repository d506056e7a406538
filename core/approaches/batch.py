"""Many answers at once: workers ask, one thread saves in batches, failures that may pass are tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from core.errors import KurabeError
from core.models import RETRYABLE
from core.store import tables as tb

from .answering import AnswerRequest, perform
from .library import get_approach
from .parts import Parts, load_parts
from .rows import new_row, save_rows, store_rows
from .sources import ProjectSources

SAVE_SECONDS = 0.5
"""Finished answers wait at most about this long for the next transaction."""
BACK_OFF_SECONDS = (0.5, 2.0, 8.0)
"""Waits before the second, third and fourth call of an answer that failed in a way that may pass."""

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
    return [row for row in rows if row.id in done]


def ask_all(
    tasks: Iterable[Task], *, concurrency: int, should_stop: ShouldStop = lambda: False
) -> Iterator[list[tb.Answer]]:
    """Ask in the given order, `concurrency` at a time, and yield answers in batches once they are saved.

    When `should_stop` turns true no further question is put; those on their way are awaited and saved.
    """
    queue = iter(tasks)
    finished: list[tb.Answer] = []
    saved = time.monotonic()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="answer") as pool:
        running: set[Future[tb.Answer]] = set()
        more = True
        while more or running:
            more = more and not should_stop() and _fill(pool, running, queue, concurrency, should_stop)
            if running:
                done, running = wait(running, timeout=SAVE_SECONDS, return_when=FIRST_COMPLETED)
                finished += [future.result() for future in done]
            if finished and (time.monotonic() - saved >= SAVE_SECONDS or not running):
                save_rows(finished)
                yield finished
                finished, saved = [], time.monotonic()


def _fill(
    pool: ThreadPoolExecutor,
    running: set[Future[tb.Answer]],
    queue: Iterator[Task],
    concurrency: int,
    should_stop: ShouldStop,
) -> bool:
    """Keep the pool busy; False once there is nothing left to ask."""
    while len(running) < concurrency:
        task = next(queue, None)
        if task is None:
            return False
        running.add(pool.submit(ask_patiently, task, should_stop))
    return True


def ask_patiently(task: Task, should_stop: ShouldStop = lambda: False, *, stream: bool = False) -> tb.Answer:
    """Ask once, and again after a while as long as the failure may pass by itself."""
    row, request, parts = task
    for attempt in range(len(BACK_OFF_SECONDS) + 1):
        row.attempts = attempt + 1
        perform(row, request, parts, stream=stream)
        if row.status != "failed" or not may_pass(row) or attempt == len(BACK_OFF_SECONDS):
            break
        go_on = _wait(BACK_OFF_SECONDS[attempt], should_stop)
        # a stop while waiting leaves the row pending: a resumed run asks it, nothing is recorded as failed
        _reset(row)
        if not go_on:
            break
        parts.server.renew()
    return row


def may_pass(row: tb.Answer) -> bool:
    """Whether the failure is one that often goes away: busy server, broken connection, time-out."""
    return bool(row.error) and KurabeError.from_record(row.error).code in RETRYABLE  # type: ignore[arg-type]  # JSON


def _wait(seconds: float, should_stop: ShouldStop) -> bool:
    """Wait, in steps, and tell whether to go on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if should_stop():
            return False
        time.sleep(min(0.2, max(0.0, end - time.monotonic())))
    return not should_stop()


def _reset(row: tb.Answer) -> None:
    row.status, row.error, row.text, row.reasoning, row.finish_reason = "pending", None, "", "", None
    row.finished_at = None
