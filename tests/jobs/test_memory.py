"""A job that the system kills for lack of memory is told so, and no other is."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from core import jobs
from core.errors import KurabeError
from core.i18n import LANGUAGES, describe
from core.jobs.outcome import Ending, conclude
from core.worker.memory import MemoryWatch, counters, kills_counted
from tests.jobs.test_lifecycle import LIMIT

INTERNAL = {"error": {"code": "internal", "params": {}}}


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (Ending(None, -9, kills=1, held_bytes=5 << 30), "jobs.memory_killed"),
        (Ending(None, -9, kills=None, held_bytes=5 << 30), "jobs.memory_killed"),  # nobody can read the count
        (Ending(None, -9, kills=0, held_bytes=5 << 30), "jobs.child_killed"),  # the count denies it
        (Ending(None, -15, kills=1, held_bytes=5 << 30), "jobs.child_killed_unseen"),
        (Ending(None, -9, "stop", "asked", kills=1, held_bytes=1), "jobs.memory_killed"),  # it died while it saved
        (Ending(None, -9, "stop", "asked", kills=None, held_bytes=1), "jobs.child_killed_unseen"),  # it went down
        (Ending(None, -9, "cancel", "asked", kills=1, held_bytes=1), "jobs.child_killed_unseen"),
        (Ending(None, -9, "cancel", "sigkill", kills=1, held_bytes=1), None),
        (
            Ending(INTERNAL, 1, between=True, kills=1, held_bytes=1),
            "jobs.memory_killed",
        ),  # behind a launcher
        (Ending(None, 1, between=True, kills=1, held_bytes=1), "jobs.memory_killed"),
        (Ending(None, 1, between=True, kills=0, held_bytes=1), "jobs.child_exited"),
        (Ending(None, 1, kills=1, held_bytes=1), "jobs.child_exited"),
        (Ending({"result": {"n": 1}}, -9, kills=1, held_bytes=1), None),  # it was done
    ],
)
def test_lack_of_memory_is_told_where_the_evidence_is(ending: Ending, code: str | None) -> None:
    outcome = conclude(ending)
    assert (outcome.error["code"] if outcome.error else None) == code
    if code == "jobs.memory_killed" and outcome.error:
        for language in LANGUAGES:
            assert "{" not in "".join(describe(KurabeError.from_record(outcome.error), language))


def test_the_count_of_the_own_group_comes_before_the_machine_s(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("4:memory:/pod/a\n0::/user.slice/b\n")
    found = [str(path) for path in counters(own)]
    assert found.index("/sys/fs/cgroup/user.slice/b/memory.events") < found.index("/proc/vmstat")
    assert "/sys/fs/cgroup/memory/pod/a/memory.oom_control" in found
    events, machine = tmp_path / "memory.events", tmp_path / "vmstat"
    machine.write_text("nr_free_pages 3\noom_kill 7\n")
    assert kills_counted([events, machine]) == 7
    events.write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert kills_counted([events, machine]) == 2 and kills_counted([tmp_path / "none"]) is None


def test_what_a_process_and_its_children_hold_is_measured_and_kept_when_they_are_gone() -> None:
    watch = MemoryWatch()
    watch.look(os.getpid())
    held = watch.held
    assert held is not None and held > 30 << 20
    watch.look(2**22 + 1)
    assert watch.held == held


def test_a_killed_job_says_how_much_it_held_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = tmp_path / "memory.events"
    count.write_text("oom_kill 3\n")
    monkeypatch.setenv("T_MEMORY_KILLS", str(count))
    job = jobs.submit("t-count-cpu", {"n": 10_000})
    child = until_child(job)
    count.write_text("oom_kill 4\n")
    os.kill(child, signal.SIGKILL)
    view = jobs.wait(job, LIMIT)
    assert view.status == "failed" and view.error is not None and view.can_resume
    assert view.error["code"] == "jobs.memory_killed" and view.error["params"]["kills"] == 1
    assert 10 < view.error["params"]["held_mb"] < 4000


def until_child(job: str) -> int:
    """The process that does the work, once it has reported."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        beat = jobs.job_view(job).run_dir / "attempts" / "1" / "heartbeat.json"
        if any(event["kind"] == "progress" for event in jobs.events(job)) and beat.exists():
            pid = json.loads(beat.read_text())["child"]
            if pid is not None:
                return int(pid)
        time.sleep(0.1)
    raise AssertionError("it did not start")
