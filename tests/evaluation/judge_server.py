"""A judge at an address: a real HTTP server whose liking for the answer shown first is known."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Replier = Callable[[str, str], str]
"""From the system and the user message to the reply."""


@dataclass
class JudgeServer:
    """Where it listens, and everything that it was asked."""

    url: str
    asked: list[list[dict[str, str]]] = field(default_factory=list)
    fail: int = 0
    """How many of the next calls are refused as busy."""
    broken: bool = False
    """Whether every call fails in the server."""
    retry_after: str = ""
    """What a refused call is told to wait for, in seconds."""


def part(user: str, tag: str) -> str:
    """What stands between two tags of a prompt; empty without them."""
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", user, re.DOTALL)
    return found.group(1) if found else ""


def biased(system: str, user: str) -> str:
    """Prefers the answer that says "good", and where both or neither do, the one shown first."""
    if "<claim>" in user:
        supported = part(user, "claim").split()[0].casefold() in part(user, "material").casefold()
        return f"Compared word by word.\nVERDICT: {'YES' if supported else 'NO'}"
    if "<answer>" in user:
        return f"Plain.\n**VERDICT: {5 if 'good' in part(user, 'answer') else 2}**"
    a, b = ("good" in part(user, tag) for tag in ("answer_a", "answer_b"))
    return f"Because.\nVERDICT: {'B' if b and not a else 'A'}"


@contextmanager
def judge_server(reply: Replier = biased) -> Iterator[JudgeServer]:
    """Serve the chat completions of one judge until the block ends."""
    served = JudgeServer("")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                refuse = served.fail > 0
                served.fail -= refuse
                served.asked.append(body["messages"])
            if served.broken or refuse:
                self._send(503 if served.broken else 429, {"error": {"message": "busy"}})
            else:
                self._send(200, _answer(body, reply))

        def _send(self, status: int, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 429 and served.retry_after:
                self.send_header("Retry-After", served.retry_after)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def _answer(body: dict[str, Any], reply: Replier) -> dict[str, Any]:
    system, user = (message["content"] for message in body["messages"])
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply(system, user)}}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }
