"""One request on its way through the engine: what was asked, what was written so far, who listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from core.errors import KurabeError
from core.host.forward import Place
from core.host.sampling import Sampling

__all__ = ["Event", "Row", "Timings"]

FinishReason = Literal["stop", "length", "cancelled"]

_STREAM_SECONDS = 0.025
"""Least time between two pieces of one stream after the first; a faster model sends several tokens in one."""


_THOUGHT_ENDS = "</think>"
"""Token with which models that think aloud end their thoughts."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a listener is told: a piece of text, the end, or a failure."""

    text: str = ""
    finish_reason: FinishReason | None = None
    error: KurabeError | None = None


@dataclass(slots=True)
class Timings:
    """Where one row's time went; seconds of the monotonic clock."""

    queued_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    """When its prompt began to be read."""
    first_token_at: float = 0.0
    ended_at: float = 0.0
    load_seconds: float = 0.0
    """Spent on loading the weights or the adapter for it; 0 when they were there."""
    device_seconds: float = 0.0
    """Its share of computing time: its own prompt, and each step divided by the rows in it."""
    steps: int = 0
    rows_in_steps: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what the last chunk reports."""
        return {
            "queue_seconds": max(0.0, self.started_at - self.queued_at),
            "prefill_seconds": max(0.0, self.first_token_at - self.started_at),
            "decode_seconds": max(0.0, self.ended_at - self.first_token_at),
            "device_seconds": self.device_seconds,
            "load_seconds": self.load_seconds,
            "batch_size": round(self.rows_in_steps / self.steps, 2) if self.steps else 1.0,
            "warm": self.load_seconds == 0.0,
        }


@dataclass(slots=True, eq=False)
class Row:
    """One answer being written."""

    model: str
    """Name of the weights as asked for."""
    messages: list[dict[str, Any]]
    sampling: Sampling
    listener: Callable[[Event], None]
    """Called from the engine's thread; must not block."""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    thinking: bool | None = None
    cache_salt: str | None = None
    """Rows with the same salt may take over what one of them read of a common beginning; without one, none may."""
    cancelled: bool = False
    """Set by any thread; the row leaves at the next step."""
    timings: Timings = field(default_factory=Timings)
    prompt: list[int] = field(default_factory=list)
    """Token ids of the rendered prompt."""
    known_tokens: int = 0
    """First tokens of the prompt that another row had read."""
    tokens: list[int] = field(default_factory=list)
    """Token ids written so far; a final end token is counted, since it was computed."""
    text: str = ""
    """Text written so far."""
    precision: str = ""
    weights: str = ""
    """Base or merged weights that answer, without the adapter."""
    limit: int = 0
    """Most tokens that it may write."""
    positions: int = 0
    """Positions set aside for its keys and values."""
    position_bytes: int = 0
    """What one of them takes."""
    place: Place | None = None
    decoder: DecodeStream | None = None
    sent: int = 0
    """Characters of `text` that the listener has."""
    sent_at: float = 0.0
    reasoning_tokens: int = 0
    """Tokens up to the end of the model's thinking, where it marks one."""
    cut: bool = False
    """Whether a stop word ended the text."""

    def begin(self, prompt: list[int], limit: int) -> None:
        """Take the encoded prompt and the number of tokens that may follow it."""
        self.prompt, self.limit = prompt, limit
        self.decoder = DecodeStream(skip_special_tokens=True) if self.stream or self.stop else None

    @property
    def last_token(self) -> int:
        """The next step's input: the last token written, or the prompt's last one."""
        return self.tokens[-1] if self.tokens else self.prompt[-1]

    def accept(self, token: int, tokenizer: Tokenizer, end_tokens: frozenset[int], at: float) -> FinishReason | None:
        """Take the next token; tell whether the answer ends with it, and send what may be sent."""
        if not self.tokens:
            self.timings.first_token_at = at
        self.tokens.append(token)
        if token in end_tokens:
            return "stop"
        if self.decoder is not None:
            self.text += self.decoder.step(tokenizer, token) or ""
            if self._cut_at_stop():
                return "stop"
            if self.stream:
                self._send(at)
        return "length" if len(self.tokens) >= self.limit else None

    def finish(self, reason: FinishReason, tokenizer: Tokenizer, end_tokens: frozenset[int]) -> None:
        """Settle the text and tell the listener the rest of it with the reason for the end."""
        self.timings.ended_at = time.monotonic()
        thought = tokenizer.token_to_id(_THOUGHT_ENDS)
        if thought in self.tokens:
            self.reasoning_tokens = self.tokens.index(thought) + 1
        written = [token for token in self.tokens if token not in end_tokens]
        whole: str = tokenizer.decode(written, skip_special_tokens=True)
        if self.decoder is None:
            self.text = whole
        elif not self.cut and whole.startswith(self.text):
            self.text = whole
            reason = "stop" if self._cut_at_stop() else reason
        self.listener(Event(self.text[self.sent :], reason))

    def fail(self, error: KurabeError) -> None:
        """Tell the listener that there will be no answer, or no more of it."""
        self.listener(Event(error=error))

    def _cut_at_stop(self) -> bool:
        # What was sent holds no beginning of a stop word: `_send` keeps such an end back.
        found = [at for at in (self.text.find(word, self.sent) for word in self.stop) if at >= 0]
        if found:
            self.text, self.cut = self.text[: min(found)], True
        return self.cut

    def _send(self, at: float) -> None:
        """Send new text, but hold back an end that may grow into a stop word, and tiny pieces that follow quickly."""
        ready = len(self.text) - _overlap(self.text, self.stop)
        if ready > self.sent and (self.sent == 0 or at - self.sent_at >= _STREAM_SECONDS):
            self.listener(Event(self.text[self.sent : ready]))
            self.sent, self.sent_at = ready, at


def _overlap(text: str, stop: tuple[str, ...]) -> int:
    """Return the length of the longest end of `text` that begins a stop word."""
    return max((n for word in stop for n in range(1, len(word)) if text.endswith(word[:n])), default=0)
