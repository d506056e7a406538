"""Setting a test run up on the page, and what it shows while it goes on and of what it took over."""

from __future__ import annotations

import os
import socket
from functools import partial

import pytest
from sqlalchemy import update

from core.approaches import approaches
from core.evaluation import latest_experiment, start_experiment
from core.identity import now, process_identity
from core.jobs import JobContext
from core.jobs.files import RunFiles, home_id
from core.store import read, write
from core.store import tables as tb
from core.ui.parts import plain
from tests.ui.conftest import Visitor, texts

LANGUAGES = ["en", "ja"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_chosen_in_the_set_up_is_what_the_experiment_freezes(
    language: str, measured: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    # stored as a click does, without a process that would begin to ask
    monkeypatch.setattr("core.ui.test_setup.start_experiment", partial(start_experiment, launch=False))
    visitor = Visitor(language, measured)
    app = visitor.open("test_run", view="new")
    shown = [metric.label for metric in app.metric]
    names = ("ui.test.plan.calls", "setup.tokens", "ui.test.plan.cost", "setup.time", "ui.test.plan.detectable")
    assert shown == [visitor.says(name) for name in names]
    assert app.toggle(key="test_take_over").value is True
    assert app.selectbox(key="test_primary").value == "correct"
    app.number_input(key="test_repetitions").set_value(3).run()
    assert visitor.says("evaluation.warning.alike_repetitions", n=3) in texts(app)
    [temperature] = [n for n in app.number_input if n.label == visitor.says("approaches.spec.temperature")]
    temperature.set_value(0.7)
    [top_p] = [n for n in app.number_input if n.label == visitor.says("setup.top_p")]
    top_p.set_value(0.9)
    presets = {row.preset: row.id for row in approaches(measured.id)}
    app.selectbox(key="test_baseline").set_value(presets["rag"])
    app.run()
    assert visitor.says("evaluation.warning.alike_repetitions", n=3) not in texts(app)
    [start] = [button for button in app.button if button.label == visitor.says("ui.test.start")]
    start.click().run()
    assert not app.exception and not app.error
    made = latest_experiment(measured.id, complete=False)
    assert made is not None
    with read() as session:
        frozen = session.get_one(tb.Experiment, made.id).config
        rag = session.get_one(tb.Approach, frozen["baseline_id"])
    assert rag.preset == "rag" and frozen["repetitions"] == 3 and frozen["take_over"] is True
    assert (frozen["decoding"]["temperature"], frozen["decoding"]["top_p"]) == (0.7, 0.9)


def test_a_judge_can_be_chosen_beforehand_and_its_calls_are_foreseen(measured: tb.Project) -> None:
    app = Visitor("en", measured).open("test_run", view="new")
    app.toggle(key="test_judge").set_value(True).run()
    assert "Enter the judge's address and model." in texts(app)
    app.text_input(key="test_judge_url").set_value("http://127.0.0.1:9/v1")
    app.text_input(key="test_judge_ref").set_value("openai/gpt-4o-mini").run()
    assert "Judge afterwards, roughly:" in texts(app) and not app.error


@pytest.mark.parametrize("language", LANGUAGES)
def test_while_it_runs_the_shares_so_far_are_shown_as_provisional(language: str, measured: tb.Project) -> None:
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    job_id = _running_job(measured, experiment.id)
    with read() as session:
        ids = session.get_one(tb.Experiment, experiment.id).config["approach_ids"]
    partial_shares = {i: {"right": 3.0, "scored": 3, "failed": 1, "taken": 0} for i in ids}
    ctx = JobContext(job_id, {}, RunFiles.of(job_id, 1).folder, project_id=measured.id)
    ctx.progress(16, 48, stage="quality", partial=partial_shares, planned=12)
    visitor = Visitor(language, measured)
    app = visitor.open("test_run", experiment=experiment.id)
    assert visitor.says("setup.partial") in texts(app) and visitor.says("setup.partial.help") in texts(app)
    [table] = [frame.value for frame in app.dataframe if visitor.says("setup.partial.share") in frame.value.columns]
    assert list(table[visitor.says("setup.partial.answers")]) == [
        visitor.says("setup.partial.of").format(n="4", planned="12")
    ] * len(ids)
    assert {share.replace(" ", "") for share in table[visitor.says("setup.partial.share")]} == {"75%"}
    assert visitor.says("ui.job.stop") in [button.label for button in app.button]


def _running_job(project: tb.Project, experiment_id: str) -> str:
    """A job whose worker is this process."""
    me = process_identity()
    job = tb.Job(
        project_id=project.id, home_id=home_id(), kind="experiment", slot="host", slots=["host"], status="running",
        payload={"experiment_id": experiment_id}, pid=os.getpid(), process_start=me.start_time, pgid=me.pgid,
        worker_host=socket.gethostname(), attempt=1, claimed_at=now(), started_at=now(),
    )  # fmt: skip
    with write() as session:
        session.add(job)
        session.flush()
        changed = update(tb.Experiment).where(tb.Experiment.id == experiment_id)
        session.execute(changed.values(job_id=job.id, completed_at=None))
        RunFiles.of(job.id, 1).create()
        return job.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_results_say_what_was_taken_over_and_what_the_run_itself_spent(language: str, measured: tb.Project) -> None:
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    with write() as session:
        taken = update(tb.Answer).where(tb.Answer.experiment_id == experiment.id, tb.Answer.phase == "quality")
        session.execute(taken.values(taken_from=experiment.id))
        session.execute(update(tb.Experiment).values(measured_at=now()))
    visitor = Visitor(language, measured)
    told = texts(visitor.open("test_run", experiment=experiment.id))
    origin = visitor.says("setup.origin").format(name=plain(experiment.name))
    assert visitor.says("setup.spent.taken").format(n="48", runs=origin) in told
