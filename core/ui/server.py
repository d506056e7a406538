"""The app's process: what happens at its start, its health address, and the headers of every reply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import __version__
from core.jobs import keep_ticking
from core.settings import settings
from core.store import migrate

__all__ = ["SECURITY_HEADERS", "healthz", "lifespan"]


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Migrate the store, then keep the queue moving while the app is open."""
    logging.basicConfig(level=settings().log_level)
    migrate()
    end = keep_ticking()
    try:
        yield
    finally:
        await asyncio.to_thread(end)


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": __version__})


healthz = Route("/healthz", _health)


class _SecurityHeaders:
    """Adds headers that keep pages out of frames of other sites and images of other sites out of pages."""

    HEADERS = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        # Model output and documents are untrusted: nothing they hold may load anything from elsewhere.
        "Content-Security-Policy": (
            "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
            "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
            "connect-src 'self' ws: wss: data: blob:; frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
        ),
    }

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to an HTTP reply."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


SECURITY_HEADERS = Middleware(_SecurityHeaders)
