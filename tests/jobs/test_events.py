"""The events file: durable lines, numbers that only grow, tolerance for what a crash cut off."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import jobs
from core.errors import KurabeError
from core.identity import now
from core.jobs.event_log import EventLog, progress_of, read_events, recent_events


def test_events_are_numbered_on_over_reopening(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for _ in range(3):
        log = EventLog(path)
        log.append("a", x=1)
        log.append("b")
    assert [event["seq"] for event in read_events(path)] == [1, 2, 3, 4, 5, 6]
    assert [event["seq"] for event in read_events(path, after=4)] == [5, 6]


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=1, max_value=200))
def test_a_file_cut_anywhere_loses_only_what_was_cut(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    log = EventLog(path)
    for number in range(5):
        log.append("step", number=number)
    raw = path.read_bytes()
    path.write_bytes(raw[:-cut])
    whole = raw[:-cut].count(b"\n")
    assert [event["number"] for event in read_events(path)] == list(range(whole))
    EventLog(path).append("after")
    events = read_events(path)
    assert events[-1]["kind"] == "after"
    assert [event["seq"] for event in events] == list(range(1, whole + 2))


def test_only_the_end_of_a_long_file_is_read_for_progress(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    row = {"kind": "progress", "schema": 1, "at": now().isoformat(), "filler": "x" * 200}
    path.write_text("".join(json.dumps({**row, "seq": n}) + "\n" for n in range(1, 2001)))
    recent = recent_events(path)
    assert recent[-1]["seq"] == 2000
    assert len(recent) < 400
    assert EventLog(path).append("next") == 2001


def test_values_json_has_no_form_for_are_still_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).append("loss", loss=float("nan"), where=Path("a"), parts=(1, float("inf")))
    event = read_events(path)[0]
    assert event["loss"] is None
    assert event["where"] == "a"
    assert event["parts"] == [1, None]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append("before")
    path.rename(tmp_path / "kept")
    path.symlink_to("/dev/full")
    with pytest.raises(KurabeError, match="jobs.disk_full"):
        log.append("during")
    path.unlink()
    (tmp_path / "kept").rename(path)
    log.append("after")
    assert [(event["seq"], event["kind"]) for event in read_events(path)] == [(1, "before"), (2, "after")]


def test_the_remaining_time_follows_from_the_rate_of_this_stage() -> None:
    start = now() - timedelta(seconds=10)
    steps = [
        {"kind": "progress", "attempt": 1, "stage": "loading", "done": 1, "total": 1, "at": start.isoformat()},
        *(
            {
                "kind": "progress",
                "attempt": 1,
                "stage": "training",
                "done": n,
                "total": 40,
                "at": (start + timedelta(seconds=n)).isoformat(),
            }
            for n in range(11)
        ),
    ]
    progress = progress_of(steps, attempt=1)
    assert (progress.stage, progress.done, progress.total) == ("training", 10, 40)
    assert progress.eta_seconds == pytest.approx(30, abs=1)
    assert progress_of(steps, attempt=2).stage is None


def test_a_log_is_searched_to_its_beginning_with_the_numbers_of_its_lines(home: Path) -> None:
    folder = home / "jobs" / "some-job"
    folder.mkdir(parents=True)
    filler = "".join(f"step {number}: loss 0.5 and nothing else to say\n" for number in range(20_000))
    (folder / "log.txt").write_text(f"Loading the Model\n{filler}the MODEL is saved\n", encoding="utf-8")
    assert jobs.log_tail("some-job", 5, "model") == "1: Loading the Model\n20002: the MODEL is saved"
    assert jobs.log_tail("some-job", 2, "step 1999").splitlines() == [
        "20000: step 19998: loss 0.5 and nothing else to say",
        "20001: step 19999: loss 0.5 and nothing else to say",
    ]
    assert jobs.log_tail("some-job", 5, "nowhere") == "" and jobs.log_tail("some-job", 1, " ") == "the MODEL is saved"
