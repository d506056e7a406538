"""Uploading to a hub, here a small one on loopback that speaks its protocol; off until a setting names an account."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import KurabeError
from core.jobs import JobContext, cancel, job_view
from core.models import adapter_folder
from core.settings import reset_settings
from core.store import tables as tb
from core.training import model_card, start_upload
from core.training.publishing import upload
from tests.training.conftest import Known
from tests.training.weights import put_adapter

TOKEN = "hf_secret_token_of_the_test"


@dataclass
class Hub:
    """What arrived."""

    refuses: bool = False
    private: bool = True
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


class Handler(BaseHTTPRequestHandler):
    """The part of the hub's protocol that an upload of small files uses."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]  # set by the fixture
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hub.tokens.add(str(self.headers["Authorization"]))
        if hub.refuses:
            return self.send({"error": "no"}, 403)
        if self.path == "/api/repos/create":
            hub.created.append(json.loads(body))
            return self.send({"url": f"http://{self.headers['Host']}/team/answers", "name": "team/answers", "id": "1"})
        if self.path == "/api/validate-yaml":
            return self.send({"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            asked = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked]
            return self.send({"files": modes})
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        return self.send(
            {
                "success": True,
                "commitOid": "c" * 40,
                "commitUrl": f"http://{self.headers['Host']}/team/answers/commit/c",
            }
        )

    def do_GET(self) -> None:
        self.send({"sha": "b" * 40, "id": "team/x", "siblings": [], "private": self.server.hub.private})  # type: ignore[attr-defined]  # set by the fixture

    def send(self, content: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub = Hub()  # type: ignore[attr-defined]  # read by the handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)  # read once, when it is imported
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    allowed(monkeypatch)
    yield server.hub  # type: ignore[attr-defined]  # as above
    server.shutdown()


def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_HUB_ACCOUNT", "team")
    monkeypatch.setenv("KURABE_HUB_OFFLINE", "0")
    monkeypatch.setenv("KURABE_HUB_TOKEN_NAME", "TEAM_HUB_TOKEN")
    reset_settings()


def send(adapter: tb.Adapter, tmp_path: Path) -> dict[str, Any]:
    return upload(JobContext("job", {"adapter_id": adapter.id, "repository": "team/answers"}, tmp_path))


def test_an_adapter_arrives_whole_with_its_card_in_a_private_repository(
    hub: Hub, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_HUB_TOKEN", TOKEN)
    secret = {"instructions": "Our prompt.", "house_rules": "Our rules.", "seed": 3}
    adapter = put_adapter(known.project, facts=secret)
    result = send(adapter, tmp_path)
    assert result["url"].startswith("http") and result["repository"] == "team/answers"
    assert hub.created[0]["organization"] == "team" and "private" in json.dumps(hub.created[0])
    folder = adapter_folder(adapter.id)
    expected = {path.name: path.read_bytes() for path in folder.iterdir()} | {
        "README.md": model_card(adapter.id).encode()
    }
    record, sent = (json.loads(files.pop("kurabe.json")) for files in (expected, hub.files))
    assert hub.files == expected
    assert record["instructions"] and sent == {
        "base_ref": "starter",
        "base_hash": "k1:base",
        "kind": "lora",
        "mixable": False,
        "seed": 3,
    }
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in (tmp_path / "events.jsonl").read_text()


def test_nothing_goes_into_a_repository_that_is_public(
    hub: Hub, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_HUB_TOKEN", TOKEN)
    hub.private = False
    with pytest.raises(KurabeError) as caught:
        send(put_adapter(known.project), tmp_path)
    assert caught.value.code == "training.upload_refused" and "public" in caught.value.params["detail"]
    assert hub.files == {}


def test_a_hub_that_refuses_is_quoted(hub: Hub, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_HUB_TOKEN", TOKEN)
    hub.refuses = True
    with pytest.raises(KurabeError) as caught:
        send(put_adapter(known.project), tmp_path)
    assert caught.value.code == "training.upload_refused" and "403" in caught.value.params["detail"]


def test_a_hub_that_cannot_be_reached_is_said(known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(KurabeError) as caught:
        send(put_adapter(known.project), tmp_path)
    assert caught.value.code == "training.upload_unreachable"


def test_nothing_is_uploaded_unless_a_setting_names_an_account(known: Known) -> None:
    with pytest.raises(KurabeError, match="upload_off"):
        start_upload(put_adapter(known.project).id)


def test_without_its_token_an_upload_waits_and_says_which_one(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed(monkeypatch)
    view = job_view(start_upload(put_adapter(known.project, name="質問 A/b").id))
    assert view.payload["repository"].startswith("team/A-b-")
    assert view.status == "blocked" and view.reason is not None
    assert view.reason["params"]["names"] == "TEAM_HUB_TOKEN"
    cancel(view.id)
