"""A small model server that counts what it is asked and can fail in every way that servers do."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Mood = Callable[["Handler", str, int], None]
"""Answers one request: the handler, the question, and how often it was asked before."""


class TroubledServer(ThreadingHTTPServer):
    """Answers every question as `mood` says."""

    daemon_threads = True
    request_queue_size = 64
    mood: Mood

    def __init__(self, mood: Mood) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mood = mood
        self.lock = threading.Lock()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        """Whole answers that were sent without streaming, by question."""
        self.moments: list[tuple[str, float]] = []
        """Every question with the monotonic second at which it came, streamed ones left out."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested here."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: TroubledServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = self.question = str(self.body["messages"][-1]["content"])
        with self.server.lock:
            before = self.server.asked[question]
            self.server.asked[question] += 1
            if not self.body.get("stream"):
                self.server.moments.append((question, time.monotonic()))
        self.server.mood(self, question, before)

    def send(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Send a whole response."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind: str) -> None:
        """Begin a response whose length nobody knows."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()

    def answer(self, text: Any = "Fine.", usage: Any = None, **more: Any) -> None:
        """Answer as the API says, streamed if that was asked for."""
        counted = usage or {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
        choice = {"index": 0, "finish_reason": "stop", **more}
        frame = {"id": "1", "created": 1, "model": "m", "usage": counted}
        if not self.body.get("stream"):
            choice["message"] = {"role": "assistant", "content": text}
            self.send(json.dumps({**frame, "object": "chat.completion", "choices": [choice]}).encode())
            with self.server.lock:
                self.server.answered[self.question] += 1
            return
        choice["delta"] = {"role": "assistant", "content": text}
        event = json.dumps({**frame, "object": "chat.completion.chunk", "choices": [choice]})
        self.send(f"data: {event}\n\ndata: [DONE]\n\n".encode(), kind="text/event-stream")

    def piece(self, text: str) -> bytes:
        """One event of a stream that goes on."""
        choice = {"index": 0, "finish_reason": None, "delta": {"role": "assistant", "content": text}}
        frame = {"id": "1", "created": 1, "model": "m", "object": "chat.completion.chunk", "choices": [choice]}
        return f"data: {json.dumps(frame)}\n\n".encode()

    def hang_up(self) -> None:
        """Go away as a killed server does."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def troubled(mood: Mood) -> Iterator[TroubledServer]:
    """Serve until the block ends."""
    server = TroubledServer(mood)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# moods ---------------------------------------------------------------------------------------------


def busy(handler: Handler, question: str, before: int) -> None:
    """Ask for a pause of a second, once."""
    if before:
        return handler.answer()
    return handler.send(b'{"error": {"message": "slow down"}}', 429, Retry_After="1")


def broken_once(handler: Handler, question: str, before: int) -> None:
    """Fail once."""
    return handler.answer() if before else handler.send(b'{"error": {"message": "oh"}}', 500)


def broken(handler: Handler, question: str, before: int) -> None:
    """Fail always."""
    handler.send(b"<h1>Internal Server Error</h1>", 500, "text/html")


def gone_in_the_middle(handler: Handler, question: str, before: int) -> None:
    """Hang up in the middle of an answer, once."""
    if before:
        return handler.answer()
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream" if handler.body.get("stream") else "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(handler.piece("Half an ans"))
    return handler.hang_up()


def broken_off(handler: Handler, question: str, before: int) -> None:
    """End a stream politely, but before its end, once; a proxy does that."""
    if before:
        return handler.answer()
    handler.begin("text/event-stream")
    handler.wfile.write(handler.piece("Half an ans"))
    return None


def garbage(handler: Handler, question: str, before: int) -> None:
    """Send bytes that are nothing."""
    handler.send(bytes(range(256)) * 40)


def invalid_events(handler: Handler, question: str, before: int) -> None:
    """Send a stream whose events are no JSON."""
    handler.send(b'data: {"choices": [{"del\n\ndata: \xff\xfe\n\nevent\n\n', kind="text/event-stream")


def other_shapes(handler: Handler, question: str, before: int) -> None:
    """Send JSON that is something else."""
    body = b'{"choices": [17, {"message": null}], "usage": "many"}'
    handler.send(b"data: " + body + b"\n\n" if handler.body.get("stream") else body, kind="application/json")


def deep(handler: Handler, question: str, before: int) -> None:
    """Send JSON so deep that readers give up."""
    body = b'{"choices": ' + b"[" * 200_000
    handler.send(b"data: " + body + b"\n\n" if handler.body.get("stream") else body)


def text_of_another_kind(handler: Handler, question: str, before: int) -> None:
    """Answer with a list in the place of text."""
    handler.answer([{"type": "text", "text": "hi"}])


def endless(handler: Handler, question: str, before: int) -> None:
    """Write for ever."""
    handler.begin("text/event-stream" if handler.body.get("stream") else "application/json")
    piece = handler.piece("and so on ") * 100 if handler.body.get("stream") else b" " * 65536
    while True:
        handler.wfile.write(piece)


def never_ending(handler: Handler, question: str, before: int) -> None:
    """Keep the connection alive with a sign now and then, and say nothing."""
    handler.begin("text/event-stream" if handler.body.get("stream") else "application/json")
    while True:
        handler.wfile.write(b": still here\n" if handler.body.get("stream") else b" ")
        time.sleep(0.05)


def one_huge_line(handler: Handler, question: str, before: int) -> None:
    """Write a line that never ends."""
    handler.begin("text/event-stream")
    handler.wfile.write(b'data: {"choices": "')
    while True:
        handler.wfile.write(b"x" * 65536)


def wrong_usage(handler: Handler, question: str, before: int) -> None:
    """Count tokens that cannot be."""
    handler.answer(usage={"prompt_tokens": "many", "completion_tokens": -7, "prompt_tokens_details": [1]})


def unstorable(handler: Handler, question: str, before: int) -> None:
    """Answer with what no database column holds."""
    handler.answer("A\x00B\ud800C", finish_reason="because " * 40)
