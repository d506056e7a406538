"""Starting, finding and stopping the one local host of this home, without importing it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from core import __version__
from core.errors import KurabeError
from core.identity import ProcessIdentity, alive
from core.models.endpoint import Endpoint
from core.settings import ROOT, settings

__all__ = ["ensure_host", "host_status", "stop_host", "unload_host"]

_STOP_SECONDS = 6.0
_HUNG_SECONDS = 60.0
"""How long a live host may leave its health unanswered before it is taken for hung."""


def ensure_host(*, wait_seconds: float = 120, local: bool = False) -> Endpoint:
    """Return where models are served: the server named by the settings, else this home's host, started if need be.

    With `local` it is always this home's host, as for an embedder whose files lie here.

    Raises:
        KurabeError: ``host.not_started`` with the end of its log, if it does not answer in time; ``host.no_torch`` in
            an installation without the packages that it needs.
    """
    if not local and (url := settings().model_url) is not None:
        key = settings().model_key
        return Endpoint(url, key.get_secret_value() if key else None, urlsplit(url).netloc)
    if (endpoint := _running()) is not None:
        return endpoint
    deadline = time.monotonic() + wait_seconds
    try:
        with FileLock(settings().path("run") / "host-start.lock", timeout=wait_seconds):
            return _running() or _start(deadline)
    except Timeout as error:
        raise KurabeError("host.not_started", log="", seconds=round(wait_seconds)) from error


def host_status() -> dict[str, Any] | None:
    """Return what this home's host says about itself, with pid and port; None if none runs.

    ``state`` is ``running``, or ``hung`` for a process that lives and does not answer.
    """
    record = _record()
    if record is None or not alive(ProcessIdentity.from_dict(record)):
        return None
    shown = {"pid": record["pid"], "port": record["port"], "started": record["start_time"], "url": _url(record)}
    try:
        return {**shown, "state": "running", **_ask(record, "/v1/kurabe/status")}
    except (OSError, ValueError):
        return {**shown, "state": "hung"}


def unload_host() -> bool:
    """Ask the host to free its weights, as before a training that needs the device; tell whether one runs."""
    record = _record()
    if record is None or not alive(ProcessIdentity.from_dict(record)):
        return False
    try:
        _ask(record, "/v1/kurabe/unload", method="POST")
    except (OSError, ValueError):
        return False
    return True


def stop_host() -> bool:
    """Stop this home's host, gently and then not; tell whether there was one."""
    record = _record()
    if record is None:
        return False
    identity = ProcessIdentity.from_dict(record)
    was_alive = alive(identity)
    if was_alive:
        _terminate(identity)
    with contextlib.suppress(FileNotFoundError):
        _path().unlink()
    return was_alive


def _terminate(identity: ProcessIdentity) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(identity.pid, sign)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            _reap()
            if not alive(identity):
                return
            time.sleep(0.05)


_children: list[subprocess.Popen[bytes]] = []
"""Hosts that this process started, so that one that ended is not left as a zombie."""


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _running() -> Endpoint | None:
    """Return the host that the record names, if it lives, answers and is of this version; else end what is left."""
    _reap()
    record = _record()
    if record is None or not alive(ProcessIdentity.from_dict(record)):
        return None
    if record.get("version") == __version__ and _healthy_lately(record):
        return Endpoint(_url(record) + "/v1", str(record["token"]), "Kurabe", is_local_host=True)
    _terminate(ProcessIdentity.from_dict(record))
    return None


def _start(deadline: float) -> Endpoint:
    if missing := [name for name in ("torch", "transformers", "peft") if importlib.util.find_spec(name) is None]:
        raise KurabeError("host.no_torch", missing=", ".join(missing))
    log = settings().path("run") / "host.log"
    # A variable, not an argument, carries the home: arguments are seen by every user of the machine.
    environment = {**os.environ, "KURABE_HOME": str(settings().home), "PYTHONPATH": str(ROOT)}
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "core.host"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    _children.append(child)
    began = time.monotonic()
    while time.monotonic() < deadline:
        record = _record()
        if record is not None and alive(ProcessIdentity.from_dict(record)) and _healthy(record, 0.0):
            return Endpoint(_url(record) + "/v1", str(record["token"]), "Kurabe", is_local_host=True)
        if child.poll() is not None and child.returncode != 3:
            break
        time.sleep(0.1)
    raise KurabeError("host.not_started", log=_tail(log), seconds=round(time.monotonic() - began))


def _path() -> Path:
    return settings().home / "run" / "host.json"


def _record() -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if {"pid", "start_time", "pgid", "port", "token"} <= record.keys() else None


def _url(record: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{record['port']}"


_seen: dict[str, float] = {}
"""When hosts, by token, were last found healthy."""


def _healthy_lately(record: dict[str, Any]) -> bool:
    """Tell whether the host answers, asking at most once a second: a test run calls thousands of times."""
    token = str(record["token"])
    if time.monotonic() - _seen.get(token, float("-inf")) < 1.0:
        return True
    healthy = _healthy(record, _HUNG_SECONDS)
    if healthy:
        _seen[token] = time.monotonic()
    return healthy


def _healthy(record: dict[str, Any], patience: float) -> bool:
    """Tell whether the host answers; a machine under load gets some seconds before it is taken for hung."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _ask(record, "/healthz").get("status") == "ok"
        except (OSError, ValueError):
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.2)


def _ask(record: dict[str, Any], path: str, method: str = "GET") -> dict[str, Any]:
    # The standard library: it is there at once, and a proxy from the environment must not see loopback.
    request = urllib.request.Request(_url(record) + path, method=method)
    request.add_header("Authorization", f"Bearer {record['token']}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as answer:
        value: dict[str, Any] = json.load(answer)
    return value


def _tail(log: Path, limit: int = 600) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-limit:].strip()
    except OSError:
        return ""
