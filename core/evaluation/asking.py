"""Ask a model many things at once, each call kept in full; a stop or a broken server leaves the rest open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Generic, TypeVar

from sqlalchemy import select, update

from core.approaches import ApproachSpec, ModelChoice, Server, ask_each, may_pass, pause_after, wait_unless
from core.errors import KurabeError, as_kurabe_error
from core.identity import now
from core.knowledge.tokens import TokenCounter, counter_for, estimate_tokens
from core.models import ChatRequest, ChatResult, Usage, resolve_base
from core.prices import convert, price_answer
from core.prompting import Message
from core.store import tables as tb
from core.store import write

_FRAME_TOKENS = 12
"""Tokens that a chat template adds to system and user message, roughly."""

_SAVED = (
    "status", "text", "reasoning", "finish_reason", "error", "model", "prompt_tokens", "completion_tokens", "seconds",
    "cost", "currency", "cost_basis", "attempts", "finished_at",
)  # fmt: skip

Call = TypeVar("Call", tb.Judgement, tb.DraftCall, tb.KnownCall)


def is_open(row: tb.ModelCall) -> bool:
    """Whether a call is still to be asked: a failure that may pass is no reply."""
    return row.status == "pending" or (row.status == "failed" and may_pass(row))


def token_counter(model: ModelChoice) -> TokenCounter:
    """What counts the tokens that a model reads; an outside model's are estimated."""
    if model.kind == "endpoint":
        return TokenCounter("estimate", estimate_tokens)
    return counter_for(model.base_ref or model.ref)


def prompt_tokens(chats: Iterable[Sequence[Message]], counter: TokenCounter) -> int:
    """Tokens of some chats."""
    return sum(_FRAME_TOKENS + sum(counter.count(message["content"]) for message in chat) for chat in chats)


def cost_of(model: ModelChoice, prompt: int, completion: int, currency: str) -> Decimal | None:
    """What so many tokens cost at list prices; None where there is none: an unknown price is not zero."""
    try:
        return convert(price_answer(model.served_name, Usage(prompt, completion), None), currency).amount
    except KurabeError:
        return None


@dataclass
class Asker(Generic[Call]):
    """One model, and how it is asked; making it connects to the model's server."""

    table: type[Call]
    model: ModelChoice
    max_tokens: int
    seed: int
    thinking: bool
    concurrency: int
    currency: str
    should_stop: Callable[[], bool]
    temperature: float = 0.0
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        """Connect."""
        self.server = Server(ApproachSpec(name=self.model.ref[:120] or "model", preset="endpoint", model=self.model))

    def ask_all(self, rows: Iterable[Call]) -> Iterator[list[Call]]:
        """Ask in order, some at a time, and yield batches, saved by then; after a stop none is asked any more."""
        yield from ask_each(rows, self._ask, self._save, concurrency=self.concurrency, should_stop=self.should_stop)

    def _ask(self, row: Call) -> Call:
        """Ask once, and again after a while as long as the failure may pass by itself; never raises.

        A stop while it waits leaves the row pending: who resumes asks it.
        """
        for attempt in count():
            # whoever was told to pause speaks for all that ask the same server
            if not wait_unless(self.server.quiet_until - time.monotonic(), self.should_stop):
                return row
            row.attempts += 1
            try:
                self._take(row, self.server.client.complete(self._request(row)))
            except Exception as error:
                row.status, row.error = "failed", dict(as_kurabe_error(error).as_record())
            pause = pause_after(row, attempt)
            if pause is None:
                break
            if (row.error or {}).get("code") == "models.rate_limited":
                self.server.quiet_until = time.monotonic() + pause
            go_on = wait_unless(pause, self.should_stop)
            row.status, row.error = "pending", None
            if not go_on:
                return row
            self.server.renew()
        row.finished_at = now()
        return row

    def _request(self, row: Call) -> ChatRequest:
        switch = None
        if self.model.kind == "endpoint":
            switch = True if self.thinking else None
        elif resolve_base(self.model.base_ref or self.model.ref).thinking == "optional":
            switch = self.thinking
        return ChatRequest(
            model=self.model.served_name,
            messages=row.messages,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            thinking=switch,
        )

    def _take(self, row: Call, reply: ChatResult) -> None:
        row.status, row.error, row.model = "finished", None, self.model.served_name
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

    def _save(self, rows: Sequence[Call]) -> None:
        values = [{"id": row.id, **{name: getattr(row, name) for name in _SAVED}} for row in rows]
        if values:
            with write() as session:
                # a document may have been deleted meanwhile, and its calls with it: the other replies are kept
                there = select(self.table.id).where(self.table.id.in_([row.id for row in rows])).with_for_update()
                alive = set(session.scalars(there))
                if kept := [each for each in values if each["id"] in alive]:
                    session.execute(update(self.table), kept)
