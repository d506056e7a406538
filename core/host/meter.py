"""Computing time, shared out among what is computed at once, so that no second of the machine is counted twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Meter", "Share"]


@dataclass(eq=False)
class Share:
    """What one piece of work had so far."""

    seconds: float = 0.0


class Meter:
    """Divides each moment evenly among the pieces of work under way; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._running: list[Share] = []
        self._at = 0.0

    @contextmanager
    def measured(self) -> Iterator[Share]:
        """Count the block as under way; its share is whole once the block has ended."""
        share = Share()
        with self._lock:
            self._advance()
            self._running.append(share)
        try:
            yield share
        finally:
            with self._lock:
                self._advance()
                self._running.remove(share)

    def _advance(self) -> None:
        now = self._clock()
        for share in self._running:
            share.seconds += (now - self._at) / len(self._running)
        self._at = now
