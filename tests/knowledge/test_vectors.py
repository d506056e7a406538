"""Vectors come from a server that declares the language; search then joins both rankings."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core import knowledge
from core.errors import KurabeError
from core.jobs import JobContext
from core.knowledge import IndexConfig
from core.knowledge.jobs import build_index as index_job
from core.knowledge.search import RRF_K, fused
from core.knowledge.tables import table_names
from core.knowledge.unfinished import KeptVectors
from core.settings import reset_settings, settings
from core.store import tables as tb
from core.store import write

SIZE = 64


def vector(text: str) -> list[float]:
    """Embed text as counts of its character trigrams: a true, if simple, embedding."""
    counts = [0.01] * SIZE
    for start in range(len(text) - 2):
        counts[zlib.crc32(text[start : start + 3].lower().encode()) % SIZE] += 1
    return counts


class Embeddings(BaseHTTPRequestHandler):
    """An OpenAI-compatible server for embeddings."""

    asked: list[str] = []

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        Embeddings.asked += texts
        data = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(texts)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        body = json.dumps({"object": "list", "data": data, "model": "own-embedder", "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Embeddings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KURABE_MODEL_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("KURABE_EMBEDDER", "own-embedder")
    reset_settings()
    Embeddings.asked = []
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def kb() -> str:
    with write() as session:
        project = tb.Project(name="Test", language="ja")
        session.add(project)
    made = knowledge.default_kb(project.id).id
    for n in range(12):
        text = f"# 製品{n} 説明書\n\n製品{n}の重さは{n + 3}kgです。置き場所は平らで乾いた床にしてください。"
        knowledge.add_document(made, f"p{n}.md", text.encode())
    return made


CONFIG = IndexConfig(tokenizer="estimate")


@pytest.mark.usefixtures("embedder")
def test_both_rankings_are_joined_and_shown(kb: str) -> None:
    version = knowledge.build_index(kb, CONFIG)
    assert (version.embedder, version.config["dimension"]) == ("own-embedder", None)
    result = knowledge.search(version.id, "製品7の重さは何kgですか。", k=4)
    assert (result.mode, result.embedder) == ("hybrid", "own-embedder")
    best = result.hits[0]
    assert best.document_name == "p7.md"
    assert best.vector_rank and best.text_rank and best.vector_score and best.text_score
    assert best.score == pytest.approx(1 / (RRF_K + best.vector_rank) + 1 / (RRF_K + best.text_rank))
    assert result.spans["embed"] > 0 < result.spans["search"]
    alone = knowledge.search(version.id, "製品7の重さは何kgですか。", mode="vector")
    assert alone.mode == "vector" and all(hit.text_rank is None for hit in alone.hits)


@pytest.mark.usefixtures("embedder")
def test_an_edit_embeds_only_what_changed(kb: str) -> None:
    knowledge.build_index(kb, CONFIG)
    assert len(Embeddings.asked) == 12
    document = knowledge.current_document(kb, "p3.md")
    assert document is not None
    knowledge.edit_document(document.id, document.text.replace("6kg", "60kg"))
    version = knowledge.refresh_index(kb)
    assert len(Embeddings.asked) == 13
    assert "60kg" in knowledge.search(version.id, "製品3の重さ").hits[0].text


def test_without_its_embedder_an_index_is_searched_by_words_and_says_so(
    kb: str, embedder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = knowledge.build_index(kb, CONFIG)
    monkeypatch.setenv("KURABE_EMBEDDER", "none")
    reset_settings()
    result = knowledge.search(version.id, "製品7の重さ")
    assert (result.mode, result.embedder, result.notes[0]["code"]) == ("text", None, "embedder_gone")


@pytest.mark.usefixtures("embedder")
def test_the_job_builds_and_a_stop_leaves_nothing_behind(kb: str, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    payload = {"knowledge_base_id": kb, "config": {"tokenizer": "estimate"}}
    (folder / "stop.json").write_text('{"mode": "stop"}')
    assert index_job(JobContext("job", payload, folder)) == {"stopped": True}
    assert knowledge.latest_index(kb) is None
    (folder / "stop.json").unlink()
    result = index_job(JobContext("job", payload, folder, attempt=2))
    assert (result["chunks"], result["documents"], result["embedder"]) == (12, 12, "own-embedder")
    assert knowledge.latest_index(kb) is not None


@pytest.mark.usefixtures("embedder")
def test_a_failing_embedder_leaves_the_served_version(kb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = knowledge.build_index(kb, CONFIG)
    knowledge.add_document(kb, "new.md", "# 新製品\n\n新しい製品です。".encode())
    monkeypatch.setenv("KURABE_MODEL_URL", "http://127.0.0.1:9/v1")
    reset_settings()
    with pytest.raises(KurabeError):
        knowledge.build_index(kb, CONFIG)
    served = knowledge.latest_index(kb)
    assert served is not None and served.id == first.id


@pytest.mark.usefixtures("embedder")
def test_a_stopped_build_does_not_embed_again_what_it_had(kb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.knowledge.embedding.BATCH", 4)
    with pytest.raises(KurabeError, match="build_stopped"):
        knowledge.build_index(kb, CONFIG, should_stop=lambda: len(Embeddings.asked) >= 8)
    assert (len(Embeddings.asked), knowledge.latest_index(kb)) == (8, None)
    version = knowledge.build_index(kb, CONFIG)
    assert len(Embeddings.asked) == len(set(Embeddings.asked)) == version.chunk_count == 12
    assert knowledge.search(version.id, "製品7の重さは何kgですか。").hits[0].document_name == "p7.md"
    assert not list((settings().path("cache") / "vectors").rglob("*.npz"))


@pytest.mark.usefixtures("embedder")
def test_a_document_deleted_while_an_index_is_built_is_not_in_it(kb: str) -> None:
    gone = knowledge.current_document(kb, "p7.md")
    assert gone is not None
    said = []

    def delete_once(stage: str, done: int, total: int) -> None:
        if stage == "indexing" and not said:
            said.append(stage)
            knowledge.delete_document(gone.id)

    version = knowledge.build_index(kb, CONFIG, delete_once)
    assert said and gone.id not in version.document_hashes and len(version.document_hashes) == 11
    assert "p7.md" not in {hit.document_name for hit in knowledge.search(version.id, "製品7の重さ", k=12).hits}
    assert table_names() == [version.table_name]
    assert not list((settings().path("cache") / "vectors").rglob("*.npz"))


@pytest.mark.usefixtures("embedder")
def test_a_trial_leaves_the_vectors_of_a_stopped_build(kb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.knowledge.embedding.BATCH", 4)
    with pytest.raises(KurabeError, match="build_stopped"):
        knowledge.build_index(kb, CONFIG, should_stop=lambda: len(Embeddings.asked) >= 8)
    with knowledge.trial_index(kb, CONFIG) as trial:
        assert trial.config["trial"] and knowledge.latest_index(kb) is None
    knowledge.build_index(kb, CONFIG)
    assert len(Embeddings.asked) == 12


@pytest.mark.usefixtures("embedder")
def test_a_damaged_file_of_vectors_is_removed_and_they_are_made_again(kb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.knowledge.embedding.BATCH", 4)
    with pytest.raises(KurabeError, match="build_stopped"):
        knowledge.build_index(kb, CONFIG, should_stop=lambda: len(Embeddings.asked) >= 8)
    (path,) = (settings().path("cache") / "vectors").rglob("*.npz")
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole[:60] + bytes(200) + whole[260:], b"PK\x03\x04" + bytes(99)):
        path.write_bytes(damaged)
        kept = KeptVectors(kb, "")
        kept._folder = path.parent
        assert kept.load() == {} and not path.exists()
    assert knowledge.build_index(kb, CONFIG).chunk_count == 12


def test_ties_are_broken_in_the_same_way_every_time() -> None:
    def row(name: str, **ranks: object) -> dict[str, object]:
        fields = ("document_id", "document_name", "title", "heading", "text")
        return {"chunk_id": name, **dict.fromkeys(fields, "x"), **ranks}

    vectors = [row("b", vector_rank=1, vector_score=0.9), row("a", vector_rank=2, vector_score=0.8)]
    words = [row("a", text_rank=1, text_score=9.0), row("b", text_rank=2, text_score=8.0)]
    for near in (vectors, vectors[::-1]):
        found = fused(near, words, 9)
        assert [hit.chunk_id for hit in found] == ["a", "b"]
        assert [(hit.vector_rank, hit.text_rank, hit.text_score) for hit in found] == [(2, 1, 9.0), (1, 2, 8.0)]
        assert found[0].score == found[1].score == 1 / (RRF_K + 1) + 1 / (RRF_K + 2)
        assert fused(near, words, 1) == found[:1]


class Reranker(Embeddings):
    """A server with `/rerank` that prefers passages with many of the question's words, and says so in any order."""

    keys: list[str | None] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert (self.path, asked["model"]) == ("/v1/rerank", "own-reranker")
        Reranker.keys.append(self.headers["authorization"])
        words = set(asked["query"].split())
        scored = [
            {"index": place, "relevance_score": float(len(words & set(text.replace(".", " ").split())))}
            for place, text in enumerate(asked["documents"])
        ]
        body = json.dumps({"results": sorted(scored, key=lambda row: -row["relevance_score"])}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_reranking_model_orders_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reranker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with write() as session:
        project = tb.Project(name="Test", language="en")
        session.add(project)
    base = knowledge.default_kb(project.id).id
    knowledge.add_document(base, "a.md", b"# Lamps\n\nlamp lamp lamp lamp lamp.")
    knowledge.add_document(base, "b.md", b"# Garden\n\nThe lamp for the garden path needs a new bulb every year or so.")
    version = knowledge.build_index(base, IndexConfig(embedder="none", tokenizer="estimate"))
    question = "bulb for the lamp path"
    monkeypatch.setenv("KURABE_RERANKER", "own-reranker")
    monkeypatch.setenv("KURABE_RERANKER_URL", f"http://127.0.0.1:{server.server_port}/v1")
    reset_settings()
    result = knowledge.search(version.id, question, rerank=True)
    assert [hit.document_name for hit in result.hits] == ["b.md", "a.md"]
    assert [hit.rerank_score for hit in result.hits] == [5.0, 1.0]
    assert result.hits[0].score == 5.0 and result.hits[0].text_rank and result.spans["rerank"] > 0
    assert knowledge.search(version.id, question).hits[0].rerank_score is None
    monkeypatch.setenv("KURABE_MODEL_KEY", "of-the-model-server")
    for url in ("https://models.example/v1", f"http://127.0.0.1:{server.server_port}/other"):
        monkeypatch.setenv("KURABE_MODEL_URL", url)
        reset_settings()
        knowledge.search(version.id, question, rerank=True)
    monkeypatch.setenv("KURABE_RERANKER_KEY", "of-the-reranker")
    reset_settings()
    knowledge.search(version.id, question, rerank=True)
    elsewhere, same, own = Reranker.keys[-3:]
    assert "of-the-model-server" not in str(elsewhere)
    assert (same, own) == ("Bearer of-the-model-server", "Bearer of-the-reranker")
    server.shutdown()
    server.server_close()
    with pytest.raises(KurabeError, match="models"):
        knowledge.search(version.id, question, rerank=True)
