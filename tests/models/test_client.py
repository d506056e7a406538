"""The one client: against the real host, and against servers that fail in every way that servers do."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import KurabeError
from core.models import RETRYABLE, ChatRequest, Endpoint, ModelClient, find_embedder
from tests.host.conftest import RunningHost, make_adapter, start_host

QUESTION = [
    {
        "role": "user",
        "content": "Documents:\n[1] Red Chair\nThe weight of the Red Chair is 7 kg.\n\n"
        "Question: How heavy is the Red Chair?",
    }
]
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    home = tmp_path_factory.mktemp("host")
    make_adapter(home, "noisy", 1)
    running = start_host(home)
    yield running
    running.process.terminate()
    running.process.wait(15)


def test_a_stream_and_a_whole_answer_say_the_same(host: RunningHost) -> None:
    client = ModelClient(host.endpoint)
    whole = client.complete(ChatRequest("starter", QUESTION, max_tokens=40))
    began = time.monotonic()
    chunks = list(client.stream(ChatRequest("starter", QUESTION, max_tokens=40)))
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert len(whole.text) > 5
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == [whole.finish_reason]
    usage, timings = chunks[-1].usage, chunks[-1].timings
    assert usage == whole.usage and usage is not None and usage.source == "server"
    assert timings is not None and timings["engine"].startswith("kurabe")
    times = [chunk.at for chunk in chunks]
    assert times == sorted(times) and began < times[0] < time.monotonic()


def test_a_local_answer_accounts_for_its_time(host: RunningHost) -> None:
    client = ModelClient(host.endpoint)
    request = ChatRequest("starter", QUESTION, max_tokens=40)
    client.complete(request)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: client.complete(request), range(8)))
    spans = [result.timings for result in results if result.timings]
    assert len(spans) == 8 and all(span["warm"] for span in spans)
    assert max(span["batch_size"] for span in spans) > 1
    for result, span in zip(results, spans, strict=True):
        parts = span["queue_seconds"] + span["prefill_seconds"] + span["decode_seconds"]
        assert 0 < span["device_seconds"] <= parts <= result.ended_at - result.started_at


def test_of_many_that_are_asked_at_once_each_gets_its_own_answer_or_its_own_error(host: RunningHost) -> None:
    client = ModelClient(host.endpoint)

    def ask(index: int) -> str:
        model = "nowhere" if index == 3 else "starter"
        messages = [{"role": "user", "content": f"Repeat: {'a' * index}"}]
        try:
            return client.complete(ChatRequest(model, messages, max_tokens=5 + index)).text
        except KurabeError as error:
            return error.code

    alone = [ask(index) for index in range(12)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == alone
    assert alone[3] == "models.unknown" and len(set(alone)) > 3


def test_a_host_that_goes_away_fails_every_answer_it_owes_in_a_way_that_may_pass(tmp_path: Path) -> None:
    running = start_host(tmp_path)
    client = ModelClient(running.endpoint)
    client.complete(ChatRequest("starter", HELLO, max_tokens=2))

    def ask(_: int) -> str:
        try:
            return client.complete(ChatRequest("starter", QUESTION, max_tokens=1000, stop=("never",))).text
        except KurabeError as error:
            return error.code

    with ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(ask, index) for index in range(400)]
        while not any(answer.done() for answer in answers):
            time.sleep(0.01)
        running.process.kill()
        codes = [answer.result() for answer in answers]
    assert "models.unreachable" in codes
    assert {code for code in codes if code.startswith("models.")} <= RETRYABLE


@pytest.mark.parametrize("when", ["before the first piece", "in the middle"])
def test_a_cancelled_stream_ends_at_once_and_frees_its_row(host: RunningHost, when: str) -> None:
    client, cancel = ModelClient(host.endpoint), threading.Event()
    request = ChatRequest("adapter:noisy", HELLO, max_tokens=1500, temperature=2.0, seed=3)
    if when == "before the first piece":
        threading.Timer(0.15, cancel.set).start()
    reasons, began = [], time.monotonic()
    for chunk in client.stream(request, cancel):
        reasons.append(chunk.finish_reason)
        if when == "in the middle":
            cancel.set()
    assert reasons[-1] == "cancelled"
    assert time.monotonic() - began < 10
    after = client.complete(ChatRequest("starter", HELLO, max_tokens=2))
    assert after.timings is not None


def test_the_hosts_own_errors_arrive_with_their_parameters(host: RunningHost) -> None:
    client = ModelClient(host.endpoint)
    too_long = [{"role": "user", "content": "word " * 20_000}]
    for call in (client.complete, lambda request: list(client.stream(request))):
        with pytest.raises(KurabeError) as caught:
            call(ChatRequest("starter", too_long))
        assert caught.value.code == "host.prompt_too_long"
        assert caught.value.params["tokens"] > caught.value.params["limit"]


def test_the_host_declares_what_it_can_do(host: RunningHost) -> None:
    found = ModelClient(host.endpoint).capabilities()
    assert found.engine == "kurabe" and "starter" in found.models
    assert found.adapters and found.usage_in_stream and found.embeddings and found.timings
    assert found.missing() == ("log_probabilities",)


def test_an_endpoint_of_another_kurabe_is_probed_by_calls(host: RunningHost) -> None:
    from openai import OpenAI

    from core.models.capabilities import _chat, _usage_in_stream

    library = OpenAI(base_url=host.endpoint.url, api_key=host.token, max_retries=0)
    assert _chat(library, "starter") and _chat(library, "starter", seed=1)
    assert not _chat(library, "starter", logprobs=True)
    assert _usage_in_stream(library, "starter")


def test_vectors_come_in_the_order_of_the_texts(host: RunningHost) -> None:
    embedder = find_embedder("all-MiniLM-L6-v2")
    assert embedder is not None
    client = ModelClient(host.endpoint)
    texts = [f"item {n}" for n in range(70)]
    vectors = client.embed(texts, "document", embedder=embedder)
    assert len(vectors) == 70 and {len(vector) for vector in vectors} == {embedder.dimension}
    again = client.embed([texts[69]], "query", embedder=embedder)[0]
    assert sum(a * b for a, b in zip(again, vectors[69], strict=True)) > 0.999
    assert sum(a * b for a, b in zip(again, vectors[0], strict=True)) < 0.999


class FailingServer(ThreadingHTTPServer):
    """Answers every request with one status and body."""

    status = 200
    body: bytes = b"{}"
    kind = "application/json"
    pause = 0.0
    asked: list[dict[str, Any]]


class FailingHandler(BaseHTTPRequestHandler):
    server: FailingServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)


@pytest.fixture
def failing() -> Iterator[FailingServer]:
    server = FailingServer(("127.0.0.1", 0), FailingHandler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def client_of(server: FailingServer) -> ModelClient:
    return ModelClient(Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "s3cret", "their server"))


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "models.refused", False),
        (401, "models.refused_key", False),
        (404, "models.unknown_model", False),
        (429, "models.rate_limited", True),
        (500, "models.server_error", True),
        (503, "models.server_error", True),
    ],
)
def test_each_failure_has_its_name_and_is_tried_once(
    failing: FailingServer, status: int, code: str, again: bool
) -> None:
    failing.status, failing.body = status, b'{"error": {"message": "no"}}'
    with pytest.raises(KurabeError) as caught:
        client_of(failing).complete(ChatRequest("m", HELLO))
    assert caught.value.code == code
    assert (code in RETRYABLE) is again
    assert len(failing.asked) == 1
    assert "s3cret" not in json.dumps(caught.value.as_record())


def test_a_server_that_is_not_there_or_too_slow_is_told_apart(failing: FailingServer) -> None:
    with pytest.raises(KurabeError) as caught:
        ModelClient(Endpoint("http://127.0.0.1:1/v1")).complete(ChatRequest("m", HELLO))
    assert caught.value.code == "models.unreachable"
    failing.pause = 1.0
    with pytest.raises(KurabeError) as caught:
        client_of(failing).complete(ChatRequest("m", HELLO, timeout=0.2))
    assert caught.value.code == "models.timeout"


@pytest.mark.parametrize("body", [b"<html>hello</html>", b'{"choices": []}', b"{}"])
def test_what_is_no_answer_is_not_taken_for_one(failing: FailingServer, body: bytes) -> None:
    failing.body = body
    if body.startswith(b"<"):
        failing.kind = "text/html"
    with pytest.raises(KurabeError) as caught:
        client_of(failing).complete(ChatRequest("m", HELLO))
    assert caught.value.code == "models.bad_answer"
    with pytest.raises(KurabeError) as caught:
        list(client_of(failing).stream(ChatRequest("m", HELLO)))
    assert caught.value.code == "models.bad_answer"


def test_thinking_is_shown_apart_and_counted_by_the_server(failing: FailingServer) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
    usage |= {"completion_tokens_details": {"reasoning_tokens": 6}, "prompt_tokens_details": {"cached_tokens": 2}}
    for message in ({"content": "<think>hm</think>Yes."}, {"content": "Yes.", "reasoning_content": "hm"}):
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        failing.body = json.dumps(body).encode()
        result = client_of(failing).complete(ChatRequest("m", HELLO, thinking=True, seed=5, stop=("END",)))
        assert (result.text, result.reasoning) == ("Yes.", "hm")
        assert result.usage is not None and (result.usage.reasoning_tokens, result.usage.cached_tokens) == (6, 2)
    sent = failing.asked[-1]
    assert sent["chat_template_kwargs"] == {"enable_thinking": True}
    assert (sent["seed"], sent["stop"], sent["temperature"]) == (5, ["END"], 0.0)


def test_an_error_in_the_middle_of_a_stream_is_an_error(failing: FailingServer) -> None:
    piece = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    piece["choices"] = [{"index": 0, "delta": {"content": "Hal"}, "finish_reason": None}]  # type: ignore[assignment]
    error = {"error": {"message": "out of memory", "type": "server_error"}}
    failing.kind = "text/event-stream"
    failing.body = "".join(f"data: {json.dumps(value)}\n\n" for value in (piece, error)).encode()
    received = []
    with pytest.raises(KurabeError) as caught:
        for chunk in client_of(failing).stream(ChatRequest("m", HELLO)):
            received.append(chunk.text)
    assert received == ["Hal"]
    assert caught.value.code == "models.server_error"


def test_a_host_that_answers_nobody_is_not_waited_for_longer_than_asked(host: RunningHost) -> None:
    client = ModelClient(host.endpoint)
    client.complete(ChatRequest("starter", HELLO, max_tokens=2))
    host.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(KurabeError) as error:
            client.complete(ChatRequest("starter", HELLO, max_tokens=2, timeout=0.5))
    finally:
        host.process.send_signal(signal.SIGCONT)
    assert error.value.code == "models.timeout"
    assert client.complete(ChatRequest("starter", HELLO, max_tokens=2)).text
