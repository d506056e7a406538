"""One question to several approaches side by side, in threads of their own: no page has to stay open."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from core.errors import KurabeError
from core.identity import new_id
from core.store import read
from core.store import tables as tb

from .answering import AnswerRequest, answer_row
from .library import get_approach
from .rows import RUNNING, new_row, settle_lost, store_rows
from .spec import PromptChoice

MOST_AT_ONCE = 8
"""Live answers asked at the same time by one process; others wait their turn."""


class LiveComparison:
    """Runs live answers of this process; one instance, `LIVE`, serves every page and session.

    Truth lives in the store: what is here is only how to stop an answer that is on its way.
    """

    def __init__(self, most_at_once: int = MOST_AT_ONCE) -> None:
        """Allow `most_at_once` answers at the same time."""
        self._turn = threading.BoundedSemaphore(most_at_once)
        self._cancels: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def start(self, requests: Sequence[AnswerRequest]) -> list[tb.Answer]:
        """Store a pending row for each request and ask them in the background."""
        rows = [new_row(request, get_approach(request.approach_id)) for request in requests]
        store_rows(rows)
        for row, request in zip(rows, requests, strict=True):
            cancel = threading.Event()
            with self._lock:
                self._cancels[row.id] = cancel
            # daemon: a process that ends must not wait for a slow model; its rows are found lost
            threading.Thread(target=self._run, args=(row, request, cancel), name=f"live-{row.id}", daemon=True).start()
        return rows

    def _run(self, row: tb.Answer, request: AnswerRequest, cancel: threading.Event) -> None:
        try:
            with self._turn:
                answer_row(row, request, cancel=cancel)
        finally:
            with self._lock:
                self._cancels.pop(row.id, None)

    def stop(self, answer_id: str) -> bool:
        """Ask a running answer to stop; False when this process is not asking it."""
        with self._lock:
            cancel = self._cancels.get(answer_id)
        if cancel is None:
            return False
        cancel.set()
        return True


TRIED = "prompt"
"""Key in an answer's notes: the prompt that was tried instead of its approach's own."""

LIVE = LiveComparison()
"""The live answers of this process."""


def start_comparison(
    project_id: str,
    question: str,
    approach_ids: Sequence[str],
    example_id: str | None = None,
    *,
    repetitions: int = 1,
    retrieval_off: bool = False,
    index_version_id: str | None = None,
    prompts: Mapping[str, PromptChoice] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> str:
    """Ask several approaches the same question in the background and return the comparison's id.

    Args:
        project_id: Project of question and approaches.
        question: What to ask.
        approach_ids: Who answers, in the order of the columns.
        example_id: Dataset row the question comes from, if any.
        repetitions: How often each is asked.
        retrieval_off: Answer as if search were down.
        index_version_id: Search this index version instead of the newest.
        prompts: Instructions and house rules to try, by approach; the others keep their own. Noted with the answers.
        notes: Kept with every answer; JSON-able.

    Raises:
        KurabeError: `approaches.empty_question`, `approaches.none_chosen`, `store.missing`.
    """
    if not question.strip():
        raise KurabeError("approaches.empty_question")
    if not approach_ids:
        raise KurabeError("approaches.none_chosen")
    compare_id, tried = new_id(), prompts or {}
    LIVE.start(
        [
            AnswerRequest(
                project_id=project_id,
                approach_id=approach_id,
                question=question,
                example_id=example_id,
                compare_id=compare_id,
                repetition=repetition,
                retrieval_off=retrieval_off,
                index_version_id=index_version_id,
                prompt=tried.get(approach_id),
                notes=_notes(notes or {}, tried.get(approach_id)),
            )
            for repetition in range(repetitions)
            for approach_id in dict.fromkeys(approach_ids)
        ]
    )
    return compare_id


def _notes(notes: Mapping[str, Any], tried: PromptChoice | None) -> dict[str, Any]:
    return {**notes, **({TRIED: tried.model_dump()} if tried is not None else {})}


def comparison(compare_id: str) -> list[tb.Answer]:
    """The answers of a comparison as they stand, in the order in which they were asked; empty for an unknown id."""
    wanted = select(tb.Answer).where(tb.Answer.compare_id == compare_id).order_by(tb.Answer.id)
    with read() as session:
        rows = list(session.scalars(wanted))
    settle_lost(rows)
    return rows


def recent_comparisons(project_id: str, limit: int = 20) -> list[tb.Answer]:
    """The first answer of each of a project's newest live comparisons: what was asked, when, under which id."""
    a = tb.Answer
    # ids grow with time: the newest are read off the end of the index of live answers
    newest = select(a.compare_id).where(a.project_id == project_id, a.compare_id.is_not(None)).distinct()
    with read() as session:
        ids = list(session.scalars(newest.order_by(a.compare_id.desc()).limit(limit)))
        first = select(func.min(a.id)).where(a.compare_id.in_(ids)).group_by(a.compare_id)
        return list(session.scalars(select(a).where(a.id.in_(first)).order_by(a.compare_id.desc())))


def stop_answer(answer_id: str) -> bool:
    """Stop one live answer, keeping what it wrote so far; False when it is not running in this process."""
    return LIVE.stop(answer_id)


def is_running(rows: Sequence[tb.Answer]) -> bool:
    """Whether any of these answers is still being asked for."""
    return any(row.status in RUNNING for row in rows)
