"""What is said beside the figures."""

from __future__ import annotations

from core.decision import failure_texts
from core.evaluation import results
from tests.evaluation.test_results import Written


def test_what_disturbed_the_waiting_times_is_told_in_both_languages() -> None:
    written = Written("base")
    for place in range(12):
        written.put("base", place, 1.0)
        tried = {"attempts": 2 if place < 2 else 1, "serving": {"warm": place != 5}}
        written.put("base", place, None, phase="latency", total_seconds=1.0, first_token_seconds=0.5, **tried)
    found = results(written.experiment.id)
    again, cold = failure_texts(found, "en")
    assert "waiting times: 2 of 12 calls failed or were answered only at a second try" in again
    assert "for 1 of 10 calls the server first had to load the model" in cold
    again, cold = failure_texts(found, "ja")
    assert "12 回の呼び出しのうち 2 回" in again and "10 回の呼び出しのうち 1 回" in cold


def test_undisturbed_waiting_times_are_not_commented_on() -> None:
    written = Written("base")
    written.put("base", 0, 1.0)
    written.put("base", 0, None, phase="latency", total_seconds=1.0, first_token_seconds=0.5, serving={"warm": True})
    assert failure_texts(results(written.experiment.id), "en") == []
