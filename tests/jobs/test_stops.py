"""What a stop became is told truthfully, whoever asked and however long it took."""

from __future__ import annotations

import errno
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core import jobs
from core.errors import KurabeError
from core.i18n import LANGUAGES, t
from core.jobs import EventTail, disk_full
from core.jobs.event_log import EventLog
from core.jobs.files import RunFiles
from core.jobs.observe import get_job
from core.jobs.outcome import Outcome
from core.jobs.queue import finish
from core.jobs.states import stop_state
from core.store import read, write
from core.store import tables as tb
from tests.jobs.test_lifecycle import LIMIT, until, until_event
from tests.jobs.test_two_users import server, store  # noqa: F401  # fixtures


def _pid(job_id: str, part: str) -> int:
    return int((RunFiles.of(job_id, get_job(job_id).attempt).read(part) or {})["pid"])


def test_a_stop_that_had_to_be_forced_is_not_called_a_cancellation_nor_saved() -> None:
    job_id = jobs.submit("t-slow_saver", {})
    until_event(job_id, "ready")
    jobs.request_stop(job_id)
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("stopped", "cut_short", "sigterm")
    assert view.can_resume


def test_who_never_ends_after_a_stop_is_killed_and_nothing_is_called_saved() -> None:
    job_id = jobs.submit("t-stubborn_saver", {})
    until_event(job_id, "ready")
    jobs.request_stop(job_id)
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("killed", "cut_short", "sigkill")


def test_a_job_that_has_much_to_save_gets_the_time_that_it_asks_for() -> None:
    job_id = jobs.submit("t-asks_for_time", {})
    until_event(job_id, "ready")
    jobs.request_stop(job_id)
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("stopped", "saved", "asked")


def test_a_stop_with_nothing_to_save_yet_is_not_called_saved() -> None:
    assert stop_state("stopped", "stop", "asked", {"stopped": True, "saved": False}) == "unsaved"
    assert stop_state("stopped", "stop", "asked", {"stopped": True}) == "saved"
    for code in LANGUAGES:
        said = {t(f"jobs.stop.{state}", code) for state in ("saved", "unsaved", "cut_short", "cancelled", "killed")}
        assert len(said) == 5 and not any("⟦" in words for words in said)


@pytest.mark.parametrize("whom", ["child", "both"])
def test_sigterm_from_outside_is_a_request_to_save(whom: str) -> None:
    job_id = jobs.submit("t-count-device", {"n": 4000, "step": 0.02})
    until(job_id, lambda view: (view.done or 0) >= 3)
    for part in ("launch", "child") if whom == "both" else ("child",):
        os.kill(_pid(job_id, part), signal.SIGTERM)
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("stopped", "saved", "asked")
    assert view.result is not None and view.result["done"] >= 3


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: writing fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_job_is_found_by_its_beginning_however_old_it_is() -> None:
    old = jobs.submit("t-echo", {}, needs_secret="NOT_SET_ANYWHERE")
    with write() as session:
        job = session.get_one(tb.Job, old)
        for number in range(1001):
            session.add(tb.Job(id=f"{number:08d}-x", kind="t-echo", home_id=job.home_id, slot="cpu", status="failed"))
    assert jobs.jobs_beginning(old[:30]) == [old]
    assert len(jobs.jobs_beginning("0000")) == 2
    assert jobs.jobs_beginning("0%") == []
    jobs.cancel(old)


def test_the_slots_say_who_holds_them_and_who_waits() -> None:
    first = jobs.submit("t-count-device", {"n": 4000})
    second = jobs.submit("t-count-device", {"n": 1})
    device = next(use for use in jobs.slots_in_use() if use.slot == "device")
    assert ([view.id for view in device.held], [view.id for view in device.waiting]) == ([first], [second])
    assert device.capacity == 1
    jobs.cancel(second)
    jobs.cancel(first)
    jobs.wait(first, LIMIT)


def test_events_are_read_on_from_where_the_last_look_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail, log = EventTail(path), EventLog(path)
    assert tail.further() == []
    log.append("one")
    assert [event["kind"] for event in tail.further()] == ["one"]
    with path.open("ab") as file:
        file.write(b'{"seq": 2, "kind": "tw')
    assert tail.further() == []
    with path.open("ab") as file:
        file.write(b'o"}\n')
    assert [event["kind"] for event in tail.further()] == ["two"]
    assert tail.further() == []


def test_libraries_that_save_weights_are_understood_when_the_disk_is_full(tmp_path: Path) -> None:
    weights = {"w": torch.zeros(200_000)}
    for save in (torch.save, save_file):
        with limited_files(10_000), pytest.raises(Exception) as caught:  # whatever the library raises
            save(weights, tmp_path / "weights")
        full = disk_full(caught.value, tmp_path)
        assert full is not None and full.code == "jobs.disk_full", repr(caught.value)
    assert disk_full(OSError(errno.EFBIG, "x"), tmp_path) is not None
    assert disk_full(RuntimeError("shapes do not fit"), tmp_path) is None


def test_an_end_that_comes_late_does_not_overwrite_the_next_attempt(store: str) -> None:  # noqa: F811
    with write() as session:
        job = tb.Job(kind="t-echo", home_id="h", slot="cpu", slots=["cpu"], status="running", launch_token="first")
        session.add(job)
        session.flush()
        job_id = job.id
    written: list[bool] = []
    late = threading.Thread(target=lambda: written.append(finish(job_id, "first", Outcome("failed"))))
    with write() as session:
        session.get_one(tb.Job, job_id).launch_token = "second"
        session.flush()
        late.start()
        time.sleep(0.5)
    late.join(30)
    with read() as session:
        after = session.get_one(tb.Job, job_id)
    assert (written, after.status, after.launch_token) == ([False], "running", "second")


class Killed(BaseException):
    """Stands for the end of the process."""


def test_what_belongs_to_a_job_is_stored_with_it_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed() -> None:
        raise Killed

    noted: list[str] = []
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("core.jobs.control.tick", killed)
        jobs.submit("t-echo", {}, record=lambda session, job_id: noted.append(job_id))
    assert get_job(noted[0]).status == "queued"

    def refuse(_session: object, job_id: str) -> None:
        noted.append(job_id)
        raise KurabeError("jobs.bad_payload", detail="-")

    with pytest.raises(KurabeError):
        jobs.submit("t-echo", {}, record=refuse)
    with pytest.raises(KurabeError, match=r"store\.missing"):
        get_job(noted[1])
    jobs.cancel(noted[0])
