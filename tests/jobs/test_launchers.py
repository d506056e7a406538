"""Launchers are found in their folder and build commands; the job is the same whoever launches it."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from core import jobs
from core.errors import KurabeError
from core.jobs import LAUNCHERS
from core.jobs.launchers import launcher_spec
from core.jobs.launchers.accelerate import Accelerate
from tests.jobs.test_lifecycle import LIMIT


def test_launchers_are_found_by_file_and_unknown_ones_get_a_suggestion() -> None:
    assert {"subprocess", "accelerate"} <= set(LAUNCHERS.names())
    with pytest.raises(KurabeError) as refused:
        launcher_spec("acelerate")
    assert "accelerate" in refused.value.params["suggestions"]


def test_a_launcher_is_stored_as_its_name_and_what_differs_from_the_defaults() -> None:
    assert launcher_spec("subprocess") == {"name": "subprocess"}
    assert launcher_spec(Accelerate(processes=2)) == {"name": "accelerate", "processes": 2}
    with pytest.raises(KurabeError, match="registry.bad_fields"):
        launcher_spec({"name": "accelerate", "gpus": 2})


def test_accelerate_gets_one_process_a_gpu() -> None:
    command = Accelerate(processes=4, mixed_precision="bf16").command("core.worker.child", ["id"])
    assert command[:3] == [sys.executable, "-m", "accelerate.commands.launch"]
    assert command[-3:] == ["--module", "core.worker.child", "id"]
    assert command[command.index("--num_processes") + 1] == "4"
    assert "--multi_gpu" in command


def test_a_launcher_that_cannot_work_here_blocks_the_job_with_its_reason() -> None:
    job_id = jobs.submit("t-echo", {}, launcher={"name": "accelerate", "processes": 0})
    view = jobs.job_view(job_id)
    assert view.status == "blocked"
    assert view.reason is not None
    assert view.reason["code"] == "jobs.launcher_unusable"
    jobs.cancel(job_id)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("accelerate") is None, reason="accelerate is not installed")
def test_a_job_through_accelerate_leaves_the_same_record() -> None:
    view = jobs.wait(jobs.submit("t-echo", {"a": 1}, launcher="accelerate"), 3 * LIMIT)
    assert view.status == "succeeded", jobs.log_tail(view.id)
    assert view.result is not None
    assert view.result["payload"] == {"a": 1}
    assert [event["kind"] for event in jobs.events(view.id)] == ["started", "ended"]
