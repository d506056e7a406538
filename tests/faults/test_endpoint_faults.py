"""An endpoint that fails in every way: nothing answered is lost or asked twice, and people are told what happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import datasets
from core.approaches import AnswerRequest, ApproachSpec, ModelChoice, answer, answer_many, batch, save_approach
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, results, start_experiment
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
from core.models import bounds
from core.models import client as model_client
from core.settings import ROOT
from core.store import read
from core.store import tables as tb
from tests.approaches.world import make_project
from tests.faults import troubled as moods
from tests.faults.troubled import Handler, TroubledServer, troubled
from tests.ui.conftest import Visitor

QUICK = (0.05, 0.1, 0.2)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules in less time."""
    monkeypatch.setattr(batch, "BACK_OFF_SECONDS", QUICK)
    monkeypatch.setattr(bounds, "MOST_SECONDS", 2.0)
    monkeypatch.setattr(bounds, "MOST_BYTES", 4 * 2**20)
    monkeypatch.setattr(model_client, "MOST_CHARACTERS", 1_000_000)


def approach_at(project: tb.Project, server: TroubledServer, name: str = "Their service") -> tb.Approach:
    model = ModelChoice(kind="endpoint", ref="m", url=server.url)
    return save_approach(project.id, ApproachSpec(name=name, preset="endpoint", model=model))


def asked(project: tb.Project, server: TroubledServer, how: str) -> tb.Answer:
    """One question, as the quality phase asks it or as the Compare page does."""
    approach = approach_at(project, server)
    if how == "streamed":
        row = answer(AnswerRequest(project.id, approach.id, "Hello?"))
    else:
        [row] = answer_many([AnswerRequest(project.id, approach.id, "Hello?", phase="quality")])
    with read() as session:
        return session.get_one(tb.Answer, row.id)


@pytest.mark.parametrize("how", ["whole", "streamed"])
@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (moods.garbage, "models.bad_answer"),
        (moods.other_shapes, "models.bad_answer"),
        (moods.deep, "models.bad_answer"),
        (moods.text_of_another_kind, "models.bad_answer"),
        (moods.endless, "models.endless"),
        (moods.never_ending, "models.endless"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_no_answer_is_a_stored_failure_with_its_reason_and_is_asked_once(
    mood: moods.Mood, code: str, how: str
) -> None:
    with troubled(mood) as server:
        began = time.monotonic()
        row = asked(make_project(index=False), server, how)
        assert row.status == "failed" and row.error is not None and row.error["code"] == code, row.error
        assert time.monotonic() - began < 60
        assert server.asked.total() == 1, "asking again would not help, and may cost"


@pytest.mark.parametrize(
    ("mood", "code"),
    [(moods.invalid_events, "models.bad_answer"), (moods.one_huge_line, "models.endless")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_stream_that_is_none_ends_and_fills_no_memory(mood: moods.Mood, code: str) -> None:
    with troubled(mood) as server:
        project = make_project(index=False)
        tracemalloc.start()
        row = asked(project, server, "streamed")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert row.error is not None and row.error["code"] == code, row.error
        assert most < 100 * 2**20


@pytest.mark.parametrize("mood", [moods.busy, moods.broken_once, moods.gone_in_the_middle], ids=lambda m: m.__name__)
def test_what_may_pass_is_asked_again_after_a_while(mood: moods.Mood) -> None:
    with troubled(mood) as server:
        began = time.monotonic()
        row = asked(make_project(index=False), server, "whole")
        assert (row.status, row.text, row.attempts, server.asked.total()) == ("finished", "Fine.", 2, 2)
        assert time.monotonic() - began >= (1.0 if mood is moods.busy else QUICK[0]), "the server said when"


def test_on_the_compare_page_an_answer_that_broke_off_keeps_what_came_and_says_so() -> None:
    for mood in (moods.gone_in_the_middle, moods.broken_off):
        with troubled(mood) as server:
            row = asked(make_project(index=False), server, "streamed")
            assert (row.status, row.text) == ("failed", "Half an ans")
            assert row.error is not None and row.error["code"] == "models.unreachable"


def test_impossible_counts_and_characters_are_not_taken_over() -> None:
    with troubled(moods.wrong_usage) as server:
        row = asked(make_project(index=False), server, "whole")
        assert (row.status, row.prompt_tokens, row.completion_tokens, row.cost) == ("finished", None, None, None)
    with troubled(moods.unstorable) as server:
        for how in ("whole", "streamed"):
            row = asked(make_project(index=False), server, how)
            assert (row.status, row.text) == ("finished", "A\N{REPLACEMENT CHARACTER}B\N{REPLACEMENT CHARACTER}C")
            assert row.finish_reason == ("because " * 40)[:30]


# whole experiments ---------------------------------------------------------------------------------


def begin(project: tb.Project, *approaches: tb.Approach, **changes: Any) -> tb.Experiment:
    version = datasets.latest_version(project.id)
    assert version is not None
    values: dict[str, Any] = {"latency_questions": 0, **changes}
    ids = tuple(a.id for a in approaches)
    config = ExperimentConfig(dataset_version_id=version.id, approach_ids=ids, **values)
    return start_experiment(project.id, config, launch=False)


def context(experiment: tb.Experiment, folder: Path) -> JobContext:
    return JobContext("job", {"experiment_id": experiment.id}, folder, project_id=experiment.project_id)


def stored(experiment: tb.Experiment, *statuses: str, phase: str = "quality") -> dict[str, tb.Answer]:
    wanted = select(tb.Answer).where(tb.Answer.experiment_id == experiment.id, tb.Answer.phase == phase)
    with read() as session:
        return {row.question: row for row in session.scalars(wanted) if not statuses or row.status in statuses}


def test_a_run_over_a_server_of_many_moods_loses_nothing_and_says_what_failed(tmp_path: Path) -> None:
    project = make_project(index=False, only_test=True)
    version = datasets.latest_version(project.id)
    assert version is not None
    questions = [row.question for row in datasets.examples(version.id, "test")]
    special = dict(
        zip(
            questions,
            (moods.busy, moods.broken_once, moods.gone_in_the_middle, moods.wrong_usage, moods.unstorable,
             moods.broken, moods.garbage),
            strict=False,
        )
    )  # fmt: skip

    def mood(handler: Handler, question: str, before: int) -> None:
        chosen = next((special[known] for known in special if known in question), None)
        return chosen(handler, question, before) if chosen else handler.answer()

    with troubled(mood) as server:
        experiment = begin(project, approach_at(project, server), concurrency=8)
        assert run_experiment(context(experiment, tmp_path))["failed"] == 2
    rows = stored(experiment)
    assert len(rows) == 24 and Counter(row.status for row in rows.values()) == {"finished": 22, "failed": 2}
    assert rows[questions[5]].error is not None and rows[questions[6]].error is not None
    assert set(server.answered.values()) == {1} and len(server.answered) == 22, "nothing answered was asked again"
    assert server.asked.total() == 24 + 3 + len(QUICK), "three once more, one to the end of all patience"
    [found] = results(experiment.id).approaches
    assert found.failures == {"models.server_error": 1, "models.bad_answer": 1}
    _the_page_says_so(project, experiment)


def _the_page_says_so(project: tb.Project, experiment: tb.Experiment) -> None:
    for language, word in (("en", "failed calls: 1"), ("ja", "呼び出しに失敗しました")):
        app = Visitor(language, project).open("test_run", experiment=experiment.id)
        shown = [warning.value.replace("\\", "") for warning in app.warning]  # Markdown is escaped
        [warned] = [text for text in shown if word in text]
        assert "500" in warned
        assert warned.count("Their service") >= 2


def test_a_rate_limit_slows_a_run_down_and_fails_nothing(tmp_path: Path) -> None:
    """Six questions a second, asked by 24 workers at once."""
    project = make_project(index=False, only_test=True)
    lock, window = threading.Lock(), [0.0, 0]

    def mood(handler: Handler, question: str, before: int) -> None:
        with lock:
            if time.monotonic() - window[0] >= 1.0:
                window[:] = [time.monotonic(), 0]
            window[1] += 1
            allowed = window[1] <= 6
        return handler.answer() if allowed else handler.send(b"{}", 429, Retry_After="1")

    with troubled(mood) as server:
        experiment = begin(project, approach_at(project, server), concurrency=24)
        assert run_experiment(context(experiment, tmp_path))["failed"] == 0
        assert len(server.answered) == 24 and set(server.answered.values()) == {1}


def test_a_server_that_goes_away_in_the_middle_ends_the_run_and_a_resumed_run_asks_only_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(index=False, only_test=True)
    there = {"yes": True}

    def mood(handler: Handler, question: str, before: int) -> None:
        if handler.server.answered.total() >= 10:
            there["yes"] = there["yes"] and before > 50
        return handler.answer() if there["yes"] else handler.hang_up()

    with troubled(mood) as server:
        experiment = begin(project, approach_at(project, server), concurrency=2)
        with pytest.raises(KurabeError) as caught:
            run_experiment(context(experiment, tmp_path))
        assert (caught.value.code, caught.value.params["reason"]) == ("evaluation.server_gone", "models.unreachable")
        assert not results(experiment.id).complete
        before = stored(experiment, "finished")
        assert 10 <= len(before) < 24
        server.mood = lambda handler, question, before: handler.answer()
        assert run_experiment(context(experiment, tmp_path))["failed"] == 0
        assert set(server.answered.values()) == {1} and len(server.answered) == 24
    after = stored(experiment, "finished")
    assert {q: row.finished_at for q, row in before.items()} == {q: after[q].finished_at for q in before}


_RUN = """
import sys
from pathlib import Path
from core.evaluation.jobs import run_experiment
from core.jobs import JobContext
run_experiment(JobContext("job", {"experiment_id": sys.argv[1]}, Path(sys.argv[2]), project_id=None))
"""
CONCURRENCY = 4


def test_a_worker_killed_at_any_moment_asks_nothing_again_that_was_answered(tmp_path: Path) -> None:
    project = make_project(index=False, only_test=True)
    lot, strikes = random.Random(7), list[tuple[float, set[str], set[str]]]()

    def mood(handler: Handler, question: str, before: int) -> None:
        time.sleep(0.2)
        handler.answer()

    with troubled(mood) as server:
        experiment = begin(project, approach_at(project, server), concurrency=CONCURRENCY, latency_questions=3)
        for _ in range(3):
            strike(experiment, tmp_path, server, lot.uniform(0.0, 0.15))
            struck, kept = time.monotonic(), set(stored(experiment, "finished"))
            strikes.append((struck, kept, {question for question, _ in server.moments} - kept))
        assert 0 < len(strikes[-1][1]) < 24, "the strikes must come in the middle"
        assert run_experiment(context(experiment, tmp_path))["failed"] == 0
        for struck, kept, _ in strikes:
            assert not kept & {question for question, moment in server.moments if moment > struck}
        twice = Counter({question: count - 1 for question, count in server.answered.items() if count > 1})
        assert len(server.answered) == 24 and twice.total() <= len(strikes) * CONCURRENCY
        under_way = set().union(*(asked for _, _, asked in strikes))
        assert twice.keys() <= under_way, "only what was under way at a strike, its answer on no disk, is asked again"
    assert len(stored(experiment, "finished")) == 24 and len(stored(experiment, "finished", phase="latency")) == 3


def strike(experiment: tb.Experiment, folder: Path, server: TroubledServer, later: float) -> None:
    """Run the experiment in a process of its own and kill it a moment after its first answers."""
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-c", _RUN, experiment.id, str(folder)]
    before, deadline = server.asked.total(), time.monotonic() + 120
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
    while server.asked.total() < before + CONCURRENCY + 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    process.wait()
