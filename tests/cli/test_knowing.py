"""``dataset known`` and ``dataset coverage`` on the command line: planned, run as a job, told for machines."""

from __future__ import annotations

from tests.approaches.world import make_project
from tests.cli.running import done, run, told
from tests.evaluation.judge_server import judge_server

SHOP = ("-p", "Shop")


def test_what_the_base_knows_is_asked_as_a_job_and_shown_again() -> None:
    make_project(index=False)
    assert run("dataset", "known", *SHOP, "--result").exit_code == 1
    with judge_server(lambda system, user: "It is 59 dollars." if "Amber" in user else "I do not know.") as server:
        asked = ("dataset", "known", *SHOP, "--url", server.url, "--model", "m", "--rows", "0")
        assert told(*asked, "--plan")["calls"] == 12 and not server.asked
        found = told(*asked, "--limit", "3")
    assert (found["asked"], found["known"], found["failed"]) == (12, 1, 0)
    assert found["complete"] and found["known"] + found["unknown"] == 12 and 0 <= found["share"]["low"] <= 1
    assert found["show"] == "unknown" and len(found["rows"]) == 3
    again = told("dataset", "known", *SHOP, "--result", "--show", "known")
    assert again["run_id"] == found["run_id"] and len(again["rows"]) == found["known"]
    assert "Known beforehand" in done("dataset", "known", *SHOP, "--result").stdout


def test_coverage_tells_whether_the_index_holds_the_training_text() -> None:
    make_project()
    found = told("dataset", "coverage", *SHOP)
    assert sum(found["counts"].values()) == 12
    assert (found["training"]["rows"], found["training"]["held"]) == (12, 12)
    assert "12 of 12" in done("dataset", "coverage", *SHOP).stdout.replace("**", "")
    rows = told("dataset", "show", *SHOP, "--split", "test")
    assert {row["training_indexed"] for row in rows} <= {True, False, None}
