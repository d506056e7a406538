"""The drafting job: ask what is open, keep every reply, read the drafts out of it; resumable anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from core.datasets import latest_version, rows_of
from core.errors import KurabeError
from core.identity import now
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb

from ..asking import Asker, is_open
from ..gone import Watch
from .config import DraftingConfig
from .doubts import Known, doubts_of, gold_quote
from .reading import read_drafts


def run_drafting(ctx: JobContext) -> dict[str, Any]:
    """Run or resume the drafting named in the payload.

    Returns:
        `{"drafting_id", "calls", "failed", "drafts", "unreadable"}`, or `{"stopped": True}`; what was drafted until
        then is kept.

    Raises:
        KurabeError: `store.missing`, `evaluation.server_gone`, and what connecting to the model raises.
    """
    return DraftRun(ctx, str(ctx.payload.get("drafting_id", ""))).run()


class DraftRun:
    """Runs one drafting to its end, or to the next stop."""

    def __init__(self, ctx: JobContext, drafting_id: str) -> None:
        """Load the frozen drafting.

        Raises:
            KurabeError: `store.missing`.
        """
        self.ctx = ctx
        calls = select(tb.DraftCall).where(tb.DraftCall.drafting_id == drafting_id).order_by(tb.DraftCall.position)
        with read() as session:
            found = session.get(tb.Drafting, drafting_id)
            if found is None:
                raise KurabeError("store.missing", kind="drafting", id=drafting_id)
            self.rows = list(session.scalars(calls))
            self.currency = session.get_one(tb.Project, found.project_id).currency
        self.drafting = found
        known = {name: found.config[name] for name in DraftingConfig.model_fields if name in found.config}
        self.config = DraftingConfig.model_validate(known)
        self._watch = Watch()

    def run(self) -> dict[str, Any]:
        """Ask, read, finish."""
        total = len(self.rows)
        self.ctx.progress(0, total, stage="loading")
        config = self.config
        asker = Asker(
            tb.DraftCall, config.model, config.max_tokens, config.seed, config.thinking, config.concurrency,
            self.currency, self._stop,
        )  # fmt: skip
        known = Known(_questions(self.drafting.project_id))
        _read(self._unread(), known)  # replies that an earlier attempt kept, and was killed before it read them
        todo = [row for row in self.rows if is_open(row)]
        done = total - len(todo)
        for batch in asker.ask_all(todo):
            _read([row for row in batch if row.status == "finished"], known)
            done += len(batch)
            self.ctx.progress(done, total, stage="drafting")
            self._watch.take(batch)
        if self._stop():
            return {"stopped": True}
        self._watch.end(total)
        with write() as session:
            session.get_one(tb.Drafting, self.drafting.id).completed_at = now()
        return self._told()

    def _stop(self) -> bool:
        return self.ctx.stop_requested() is not None

    def _unread(self) -> list[tb.DraftCall]:
        replied = [row for row in self.rows if row.status == "finished" and not row.unreadable]
        wanted = select(tb.Draft.call_id).where(tb.Draft.call_id.in_([row.id for row in replied]))
        with read() as session:
            have = set(session.scalars(wanted))
        return [row for row in replied if row.id not in have]

    def _told(self) -> dict[str, Any]:
        made = select(tb.Draft.id).join(tb.DraftCall, tb.DraftCall.id == tb.Draft.call_id)
        made = made.where(tb.DraftCall.drafting_id == self.drafting.id)
        with read() as session:
            doubts = list(session.scalars(made.with_only_columns(tb.Draft.doubts)))
        return {
            "drafting_id": self.drafting.id,
            "calls": len(self.rows),
            "failed": sum(row.status == "failed" for row in self.rows),
            "drafts": len(doubts),
            "doubtful": sum(map(bool, doubts)),
            "unreadable": sum(row.unreadable for row in self.rows),
        }


def _questions(project_id: str) -> list[str]:
    """Questions that there are: those of the newest version, and drafts that nobody rejected."""
    version = latest_version(project_id)
    asked = [row.question for row in rows_of(version.id)] if version else []
    wanted = select(tb.Draft.question).where(tb.Draft.project_id == project_id, tb.Draft.state != "rejected")
    with read() as session:
        return asked + list(session.scalars(wanted))


def _read(rows: Sequence[tb.DraftCall], known: Known) -> None:
    """Store the drafts of replies; a reply without any is marked."""
    made: list[tb.Draft] = []
    for row in rows:
        found = read_drafts(row.text)
        row.unreadable = not found
        made += [_draft(row, number, each, known) for number, each in enumerate(found)]
    unreadable = [row.id for row in rows if row.unreadable]
    with write() as session:
        # a document may have been deleted meanwhile, and its calls with it
        alive = set(session.scalars(select(tb.DraftCall.id).where(tb.DraftCall.id.in_([row.id for row in rows]))))
        session.add_all(draft for draft in made if draft.call_id in alive)
        for call_id in unreadable:
            if call_id in alive:
                session.get_one(tb.DraftCall, call_id).unreadable = True


def _draft(row: tb.DraftCall, number: int, read_: dict[str, str], known: Known) -> tb.Draft:
    source = row.source
    each = dict(read_)
    if "text" in source:
        doubts = doubts_of(each, source, known)
        quote = gold_quote(str(source["text"]), each["quote"], each["answer"])
    else:
        each["answer"], quote = str(source["answer"]), ""  # the meaning stays, and so does the reference answer
        doubts = doubts_of(each, source, known)
    known.add(each["question"])
    return tb.Draft(
        project_id=row.project_id,
        call_id=row.id,
        number=number,
        drafted=read_,
        question=each["question"],
        answer=each["answer"],
        quote=quote,
        doubts=doubts,
    )
