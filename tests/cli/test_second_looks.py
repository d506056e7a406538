"""``judge`` and ``robustness`` on the command line: planned, run as a job, told for machines."""

from __future__ import annotations

import pytest

from core.identity import now
from core.projects import create_project
from core.store import tables as tb
from core.store import write
from tests.cli.running import done, run, told
from tests.evaluation.judge_server import judge_server
from tests.evaluation.test_results import Written


@pytest.fixture
def measured() -> Written:
    """A finished test run: retrieval's answers are good, the plain model's are not."""
    made = Written("base", "rag")
    for place in range(len(made.questions)):
        made.put("base", place, 0.0, text=f"plain {place}")
        made.put("rag", place, 1.0, text=f"good {place}")
    with write() as session:
        session.get_one(tb.Experiment, made.experiment.id).completed_at = now()
    return made


def test_a_judge_is_planned_then_asked_as_a_job_and_its_flaws_are_told(measured: Written) -> None:
    with judge_server() as server:
        asked = ("judge", "-p", "Shop", "--url", server.url, "--model", "judge-1", "--metric", "relevance")
        plan = told(*asked, "--plan")
        assert plan["calls"] == 48 and plan["by_kind"] == {"pair": 24, "relevance": 24} and not server.asked
        found = told(*asked)
    [pair] = found["pairs"]
    assert (pair["wins"], pair["flips"], pair["verdict"]) == (12, 0, "better") and found["complete"]
    assert found["first_shown"]["estimate"] == 0.5 and found["people"] is None
    assert found["metrics"][measured.approaches["rag"].id]["relevance"]["estimate"] == 1


def test_a_probe_that_does_not_exist_is_named(measured: Written) -> None:
    result = run("robustness", "-p", "Shop", "--probe", "earthquake")
    assert result.exit_code == 1 and "earthquake" in result.stderr and "outage" in result.stderr
    assert "robustness" in done("--help").stdout


def test_a_test_run_of_another_project_and_a_pasted_key_are_refused(measured: Written) -> None:
    other = create_project("Other", "en")
    for name in ("judge", "robustness"):
        result = run(name, "-p", other.name, "--experiment", measured.experiment.id)
        assert result.exit_code != 0 and measured.experiment.id in result.output
    result = run("judge", "-p", "Shop", "--url", "http://127.0.0.1:9/v1", "--key-name", "sk-proj-abc123")
    assert result.exit_code != 0 and "sk-proj" not in result.output and "OPENAI_API_KEY" in result.output
