"""The rules that turn what was seen into a status, without any process."""

from __future__ import annotations

from itertools import product

import pytest

from core.jobs.outcome import Ending, conclude
from core.jobs.states import TERMINAL, Observation, computed_status, stop_state


def seen(recorded: str = "running", **changes: object) -> Observation:
    values: dict[str, object] = {
        "claim_age": 1.0,
        "launch_dead": False,
        "worker_alive": True,
        "heartbeat_age": 0.5,
        "outcome": None,
    }
    return Observation(recorded, **{**values, **changes})  # type: ignore[arg-type]  # changes are keyword values


def test_running_is_never_believed_of_a_dead_worker() -> None:
    assert computed_status(seen(worker_alive=False, heartbeat_age=0.1)) == "lost"


def test_a_silent_but_living_worker_still_runs() -> None:
    assert computed_status(seen(heartbeat_age=4000.0)) == "running"


def test_an_outcome_file_counts_even_if_the_store_was_never_told() -> None:
    assert computed_status(seen(worker_alive=False, outcome="succeeded")) == "succeeded"


def test_a_worker_elsewhere_is_known_by_its_heartbeat_alone() -> None:
    assert computed_status(seen(worker_alive=None, heartbeat_age=20.0)) == "running"
    assert computed_status(seen(worker_alive=None, heartbeat_age=61.0)) == "lost"
    assert computed_status(seen(worker_alive=None, heartbeat_age=None)) == "lost"


def test_a_stale_start_is_queued_again() -> None:
    assert computed_status(seen("starting", worker_alive=None)) == "starting"
    assert computed_status(seen("starting", worker_alive=None, claim_age=31.0)) == "queued"
    assert computed_status(seen("starting", worker_alive=None, launch_dead=True)) == "queued"


def test_what_has_ended_or_waits_is_taken_from_the_record() -> None:
    for status in [*TERMINAL, "queued", "blocked"]:
        assert computed_status(seen(status, worker_alive=False, outcome="succeeded")) == status


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        (Ending({"result": {"n": 1}}, 0), "succeeded", None),
        (Ending({"result": {"n": 1}}, -11), "succeeded", None),  # it crashed only while it exited
        (Ending({"result": {"stopped": True}}, 0, "stop", "asked"), "stopped", None),
        (Ending({"result": {"stopped": True}}, 0, "cancel", "asked"), "cancelled", None),
        (Ending({"result": {"n": 1}}, 0, "cancel", "asked"), "succeeded", None),  # it was done before it noticed
        (Ending({"error": {"code": "x", "params": {}}}, 1), "failed", "x"),
        (Ending({"error": {"code": "x", "params": {}}}, 1, "cancel", "asked"), "cancelled", "x"),
        (Ending(None, 143, "cancel", "sigterm"), "cancelled", None),
        (Ending(None, -15, "stop", "sigterm"), "stopped", None),
        (Ending(None, -9, "cancel", "sigkill"), "killed", None),
        (Ending(None, -9), "failed", "jobs.child_killed_unseen"),
        (Ending(None, -15), "failed", "jobs.child_killed_unseen"),
        (Ending(None, 3), "failed", "jobs.child_exited"),
        (Ending(None, 0), "failed", "jobs.child_exited"),  # ended without a result
    ],
)
def test_an_ending_has_one_outcome(ending: Ending, status: str, code: str | None) -> None:
    outcome = conclude(ending)
    assert outcome.status == status
    assert (outcome.error or {}).get("code") == code


def test_success_is_only_concluded_from_a_result_without_error() -> None:
    lefts = [None, {"error": {"code": "x", "params": {}}}, {"result": {"stopped": True}}]
    for left, code, mode, step in product(
        lefts, [0, 1, -9, None], [None, "stop", "cancel"], [None, "asked", "sigterm", "sigkill"]
    ):
        assert conclude(Ending(left, code, mode, step)).status != "succeeded"


def test_the_stop_state_says_how_far_it_went() -> None:
    assert stop_state("running", None) is None
    assert stop_state("running", "stop") == "requested"
    assert stop_state("stopped", "stop") == "saved"
    assert stop_state("killed", "cancel") == "killed"
    assert stop_state("succeeded", "cancel") is None
