"""Bounds on what a server may send: nobody waits for ever, and no memory is filled, whatever it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
from openai import DefaultHttpxClient

__all__ = ["BoundedClient", "Endless"]

MOST_BYTES = 32 * 2**20
"""A stream of 100,000 tokens takes about 30 MB; more is no answer."""
MOST_SECONDS = 900.0
"""Longest answer; pieces that keep coming never let the time-out of a single one run out."""


class Endless(httpx2.ReadError):
    """A response that goes on beyond every bound; its text is the bound."""


class BoundedClient(DefaultHttpxClient):
    """The library's own HTTP client, whose responses end."""

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Send a request.

        Raises:
            Endless: here, or while a stream is read.
        """
        response = super().send(request, stream=True, **options)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream)
        if not stream:
            try:
                response.read()
            except BaseException:
                response.close()
                raise
        return response


class _Bounded(httpx2.SyncByteStream):
    """A stream of bytes that breaks off at the bounds."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream
        self._until = time.monotonic() + MOST_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > MOST_BYTES:
                raise Endless(f"{MOST_BYTES // 2**20} MB")
            if time.monotonic() > self._until:
                raise Endless(f"{MOST_SECONDS:.0f} s")
            yield piece

    def close(self) -> None:
        self._stream.close()
