"""``evaluate``: repetitions, decoding, baseline and version from the command line, and the plan before the start."""

from __future__ import annotations

from core import datasets
from core.projects import create_project
from tests.approaches.world import make_project
from tests.cli.running import done, run, told


def test_a_plan_tells_calls_tokens_cost_time_and_the_smallest_difference_before_anything_is_asked() -> None:
    make_project(only_test=True)
    asked = (
        "evaluate",
        "-p",
        "Shop",
        "--approach",
        "base",
        "--repetitions",
        "3",
        "--temperature",
        "0.7",
        "--top-p",
        "0.9",
    )
    plan = told(*asked, "--latency-questions", "4", "--plan")
    assert plan["calls"] == 3 * 24 + 4 and plan["taken"] == 0
    [base] = plan["approaches"]
    assert (base["prompt_basis"], base["time_basis"]) == ("rendered", "unknown")
    for code, words in (("en", "not known before the first answers"), ("ja", "最初の回答が出るまで不明")):
        assert words in done("--language", code, *asked, "--plan").stderr


def test_what_nobody_has_is_refused_with_what_there_is() -> None:
    project = make_project()
    for option, value in (("--approach", "bse"), ("--baseline", "bse")):
        result = run("evaluate", "-p", "Shop", option, value, "--plan")
        assert result.exit_code == 1 and "bse" in result.stderr and "few_shot" in result.stderr
    result = run("evaluate", "-p", "Shop", "--top-p", "1.5", "--plan")
    assert result.exit_code == 1 and "cli.decoding" in result.stderr and "1.5" in result.stderr
    create_project("Other", "en")
    version = datasets.latest_version(project.id)
    assert version is not None
    result = run("evaluate", "-p", "Other", "--dataset-version", version.id, "--plan")
    assert result.exit_code == 1 and "store.missing" in result.stderr
