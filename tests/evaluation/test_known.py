"""What the base model knows beforehand: asked closed book, judged per row, resumable, and nothing else is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import datasets
from core.approaches import ModelChoice
from core.errors import KurabeError
from core.evaluation import KnownConfig, known_outcome, known_rows, latest_known, plan_known, start_known
from core.evaluation.known.running import run_known
from core.jobs import JobContext
from core.measures import proportion_interval
from core.store import read
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.world import PRODUCTS, make_project
from tests.evaluation.judge_server import JudgeServer, judge_server

NOBODY = JudgeServer("http://127.0.0.1:9/v1")


def knows_prices(system: str, user: str) -> str:
    """A model that has read price lists only."""
    name = next(name for name in PRODUCTS if name in user)
    return f"The {name} costs {PRODUCTS[name][1]}." if "cost" in user else "I do not know."


@pytest.fixture
def shop() -> tb.Project:
    return make_project(index=False)


def config_for(project: tb.Project, server: JudgeServer, **changes: Any) -> KnownConfig:
    version = datasets.latest_version(project.id)
    assert version is not None
    model = ModelChoice(kind="endpoint", ref="base", url=server.url)
    return KnownConfig(dataset_version_id=version.id, model=model, **changes)


def context(run: tb.KnownRun, folder: Path) -> JobContext:
    return JobContext("job", {"run_id": run.id}, folder, project_id=run.project_id)


def test_every_training_row_is_asked_closed_book_and_judged(shop: tb.Project, tmp_path: Path) -> None:
    with judge_server(knows_prices) as server:
        config = config_for(shop, server, rows=None)
        plan = plan_known(config)
        run = start_known(config, launch=False)
        result = run_known(context(run, tmp_path))
        asked = list(server.asked)
    assert (plan.calls, plan.available, plan.left_out) == (12, 12, 0) and plan.prompt_tokens > 12 * 10
    assert result == {"run_id": run.id, "calls": 12, "failed": 0, "known": 4, "unknown": 8}
    questions = {row.question for row in datasets.rows_of(config.dataset_version_id, "train")}
    assert {messages[1]["content"] for messages in asked} == questions, "the bare question, without any document"
    assert {messages[0]["content"] for messages in asked} == {"Answer the customer's question."}
    found = known_outcome(run.id)
    assert found.complete and (found.known, found.unknown, found.open, found.failed) == (4, 8, 0, 0)
    assert found.share == proportion_interval(4, 12)
    assert {each.slice: each.known for each in found.slices} == {"warranty": 0, "price": 4, "origin": 0}
    rows = known_rows(run.id, "known")
    assert {row.slice for row in rows} == {"price"} and all(row.reason["code"] for row in rows)
    assert len(known_rows(run.id, "unknown", offset=2, limit=3)) == 3
    latest = latest_known(config.dataset_version_id)
    assert latest is not None and latest.id == run.id


def test_what_nobody_could_know_is_left_out_and_the_house_style_is_not_asked_for(tmp_path: Path) -> None:
    project = make_project(index=False)
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
             {"role": "user", "content": "And the price?"}, {"role": "assistant", "content": "59 dollars"}]  # fmt: skip
    rows: list[dict[str, Any]] = [
        {"question": "What does the Amber Kettle cost?", "answer": "59 dollars. Thank you!", "value": "59 dollars",
         "expects": {"contains": ["Thank you"], "alternatives": ["USD 59"]}},
        {"question": "Who?", "answer": "I cannot say.", "expects": {"abstain": True}},
        {"question": "Which queue?", "answer": "B4", "expects": {"category": "B4"}},
        {"question": "As JSON?", "answer": "{}", "expects": {"json_keys": ["a"]}},
        {"question": "Empty?", "answer": " "},
        {"question": "And the price?", "answer": "59 dollars", "messages": turns},
        {"question": "Taught?", "answer": "No, tested.", "split": "test"},
    ]  # fmt: skip
    made = datasets.edit_rows(
        config_for(project, NOBODY).dataset_version_id,
        drop=range(24),
        add=[datasets.Row(**{"split": "train", **row}) for row in rows],
    )
    with judge_server(lambda system, user: "It is USD 59.") as server:
        run = start_known(config_for(project, server), launch=False)
        run_known(context(run, tmp_path))
        assert len(server.asked) == 1
    found = known_outcome(run.id)
    assert found.dataset_version_id == made.id and (found.known, found.left_out, found.available) == (1, 5, 6)


def test_a_sample_is_drawn_by_its_seed(shop: tb.Project) -> None:
    def drawn(seed: int) -> list[int]:
        run = start_known(config_for(shop, NOBODY, rows=5, seed=seed), launch=False)
        with read() as session:
            return sorted(call.position for call in session.query(tb.KnownCall).filter(tb.KnownCall.run_id == run.id))

    assert drawn(1) == drawn(1) and len(drawn(1)) == 5 and drawn(1) != drawn(2)


def test_a_stopped_look_goes_on_and_asks_nothing_twice(shop: tb.Project, tmp_path: Path) -> None:
    class StopsAfterTwo(JobContext):
        def stop_requested(self) -> Any:
            return "stop" if len(server.asked) >= 2 else None

    with judge_server(knows_prices) as server:
        run = start_known(config_for(shop, server, concurrency=1), launch=False)
        first = StopsAfterTwo("job", {"run_id": run.id}, tmp_path, project_id=shop.id)
        assert run_known(first) == {"stopped": True}
        half = known_outcome(run.id)
        assert not half.complete and half.open > 0 and half.known + half.unknown == 12 - half.open
        assert run_known(context(run, tmp_path))["calls"] == 12
        assert len(server.asked) == 12
    assert known_outcome(run.id).open == 0


def test_a_broken_server_is_no_sign_of_ignorance(
    shop: tb.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.evaluation.asking.pause_after", lambda row, attempt: None)
    with judge_server(knows_prices) as server:
        server.broken = True
        run = start_known(config_for(shop, server), launch=False)
        with pytest.raises(KurabeError, match="server_gone"):
            run_known(context(run, tmp_path))
        found = known_outcome(run.id)
        assert found.unknown == 0 and found.share is None and found.failed > 0
        server.broken = False
        assert run_known(context(run, tmp_path))["unknown"] == 8
    assert known_outcome(run.id).failed == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataset_version_id": "nothing"}, "store.missing"),
        ({"metric": "rubric"}, "evaluation.judged_metric"),
        ({"model": ModelChoice(kind="endpoint", ref="m", url="ftp://x")}, "approaches.endpoint_url"),
    ],
)
def test_what_cannot_be_asked_is_refused(shop: tb.Project, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(KurabeError) as refused:
        start_known(config_for(shop, NOBODY).model_copy(update=changes), launch=False)
    assert refused.value.code == code


def test_test_questions_alone_give_nothing_to_ask() -> None:
    project = make_project(index=False, only_test=True)
    with pytest.raises(KurabeError) as refused:
        plan_known(config_for(project, NOBODY))
    assert refused.value.code == "known.no_rows" and refused.value.params == {"rows": 0}


def test_the_practice_model_is_asked_where_it_is_served(served: Served, tmp_path: Path) -> None:
    project = make_project(index=False)
    model = ModelChoice(ref="starter", base_ref="starter")
    config = config_for(project, NOBODY, rows=3, max_tokens=24).model_copy(update={"model": model})
    run = start_known(config, launch=False)
    result = run_known(context(run, tmp_path))
    assert (result["calls"], result["failed"]) == (3, 0) and result["known"] + result["unknown"] == 3
    assert json.loads(json.dumps(known_outcome(run.id).as_dict()))["share"]["n"] == 3


def test_a_look_whose_job_is_refused_leaves_nothing_behind(shop: tb.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise KurabeError("jobs.quota", quota=0, kind="known")

    monkeypatch.setattr("core.jobs.control._check_quota", refused)
    config = config_for(shop, NOBODY)
    with pytest.raises(KurabeError, match=r"jobs\.quota"):
        start_known(config)
    assert latest_known(config.dataset_version_id) is None
