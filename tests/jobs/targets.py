"""Small real targets for the tests; registered as job kinds in the test and in its workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core import jobs
from core.errors import KurabeError
from core.jobs import JobContext, JobKind, register_kind


def echo(ctx: JobContext) -> dict[str, Any]:
    ctx.log("hello from the child")
    loaded = [name for name in ("sqlalchemy", "torch") if name in sys.modules]
    return {"payload": ctx.payload, "attempt": ctx.attempt, "project": ctx.project_id, "loaded": loaded}


def count(ctx: JobContext) -> dict[str, Any]:
    """Count to n in small steps, keep the count in a file after each, stop when asked, go on when resumed."""
    saved = ctx.run_dir / "count.txt"
    done = int(saved.read_text()) if ctx.resume and saved.exists() else 0
    began = done
    if ctx.payload.get("helper"):
        subprocess.Popen(["sleep", "600"])  # left behind on purpose, as a library's helper process would be
    total = int(ctx.payload["n"])
    while done < total:
        ctx.progress(done, total, "working")
        if ctx.stop_requested():
            return {"stopped": True, "done": done}
        time.sleep(float(ctx.payload.get("step", 0.05)))
        done += 1
        fresh = saved.with_suffix(".new")
        fresh.write_text(str(done))
        fresh.replace(saved)
    ctx.progress(done, total, "working")
    return {"done": done, "began": began}


def interval(ctx: JobContext) -> dict[str, Any]:
    """Note when it began and ended, to see which jobs overlapped."""
    began = time.time()
    time.sleep(float(ctx.payload.get("seconds", 0.2)))
    with Path(ctx.payload["ledger"]).open("a") as file:
        file.write(f"{ctx.payload['name']} {began} {time.time()}\n")
    return {}


def polite(ctx: JobContext) -> dict[str, Any]:
    """Ignore requests, but clean up at SIGTERM."""
    try:
        ctx.emit("ready")
        time.sleep(600)
    finally:
        (ctx.run_dir / "cleaned").write_text("yes")
    return {}


def stubborn(ctx: JobContext) -> dict[str, Any]:
    """Ignore requests and SIGTERM, with a grandchild that does too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    grandchild = subprocess.Popen([sys.executable, "-c", code])
    ctx.emit("ready", grandchild=grandchild.pid)
    time.sleep(600)
    return {}


def slow_saver(ctx: JobContext) -> dict[str, Any]:
    """Take longer to save than anybody gives it."""
    ctx.emit("ready")
    time.sleep(600)
    return {"stopped": True}


def asks_for_time(ctx: JobContext) -> dict[str, Any]:
    """Say that saving takes longer than usual, then take so long."""
    ctx.allow_saving(60.0)
    ctx.emit("ready")
    while not ctx.stop_requested():
        time.sleep(0.05)
    time.sleep(3)
    return {"stopped": True}


def fails(ctx: JobContext) -> dict[str, Any]:
    raise KurabeError("jobs.bad_payload", detail=str(ctx.payload.get("detail", "on purpose")))


def breaks(ctx: JobContext) -> dict[str, Any]:
    raise RuntimeError("an error nobody foresaw")


def dies(ctx: JobContext) -> dict[str, Any]:
    ctx.log("last words")
    if "exit" in ctx.payload:
        os._exit(int(ctx.payload["exit"]))
    os.kill(os.getpid(), int(ctx.payload["signal"]))
    time.sleep(600)
    return {}


def full_disk(ctx: JobContext) -> dict[str, Any]:
    """Find the disk full at some point: the events file becomes one that refuses every byte."""
    ctx.emit("before")
    events = ctx.run_dir / "events.jsonl"
    events.rename(ctx.run_dir / "events.kept")
    events.symlink_to("/dev/full")
    try:
        ctx.emit("during")
    finally:
        events.unlink()
        (ctx.run_dir / "events.kept").rename(events)
    return {}


def tells_secret(ctx: JobContext) -> dict[str, Any]:
    sys.stdout.write(f"key is {os.environ['TEST_API_KEY']}\n")
    raise RuntimeError(f"refused with {os.environ['TEST_API_KEY']}")


def hangs_at_exit(ctx: JobContext) -> dict[str, Any]:
    import threading

    threading.Thread(target=time.sleep, args=(600,)).start()
    return {"done": True}


def begins_another(ctx: JobContext) -> dict[str, Any]:
    """Queue what comes afterwards, in the same slot, and end without waiting for it."""
    return {"after": jobs.submit("t-echo", {"name": "afterwards"})}


def parent(ctx: JobContext) -> dict[str, Any]:
    """Submit sub-jobs and wait for each; steps are named, so a resumed parent goes on with the same ones."""
    ids = []
    for number, kind in enumerate(ctx.payload["kinds"]):
        payload = ctx.payload.get("payload", {})
        job_id = jobs.submit(kind, {**payload, "name": f"{ctx.job_id}-{number}"}, step=f"step {number}")
        ids.append(job_id)
        ctx.emit("submitted", job=job_id)
        view = jobs.wait(job_id, should_stop=lambda: ctx.stop_requested() is not None)
        if ctx.stop_requested():
            return {"stopped": True, "ids": ids}
        if view.status != "succeeded":
            raise KurabeError("jobs.bad_payload", detail=f"sub-job {view.status}")
    return {"ids": ids}


def fan_out(ctx: JobContext) -> dict[str, Any]:
    """Submit all at once, then wait for all."""
    payload = ctx.payload["payload"]
    ids = [jobs.submit("t-interval-cpu", {**payload, "name": f"{ctx.job_id}-{n}"}) for n in range(ctx.payload["n"])]
    views = [jobs.wait(job_id) for job_id in ids]
    return {"ids": ids, "statuses": [view.status for view in views]}


_MODULE = "tests.jobs.targets"
_QUICK = {"save_seconds": 20.0, "ask_seconds": 0.5, "term_seconds": 0.5}


def _kind(name: str, slot: str, function: str, **options: Any) -> None:
    register_kind(name, JobKind(slot, f"{_MODULE}:{function}", **{**_QUICK, **options}), module=_MODULE)


for _slot in ("device", "host", "cpu"):
    _kind(f"t-interval-{_slot}", _slot, "interval")
    _kind(f"t-count-{_slot}", _slot, "count")
for _name in (
    "echo",
    "stubborn",
    "fails",
    "breaks",
    "dies",
    "full_disk",
    "tells_secret",
    "hangs_at_exit",
):
    _kind(f"t-{_name}", "device", _name)
_kind("t-polite", "device", "polite", term_seconds=60.0)
_kind("t-slow_saver", "device", "slow_saver", save_seconds=0.5, term_seconds=30.0)
_kind("t-asks_for_time", "device", "asks_for_time", save_seconds=0.5)
_kind("t-stubborn_saver", "device", "stubborn", save_seconds=0.5)
_kind("t-both", "host", "interval", also=("device",))
_kind("t-parent", "cpu", "parent", coordinates=True)
_kind("t-fan-out", "cpu", "fan_out", coordinates=True)
_kind("t-sneaky", "host", "parent")
_kind("t-once", "device", "fails", resumable=False)
_kind("t-first", "cpu", "begins_another", followed_by=("t-echo",))


if counted := os.environ.get("T_MEMORY_KILLS"):  # given to workers by a test
    import core.worker.memory as watched

    watched.counters = lambda: [Path(counted)]  # type: ignore[assignment]  # without a group of its own
