"""One job from submission to its end, with real processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core import jobs
from core.errors import KurabeError
from core.jobs import JobView
from core.settings import reset_settings
from core.store import read
from core.store import tables as tb

LIMIT = 60.0


def until(job_id: str, happens: Callable[[JobView], bool], limit: float = LIMIT) -> JobView:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        view = jobs.job_view(job_id)
        if happens(view):
            return view
        time.sleep(0.05)
    raise AssertionError(jobs.job_view(job_id))


def until_event(job_id: str, kind: str) -> dict[str, object]:
    until(job_id, lambda _: any(event["kind"] == kind for event in jobs.events(job_id)))
    return next(event for event in jobs.events(job_id) if event["kind"] == kind)


def test_a_job_runs_in_the_background_and_leaves_result_log_and_events() -> None:
    job_id = jobs.submit("t-echo", {"words": "今日は"})
    view = jobs.wait(job_id, LIMIT)
    assert view.status == view.recorded_status == "succeeded"
    assert view.result is not None
    assert view.result["payload"] == {"words": "今日は"}
    assert view.result["loaded"] == [], "a child is small before its own work begins"
    assert "hello from the child" in jobs.log_tail(job_id)
    assert [event["kind"] for event in jobs.events(job_id)] == ["started", "ended"]
    assert [event["seq"] for event in jobs.events(job_id, after=1)] == [2]
    assert view.elapsed_seconds is not None
    assert view.elapsed_seconds > 0
    assert not view.can_resume


def test_progress_is_shown_with_total_and_remaining_time_while_it_runs() -> None:
    job_id = jobs.submit("t-count-device", {"n": 60, "step": 0.05})
    view = until(job_id, lambda view: view.eta_seconds is not None)
    assert (view.status, view.stage, view.total) == ("running", "working", 60)
    assert view.heartbeat_age is not None
    assert view.heartbeat_age < 10
    assert 0 <= view.eta_seconds < 60  # type: ignore[operator]  # not None: just waited for
    seen: list[int] = []
    done = jobs.wait(job_id, LIMIT, on_event=lambda event: seen.append(event["seq"]))
    assert done.status == "succeeded"
    assert seen == list(range(1, len(seen) + 1))


def test_a_foreseen_error_is_the_jobs_error_and_an_unforeseen_one_has_a_reference_to_its_log() -> None:
    foreseen = jobs.wait(jobs.submit("t-fails", {"detail": "row 7"}), LIMIT)
    assert foreseen.status == "failed"
    assert foreseen.error == {"code": "jobs.bad_payload", "params": {"detail": "row 7"}}
    unforeseen = jobs.wait(jobs.submit("t-breaks", {}), LIMIT)
    assert unforeseen.status == "failed"
    assert unforeseen.error is not None
    assert unforeseen.error["code"] == "internal"
    assert unforeseen.error["params"]["reference"] in jobs.log_tail(unforeseen.id)
    assert "an error nobody foresaw" in jobs.log_tail(unforeseen.id)


@pytest.mark.parametrize(
    ("payload", "code", "said"),
    [({"signal": int(signal.SIGKILL)}, "jobs.child_killed", "SIGKILL"), ({"exit": 7}, "jobs.child_exited", 7)],
)
def test_a_child_that_dies_alone_is_a_failure_with_its_signal_and_log(
    payload: dict[str, int], code: str, said: object
) -> None:
    view = jobs.wait(jobs.submit("t-dies", payload), LIMIT)
    assert view.status == "failed"
    assert view.error is not None
    assert view.error["code"].removesuffix("_unseen") == code  # not every system counts its kills
    assert said in view.error["params"].values()
    assert "last words" in view.error["params"]["tail"]
    assert view.can_resume


def test_a_stop_saves_and_a_resumed_job_goes_on_from_there() -> None:
    job_id = jobs.submit("t-count-device", {"n": 400, "step": 0.02})
    until(job_id, lambda view: (view.done or 0) >= 3)
    assert jobs.request_stop(job_id).stop_state in ("requested", "saved")
    stopped = jobs.wait(job_id, LIMIT)
    assert (stopped.status, stopped.stop_state, stopped.stop_step) == ("stopped", "saved", "asked")
    saved = int((stopped.run_dir / "count.txt").read_text())
    jobs.resume(job_id)
    until(job_id, lambda view: (view.done or 0) > saved)
    jobs.cancel(job_id)
    again = jobs.wait(job_id, LIMIT)
    assert (again.status, again.attempt) == ("cancelled", 2)
    steps = [event for event in jobs.events(job_id) if event["kind"] == "progress" and event["attempt"] == 2]
    assert steps[0]["done"] == saved


def test_a_child_that_ignores_requests_gets_sigterm_and_may_clean_up() -> None:
    job_id = jobs.submit("t-polite", {})
    until_event(job_id, "ready")
    jobs.cancel(job_id)
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("cancelled", "cancelled", "sigterm")
    assert (view.run_dir / "cleaned").read_text() == "yes"


def test_a_stubborn_child_is_shown_as_killed_and_takes_its_grandchildren_along() -> None:
    job_id = jobs.submit("t-stubborn", {})
    grandchild = psutil.Process(int(str(until_event(job_id, "ready")["grandchild"])))
    jobs.cancel(job_id)
    assert until(job_id, lambda view: view.stop_step == "sigterm" or not view.active).stop_state in (
        "requested",
        "killed",
    )
    view = jobs.wait(job_id, LIMIT)
    assert (view.status, view.stop_state, view.stop_step) == ("killed", "killed", "sigkill")
    assert view.stop_requested_by is not None
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_child_that_hangs_after_its_result_has_succeeded() -> None:
    view = jobs.wait(jobs.submit("t-hangs_at_exit", {}), LIMIT)
    assert (view.status, view.result) == ("succeeded", {"done": True})


def test_only_an_ended_job_can_be_deleted_and_its_files_go_with_it() -> None:
    job_id = jobs.submit("t-count-device", {"n": 1000})
    with pytest.raises(KurabeError, match="jobs.still_active"):
        jobs.delete(job_id)
    jobs.cancel(job_id)
    folder = jobs.wait(job_id, LIMIT).run_dir
    jobs.delete(job_id)
    assert not folder.exists()
    with pytest.raises(KurabeError, match="store.missing"):
        jobs.job_view(job_id)


def test_a_job_nobody_started_yet_is_cancelled_at_once() -> None:
    first = jobs.submit("t-count-device", {"n": 1000})
    second = jobs.submit("t-echo", {})
    view = jobs.job_view(second)
    assert (view.status, view.position_in_queue) == ("queued", 1)
    assert jobs.cancel(second).status == "cancelled"
    jobs.cancel(first)
    assert jobs.wait(first, LIMIT).status == "cancelled"
    assert jobs.cancel(first).status == "cancelled"  # harmless once more


def test_a_full_disk_is_a_clear_failure_and_what_was_saved_stays() -> None:
    view = jobs.wait(jobs.submit("t-full_disk", {}), LIMIT)
    assert view.status == "failed"
    assert view.error is not None
    assert view.error["code"] == "jobs.disk_full"
    assert [event["kind"] for event in jobs.events(view.id)] == ["started", "before", "ended"]


def test_a_job_without_its_secret_is_blocked_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = jobs.submit("t-tells_secret", {}, needs_secret="TEST_API_KEY")
    view = jobs.job_view(job_id)
    assert view.status == "blocked"
    assert view.reason == {"code": "jobs.secret_missing", "params": {"names": "TEST_API_KEY"}}
    other = jobs.submit("t-echo", {})
    assert jobs.wait(other, LIMIT).status == "succeeded"  # a blocked job holds nobody up
    monkeypatch.setenv("TEST_API_KEY", "sk-very-secret-value")
    view = jobs.wait(job_id, LIMIT)
    assert view.status == "failed"
    assert "key is [secret]" in jobs.log_tail(job_id)
    kept = b"".join(path.read_bytes() for path in view.run_dir.rglob("*") if path.is_file())
    assert b"sk-very-secret-value" not in kept
    with read() as session:
        assert "sk-very" not in repr(vars(session.get_one(tb.Job, job_id)))
    with pytest.raises(KurabeError, match="jobs.secret_in_payload"):
        jobs.submit("t-echo", {"key": "sk-very-secret-value"})


def test_nothing_starts_on_a_nearly_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(10**9))
    reset_settings()
    job_id = jobs.submit("t-echo", {})
    view = jobs.job_view(job_id)
    assert view.status == "blocked"
    assert view.reason is not None
    assert view.reason["code"] == "jobs.disk_floor"
    jobs.cancel(job_id)


def test_what_cannot_be_queued_is_refused_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KurabeError) as unknown:
        jobs.submit("trian", {})
    assert (unknown.value.code, "train" in unknown.value.params["suggestions"]) == ("jobs.unknown_kind", True)
    with pytest.raises(KurabeError, match="jobs.bad_payload"):
        jobs.submit("t-echo", {"rate": float("nan")})
    with pytest.raises(KurabeError, match="registry.unknown"):
        jobs.submit("t-echo", {}, launcher="slurm")
    monkeypatch.setenv("KURABE_JOBS_PER_PROJECT", "1")
    reset_settings()
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(10**9))
    waiting = jobs.submit("t-echo", {}, needs_secret="NOT_SET_ANYWHERE")
    with pytest.raises(KurabeError, match="jobs.quota"):
        jobs.submit("t-echo", {})
    jobs.cancel(waiting)


def test_only_what_ended_without_success_can_be_resumed() -> None:
    done = jobs.submit("t-echo", {})
    assert jobs.wait(done, LIMIT).status == "succeeded"
    once = jobs.submit("t-once", {})
    assert jobs.wait(once, LIMIT).status == "failed"
    for job_id in (done, once):
        with pytest.raises(KurabeError, match="jobs.not_resumable"):
            jobs.resume(job_id)


def test_a_worker_started_by_hand_does_nothing(home: Path) -> None:
    import subprocess
    import sys

    from core.settings import ROOT

    ended = subprocess.run(
        [sys.executable, "-m", "core.worker", "some-id"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "jobs tick" in ended.stderr
