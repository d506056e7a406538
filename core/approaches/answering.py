"""Answering: the only place that reads clocks, counts tokens and prices an answer.

No approach can flatter itself: it only chooses what goes into the prompt. Time runs from the
moment the question is put, so search is never left out. The stored row exists before the call.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.errors import KurabeError, as_kurabe_error
from core.identity import now
from core.models import ChatRequest, Usage
from core.prices import convert, price_answer
from core.prompting import Message
from core.store import tables as tb

from .context import Gathered
from .library import get_approach
from .parts import Parts, load_parts
from .rows import example_gold, new_row, save_rows, save_text, store_rows
from .sources import ProjectSources
from .spec import PromptChoice

Phase = Literal["live", "quality", "latency", "shuffled", "outage", "reworded", "repeated", "abilities"]
"""Live: asked by a person, contended · quality: batched at full speed · latency: alone, one at a time · the others:
asked again under changed circumstances, see `core.evaluation.robustness`."""

OnChunk = Callable[[str, str], None]
"""Called with the new piece of text and the new piece of reasoning."""

FLUSH_SECONDS = 1.0
"""Provisional text is written to the store this often."""


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One question to one approach."""

    project_id: str
    """Project of both."""
    approach_id: str
    """Which approach answers."""
    question: str
    """Sent as it is."""
    example_id: str | None = None
    """Dataset row it comes from; gives reference and gold passages."""
    experiment_id: str | None = None
    """Experiment it belongs to."""
    compare_id: str | None = None
    """Live comparison it belongs to."""
    repetition: int = 0
    """Number of the repetition, from 0."""
    phase: Phase = "live"
    """Under which conditions it is asked; figures of one phase are never pooled with another's."""
    seed: int | None = None
    """Seed for sampling; None derives one from experiment, question, approach and repetition."""
    retrieval_off: bool = False
    """Answer as if search were down: an approach that retrieves gets no passages."""
    index_version_id: str | None = None
    """Index version to search; None: the newest."""
    dataset_version_id: str | None = None
    """Dataset version that examples come from; None: the newest."""
    shuffle: int | None = None
    """Seed of another order for the passages; None leaves the best one first."""
    prompt: PromptChoice | None = None
    """Instructions and house rules to try instead of the approach's own."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What a reader of the answer must know, such as what was changed before it was asked again; JSON-able."""


def answer(request: AnswerRequest, on_chunk: OnChunk | None = None, cancel: threading.Event | None = None) -> tb.Answer:
    """Ask one question and return the stored answer; what goes wrong is stored with its reason.

    Raises:
        KurabeError: `store.missing` when there is no such approach, before anything is stored.
    """
    row = new_row(request, get_approach(request.approach_id))
    store_rows([row])
    return answer_row(row, request, on_chunk, cancel)


def answer_row(
    row: tb.Answer,
    request: AnswerRequest,
    on_chunk: OnChunk | None = None,
    cancel: threading.Event | None = None,
    parts: Parts | None = None,
) -> tb.Answer:
    """Ask for a row that is already stored, streaming, and store the outcome."""
    flushed = time.monotonic()

    def told(text: str, reasoning: str) -> None:
        nonlocal flushed
        if time.monotonic() - flushed >= FLUSH_SECONDS:
            save_text(row)
            flushed = time.monotonic()
        if on_chunk is not None:
            on_chunk(text, reasoning)

    asked = time.monotonic()
    try:
        parts = parts or load_parts(get_approach(request.approach_id), _sources(request))
    except Exception as error:
        _fail(row, error, _Clock(asked))
    else:
        connected = time.monotonic() - asked
        perform(row, request, parts, stream=True, on_chunk=told, cancel=cancel, asked=asked, connected=connected)
    save_rows([row])
    return row


def _sources(request: AnswerRequest) -> ProjectSources:
    return ProjectSources(
        request.project_id,
        index_version_id=request.index_version_id,
        dataset_version_id=request.dataset_version_id,
    )


def perform(
    row: tb.Answer,
    request: AnswerRequest,
    parts: Parts,
    *,
    stream: bool,
    on_chunk: OnChunk | None = None,
    cancel: threading.Event | None = None,
    asked: float | None = None,
    connected: float = 0.0,
) -> tb.Answer:
    """Gather, ask, measure, price: fill `row` in memory; never raises for what can go wrong with an answer.

    `asked` is the monotonic moment at which the question was put (default: now), `connected` the
    seconds since then that went into finding or starting the server.
    """
    asked = time.monotonic() if asked is None else asked
    if request.prompt is not None:
        parts = replace(parts, spec=parts.spec.model_copy(update={"prompt": request.prompt}))
    row.started_at = now()
    clock = _Clock(asked, connected)
    try:
        gathered = _gather(row, request, parts, clock)
        messages = parts.messages(request.question, gathered)
        _describe(row, request, parts, gathered, messages)
        clock.sent = time.monotonic()
        if stream:
            _stream(row, parts, clock, on_chunk, cancel)
        else:
            _complete(row, parts, clock)
        _count(row, parts, gathered, clock)
        _price(row, parts, clock)
    except Exception as error:
        _fail(row, error, clock)
    row.finished_at = now()
    return row


@dataclass(slots=True)
class _Clock:
    """Raw monotonic seconds of one answer, and what the server reported."""

    asked: float
    connected: float = 0.0
    gathered: float = 0.0
    sent: float = 0.0
    first: float | None = None
    first_visible: float | None = None
    ended: float = 0.0
    search: dict[str, float] | None = None
    timings: dict[str, Any] | None = None
    usage: Usage | None = None

    def write(self, row: tb.Answer) -> None:
        """Turn timestamps into spans; seconds. Spans that were not observed are left out."""
        timings = self.timings or {}
        queue = float(timings.get("queue_seconds") or 0.0)
        spans: dict[str, Any] = {"connect": self.connected, **(self.search or {})}
        spans["prepare"] = max(0.0, self.sent - self.asked - sum(spans.values())) if self.sent else 0.0
        if timings:
            spans["queue"] = queue
        if self.first is not None:
            spans["first_token"] = max(0.0, self.first - self.sent - queue)
            spans["decode"] = max(0.0, self.ended - self.first)
            row.first_token_seconds = self.first - self.asked
        elif self.sent and self.ended:
            spans["generate"] = max(0.0, self.ended - self.sent - queue)
        spans["raw"] = {
            name: value
            for name in ("asked", "gathered", "sent", "first", "first_visible", "ended")
            if (value := getattr(self, name))
        }
        row.spans = spans
        row.total_seconds = (self.ended or time.monotonic()) - self.asked


def _gather(row: tb.Answer, request: AnswerRequest, parts: Parts, clock: _Clock) -> Gathered:
    """Fill the prompt; switched-off retrieval leaves it empty and says so."""
    if request.retrieval_off and parts.spec.retrieves:
        gathered = Gathered(notes={"retrieval_off": True})
    else:
        example_id = request.example_id
        gold = (lambda: example_gold(example_id)) if example_id else None
        gathered = parts.context.gather(parts.gather_input(request.question, gold))
    if request.shuffle is not None:
        gathered = _shuffled(gathered, request)
    clock.gathered = time.monotonic()
    if gathered.search is not None:
        clock.search = {name: float(seconds) for name, seconds in gathered.search.spans.items()}
        row.notes = {**row.notes, "search_mode": gathered.search.mode, "embedder": gathered.search.embedder}
    row.notes = {**(row.notes or {}), **gathered.notes}
    return gathered


def _shuffled(gathered: Gathered, request: AnswerRequest) -> Gathered:
    """The same passages in another order, never in the one that search gave."""
    order = list(range(len(gathered.passages)))
    dice = random.Random(f"{request.shuffle}/{request.question}")
    while len(order) > 1 and order == sorted(order):
        dice.shuffle(order)
    hits = tuple(gathered.hits[place] for place in order) if gathered.hits else ()
    return replace(gathered, passages=tuple(gathered.passages[place] for place in order), hits=hits)


def _describe(
    row: tb.Answer, request: AnswerRequest, parts: Parts, gathered: Gathered, messages: list[Message]
) -> None:
    """Write down everything that is known before the call."""
    spec = parts.spec
    row.messages = list(messages)
    row.template_hash = parts.template_hash[:80]
    row.model, row.model_hash = spec.model.served_name, parts.model_hash
    row.index_version_id = parts.sources.index.id if gathered.hits and parts.sources.index else None
    row.chunks = _sources_of(gathered)
    row.decoding = spec.decoding.model_dump(mode="json")
    row.seed = request.seed if request.seed is not None else spec.decoding.seed
    if row.seed is None:
        row.seed = derived_seed(request.experiment_id, request.question, row.approach_hash, request.repetition)


def _sources_of(gathered: Gathered) -> list[dict[str, Any]]:
    """Which passages stand in the prompt, as stored; a passage that is no chunk has an empty chunk id."""
    if not gathered.hits:
        return [
            {
                "number": number,
                "chunk_id": passage.chunk_id,
                "document_id": passage.document_id,
                "title": passage.title,
            }
            for number, passage in enumerate(gathered.passages, 1)
        ]
    return [
        {
            "number": number,
            "chunk_id": hit.chunk_id,
            "document_id": hit.document_id,
            "document": hit.document_name,
            "title": hit.title,
            "heading": hit.heading,
            "score": hit.score,
            "vector_rank": hit.vector_rank,
            "vector_score": hit.vector_score,
            "text_rank": hit.text_rank,
            "text_score": hit.text_score,
            "rerank_score": hit.rerank_score,
            "page": hit.page,
        }
        for number, hit in enumerate(gathered.hits, 1)
    ]


def derived_seed(experiment_id: str | None, question: str, approach_hash: str, repetition: int) -> int:
    """A seed of 31 bits fixed by experiment, question, approach and repetition."""
    text = "\x1f".join((experiment_id or "", question, approach_hash, str(repetition)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def _chat_request(row: tb.Answer, parts: Parts) -> ChatRequest:
    decoding = parts.spec.decoding
    return ChatRequest(
        model=parts.spec.model.served_name,
        messages=row.messages,
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        seed=row.seed,
        stop=decoding.stop,
        thinking=parts.thinking,
        cache_salt=row.experiment_id if row.phase == "quality" else None,
    )


def _stream(
    row: tb.Answer, parts: Parts, clock: _Clock, on_chunk: OnChunk | None, cancel: threading.Event | None
) -> None:
    row.status = "streaming"
    for chunk in parts.client.stream(_chat_request(row, parts), cancel):
        if chunk.text or chunk.reasoning:
            clock.first = clock.first or chunk.at
            if chunk.text and clock.first_visible is None:
                clock.first_visible = chunk.at
            row.text += chunk.text
            row.reasoning += chunk.reasoning
            if on_chunk is not None:
                on_chunk(chunk.text, chunk.reasoning)
        clock.usage = chunk.usage or clock.usage
        clock.timings = chunk.timings or clock.timings
        row.finish_reason = chunk.finish_reason or row.finish_reason
        clock.ended = chunk.at
    stopped = cancel is not None and cancel.is_set()
    row.status = "stopped" if stopped else "finished"
    clock.ended = clock.ended or time.monotonic()
    clock.write(row)


def _complete(row: tb.Answer, parts: Parts, clock: _Clock) -> None:
    """Ask without streaming: for the quality phase, where nobody watches and no waiting time is taken."""
    result = parts.client.complete(_chat_request(row, parts))
    row.text, row.reasoning, row.finish_reason = result.text, result.reasoning, result.finish_reason
    row.status = "finished"
    clock.usage, clock.timings, clock.ended = result.usage, result.timings, result.ended_at
    clock.write(row)


def _count(row: tb.Answer, parts: Parts, gathered: Gathered, clock: _Clock) -> None:
    """Take the server's counts, and our own beside them where the tokenizer is known."""
    source: dict[str, Any] = {}
    template = parts.template
    if template is not None:
        prompt, completion = template.count(row.messages), template.count_text(row.reasoning + row.text)
        source = {"ours": {"prompt": prompt, "completion": completion}, "tokenizer": template.hash}
        row.context_tokens = prompt - template.count(parts.messages(row.question, Gathered())) if gathered.filled else 0
        clock.usage = clock.usage or Usage(prompt, completion, source="ours")
    usage = clock.usage
    if usage is not None:
        row.prompt_tokens, row.completion_tokens = usage.prompt_tokens, usage.completion_tokens
        row.cached_tokens, row.reasoning_tokens = usage.cached_tokens, usage.reasoning_tokens
        source["counted_by"] = usage.source
    row.token_source = source


def _price(row: tb.Answer, parts: Parts, clock: _Clock) -> None:
    """Write down how it was served and what it cost in the project's currency; an unknown price is a note, no zero."""
    timings = clock.timings or {}
    kept = ("engine", "precision", "batch_size", "warm", "load_seconds", "prefill_seconds", "decode_seconds")
    endpoint = parts.client.endpoint
    row.serving = {"endpoint": endpoint.label, **{name: timings[name] for name in kept if name in timings}}
    seconds = timings.get("device_seconds")
    row.device_seconds = float(seconds) if seconds is not None else None
    if clock.usage is None:
        return
    try:
        billed = price_answer(parts.spec.model.served_name, clock.usage, row.device_seconds)
        cost = convert(billed, parts.sources.project.currency)
    except KurabeError as error:
        row.notes = {**row.notes, "price": error.as_record()}
        return
    row.cost, row.currency, row.cost_basis, row.price_version = (
        cost.amount,
        cost.currency,
        cost.basis,
        cost.price_version,
    )


def _fail(row: tb.Answer, error: BaseException, clock: _Clock) -> None:
    """Store what went wrong; text that already came stays, but is never scored."""
    row.status, row.error = "failed", dict(as_kurabe_error(error).as_record())
    clock.ended = time.monotonic()
    clock.write(row)
    row.finished_at = now()
