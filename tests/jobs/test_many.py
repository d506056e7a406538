"""Many jobs at once: order, slots, racing ticks, coordinators with their sub-jobs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import jobs
from core.errors import KurabeError
from core.jobs import JobView
from core.settings import ROOT
from core.store import read
from core.store import tables as tb
from tests.jobs.test_lifecycle import LIMIT, until

_RACER = """
import sys, time
import tests.jobs.targets
from core import jobs
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    jobs.tick()
    time.sleep(0.02)
"""


def spans(ledger: Path) -> dict[str, tuple[float, float]]:
    rows = [line.split() for line in ledger.read_text().splitlines()]
    assert len(rows) == len({row[0] for row in rows}), "a job ran twice"
    return {name: (float(began), float(ended)) for name, began, ended in rows}


def all_ended(ids: list[str], limit: float = 120) -> list[JobView]:
    deadline = time.monotonic() + limit
    return [jobs.wait(job_id, max(0.0, deadline - time.monotonic())) for job_id in ids]


def test_ticks_racing_in_several_processes_start_each_job_once_in_order(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    blocker = jobs.submit("t-count-device", {"n": 100_000})
    names = [f"job{number}" for number in range(2)]
    ids = [jobs.submit("t-interval-device", {"name": n, "ledger": str(ledger), "seconds": 0.1}) for n in names]
    assert [jobs.job_view(job_id).position_in_queue for job_id in ids] == [1, 2]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    jobs.cancel(blocker)
    for racer in racers:
        racer.communicate("go\n", timeout=60)
    assert [view.status for view in all_ended(ids)] == ["succeeded"] * 2
    ran = spans(ledger)
    assert list(ran) == names
    for before, after in zip(names, names[1:], strict=False):
        assert ran[before][1] <= ran[after][0], "the device was used twice at once"
    with read() as session:
        assert [session.get_one(tb.Job, job_id).launches for job_id in ids] == [1, 1]


def test_slots_go_side_by_side_and_a_job_of_two_slots_waits_for_both(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    order = ["interval-device", "interval-host", "both"]
    ids = [
        jobs.submit(f"t-{kind}", {"name": f"{n}", "ledger": str(ledger), "seconds": 0.4})
        for n, kind in enumerate(order)
    ]
    all_ended(ids)
    ran = spans(ledger)
    assert max(ran["0"][1], ran["1"][1]) <= ran["2"][0]


def test_coordinators_that_fill_their_slot_still_get_their_sub_jobs_run(tmp_path: Path) -> None:
    """Three coordinators for two places, each waiting for jobs that want the same places."""
    payload = {"n": 1, "payload": {"ledger": str(tmp_path / "ledger"), "seconds": 0.05}}
    ids = [jobs.submit("t-fan-out", payload) for _ in range(3)]
    views = all_ended(ids)
    assert [view.status for view in views] == ["succeeded"] * 3
    assert len(spans(tmp_path / "ledger")) == 3


def test_a_resumed_coordinator_goes_on_with_the_sub_jobs_it_has() -> None:
    job_id = jobs.submit("t-parent", {"kinds": ["t-echo", "t-count-device"], "payload": {"n": 100_000}})
    until(job_id, lambda _: any(view.stage == "working" for view in jobs.list_jobs(parent_id=job_id)))
    jobs.request_stop(job_id)
    stopped = jobs.wait(job_id, LIMIT)
    assert stopped.status == "stopped"
    counting = stopped.result["ids"][1]  # type: ignore[index]  # a stopped parent always leaves them
    assert jobs.wait(counting, LIMIT).status == "stopped", "a stop reaches what a job submitted"
    jobs.resume(job_id)
    until(counting, lambda view: view.status == "running" and view.attempt == 2)
    assert len(jobs.list_jobs(parent_id=job_id)) == 2, "no step was submitted twice"
    jobs.cancel(job_id)
    assert jobs.wait(job_id, LIMIT).status == "cancelled"
    assert jobs.wait(counting, LIMIT).status == "cancelled"


def test_only_coordinators_may_submit_and_only_in_their_own_slot() -> None:
    view = jobs.wait(jobs.submit("t-sneaky", {"kinds": ["t-echo"]}), LIMIT)
    assert view.status == "failed"
    assert view.error is not None
    assert view.error["code"] == "jobs.may_not_submit"
    with pytest.raises(KurabeError, match="jobs.coordinator_slot"):
        jobs.JobKind("host", "x:y", coordinates=True)


def test_lists_are_by_computed_status() -> None:
    job_id = jobs.submit("t-count-device", {"n": 100_000})
    until(job_id, lambda view: view.status == "running")
    assert [view.id for view in jobs.list_jobs(active=True)] == [job_id]
    assert jobs.list_jobs(active=False) == []
    assert jobs.list_jobs(kinds=["train"]) == []
    jobs.cancel(job_id)
    jobs.wait(job_id, LIMIT)
    assert [view.id for view in jobs.list_jobs(active=False)] == [job_id]


def test_what_a_kind_is_followed_by_is_a_job_of_its_own_that_begins_when_the_first_has_ended() -> None:
    first = jobs.wait(jobs.submit("t-first", {}), LIMIT)
    assert first.status == "succeeded", first.error
    second = jobs.wait(str((first.result or {})["after"]), LIMIT)
    assert second.status == "succeeded" and second.parent_id is None, second
    assert jobs.list_jobs(parent_id=first.id) == []
