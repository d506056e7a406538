"""The host's routes: chat completions, one or many, embeddings, models, health."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import anyio.to_thread
import torch
import transformers
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from core import __version__
from core.errors import KurabeError, as_kurabe_error
from core.host.embedding import Embeddings
from core.host.engine import Engine
from core.host.protocol import (
    BundleBody,
    ChatBody,
    EmbeddingBody,
    Reply,
    bundle_line,
    embedding_body,
    error_body,
    error_status,
)
from core.host.rows import Event, Row
from core.host.sampling import Sampling
from core.models import BUNDLES, served_names

__all__ = ["make_app"]

ENGINE = f"kurabe {__version__} / transformers {transformers.__version__} / torch {torch.__version__}"
"""What answers name as the software that wrote them."""

Body = TypeVar("Body", bound=BaseModel)
Told = TypeVar("Told")
Handler = Callable[[Request], Awaitable[Response]]


class Host:
    """What the routes share."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.engine = Engine()
        self.embeddings = Embeddings()

    def guarded(self, handler: Handler) -> Handler:
        """Ask for the token, and turn every error into a clear object."""

        async def handle(request: Request) -> Response:
            try:
                self._check(request)
                return await handler(request)
            except ClientDisconnect:
                return Response(status_code=499)
            except Exception as error:
                known = as_kurabe_error(error)
                return JSONResponse(error_body(known), error_status(known))

        return handle

    def _check(self, request: Request) -> None:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(sent.encode(), self.token.encode()):
            raise KurabeError("host.token")

    async def health(self, _request: Request) -> Response:
        """Answer that process and engine run; nothing else is told without the token."""
        alive = self.engine.alive()
        return JSONResponse({"status": "ok" if alive else "failed", "version": __version__}, 200 if alive else 503)

    async def status(self, _request: Request) -> Response:
        """Tell what is loaded and what waits."""
        return JSONResponse({**self.engine.status(), "embedders": self.embeddings.names(), "engine": ENGINE})

    async def unload(self, _request: Request) -> Response:
        """Free the weights, for example before a training needs the device."""
        self.engine.unload()
        return JSONResponse({"status": "ok"})

    async def models(self, _request: Request) -> Response:
        """List every name that a request may ask for."""
        names = await anyio.to_thread.run_sync(served_names)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "kurabe"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def embed(self, request: Request) -> Response:
        """Embed texts."""
        body = await _parse(request, EmbeddingBody)
        vectors, tokens = await anyio.to_thread.run_sync(self.embeddings.embed, body.model, body.input)
        return JSONResponse(embedding_body(body, vectors, tokens))

    async def chat(self, request: Request) -> Response:
        """Answer a conversation, whole or as a stream."""
        body = await _parse(request, ChatBody)
        events: asyncio.Queue[Event] = asyncio.Queue()
        row = _row(body, _listener(events))
        reply = Reply(row, ENGINE)
        self.engine.submit(row)
        try:
            first = await _unless_gone(request, events.get())
            if first.error is not None:
                raise first.error
            if not body.stream:
                return JSONResponse(reply.whole(str(first.finish_reason), row.reasoning_tokens))
        except BaseException:
            self.engine.cancel(row)
            raise
        usage = body.stream_options is not None and body.stream_options.include_usage
        return StreamingResponse(self._stream(row, reply, first, events, usage), media_type="text/event-stream")

    async def bundle(self, request: Request) -> Response:
        """Answer many conversations, each with a line of its own as soon as it is whole; none is streamed."""
        bodies = (await _parse(request, BundleBody)).requests
        events: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        tell = _listener(events)

        def numbered(index: int) -> Callable[[Event], None]:
            return lambda event: tell((index, event))

        rows = [_row(body.model_copy(update={"stream": False}), numbered(i)) for i, body in enumerate(bodies)]
        for row in rows:
            self.engine.submit(row)
        return StreamingResponse(self._lines(rows, events), media_type="application/x-ndjson")

    async def _lines(self, rows: list[Row], events: asyncio.Queue[tuple[int, Event]]) -> AsyncIterator[str]:
        """Write answers as they come, those of one step together; a client that leaves ends this and its rows."""
        left = len(rows)
        try:
            while left:
                ready = [await events.get(), *(events.get_nowait() for _ in range(events.qsize()))]
                left -= len(ready)
                yield "".join(bundle_line(index, rows[index], event, ENGINE) for index, event in ready)
        finally:
            for row in rows:
                self.engine.cancel(row)

    async def _stream(
        self, row: Row, reply: Reply, event: Event, events: asyncio.Queue[Event], usage: bool
    ) -> AsyncIterator[str]:
        """Send pieces as they come; a client that goes away ends this generator, and with it the row."""
        delta: dict[str, Any] = {"role": "assistant"}
        try:
            while event.finish_reason is None and event.error is None:
                yield reply.chunk({**delta, "content": event.text})
                delta = {}
                event = await events.get()
            if event.error is not None:
                yield f"data: {json.dumps(error_body(event.error))}\n\n"
                return
            extra = {} if usage else {"kurabe": reply.serving()}
            if event.text:
                yield reply.chunk({**delta, "content": event.text})
            yield reply.chunk({}, event.finish_reason, **extra)
            if usage:
                yield reply.usage_chunk(row.reasoning_tokens)
            yield "data: [DONE]\n\n"
        finally:
            self.engine.cancel(row)


def _listener(events: asyncio.Queue[Told]) -> Callable[[Told], None]:
    loop = asyncio.get_running_loop()

    def tell(event: Told) -> None:
        # The loop is closed when the host stops while rows are still being written; nobody listens then.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(events.put_nowait, event)

    return tell


def _row(body: ChatBody, listener: Callable[[Event], None]) -> Row:
    return Row(
        model=body.model,
        messages=body.messages,
        sampling=Sampling(body.temperature, body.top_p, body.seed),
        listener=listener,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        stop=tuple(body.stop),
        stream=body.stream,
        thinking=body.thinking(),
        cache_salt=body.cache_salt,
    )


async def _parse(request: Request, kind: type[Body]) -> Body:
    """Read and check a request body.

    Raises:
        KurabeError: ``host.request`` with every problem in it.
    """
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
        raise KurabeError("host.request", problems="; ".join(problems)) from error


async def _unless_gone(request: Request, result: Awaitable[Event]) -> Event:
    """Wait for `result`, but no longer than the client does.

    Raises:
        ClientDisconnect: if it goes away first.
    """
    answer = asyncio.ensure_future(result)
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        return answer.result()
    finally:
        for task in (answer, gone):
            task.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def make_app(token: str) -> Starlette:
    """Return the application; its engine starts and stops with it."""
    host = Host(token)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        host.engine.start()
        yield
        await anyio.to_thread.run_sync(host.engine.stop)

    routes = [
        Route("/healthz", host.health),
        Route("/v1/models", host.guarded(host.models)),
        Route("/v1/chat/completions", host.guarded(host.chat), methods=["POST"]),
        Route("/v1" + BUNDLES, host.guarded(host.bundle), methods=["POST"]),
        Route("/v1/embeddings", host.guarded(host.embed), methods=["POST"]),
        Route("/v1/kurabe/status", host.guarded(host.status)),
        Route("/v1/kurabe/unload", host.guarded(host.unload), methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
