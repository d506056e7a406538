"""Where there are several devices the training form lets one choose, and the run says what it ran on."""

from __future__ import annotations

import pytest

from core.settings import reset_settings
from core.store import tables as tb
from core.training import runs
from tests.ui.conftest import Visitor, texts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_training_on_two_devices_is_started_from_the_form(
    language: str, filled: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really train here
    alone = Visitor(language, filled)
    assert "accelerate" not in texts(alone.open("training", view="new")), "with one device there is nothing to choose"
    monkeypatch.setenv("KURABE_TRAINING_DEVICES", "2")
    reset_settings()
    visitor = Visitor(language, filled)
    visitor.app.session_state["training_devices"] = 2
    app = visitor.open("training", view="new")
    assert visitor.says("jobs.launcher.accelerate") in texts(app)
    next(b for b in app.button if b.label == visitor.says("ui.training.start")).click().run()
    told = visitor.says("training.preflight.processes_cpu").split("{n}")[1].split("{")[0].strip()
    assert told in texts(app)
    next(b for b in app.button if b.label == visitor.says("ui.training.anyway")).click().run()
    assert not app.exception, [error.value for error in app.exception]
    [run] = runs(filled.id)
    assert (run.launcher, run.processes, run.preflight["processes"]) == ("accelerate", 2, 2)
