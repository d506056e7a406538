"""The record of an answer: complete, there before the call, true whatever goes wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import lancedb
import pytest
from sqlalchemy import select

from core import datasets, knowledge
from core.approaches import (
    AnswerRequest,
    ApproachSpec,
    ModelChoice,
    answer,
    answer_many,
    comparison,
    ensure_presets,
    is_running,
    save_approach,
    settle_lost,
    start_comparison,
    stop_answer,
)
from core.settings import reset_settings, settings
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.test_library import add_adapter
from tests.approaches.world import make_project


@pytest.fixture
def project() -> tb.Project:
    return make_project()


def presets(project: tb.Project) -> dict[str, tb.Approach]:
    return {a.preset: a for a in ensure_presets(project.id)}


def questions(project: tb.Project) -> list[tb.Example]:
    version = datasets.latest_version(project.id)
    assert version is not None
    return datasets.examples(version.id, "test")


def stored(answer_id: str) -> tb.Answer:
    with read() as session:
        found = session.get(tb.Answer, answer_id)
    assert found is not None
    return found


def test_every_preset_leaves_a_complete_record(served: Served, adapter_id: str, project: tb.Project) -> None:
    with write() as session:
        session.get_one(tb.Project, project.id).currency = "JPY"
        session.add(
            tb.Adapter(
                id=adapter_id,
                project_id=project.id,
                name="random",
                base_ref="starter",
                base_hash="h",
                kind="lora",
                hash="k1:adapter",
                size=1,
            )  # fmt: skip
        )
    example = questions(project)[0]
    texts = {}
    for preset, approach in presets(project).items():
        made = answer(AnswerRequest(project.id, approach.id, example.question, example_id=example.id))
        row = stored(made.id)
        assert row.status == "finished", (preset, row.error)
        assert row.text == made.text and row.finish_reason in ("stop", "length")
        assert row.prompt_tokens == row.token_source["ours"]["prompt"], preset
        assert row.token_source["counted_by"] == "server" and row.completion_tokens
        assert row.cost and row.cost_basis == "device" and row.currency == "JPY" and row.price_version
        assert row.messages[-1]["content"].endswith(example.question)
        assert row.messages[0] == {"role": "system", "content": project.instructions}
        assert row.model_hash and row.template_hash and row.approach_hash == approach.hash
        assert row.serving["precision"] and row.serving["batch_size"] >= 1
        assert (row.context_tokens or 0) > 0 or preset in ("base", "fine_tuned")
        texts[preset] = (row.model, row.text)
    assert texts["fine_tuned"][0] == f"adapter:{adapter_id}" and texts["base"][0] == "starter"
    assert texts["fine_tuned"][1] != texts["base"][1]


def test_waiting_counts_from_the_question_and_includes_search(served: Served, project: tb.Project) -> None:
    row = answer(AnswerRequest(project.id, presets(project)["rag"].id, questions(project)[0].question))
    spans, raw = row.spans, row.spans["raw"]
    assert row.first_token_seconds == pytest.approx(raw["first"] - raw["asked"])
    parts = sum(spans[name] for name in ("connect", "embed", "search", "rerank", "prepare", "queue", "first_token"))
    assert parts == pytest.approx(row.first_token_seconds, abs=1e-6)
    assert row.total_seconds == pytest.approx(parts + spans["decode"], abs=1e-6)
    assert spans["search"] > 0
    assert [c["number"] for c in row.chunks] == [1, 2, 3, 4] and row.chunks[0]["text_rank"] == 1
    assert row.chunks[0]["text_score"] > row.chunks[3]["text_score"] > 0 and row.chunks[0]["vector_score"] is None
    assert row.index_version_id


def test_the_row_is_there_before_the_call_and_text_is_provisional(served: Served, project: tb.Project) -> None:
    seen: list[str] = []

    def look(text: str, reasoning: str) -> None:
        with read() as session:
            seen.extend(session.scalars(select(tb.Answer.status)))

    row = answer(AnswerRequest(project.id, presets(project)["base"].id, "Hello?"), on_chunk=look)
    assert set(seen) <= {"pending", "streaming"} and seen
    assert stored(row.id).status == "finished"


def test_search_switched_off_leaves_the_question_alone(served: Served, project: tb.Project) -> None:
    request = AnswerRequest(project.id, presets(project)["rag"].id, "Where is it made?", retrieval_off=True)
    row = answer(request)
    assert row.notes == {"retrieval_off": True} and row.chunks == [] and row.context_tokens == 0
    assert row.messages[-1]["content"] == "Where is it made?"


def test_a_stopped_answer_keeps_what_it_wrote(served: Served, project: tb.Project) -> None:
    cancel = threading.Event()
    row = answer(
        AnswerRequest(project.id, presets(project)["base"].id, "Hello?"),
        on_chunk=lambda *_: cancel.set(),
        cancel=cancel,
    )
    assert stored(row.id).status == "stopped" and stored(row.id).text == row.text != ""


def test_a_server_that_is_not_there_is_a_stored_reason(project: tb.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ApproachSpec(
        name="gone", preset="endpoint", model=ModelChoice(kind="endpoint", ref="m", url="http://127.0.0.1:9/v1")
    )
    row = answer(AnswerRequest(project.id, save_approach(project.id, spec).id, "Hello?"))
    found = stored(row.id)
    assert found.status == "failed" and found.error and found.error["code"].startswith("models.")
    assert found.total_seconds is not None and found.cost is None


def test_without_its_adapter_its_index_or_the_host_an_approach_fails_and_nothing_stands_in(
    served: Served, project: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_adapter(project)  # a record whose files are gone
    chosen = presets(project)

    def failure(preset: str) -> str:
        row = stored(answer(AnswerRequest(project.id, chosen[preset].id, "What does the Cedar Fan cost?")).id)
        assert (row.status, row.text, row.cost) == ("failed", "", None) and row.error is not None
        return str(row.error["code"])

    assert failure("fine_tuned") == "models.adapter_missing"
    index = knowledge.latest_index(knowledge.default_kb(project.id).id)
    assert index is not None
    lancedb.connect(settings().index()).drop_table(index.table_name)
    assert failure("rag")
    monkeypatch.setenv("KURABE_MODEL_URL", "http://127.0.0.1:9/v1")
    reset_settings()
    assert failure("base").startswith("models.")


def test_an_endpoint_answers_under_its_own_name_and_its_key_is_not_stored(
    served: Served, project: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", served.key)
    model = ModelChoice(kind="endpoint", ref="starter", url=served.url, key_name="TEAM_KEY")
    approach = save_approach(project.id, ApproachSpec(name="Team service", preset="endpoint", model=model))
    row = stored(answer(AnswerRequest(project.id, approach.id, "Hello?")).id)
    assert row.status == "finished" and row.serving["endpoint"] == "Team service"
    everything = str({c.key: getattr(row, c.key) for c in tb.Answer.__table__.columns}) + str(approach.spec)
    assert served.key not in everything
    monkeypatch.delenv("TEAM_KEY")
    failed = answer(AnswerRequest(project.id, approach.id, "Hello?"))
    assert failed.error is not None and failed.error["code"] == "approaches.key_missing"


def test_many_at_once_answer_as_each_alone(served: Served, project: tb.Project) -> None:
    approach = presets(project)["rag"]
    asked = [AnswerRequest(project.id, approach.id, e.question, example_id=e.id) for e in questions(project)]
    together = answer_many(asked, concurrency=8)
    assert [r.question for r in together] == [r.question for r in asked]
    alone = answer(asked[3])
    assert together[3].text == alone.text and together[3].seed == alone.seed
    assert {stored(r.id).status for r in together} == {"finished"}


def test_a_live_comparison_runs_on_without_anybody_watching(served: Served, project: tb.Project) -> None:
    chosen = presets(project)
    compare_id = start_comparison(project.id, "Where is the Birch Lamp made?", [chosen["base"].id, chosen["rag"].id])
    assert [r.approach_id for r in comparison(compare_id)] == [chosen["base"].id, chosen["rag"].id]
    deadline = time.monotonic() + 60
    while is_running(rows := comparison(compare_id)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [r.status for r in rows] == ["finished", "finished"]
    assert {r.phase for r in rows} == {"live"} and not stop_answer(rows[0].id)


def test_an_answer_whose_process_died_is_not_shown_as_running(project: tb.Project) -> None:
    approach = presets(project)["base"]
    row = tb.Answer(
        project_id=project.id, approach_id=approach.id, approach_hash=approach.hash, phase="live", question="q",
        status="streaming", text="half", compare_id="c", owner={"pid": 999999, "start_time": 1.0, "pgid": 1},
    )  # fmt: skip
    with write() as session:
        session.add(row)
    [shown] = comparison("c")
    assert shown.status == "failed" and shown.error == {"code": "approaches.lost", "params": {}}
    assert stored(row.id).status == "failed" and stored(row.id).text == "half"
    settle_lost([shown])
    assert shown.status == "failed"


class _Moody(BaseHTTPRequestHandler):
    """An outside server that is busy twice, then answers; or answers garbage."""

    calls = 0
    garbage = False

    def do_POST(self) -> None:
        type(self).calls += 1
        self.rfile.read(int(self.headers["content-length"]))
        busy = self.calls <= 2 and not self.garbage
        body = b'{"error": {"message": "busy"}}' if busy else _BODY
        if self.garbage:
            body = b"<html>oops</html>"
        self.send_response(429 if busy else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


_BODY = (
    b'{"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message":'
    b' {"role": "assistant", "content": "<think>hm</think>Fine."}, "finish_reason": "stop"}],'
    b' "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}'
)


@pytest.fixture
def moody() -> Iterator[str]:
    _Moody.calls, _Moody.garbage = 0, False
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Moody)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def moody_approach(project: tb.Project, url: str) -> tb.Approach:
    model = ModelChoice(kind="endpoint", ref="m", url=url)
    return save_approach(project.id, ApproachSpec(name="moody", preset="endpoint", model=model))


def test_a_busy_server_is_asked_again_and_reasoning_is_kept_apart(project: tb.Project, moody: str) -> None:
    approach = moody_approach(project, moody)
    [row] = answer_many([AnswerRequest(project.id, approach.id, "Hello?", phase="quality")])
    assert (row.status, row.attempts, row.text, row.reasoning) == ("finished", 3, "Fine.", "hm")
    assert row.token_source["counted_by"] == "server" and row.context_tokens is None
    assert row.cost is None and "price" in row.notes


def test_garbage_is_a_stored_failure(project: tb.Project, moody: str) -> None:
    _Moody.garbage = True
    approach = moody_approach(project, moody)
    [row] = answer_many([AnswerRequest(project.id, approach.id, "Hello?", phase="quality")])
    assert stored(row.id).status == "failed" and stored(row.id).error


def test_a_deleted_adapter_is_a_stored_failure(served: Served, project: tb.Project) -> None:
    from core.identity import now

    adapter = add_adapter(project)
    approach = presets(project)["fine_tuned"]
    with write() as session:
        session.merge(adapter).deleted_at = now()
    row = answer(AnswerRequest(project.id, approach.id, "Hello?"))
    assert row.error is not None and row.error["code"] == "approaches.adapter_gone"
