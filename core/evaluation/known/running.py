"""The job that asks: what is open goes to the model, every answer is kept and judged; resumable anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import select, update

from core.errors import KurabeError
from core.identity import now
from core.jobs import JobContext
from core.measures import METRICS, Case, Language, Metric, measure
from core.store import read, write
from core.store import tables as tb

from ..asking import Asker, is_open
from ..gone import Watch
from ..scoring import embedder
from .config import KnownConfig

_RIGHT = 0.5
"""Value of the metric from which an answer counts as right."""

_PART = 400
"""Ids per SQL statement: SQLite allows a limited number of parameters."""


def run_known(ctx: JobContext) -> dict[str, Any]:
    """Run or resume the look named in the payload.

    Returns:
        `{"run_id", "calls", "failed", "known", "unknown"}`, or `{"stopped": True}`; what was answered until then is
        kept and judged.

    Raises:
        KurabeError: `store.missing`, `evaluation.server_gone`, and what connecting to the model raises.
    """
    return KnownLook(ctx, str(ctx.payload.get("run_id", ""))).run()


class KnownLook:
    """Runs one look to its end, or to the next stop."""

    def __init__(self, ctx: JobContext, run_id: str) -> None:
        """Load the frozen look.

        Raises:
            KurabeError: `store.missing`.
        """
        self.ctx = ctx
        with read() as session:
            found = session.get(tb.KnownRun, run_id)
            if found is None:
                raise KurabeError("store.missing", kind="known run", id=run_id)
            calls = select(tb.KnownCall).where(tb.KnownCall.run_id == run_id).order_by(tb.KnownCall.position)
            self.rows = list(session.scalars(calls))
            project = session.get_one(tb.Project, found.project_id)
        self.found = found
        self.language, self.currency = cast(Language, project.language), project.currency
        known = {name: found.config[name] for name in KnownConfig.model_fields if name in found.config}
        self.config = KnownConfig.model_validate(known)
        self._metric: Metric = METRICS.get(self.config.metric)()
        self._embed = embedder(self.language) if self.config.metric == "semantic_similarity" else None
        self._watch = Watch()

    def run(self) -> dict[str, Any]:
        """Ask, judge, finish."""
        total, config = len(self.rows), self.config
        self.ctx.progress(0, total, stage="loading")
        asker = Asker(
            tb.KnownCall, config.model, config.max_tokens, config.seed, config.thinking, config.concurrency,
            self.currency, self._stop,
        )  # fmt: skip
        self._judge(
            [row for row in self.rows if row.known is None]
        )  # an earlier attempt may have kept, not judged them
        todo = [row for row in self.rows if is_open(row)]
        done = total - len(todo)
        for batch in asker.ask_all(todo):
            self._judge(batch)
            done += len(batch)
            self.ctx.progress(done, total, stage="known")
            self._watch.take(batch)
        if self._stop():
            return {"stopped": True}
        self._watch.end(total)
        with write() as session:
            stored = session.get(tb.KnownRun, self.found.id)
            if stored is None:  # the dataset was deleted meanwhile
                raise KurabeError("store.missing", kind="known run", id=self.found.id)
            stored.completed_at = now()
        failed = sum(row.status == "failed" for row in self.rows)
        outcomes = [row.known for row in self.rows]
        counts = {"known": outcomes.count(True), "unknown": outcomes.count(False)}
        return {"run_id": self.found.id, "calls": total, "failed": failed, **counts}

    def _stop(self) -> bool:
        return self.ctx.stop_requested() is not None

    def _judge(self, rows: Sequence[tb.KnownCall]) -> None:
        """Judge finished answers by what they say alone: how the house wants it said is nothing to know beforehand."""
        finished = [row for row in rows if row.status == "finished"]
        examples = self._examples(finished)
        for row in finished:
            if (example := examples.get(row.example_id)) is None:
                continue
            spelled = example.expects.get("alternatives")
            case = Case(
                question=example.question,
                answer_text=row.text,
                language=self.language,
                reference=example.answer,
                value=example.value,
                expects={"alternatives": spelled} if spelled else {},
                embed=self._embed,
            )
            measured = measure(self._metric, case)
            row.known = None if measured.value is None else measured.value >= _RIGHT
            row.reason = {"code": measured.reason, "params": dict(measured.params)}
        for start in range(0, len(finished), _PART):
            judged = {row.id: row for row in finished[start : start + _PART]}
            with write() as session:
                # the dataset may have been deleted meanwhile, and these calls with it
                alive = session.scalars(select(tb.KnownCall.id).where(tb.KnownCall.id.in_(judged)))
                values = [{"id": i, "known": judged[i].known, "reason": judged[i].reason} for i in alive]
                if values:
                    session.execute(update(tb.KnownCall), values)

    def _examples(self, rows: Sequence[tb.KnownCall]) -> dict[str, tb.Example]:
        found: dict[str, tb.Example] = {}
        for start in range(0, len(rows), _PART):
            wanted = tb.Example.id.in_([row.example_id for row in rows[start : start + _PART]])
            with read() as session:
                found |= {example.id: example for example in session.scalars(select(tb.Example).where(wanted))}
        return found
