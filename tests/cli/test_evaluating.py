"""``evaluate``: repetitions, decoding, baseline and version from the command line, and the plan before the start."""

from __future__ import annotations

import json

from core import datasets
from core.approaches import ApproachSpec, ModelChoice, save_approach
from core.evaluation import latest_experiment
from core.projects import create_project
from core.store import tables as tb
from tests.approaches.endpoint_server import Service, service
from tests.approaches.world import make_project
from tests.cli.running import done, run, told
from tests.evaluation.judge_server import JudgeServer, judge_server


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


def two_services(outside: Service) -> tb.Project:
    """A project with the approaches `kind` and `terse`, both at a service."""
    project = make_project(index=False)
    for name in ("kind", "terse"):
        model = ModelChoice(kind="endpoint", ref=f"{name}-1", url=outside.url)
        save_approach(project.id, ApproachSpec(name=name, preset="endpoint", model=model))
    return project


def asked_of(server: JudgeServer, *more: str) -> tuple[str, ...]:
    services = ("--approach", "kind", "--approach", "terse", "--baseline", "terse", "--latency-questions", "0")
    judge = ("--judge-url", server.url, "--judge-model", "judge-1")
    return ("evaluate", "-p", "Shop", *services, *judge, *more)


def test_the_judge_of_a_test_run_is_foreseen_asked_when_the_answers_are_there_and_told() -> None:
    with service() as outside, judge_server() as server:
        project = two_services(outside)
        wanted = ("--judge-metric", "relevance", "--judge-rubric", "Be kind.", "--questions", "4")
        plan = told(*asked_of(server, *wanted, "--plan"))
        assert plan["judge"]["calls"] == 4 * 2 + 4 * 2 and not server.asked
        assert "Judge afterwards, roughly: 16 calls" in done(*asked_of(server, *wanted, "--plan")).stderr
        found = told(*asked_of(server, *wanted))
        judge = found["judge"]
        assert (judge["calls"], judge["rubric"], judge["complete"]) == (16, "Be kind.", True)
        assert len(server.asked) == 16 and found["complete"] and len(found["approaches"]) == 2
        said = done(*asked_of(server, *wanted, "--judge-pairs", "none")).stdout
        assert "Relevance" in said and len(server.asked) == 24
    experiment = latest_experiment(project.id)
    assert experiment is not None and experiment.question_count == 4


def test_a_judge_that_fails_takes_no_figure_away_and_says_why() -> None:
    with service() as outside, judge_server() as server:
        two_services(outside)
        # no answer read a passage, so that there is no claim to hold against one
        wanted = ("--judge-pairs", "none", "--judge-metric", "groundedness", "--questions", "2")
        result = run(*asked_of(server, *wanted, "--json"))
        assert result.exit_code == 1 and json.loads(result.stdout)["complete"] and not server.asked
        assert json.loads(result.stderr[result.stderr.index('{"error') :])["error"]["code"] == "judge.no_calls"


def test_a_judge_that_could_not_begin_is_refused_before_anything_is_asked() -> None:
    make_project(index=False)
    asked = ("evaluate", "-p", "Shop", "--approach", "base", "--plan")
    for options, code in {
        ("--judge-url", "nowhere"): "approaches.endpoint_url",
        ("--judge-url", "http://127.0.0.1:9/v1", "--judge-key-name", "sk-proj-abc123"): "approaches.key_name",
        ("--judge", "--judge-metric", "correct"): "judge.metric",
        ("--judge", "--judge-metric", "relevence"): "registry.unknown",
        ("--judge", "--judge-pairs", "none"): "judge.no_calls",
    }.items():
        result = run(*asked, *options)
        assert result.exit_code == 1 and code in result.stderr and "sk-proj" not in result.output, (options, result)
    keyed = ("--judge-url", "http://127.0.0.1:9/v1", "--judge-model", "judge-1", "--judge-key-name", "NO_SUCH_KEY_HERE")
    unset = run(*asked[:-1], *keyed)
    assert unset.exit_code == 1 and "approaches.key_missing" in unset.stderr, "its job would wait for ever"
    assert told("jobs", "list") == []
    assert told(*asked)["judge"] is None and told(*asked, "--judge")["judge"]["calls"] == 0
