"""A team's own service at an address: a real HTTP server that answers from what it is asked, and thinks aloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

THOUGHT = "Let me look at the question."


@dataclass
class Service:
    """Where it listens, what it was asked, and how it is set up."""

    url: str = ""
    key: str = ""
    """Refuses calls without it."""
    models: tuple[str, ...] | None = ("team-model", "team-adapter")
    """Names that it lists; None: it has no list."""
    usage: bool = True
    refuses: tuple[str, ...] = ()
    """Fields of a request that it does not take."""
    asked: list[dict[str, Any]] = field(default_factory=list)


def reply(body: dict[str, Any]) -> str:
    """What it answers: its name and the question in capitals."""
    return f"{body['model']}: {body['messages'][-1]['content'].upper()}"


@contextmanager
def service(**changes: Any) -> Iterator[Service]:
    """Serve until the block ends."""
    served = Service(**changes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": served}))
    served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Service

    def do_GET(self) -> None:
        if self.served.models is None:
            self._send(404, {"error": {"message": "no such path"}})
        elif self._allowed():
            common = {"object": "model", "created": 0, "owned_by": "team"}
            self._send(200, {"object": "list", "data": [{"id": name, **common} for name in self.served.models]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._allowed():
            return
        self.served.asked.append(body)
        if self.path != "/v1/chat/completions" or set(self.served.refuses) & body.keys():
            self._send(400, {"error": {"message": "not understood"}})
        elif body.get("stream"):
            self._stream(body)
        else:
            message = {"role": "assistant", "content": reply(body), "reasoning_content": THOUGHT}
            self._send(200, _document("chat.completion", body, self.served, message=message, finish_reason="stop"))

    def _allowed(self) -> bool:
        if self.served.key and self.headers.get("Authorization") != f"Bearer {self.served.key}":
            self._send(401, {"error": {"message": "wrong key"}})
            return False
        return True

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta, reason in (({"reasoning_content": THOUGHT}, None), ({"content": reply(body)}, "stop")):
            document = _document("chat.completion.chunk", body, self.served, delta=delta, finish_reason=reason)
            self.wfile.write(f"data: {json.dumps(document)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _document(kind: str, body: dict[str, Any], served: Service, **choice: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 40, "completion_tokens": 12, "total_tokens": 52,
             "completion_tokens_details": {"reasoning_tokens": 7}}  # fmt: skip
    told = usage if served.usage and choice["finish_reason"] else None
    return {"id": "1", "object": kind, "created": 0, "model": body["model"], "choices": [{"index": 0, **choice}],
            "usage": told}  # fmt: skip
