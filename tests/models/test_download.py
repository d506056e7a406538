"""Downloading from a hub: here a small one on loopback that speaks the hub's protocol."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import KurabeError
from core.i18n import describe
from core.jobs.context import JobContext
from core.models import plan_download, resolve_base
from core.models.jobs import download
from core.settings import DATA, reset_settings

REF = "team/small-model"
COMMIT = "a" * 40


@dataclass
class Hub:
    """What the hub offers, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    gated: bool = False
    sent: dict[str, list[int]] = field(default_factory=dict)
    """Bytes sent by file, one number a request."""


class HubServer(ThreadingHTTPServer):
    """A server that knows what it offers."""

    hub: Hub


class Handler(BaseHTTPRequestHandler):
    """The part of the hub's protocol that a download uses."""

    server: HubServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        hub = self.server.hub
        if self.path.startswith(f"/api/models/{REF}"):
            self.send(json.dumps(listing(hub)).encode(), {"Content-Type": "application/json"})
        elif hub.gated:
            self.send(b"", {"X-Error-Code": "GatedRepo"}, 403, body)
        elif self.path.startswith(f"/{REF}/resolve/{COMMIT}/"):
            self.send_file(hub, self.path.rpartition(f"{COMMIT}/")[2], body)
        else:
            self.send(b"", {"X-Error-Code": "RepoNotFound"}, 404, body)

    def send(self, content: bytes, headers: dict[str, str], status: int = 200, body: bool = True) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def send_file(self, hub: Hub, name: str, body: bool) -> None:
        content = hub.files[name]
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if body:
            hub.sent.setdefault(name, []).append(len(content) - start)
        self.send(content[start:], headers, 206 if start else 200, body)


def listing(hub: Hub) -> dict[str, Any]:
    siblings = [{"rfilename": name, "size": len(content)} for name, content in hub.files.items()]
    card = {"license": "apache-2.0"}
    return {"id": REF, "sha": COMMIT, "siblings": siblings, "gated": "manual" if hub.gated else False, "cardData": card}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that offers the starter under another name, with files that must not be fetched."""
    offered = Hub({path.name: path.read_bytes() for path in (DATA / "starter").iterdir() if path.is_file()})
    offered.files |= {"pytorch_model.bin": b"pickle", "onnx/model.onnx": b"onnx", "setup.py": b"print('no')"}
    server = HubServer(("127.0.0.1", 0), Handler)
    server.hub = offered
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KURABE_HUB_OFFLINE", "0")
    reset_settings()
    yield offered
    server.shutdown()


def run(tmp_path: Path, ref: str = REF, stop: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run the job's target with a real context; return its result and events."""
    folder = tmp_path / "job"
    folder.mkdir(exist_ok=True)
    (folder / "stop.json").unlink(missing_ok=True)
    if stop:
        (folder / "stop.json").write_text(json.dumps({"mode": "stop"}))
    result = download(JobContext("job", {"ref": ref}, folder))
    return result, [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_download_brings_exactly_what_a_model_needs(hub: Hub, tmp_path: Path) -> None:
    result, events = run(tmp_path)
    info = resolve_base(REF)
    assert info.folder is not None and info.revision == COMMIT
    assert info.hash == resolve_base("starter").hash == result["hash"]
    assert not {"pytorch_model.bin", "onnx/model.onnx", "setup.py"} & hub.sent.keys()
    progress = [event for event in events if event["kind"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == result["bytes"]
    assert result["licence"] == "apache-2.0"


def test_a_model_that_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    run(tmp_path)
    hub.sent.clear()
    assert run(tmp_path)[0]["already_there"] is True
    assert hub.sent == {}


def test_a_download_goes_on_where_it_was_cut_off(hub: Hub, tmp_path: Path) -> None:
    whole = hub.files["model.safetensors"]
    etag = hashlib.sha256(whole).hexdigest()
    blobs = tmp_path / "cache" / f"models--{REF.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{etag}.kurabe-part").write_bytes(whole[: len(whole) // 2])
    run(tmp_path)
    assert hub.sent["model.safetensors"] == [len(whole) - len(whole) // 2]
    assert resolve_base(REF).hash == resolve_base("starter").hash


def test_a_part_that_was_damaged_is_not_taken_for_the_model(hub: Hub, tmp_path: Path) -> None:
    whole = hub.files["model.safetensors"]
    blobs = tmp_path / "cache" / f"models--{REF.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(whole).hexdigest()}.kurabe-part").write_bytes(b"x" * 1000)
    with pytest.raises(KurabeError) as caught:
        run(tmp_path)
    assert caught.value.code == "hub.disk"
    assert resolve_base(REF).folder is None
    run(tmp_path)
    assert resolve_base(REF).hash == resolve_base("starter").hash


def test_a_stopped_download_says_so_and_can_be_finished(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "events.jsonl").touch()
    result, _ = run(tmp_path, stop=True)
    assert result == {"stopped": True}
    assert resolve_base(REF).folder is None
    run(tmp_path)
    assert resolve_base(REF).folder is not None


def test_a_gated_model_asks_for_consent(hub: Hub, tmp_path: Path) -> None:
    hub.gated = True
    with pytest.raises(KurabeError) as caught:
        run(tmp_path)
    assert caught.value.code == "hub.gated"


def test_a_model_that_the_hub_does_not_have_is_unknown(hub: Hub) -> None:
    with pytest.raises(KurabeError) as caught:
        plan_download("team/nothing")
    assert caught.value.code == "hub.unknown"


def test_weights_that_could_hold_code_are_not_offered(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(KurabeError) as caught:
        plan_download(REF)
    assert caught.value.code == "hub.no_safetensors"


def test_without_a_hub_the_starter_is_offered(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(KurabeError) as caught:
        plan_download(REF)
    assert caught.value.code == "hub.unreachable"
    assert "practice model" in describe(caught.value, "en")[1]
    assert "練習用モデル" in describe(caught.value, "ja")[1]


def test_offline_by_setting_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_HUB_OFFLINE", "1")
    reset_settings()
    with pytest.raises(KurabeError) as caught:
        plan_download(REF)
    assert caught.value.code == "hub.offline"


def test_a_disk_that_is_too_full_is_found_before_the_download(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(10**9))
    reset_settings()
    with pytest.raises(KurabeError) as caught:
        run(tmp_path)
    assert caught.value.code == "hub.no_space"
    assert hub.sent == {}
