"""The one client through which every model is called, whoever serves it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from core.errors import KurabeError, storable
from core.models.bundles import ask_bundled
from core.models.capabilities import Capabilities, detect
from core.models.embedders import EmbedderInfo
from core.models.endpoint import Endpoint
from core.models.failures import RETRYABLE, translated
from core.models.reasoning import ThoughtSplitter, reasoning_of

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["RETRYABLE", "ChatChunk", "ChatRequest", "ChatResult", "ModelClient", "Usage"]

_EMBED_BATCH = 64

MOST_CHARACTERS = 1_000_000
"""Longest answer, reasoning included, that is taken for one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as counted by whoever `source` names."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = None
    """Part of the prompt that the server had read before; None if it does not say."""
    reasoning_tokens: int | None = None
    """Part of the completion that was thinking; None if the server does not say."""
    source: str = "server"
    """``server``, or the tokenizer that counted in its place."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of a model."""

    model: str
    """Name at the server: a base reference, ``adapter:<id>``, ``merged:<id>``, or whatever an outside server lists."""
    messages: Sequence[dict[str, str]]
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float | None = None
    """None: all tokens may be drawn; it is then not sent."""
    seed: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool | None = None
    """None leaves it to the model; servers that cannot switch thinking ignore it."""
    cache_salt: str | None = None
    """Calls with the same salt may share what the local host read of a common beginning; for quality, never for
    waiting times. Other servers do as they are set up."""
    timeout: float = 120
    """Seconds until the next piece of an answer must have come."""


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """One piece of a streamed answer."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    at: float = field(default_factory=time.monotonic)
    """When it came, in seconds of this process's monotonic clock."""
    timings: dict[str, Any] | None = None
    """The local host's own account: queue, prefill, decode and device seconds, batch size, warm, engine, precision."""


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A whole answer."""

    text: str
    reasoning: str
    finish_reason: str | None
    usage: Usage | None
    timings: dict[str, Any] | None
    started_at: float
    """When the request was sent, monotonic seconds."""
    ended_at: float


class ModelClient:
    """Calls models at one endpoint; safe to share between threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @property
    def _openai(self) -> OpenAI:
        return _library_client(self.endpoint.url, self.endpoint.key or "none", os.getpid())

    def stream(self, request: ChatRequest, cancel: threading.Event | None = None) -> Iterator[ChatChunk]:
        """Yield an answer as it is written, at last its reason to end, usage and timings; setting `cancel` ends it.

        Raises:
            KurabeError: see `core.models.failures`; those in `RETRYABLE` may go away by themselves.
        """
        began = ended = False
        with translated(self.endpoint, request.model):
            stream = _opened(self._openai, _body(request, self.endpoint), request.timeout, cancel)
            if stream is not None:
                with stream, _cancelling(stream, cancel):
                    try:
                        for chunk in _bounded(_chunks(stream), self.endpoint):
                            began, ended = True, ended or chunk.finish_reason is not None
                            yield chunk
                    except Exception:
                        # A connection that was shut on purpose breaks in whichever way it was being read.
                        if cancel is None or not cancel.is_set():
                            raise
        if not ended and cancel is not None and cancel.is_set():
            yield ChatChunk(finish_reason="cancelled")
        elif not ended:
            # One that began well and lacks its end comes from a server or proxy that went away meanwhile.
            code = "models.unreachable" if began else "models.bad_answer"
            raise KurabeError(code, **_place(self.endpoint), detail="the stream broke off")

    def complete(self, request: ChatRequest) -> ChatResult:
        """Return a whole answer; cheaper than a stream where nobody watches.

        Raises:
            KurabeError: as `stream`.
        """
        began = time.monotonic()
        with translated(self.endpoint, request.model):
            answer = self._answer(_body(request, self.endpoint), request.timeout)
            ended = time.monotonic()
            # The library hands a body that is no JSON object on as text.
            if not getattr(answer, "choices", None):
                raise ValueError("no choices")
            choice = answer.choices[0]
            splitter = ThoughtSplitter()
            text, thought = splitter.feed(_readable(choice.message.content))
            rest, rest_thought = splitter.finish()
            [chunk] = _bounded([ChatChunk(text + rest, thought + rest_thought)], self.endpoint)
            return ChatResult(
                text=chunk.text,
                reasoning=_readable(reasoning_of(choice.message)) + chunk.reasoning,
                finish_reason=_reason(choice.finish_reason),
                usage=_usage(getattr(answer, "usage", None)),
                timings=_timings(answer),
                started_at=began,
                ended_at=ended,
            )

    def _answer(self, body: dict[str, Any], timeout: float) -> Any:
        if not self.endpoint.is_local_host:
            return _post(self._openai, body, timeout)
        return _as_object(ask_bundled(self.endpoint, body, timeout))

    def models(self) -> list[str]:
        """Return the names that the server lists.

        Raises:
            KurabeError: as `stream`.
        """
        with translated(self.endpoint, ""):
            return [model.id for model in self._openai.models.list()]

    def embed(
        self, texts: Sequence[str], kind: str = "document", *, embedder: EmbedderInfo, timeout: float = 300
    ) -> list[list[float]]:
        """Return one vector for each text; `kind` is ``query`` or ``document``.

        Raises:
            KurabeError: as `stream`.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _EMBED_BATCH):
            batch = embedder.prepared(texts[start : start + _EMBED_BATCH], kind)
            with translated(self.endpoint, embedder.name):
                answer = self._openai.embeddings.create(model=embedder.name, input=batch, timeout=timeout)
            vectors += [entry.embedding for entry in sorted(answer.data, key=lambda entry: entry.index)]
        if len(vectors) != len(texts):
            detail = f"{len(vectors)} / {len(texts)}"
            raise KurabeError("models.bad_answer", **_place(self.endpoint), detail=detail)
        return vectors

    def rerank(self, model: str, query: str, texts: Sequence[str], *, timeout: float = 60) -> list[float]:
        """Return how well each text answers a query, in the model's own unit; more is better.

        Raises:
            KurabeError: as `stream`.
        """
        with translated(self.endpoint, model):
            body = {"model": model, "query": query, "documents": list(texts)}
            answer: Any = self._openai.post("/rerank", cast_to=object, body=body, options={"timeout": timeout})
        try:
            scores = {int(row["index"]): float(row["relevance_score"]) for row in answer["results"]}
            return [scores[place] for place in range(len(texts))]
        except (KeyError, TypeError, ValueError) as error:
            raise KurabeError("models.bad_answer", **_place(self.endpoint), detail="/rerank") from error

    def capabilities(self, model: str | None = None, *, probe: bool = False) -> Capabilities:
        """Return what the server can do; with `probe`, found out by a few calls of one token each.

        Raises:
            KurabeError: as `stream`, if the server cannot be reached at all.
        """
        with translated(self.endpoint, model or ""):
            return detect(self._openai, self.endpoint, model, probe=probe)


@lru_cache(maxsize=32)
def _library_client(url: str, key: str, pid: int) -> OpenAI:
    """Return one client for each server and process: connections are kept open, and must not cross a fork."""
    # Imported here: it takes half a second that whoever calls no model need not wait for.
    from openai import OpenAI

    from core.models.bounds import BoundedClient

    # Retries belong to whoever counts attempts; a hidden one would be measured as a slow answer.
    return OpenAI(base_url=url, api_key=key, max_retries=0, http_client=BoundedClient())


def _place(endpoint: Endpoint) -> dict[str, str]:
    return {"url": endpoint.url, "label": endpoint.label or endpoint.url}


def _post(library: OpenAI, body: dict[str, Any], timeout: float) -> Any:
    """Send a request, and return its answer or, where the body asks for one, its stream.

    The library's own method for it first goes through every message to rename what these bodies never hold; that
    takes as long as all the rest until the request is sent, and would be measured as part of the waiting time.
    """
    from openai import Stream
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    return library.post(
        "/chat/completions",
        cast_to=ChatCompletion,
        body=body,
        options={"timeout": timeout},
        stream=bool(body.get("stream")),
        stream_cls=Stream[ChatCompletionChunk],
    )


def _as_object(answer: dict[str, Any]) -> SimpleNamespace:
    """Return the own host's answer with attributes as the library's have; it takes a tenth of the library's time."""
    [choice], usage = answer["choices"], dict(answer["usage"])
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        usage[name] = SimpleNamespace(**usage[name])
    told = SimpleNamespace(message=SimpleNamespace(**choice["message"]), finish_reason=choice["finish_reason"])
    return SimpleNamespace(choices=[told], usage=SimpleNamespace(**usage), kurabe=answer["kurabe"])


def _opened(library: OpenAI, body: dict[str, Any], timeout: float, cancel: threading.Event | None) -> Any:
    """Send a request and return its stream; None if `cancel` was set before anything came back.

    Until then there is no connection to shut: whoever waits leaves, and the stream is closed when it opens.
    """
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    if cancel is None:
        return _post(library, body, timeout)
    future: Future[Any] = Future()
    threading.Thread(target=_fulfil, args=(future, library, body, timeout), daemon=True).start()
    while not cancel.is_set():
        wait((future,), timeout=0.1)
        if future.done():
            return future.result()
    future.add_done_callback(_close_unused)
    return None


def _fulfil(future: Future[Any], library: OpenAI, body: dict[str, Any], timeout: float) -> None:
    try:
        future.set_result(_post(library, body, timeout))
    except Exception as error:
        future.set_exception(error)


def _close_unused(future: Future[Any]) -> None:
    if future.exception() is None:
        future.result().close()


def _body(request: ChatRequest, endpoint: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    if request.thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.cache_salt is not None and endpoint.is_local_host:
        body["cache_salt"] = request.cache_salt
    return body


def _chunks(stream: Any) -> Iterator[ChatChunk]:
    splitter = ThoughtSplitter()
    for event in stream:
        at = time.monotonic()
        choice = event.choices[0] if event.choices else None
        text, thought, reason = "", "", None
        if choice is not None:
            if choice.delta is not None:
                text, thought = splitter.feed(_readable(choice.delta.content))
                thought = _readable(reasoning_of(choice.delta)) + thought
            if (reason := _reason(choice.finish_reason)) is not None:
                rest, rest_thought = splitter.finish()
                text, thought = text + rest, thought + rest_thought
        usage, timings = _usage(getattr(event, "usage", None)), _timings(event)
        if text or thought or reason or usage or timings:
            yield ChatChunk(text, thought, reason, usage, at, timings)


def _bounded(chunks: Iterable[ChatChunk], endpoint: Endpoint) -> Iterator[ChatChunk]:
    """Hand chunks on until they are more than any answer.

    Raises:
        KurabeError: ``models.endless``.
    """
    length = 0
    for chunk in chunks:
        length += len(chunk.text) + len(chunk.reasoning)
        if length > MOST_CHARACTERS:
            raise KurabeError("models.endless", **_place(endpoint), limit=f"{MOST_CHARACTERS // 1_000_000} MB")
        yield chunk


def _readable(text: Any) -> str:
    """Return text that every store can keep; what is neither text nor nothing is no answer.

    Raises:
        ValueError: for anything else than text.
    """
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ValueError(f"{type(text).__name__} in the place of text")
    return str(storable(text))


def _reason(reason: Any) -> str | None:
    return None if reason is None else _readable(str(reason))[:30]


def _usage(usage: Any) -> Usage | None:
    """Return the server's counts; None where it sends none that could be: then ours are taken."""
    prompt, completion = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
    if not prompt or completion is None:
        return None
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=_tokens(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
        reasoning_tokens=_tokens(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
    )


def _tokens(counts: Any, name: str) -> int | None:
    value = getattr(counts, name, None)
    possible = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if possible else None


def _timings(answer: Any) -> dict[str, Any] | None:
    value = getattr(answer, "kurabe", None)
    return value if isinstance(value, dict) else None


@contextmanager
def _cancelling(stream: Any, cancel: threading.Event | None) -> Iterator[None]:
    """Shut the connection as soon as `cancel` is set, although another thread waits on it."""
    if cancel is None:
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(stream, cancel, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()


def _watch(stream: Any, cancel: threading.Event, done: threading.Event) -> None:
    while not done.is_set():
        if cancel.wait(0.1):
            _shut(stream)
            return


def _shut(stream: Any) -> None:
    # Closing a socket does not wake a thread that reads from it; shutting it down does, and tells the server.
    network = stream.response.extensions.get("network_stream")
    connection = network.get_extra_info("socket") if network is not None else None
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(2)
