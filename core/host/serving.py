"""The host's process: one for each home, known by ``run/host.json`` to whoever may read the home."""

from __future__ import annotations

import json
import logging
import secrets
import socket
import threading
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from core import __version__
from core.errors import KurabeError
from core.identity import atomic_write, process_identity
from core.settings import settings

__all__ = ["serve"]

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 2.0


def serve() -> None:
    """Serve until stopped by a signal, or until the home's record names another host or is gone.

    Raises:
        KurabeError: ``host.running`` if a host of this home runs, ``host.port`` if the port is taken.
    """
    folder = settings().path("run")
    lock = FileLock(folder / "host.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise KurabeError("host.running", home=str(settings().home)) from error
    with lock:
        _serve(folder / "host.json")


def _serve(record: Path) -> None:
    listener = _listen()
    token = secrets.token_urlsafe(32)
    # Imported after the lock: a second host leaves at once instead of loading torch first.
    from core.host.app import make_app

    config = uvicorn.Config(make_app(token), access_log=False, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    identity = process_identity()
    port = listener.getsockname()[1]
    content = {**identity.as_dict(), "port": port, "token": token, "version": __version__}
    atomic_write(record, json.dumps(content), mode=0o600)
    threading.Thread(target=_watch, args=(record, token, server), daemon=True).start()
    logger.info("serving on 127.0.0.1:%d", port)
    try:
        server.run(sockets=[listener])
    finally:
        if _token_in(record) == token:
            record.unlink(missing_ok=True)


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port = settings().host_port
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)  # from now on: whoever reads the record before the server runs waits, and is not refused
    except OSError as error:
        raise KurabeError("host.port", port=port) from error
    return listener


def _watch(record: Path, token: str, server: uvicorn.Server) -> None:
    """Leave when the record no longer names this host: nobody could find it, and it would run for ever."""
    pause = threading.Event()
    while not pause.wait(_WATCH_SECONDS):
        if _token_in(record) != token:
            logger.info("the record no longer names this host; leaving")
            server.should_exit = True
            return


def _token_in(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text())["token"])
    except (OSError, ValueError, KeyError):
        return None
