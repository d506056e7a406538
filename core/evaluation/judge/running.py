"""The judge's job: ask what is open, keep every reply, then score; resumable anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import count, islice
from typing import Any

from sqlalchemy import select, update

from core.approaches import Keeper, Server, mark_measured, may_pass, pause_after, wait_unless
from core.errors import KurabeError, as_kurabe_error
from core.identity import now
from core.jobs import JobContext
from core.measures import measure
from core.models import ChatRequest, ChatResult, resolve_base
from core.prices import convert, price_answer
from core.store import read, write
from core.store import tables as tb

from ..gone import Watch
from ..scoring import replace_scores, score_values
from .calls import Material
from .config import PAIR, JudgeConfig
from .planning import judge_spec

TELL_SECONDS = 0.5
"""Saved replies are counted in batches about this far apart."""

_SAVED = (
    "status", "text", "reasoning", "finish_reason", "error", "model", "prompt_tokens", "completion_tokens", "seconds",
    "cost", "currency", "cost_basis", "attempts", "finished_at",
)  # fmt: skip


def run_judging(ctx: JobContext) -> dict[str, Any]:
    """Run or resume the judging named in the payload.

    Returns:
        `{"judging_id", "calls", "failed"}`, or `{"stopped": True}`; what was replied until then is kept.

    Raises:
        KurabeError: `store.missing`, `evaluation.server_gone`, and what connecting to the judge raises.
    """
    return JudgeRun(ctx, str(ctx.payload.get("judging_id", ""))).run()


class JudgeRun:
    """Runs one judging to its end, or to the next stop."""

    def __init__(self, ctx: JobContext, judging_id: str) -> None:
        """Load the frozen judging.

        Raises:
            KurabeError: `store.missing`.
        """
        self.ctx = ctx
        with read() as session:
            found = session.get(tb.Judging, judging_id)
            if found is None:
                raise KurabeError("store.missing", kind="judging", id=judging_id)
            self.rows = list(session.scalars(select(tb.Judgement).where(tb.Judgement.judging_id == judging_id)))
            self.currency = session.get_one(tb.Project, found.project_id).currency
        self.judging = found
        known = {name: found.config[name] for name in JudgeConfig.model_fields if name in found.config}
        self.config = JudgeConfig.model_validate(known)
        self._watch = Watch()

    def run(self) -> dict[str, Any]:
        """Ask, score, finish."""
        self.ctx.progress(0, len(self.rows), stage="loading")
        server = Server(judge_spec(self.config))
        # a failure that may pass is no verdict: a resumed judging asks it again
        todo = [row for row in self.rows if row.status == "pending" or (row.status == "failed" and may_pass(row))]
        done = len(self.rows) - len(todo)
        for batch in self._ask_all(todo, server):
            done += len(batch)
            self.ctx.progress(done, len(self.rows), stage="judging")
            self._watch.take(batch)
        if self._stop():
            return {"stopped": True}
        # nothing is scored then: what an earlier judge said stays
        self._watch.end(len(self.rows))
        self.ctx.progress(len(self.rows), len(self.rows), stage="scoring")
        self._score()
        with write() as session:
            session.get_one(tb.Judging, self.judging.id).completed_at = now()
            mark_measured(session, {self.judging.experiment_id})  # from now on results rest on it
        failed = sum(1 for row in self.rows if row.status == "failed")
        return {"judging_id": self.judging.id, "calls": len(self.rows), "failed": failed}

    def _stop(self) -> bool:
        return self.ctx.stop_requested() is not None

    def _ask_all(self, rows: Iterable[tb.Judgement], server: Server) -> Iterator[list[tb.Judgement]]:
        """Ask in order, some at a time, and yield batches, saved by then; after a stop none is asked any more."""
        queue, keeper = iter(rows), Keeper(self._save)
        finished: list[tb.Judgement] = []
        told = time.monotonic()
        with ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="judge") as pool:
            running: set[Future[tb.Judgement]] = set()
            more = True
            while more or running:
                if more:
                    free = 0 if self._stop() else self.config.concurrency - len(running)
                    added = {pool.submit(self._ask_and_keep, row, server, keeper) for row in islice(queue, free)}
                    running |= added
                    more = len(added) == free and not self._stop()
                if running:
                    done, running = wait(running, timeout=TELL_SECONDS, return_when=FIRST_COMPLETED)
                    finished += [future.result() for future in done]
                if finished and (time.monotonic() - told >= TELL_SECONDS or not running):
                    yield finished
                    finished, told = [], time.monotonic()

    def _ask_and_keep(self, row: tb.Judgement, server: Server, keeper: Keeper[tb.Judgement]) -> tb.Judgement:
        keeper.keep(self._ask(row, server))
        return row

    def _ask(self, row: tb.Judgement, server: Server) -> tb.Judgement:
        """Ask once, and again after a while as long as the failure may pass by itself; never raises.

        A stop while it waits leaves the row pending: a resumed judging asks it.
        """
        for attempt in count():
            # whoever was told to pause speaks for all that ask the same server
            if not wait_unless(server.quiet_until - time.monotonic(), self._stop):
                return row
            row.attempts += 1
            try:
                self._take(row, server.client.complete(self._request(row)))
            except Exception as error:
                row.status, row.error = "failed", dict(as_kurabe_error(error).as_record())
            pause = pause_after(row, attempt)
            if pause is None:
                break
            if (row.error or {}).get("code") == "models.rate_limited":
                server.quiet_until = time.monotonic() + pause
            go_on = wait_unless(pause, self._stop)
            row.status, row.error = "pending", None
            if not go_on:
                return row
            server.renew()
        row.finished_at = now()
        return row

    def _request(self, row: tb.Judgement) -> ChatRequest:
        model = self.config.model
        switch = None
        if model.kind == "endpoint":
            switch = True if self.config.thinking else None
        elif resolve_base(model.base_ref or model.ref).thinking == "optional":
            switch = self.config.thinking
        return ChatRequest(
            model=model.served_name,
            messages=row.messages,
            max_tokens=self.config.max_tokens,
            temperature=0.0,
            seed=self.config.seed,
            thinking=switch,
        )

    def _take(self, row: tb.Judgement, reply: ChatResult) -> None:
        row.status, row.error, row.model = "finished", None, self.config.model.served_name
        row.text, row.reasoning, row.finish_reason = reply.text, reply.reasoning, reply.finish_reason
        row.seconds = reply.ended_at - reply.started_at
        if reply.usage is None:
            return
        row.prompt_tokens, row.completion_tokens = reply.usage.prompt_tokens, reply.usage.completion_tokens
        device = (reply.timings or {}).get("device_seconds")
        try:
            billed = price_answer(row.model, reply.usage, float(device) if device is not None else None)
            cost = convert(billed, self.currency)
        except KurabeError:
            return  # an unknown price is not zero
        row.cost, row.currency, row.cost_basis = cost.amount, cost.currency, cost.basis

    def _save(self, rows: Sequence[tb.Judgement]) -> None:
        values = [{"id": row.id, **{name: getattr(row, name) for name in _SAVED}} for row in rows]
        if values:
            with write() as session:
                session.execute(update(tb.Judgement), values)

    def _score(self) -> None:
        """Store what the metrics make of the replies; of several judgings of an answer the newest counts.

        Where no call of a metric was replied to, the judge said nothing: a value from an earlier judging stays.
        """
        material = Material.load(self.config)
        valued = self._valued([metric.name for metric in material.metrics])
        replies: dict[tuple[str, str], list[tb.Judgement]] = {}
        for row in self.rows:
            if row.kind != PAIR:
                replies.setdefault((row.answer_id, row.kind), []).append(row)
        values: dict[str, list[dict[str, Any]]] = {metric.name: [] for metric in material.metrics}
        ids: dict[str, list[str]] = {metric.name: [] for metric in material.metrics}
        for answers in material.answers.values():
            for answer in answers.values():
                case = material.case(answer)
                for metric in material.metrics:
                    said = sorted(replies.get((answer.id, metric.name), []), key=lambda row: row.part)
                    silent = bool(said) and all(row.status != "finished" for row in said)
                    if silent and (answer.id, metric.name) in valued:
                        continue
                    ids[metric.name].append(answer.id)
                    texts = [row.text if row.status == "finished" else None for row in said]
                    measured = measure(metric, replace(case, replies={metric.name: texts} if texts else {}))
                    if measured.value is not None or measured.failed:
                        judged = replace(measured, params={**measured.params, "judging": self.judging.id})
                        values[metric.name].append(score_values(answer, metric, judged))
        for name, found in values.items():
            replace_scores(ids[name], [name], found)

    def _valued(self, metrics: list[str]) -> set[tuple[str, str]]:
        """Answers and metrics of the experiment that a judge gave a value to."""
        wanted = (
            select(tb.Score.answer_id, tb.Score.metric)
            .join(tb.Answer, tb.Answer.id == tb.Score.answer_id)
            .where(
                tb.Answer.experiment_id == self.judging.experiment_id,
                tb.Score.metric.in_(metrics),
                tb.Score.value.is_not(None),
            )
        )
        with read() as session:
            return {(answer_id, metric) for answer_id, metric in session.execute(wanted)}
