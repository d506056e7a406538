"""Requests to the own host travel in bundles: for a small model the way there costs more than the answer."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any

from core.errors import KurabeError
from core.models.endpoint import Endpoint
from core.models.failures import own_error

__all__ = ["BUNDLES", "ask_bundled"]

BUNDLES = "/kurabe/bundle"
"""Where the host takes bundles, below its address."""

_GATHER_SECONDS = 0.005
"""How long a request waits for others that go with it; where nobody takes the time, nobody minds."""

_MOST = 256
"""Requests of one bundle."""

Asked = tuple[dict[str, Any], "Future[dict[str, Any]]"]


def ask_bundled(endpoint: Endpoint, body: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Send a chat request together with those of other threads, and return its answer as the host wrote it.

    `timeout` is the longest time in seconds in which the host answers nobody: a slow model may have many to answer.

    Raises:
        KurabeError: what the host says of this request, or ``models.timeout``.
        httpx2.HTTPError: if the host cannot be reached or goes away.
        ValueError: if it answers in another form.
    """
    bundles = _bundles(endpoint.url, endpoint.key or "none", os.getpid())
    asked, future = time.monotonic(), Future[dict[str, Any]]()
    bundles.waiting.put((body, future))
    while (left := max(asked, bundles.heard) + timeout - time.monotonic()) > 0:
        with suppress(TimeoutError):
            return future.result(left)
    place = {"url": endpoint.url, "label": endpoint.label or endpoint.url}
    raise KurabeError("models.timeout", **place, model=body["model"])


@lru_cache(maxsize=8)
def _bundles(url: str, key: str, pid: int) -> _Bundles:
    """Return the one sender for each host and process: threads do not live on in a fork."""
    return _Bundles(url, key)


class _Bundles:
    """Sends what waits, and hands each answer to the thread that asked."""

    def __init__(self, url: str, key: str) -> None:
        # Imported here: it takes half a second that whoever calls no model need not wait for.
        from openai import DefaultHttpxClient

        self.url, self.headers = url + BUNDLES, {"Authorization": f"Bearer {key}"}
        self.http = DefaultHttpxClient(timeout=None)
        self.heard = 0.0
        """When the last answer came, monotonic seconds."""
        self.waiting: SimpleQueue[Asked] = SimpleQueue()
        threading.Thread(target=self._send_all, name="bundles", daemon=True).start()

    def _send_all(self) -> None:
        while True:
            bundle = [self.waiting.get()]
            time.sleep(_GATHER_SECONDS)
            while len(bundle) < _MOST:
                try:
                    bundle.append(self.waiting.get_nowait())
                except Empty:
                    break
            threading.Thread(target=self._send, args=(bundle,), name="bundle", daemon=True).start()

    def _send(self, bundle: Sequence[Asked]) -> None:
        try:
            body = {"requests": [body for body, _ in bundle]}
            with self.http.stream("POST", self.url, headers=self.headers, json=body) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer.read())
                for line in answer.iter_lines():
                    self.heard = time.monotonic()
                    _hand_out(json.loads(line), bundle)
            raise ValueError("the host left a request unanswered")
        except Exception as error:
            for _, future in bundle:
                if not future.done():
                    future.set_exception(error)


def _hand_out(line: dict[str, Any], bundle: Sequence[Asked]) -> None:
    future = bundle[line["index"]][1]
    if "error" in line:
        future.set_exception(own_error(line["error"]) or ValueError(str(line["error"])[:300]))
    else:
        future.set_result(line["answer"])


def _refusal(content: bytes) -> Exception:
    """Return what the host says of a whole bundle."""
    try:
        return own_error(json.loads(content)["error"]) or ValueError(content[:300].decode(errors="replace"))
    except (ValueError, LookupError, TypeError) as error:
        return error
