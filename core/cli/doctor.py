"""``python -m core doctor``: what this machine can do, and what to do about each no."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import typer

from core.cli._output import Json, command, show, table
from core.i18n import format_bytes, t
from core.models import catalogue, host_status
from core.settings import settings

__all__ = ["Finding", "examine", "register"]

_HUB_SECONDS = 3
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """Its sentences are ``doctor.<check>`` and, where it is missing, ``doctor.<check>.hint``."""
    ok: bool
    needed: bool = False
    """Whether Kurabe cannot work without it."""
    facts: dict[str, Any] = field(default_factory=dict)


def examine(port: int = 8501) -> Iterator[Finding]:
    """Look at this machine, one thing after the other; nothing is changed."""
    yield Finding("python", sys.version_info >= (3, 11), True, {"version": sys.version.split()[0]})
    yield from (_torch(), _gpu(), _four_bit(), _memory(), _disk(), _writable())
    yield from (_hub(), _cached_models(), _host(), _port(port))


def _torch() -> Finding:
    return Finding("torch", find_spec("torch") is not None, facts={})


def _gpu() -> Finding:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("gpu", False, facts={"name": "-"})
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        names = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (subprocess.SubprocessError, OSError) as error:
        return Finding("gpu", False, facts={"name": str(error)[:100]})
    return Finding("gpu", bool(names), facts={"name": names.replace("\n", "; ")})


def _four_bit() -> Finding:
    return Finding("four_bit", find_spec("bitsandbytes") is not None and find_spec("torch") is not None)


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    facts = {"free": format_bytes(memory.available), "total": format_bytes(memory.total)}
    return Finding("memory", memory.available > 2 * _GIB, facts=facts)


def _disk() -> Finding:
    usage = shutil.disk_usage(settings().path())
    floor = settings().free_space_floor_mb << 20
    return Finding("disk", usage.free > max(floor, 2 * _GIB), True, {"free": format_bytes(usage.free)})


def _writable() -> Finding:
    return Finding("home", os.access(settings().path(), os.W_OK), True, {"folder": str(settings().home)})


def _hub() -> Finding:
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    host = address.hostname or "huggingface.co"
    if settings().hub_offline or os.environ.get("HF_HUB_OFFLINE") == "1":
        return Finding("hub", False, facts={"host": host})
    return Finding("hub", _connects(host, address.port or 443), facts={"host": host})


def _connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_HUB_SECONDS):
            return True
    except OSError:
        return False


def _cached_models() -> Finding:
    ready = [info.ref for info in catalogue() if info.folder is not None and Path(info.folder).exists()]
    return Finding("models", bool(ready), True, {"models": ", ".join(ready) or "-"})


def _host() -> Finding:
    status = host_status()
    return Finding("host", True, facts={"state": t("doctor.host.running" if status else "doctor.host.idle")})


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        free = probe.connect_ex(("127.0.0.1", port)) != 0
    return Finding("port", free, facts={"port": port})


def register(app: typer.Typer) -> None:
    """Add the command to the root."""

    @command(app)
    def doctor(as_json: Json = False) -> None:
        """Say what this machine can do, and what to do about each no."""
        findings = list(examine())
        if as_json:
            show([asdict(finding) for finding in findings])
        else:
            _print(findings)
        if any(finding.needed and not finding.ok for finding in findings):
            raise typer.Exit(1)

    _: Callable[..., None] = doctor


def _print(findings: list[Finding]) -> None:
    rows = []
    for found in findings:
        mark = t("doctor.yes") if found.ok else t("doctor.needed") if found.needed else t("doctor.no")
        hint = "" if found.ok else t(f"doctor.{found.check}.hint", **found.facts)
        rows.append((mark, t(f"doctor.{found.check}", **found.facts), hint))
    table((t("doctor.state"), t("doctor.what"), t("doctor.do")), rows)
