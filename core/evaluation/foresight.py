"""What an experiment will take, before anything was asked; every figure names what it rests on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls
from sqlalchemy import select

from core.approaches import ApproachSpec, Decoding, ProjectSources, Prompter, approaches, prompter, spec_of_row
from core.errors import KurabeError
from core.knowledge.tokens import estimate_tokens
from core.models import Usage
from core.prices import Cost, convert, price_answer, price_device
from core.store import read
from core.store import tables as tb

from .config import AnswerBasis, CostBasis, PlannedApproach, PromptBasis, TimeBasis

SAMPLE = 8
"""Questions whose prompts are written and counted."""

PAST = 400
"""Earlier answers that a figure rests on at most, all of one experiment."""

EXPERIMENTS = 20
"""Newest experiments that are looked through for earlier answers."""

FRAME_TOKENS = 4
"""Tokens that a chat template puts around each message, roughly."""


class Past(NamedTuple):
    """One earlier answer."""

    prompt_tokens: int | None
    completion_tokens: int | None
    device_seconds: float | None
    total_seconds: float | None
    cost: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """How often one approach is asked."""

    together: int
    """In the quality phase, many at a time."""
    alone: int
    """In the latency phase, one after the other."""
    taken: int = 0
    """Not asked: taken over."""

    @property
    def calls(self) -> int:
        """All that are asked."""
        return self.together + self.alone


class Foresight:
    """Foresees approaches of one project on a set of questions; reads earlier answers once for each question asked."""

    def __init__(
        self, sources: ProjectSources, questions: Sequence[tb.Example], decoding: Decoding, concurrency: int
    ) -> None:
        """Choose the questions whose prompts are written, evenly over the list."""
        self.sources, self.decoding, self.concurrency = sources, decoding, concurrency
        self.sample = list(questions[:: max(1, len(questions) // SAMPLE)][:SAMPLE])

    def approach(self, row: tb.Approach, work: Work) -> PlannedApproach:
        """Foresee one approach."""
        spec = spec_of_row(row).model_copy(update={"decoding": self.decoding})
        seen = self._past({row.hash}, "quality")
        prompt, prompt_basis, completion, completion_basis = self._tokens(spec, seen)
        seconds, time_basis = self._seconds(row, spec, seen, work, prompt, completion)
        local = any(past.device_seconds is not None for past in seen) or spec.model.kind != "endpoint"
        cost, cost_basis = self._cost(spec, seen, work, prompt, completion, seconds if local else None)
        return PlannedApproach(
            approach_id=row.id,
            name=row.name,
            preset=row.preset,
            calls=work.calls,
            taken=work.taken,
            prompt_tokens=prompt,
            prompt_basis=prompt_basis,
            completion_tokens=completion,
            completion_basis=completion_basis,
            cost=cost,
            cost_basis=cost_basis,
            seconds=seconds,
            time_basis=time_basis,
        )

    # tokens ------------------------------------------------------------------------------------

    def _tokens(
        self, spec: ApproachSpec, seen: Sequence[Past]
    ) -> tuple[float | None, PromptBasis | None, float | None, AnswerBasis | None]:
        """Mean tokens of prompt and answer, each with its basis."""
        read_before = [past.prompt_tokens for past in seen if past.prompt_tokens is not None]
        written_before = [past.completion_tokens for past in seen if past.completion_tokens is not None]
        if read_before and written_before:
            return fmean(read_before), "measured", min(fmean(written_before), self.decoding.max_tokens), "measured"
        try:
            writer = prompter(spec, self.sources)
            prompts = [_prompt_tokens(writer, example) for example in self.sample]
        except KurabeError:
            # the context cannot be filled as things stand; the run will say why
            return None, None, None, None
        count = writer.template.count_text if writer.template else estimate_tokens
        answers = [min(count(example.answer), self.decoding.max_tokens) for example in self.sample]
        known = writer.template is not None
        return (
            fmean(prompts),
            "rendered" if known else "estimated",
            fmean(answers),
            "references" if known else "estimated",
        )

    # time --------------------------------------------------------------------------------------

    def _seconds(
        self,
        row: tb.Approach,
        spec: ApproachSpec,
        seen: Sequence[Past],
        work: Work,
        prompt: float | None,
        written: float | None,
    ) -> tuple[float | None, TimeBasis]:
        """Seconds of all its calls, from the closest earlier answers: its own, its model's, its base's."""
        if not work.calls:
            return 0.0, "measured"
        tiers: list[tuple[TimeBasis, set[str]]] = [
            ("measured", {row.hash}),
            ("model", {h for h, other in self._specs if _served(other) == _served(spec)}),
            ("base", {h for h, other in self._specs if _base(other) and _base(other) == _base(spec)}),
        ]
        for basis, hashes in tiers:
            past = seen if basis == "measured" else self._past(hashes, "quality")
            one = _one_call(past, None if basis == "measured" else (prompt, written))
            if one is None:
                continue
            shared = 1 if past[0].device_seconds is not None else max(1, min(self.concurrency, work.together))
            waits = [p.total_seconds for p in self._past(hashes, "latency") if p.total_seconds is not None]
            return one * work.together / shared + (fmean(waits) if waits else one) * work.alone, basis
        return None, "unknown"

    @cached_property
    def _specs(self) -> list[tuple[str, ApproachSpec]]:
        """Hash and specification of every approach that the project ever had."""
        return [(row.hash, spec_of_row(row)) for row in approaches(self.sources.project_id, retired=True)]

    # money -------------------------------------------------------------------------------------

    def _cost(
        self,
        spec: ApproachSpec,
        seen: Sequence[Past],
        work: Work,
        prompt: float | None,
        written: float | None,
        seconds: float | None,
    ) -> tuple[Decimal | None, CostBasis]:
        """Money for all its calls, in the project's currency."""
        currency = self.sources.project.currency
        paid = [past.cost for past in seen if past.cost is not None and past.currency == currency]
        if paid:
            return sum(paid, Decimal(0)) / len(paid) * work.calls, "measured"
        try:
            if spec.model.kind == "endpoint":
                if prompt is None or written is None:
                    return None, "unknown"
                one = price_answer(spec.model.served_name, Usage(round(prompt), round(written)), None)
                return convert(one, currency).amount * work.calls, "list"
            return (None, "unknown") if seconds is None else (_device(seconds, currency).amount, "device")
        except KurabeError:
            return None, "no_price"

    # what was measured before ------------------------------------------------------------------

    @cached_property
    def _experiments(self) -> list[tuple[str, dict[str, str]]]:
        """Newest experiments with the hashes of their approaches by id."""
        e = tb.Experiment
        wanted = select(e.id, e.config["approach_hashes"]).where(e.project_id == self.sources.project_id)
        with read() as session:
            rows = session.execute(wanted.order_by(e.id.desc()).limit(EXPERIMENTS)).all()
        return [(experiment_id, hashes or {}) for experiment_id, hashes in rows]

    def _past(self, hashes: Collection[str], phase: str) -> list[Past]:
        """Answers of the newest experiment that asked such approaches itself; a page asks this at each click."""
        a = tb.Answer
        columns = [getattr(a, name) for name in Past._fields]
        for experiment_id, known in self._experiments:
            ids = [i for i, approach_hash in known.items() if approach_hash in hashes]
            mine = a.experiment_id == experiment_id, a.phase == phase, a.approach_id.in_(ids), a.status == "finished"
            wanted = select(*columns).where(*mine, a.taken_from.is_(None)).limit(PAST)
            with read() as session:
                rows = [Past(*row) for row in session.execute(wanted)] if ids else []
            if rows:
                return rows
        return []


def _prompt_tokens(writer: Prompter, example: tb.Example) -> int:
    """Tokens of one prompt, written as for a real answer; search goes by words alone, so that no model is called."""
    gathered = writer.context.gather(writer.gather_input(example.question, lambda: example.gold or ()))
    messages = writer.messages(example.question, gathered)
    if writer.template is not None:
        return writer.template.count(messages)
    return sum(FRAME_TOKENS + estimate_tokens(message["content"]) for message in messages)


def _one_call(past: Sequence[Past], tokens: tuple[float | None, float | None] | None) -> float | None:
    """Mean seconds of one call: as measured, or for other lengths by what a token read and a token written took.

    Args:
        past: earlier answers.
        tokens: mean lengths of prompt and answer to foresee; None: those of `past`.
    """
    local = any(p.device_seconds is not None for p in past)
    timed = [(p, p.device_seconds if local else p.total_seconds) for p in past]
    known = [(p, float(seconds)) for p, seconds in timed if seconds is not None]
    if not known:
        return None
    lengths = [(p.prompt_tokens, p.completion_tokens, s) for p, s in known if p.prompt_tokens and p.completion_tokens]
    if tokens is None or None in tokens or not lengths:
        return fmean(seconds for _, seconds in known)
    table: Any = np.asarray(lengths, dtype=np.float64)
    rates, _ = nnls(table[:, :2], table[:, 2])
    return float(np.asarray(tokens, dtype=np.float64) @ rates)


def _device(seconds: float, currency: str) -> Cost:
    return convert(price_device(seconds), currency)


def _served(spec: ApproachSpec) -> tuple[str | None, str]:
    return spec.model.url, spec.model.served_name


def _base(spec: ApproachSpec) -> str:
    return "" if spec.model.kind == "endpoint" else spec.model.base_ref or spec.model.ref
