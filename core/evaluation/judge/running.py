"""The judge's job: ask what is open, keep every reply, then score; resumable anywhere."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from core.approaches import mark_measured
from core.errors import KurabeError
from core.identity import now
from core.jobs import JobContext
from core.measures import measure
from core.store import read, write
from core.store import tables as tb

from ..asking import Asker, is_open
from ..gone import Watch
from ..kept import keep_results
from ..scoring import replace_scores, score_values
from .calls import Material
from .config import PAIR, JudgeConfig


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
        config = self.config
        asker = Asker(
            tb.Judgement, config.model, config.max_tokens, config.seed, config.thinking, config.concurrency,
            self.currency, self._stop,
        )  # fmt: skip
        todo = [row for row in self.rows if is_open(row)]
        done = len(self.rows) - len(todo)
        for batch in asker.ask_all(todo):
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
        with suppress(KurabeError):  # a price that is missing by now is for the page to say; the judge's words are kept
            keep_results(self.judging.experiment_id)
        failed = sum(1 for row in self.rows if row.status == "failed")
        return {"judging_id": self.judging.id, "calls": len(self.rows), "failed": failed}

    def _stop(self) -> bool:
        return self.ctx.stop_requested() is not None

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
