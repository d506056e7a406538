"""One host for each home: found, started, replaced when it died, stopped."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from core.errors import KurabeError
from core.models import ChatRequest, ModelClient, ensure_host, host_status, stop_host, unload_host
from core.settings import reset_settings

HELLO = [{"role": "user", "content": "Hello"}]


def test_no_host_runs_before_somebody_needs_one(home: Path) -> None:
    assert host_status() is None
    assert stop_host() is False
    assert unload_host() is False


def test_a_host_is_started_once_used_by_all_and_replaced_after_a_crash(home: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_host(wait_seconds=120).url)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(set(found)) == 1
    endpoint = ensure_host()
    assert endpoint.is_local_host and ModelClient(endpoint).capabilities().adapters

    answer = ModelClient(endpoint).complete(ChatRequest("starter", HELLO, max_tokens=5))
    assert answer.usage is not None and answer.usage.completion_tokens >= 1
    assert answer.timings is not None and answer.timings["warm"] is False

    state = host_status()
    assert state is not None and state["state"] == "running" and state["loaded"] == ["starter"]
    assert unload_host()
    deadline = time.monotonic() + 10
    while (host_status() or {}).get("loaded") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (host_status() or {})["loaded"] == []

    os.kill(state["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while host_status() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert host_status() is None
    again = ensure_host(wait_seconds=120)
    assert again.url != endpoint.url
    assert ModelClient(again).complete(ChatRequest("starter", HELLO, max_tokens=5)).text == answer.text

    assert stop_host() is True
    assert host_status() is None
    assert not (home / "run" / "host.json").exists()


def test_a_host_whose_home_is_gone_leaves(home: Path) -> None:
    ensure_host(wait_seconds=120)
    state = host_status()
    assert state is not None
    (home / "run" / "host.json").unlink()
    deadline = time.monotonic() + 20
    while _runs(state["pid"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(state["pid"])


def _runs(pid: int) -> bool:
    import psutil

    from core.models import hosting

    hosting._reap()
    return psutil.pid_exists(pid)


def test_a_server_named_by_the_settings_takes_the_place_of_the_host(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KURABE_MODEL_URL", "http://gpu.example:8000/v1")
    monkeypatch.setenv("KURABE_MODEL_KEY", "secret")
    reset_settings()
    endpoint = ensure_host()
    assert (endpoint.url, endpoint.key, endpoint.label) == ("http://gpu.example:8000/v1", "secret", "gpu.example:8000")
    assert not endpoint.is_local_host and "secret" not in repr(endpoint)
    assert host_status() is None


def test_a_host_that_cannot_start_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_HOST_PORT", "1")
    (home / "run").mkdir(exist_ok=True)
    if os.geteuid() == 0:
        monkeypatch.setenv("KURABE_DEVICE", "abacus")
    with pytest.raises(KurabeError) as caught:
        ensure_host(wait_seconds=60)
    assert caught.value.code == "host.not_started"
    assert caught.value.params["log"]


def test_a_stale_record_is_not_taken_for_a_host(home: Path) -> None:
    record = {"pid": os.getpid(), "start_time": 1.0, "pgid": 1, "port": 1, "token": "x", "version": "0"}
    (home / "run").mkdir(exist_ok=True)
    (home / "run" / "host.json").write_text(json.dumps(record))
    assert host_status() is None
    (home / "run" / "host.json").unlink()
