"""The OpenAI-compatible messages that the host understands and sends."""

from __future__ import annotations

import base64
import json
import struct
import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.errors import KurabeError
from core.host.rows import Event, Row
from core.i18n import describe

__all__ = ["BundleBody", "ChatBody", "EmbeddingBody", "bundle_line", "error_body", "error_status"]

_STATUS = {
    "host.token": 401,
    "host.stopping": 503,
    "host.compute": 500,
    "host.no_memory": 507,
    "internal": 500,
    "models.not_here": 404,
    "models.unknown": 404,
    "models.adapter_missing": 404,
    "models.embedder_missing": 404,
}
"""HTTP status by error code; 400 for all others: the request itself has to change."""

_TYPES = {401: "authentication_error", 404: "not_found_error", 500: "server_error", 503: "server_error"}

_NAMES = {"host.prompt_too_long": "context_length_exceeded", "models.unknown": "model_not_found"}
"""Codes by which OpenAI's clients know an error."""


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """A chat completion request; fields that the host cannot honour are refused, not ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, gt=0)
    max_completion_tokens: int | None = Field(default=None, gt=0)
    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    stop: list[str] = Field(default_factory=list, max_length=16)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1, None] = None
    logprobs: Literal[False, None] = None
    tools: None = None
    frequency_penalty: Literal[0, None] = None
    presence_penalty: Literal[0, None] = None
    cache_salt: str | None = None
    """As in vLLM: requests with the same salt share what was read of a common beginning; here those without share none,
    so that a waiting time is that of the whole prompt."""
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value or []

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if "" in value:
            raise ValueError("an empty stop word would stop at once")
        return value

    @field_validator("messages")
    @classmethod
    def _plain_text(cls, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**message, "content": _text_of(message.get("content"))} for message in value]

    def thinking(self) -> bool | None:
        """Return whether the model is asked to think, as vLLM and SGLang spell it."""
        value = self.chat_template_kwargs.get("enable_thinking")
        return None if value is None else bool(value)


class BundleBody(BaseModel):
    """Many chat completion requests at once; none is streamed."""

    requests: list[ChatBody] = Field(min_length=1, max_length=256)


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        return "".join(str(part.get("text", "")) for part in content)
    raise ValueError("content must be text")


class EmbeddingBody(BaseModel):
    """An embedding request."""

    model_config = ConfigDict(extra="ignore")

    model: str
    input: list[str] = Field(min_length=1, max_length=2048)
    encoding_format: Literal["float", "base64"] = "float"

    @field_validator("input", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Reply:
    """Builds what one chat request gets back, whole or as a stream of chunks."""

    def __init__(self, row: Row, engine: str) -> None:
        self.row = row
        self.engine = engine
        self.head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": row.model}

    def whole(self, finish_reason: str, reasoning_tokens: int) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        message = {"role": "assistant", "content": self.row.text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
        return {
            **self.head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self.usage(reasoning_tokens),
            "kurabe": self.serving(),
        }

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **extra: Any) -> str:
        """Return one server-sent event with a piece of the answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return sse({**self.head, "object": "chat.completion.chunk", "choices": [choice], **extra})

    def usage_chunk(self, reasoning_tokens: int) -> str:
        """Return the event after the last piece, with the token counts."""
        extra = {"usage": self.usage(reasoning_tokens), "kurabe": self.serving()}
        return sse({**self.head, "object": "chat.completion.chunk", "choices": [], **extra})

    def usage(self, reasoning_tokens: int) -> dict[str, Any]:
        """Return token counts; an end token that was computed is counted."""
        read, written = len(self.row.prompt), len(self.row.tokens)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": self.row.known_tokens},
            "completion_tokens_details": {"reasoning_tokens": reasoning_tokens},
        }

    def serving(self) -> dict[str, Any]:
        """Return the extra field ``kurabe``: timings, batch and precision of this answer."""
        return {**self.row.timings.as_dict(), "engine": self.engine, "precision": self.row.precision}


def bundle_line(index: int, row: Row, event: Event, engine: str) -> str:
    """Return one answer of a bundle, or why there is none, as a line of JSON."""
    value: dict[str, Any] = {"index": index}
    if event.error is not None:
        value |= error_body(event.error)
    else:
        value["answer"] = Reply(row, engine).whole(str(event.finish_reason), row.reasoning_tokens)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def sse(value: dict[str, Any]) -> str:
    """Return one server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"


def embedding_body(body: EmbeddingBody, vectors: Sequence[Sequence[float]], tokens: int) -> dict[str, Any]:
    """Return vectors in the form that was asked for."""
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body.model, "data": data, "usage": usage}


def _vector(vector: Sequence[float], form: str) -> str | list[float]:
    if form == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return list(vector)


def error_status(error: KurabeError) -> int:
    """Return the HTTP status of an error."""
    return _STATUS.get(error.code, 400)


def error_body(error: KurabeError) -> dict[str, Any]:
    """Return an error as OpenAI's clients read it, with Kurabe's record beside it."""
    message, hint = describe(error, "en")
    status = error_status(error)
    return {
        "error": {
            "message": f"{message} {hint}".strip(),
            "type": _TYPES.get(status, "invalid_request_error"),
            "param": None,
            "code": _NAMES.get(error.code, error.code),
            "kurabe": error.as_record(),
        }
    }
