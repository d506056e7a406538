"""Projects as pages find them: empty, filled, measured; no sample and no model is loaded for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.i18n import Language, catalogue, t, use_language
from core.projects import SAMPLES, create_project
from core.settings import ROOT, settings
from core.store import tables as tb
from core.store import write
from core.training import TrainingConfig
from tests.approaches.test_library import add_adapter
from tests.approaches.world import make_project
from tests.evaluation.test_results import Written

SHELL = ROOT / "core" / "ui" / "shell.py"


@pytest.fixture(autouse=True)
def no_samples(home: Path) -> Iterator[None]:
    """Say that the samples were loaded and deleted, so that a test sees only its own project."""
    (settings().path("run") / "samples.json").write_text(json.dumps(list(SAMPLES.values())))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield


@pytest.fixture
def empty() -> tb.Project:
    """A project with nothing in it."""
    return create_project("Empty desk", "en")


@pytest.fixture
def filled() -> tb.Project:
    """A project with documents, an index and questions."""
    return make_project()


@pytest.fixture
def measured() -> tb.Project:
    """A project whose test run is finished: retrieval is right more often than the plain model."""
    written = Written("base", "rag", "fine_tuned", "oracle_context")
    money = {"cost": Decimal("0.002"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    tokens = {"prompt_tokens": 120, "context_tokens": 60, "completion_tokens": 14}
    for place in range(len(written.questions)):
        answered = {"base": place % 4 == 0, "rag": place % 4 != 0, "fine_tuned": place % 2 == 0, "oracle_context": True}
        for preset, right in answered.items():
            written.put(preset, place, float(right), text=f"**{preset}** answer {place}", **money, **tokens)
            written.put(preset, place, None, phase="latency", total_seconds=1.0 + place, first_token_seconds=0.5)
    with write() as session:
        stored = session.get_one(tb.Experiment, written.experiment.id)
        stored.completed_at = stored.created_at
        return session.get_one(tb.Project, written.experiment.project_id)


class Visitor:
    """A browser tab: the shell first, as every visit."""

    def __init__(self, language: str, project: tb.Project) -> None:
        self.language = language
        use_language("ja" if language == "ja" else "en")  # AppTest words the options of a control in this thread
        self.app = AppTest.from_file(str(SHELL), default_timeout=120)
        self.app.query_params["lang"] = language
        self.app.query_params["project"] = project.id

    def open(self, key: str, **query: str) -> AppTest:
        """Open a page and require that it drew without an exception."""
        for name, value in query.items():
            self.app.query_params[name] = value
        self.app.run()
        if key != "home":
            self.app.switch_page(str(ROOT / "pages" / f"{key}.py")).run()
        assert not self.app.exception, [error.value for error in self.app.exception]
        return self.app

    def says(self, key: str, **params: Any) -> str:
        """Return a sentence in the visitor's language, with its parameters filled in if any are given."""
        code: Language = "ja" if self.language == "ja" else "en"
        return t(key, code, **params) if params else catalogue(code)[key]


def texts(app: AppTest) -> str:
    """Return everything that a page says in headings, text and captions."""
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption, *app.text]
    return "\n".join(str(part.value) for part in parts)


@pytest.fixture
def trained() -> tb.Project:
    """A project with two runs that ended and left adapters, and no weights."""
    project = make_project()
    for place, rate in enumerate((0.001, 0.002), 1):
        config = TrainingConfig.preset(project.id, learning_rate=rate, name=f"run {place}")
        adapter = add_adapter(project, name=f"run {place}")
        result = {"eval_loss": 0.5 / place, "loss": 0.4, "steps": 30, "seconds": 12.0, "ended": "budget"}
        with write() as session:
            session.add(
                tb.TrainingRun(
                    project_id=project.id, name=f"run {place}", dataset_version_id=config.dataset_version_id,
                    base_ref="starter", method="lora", config=config.as_dict(), result=result, adapter_id=adapter.id,
                )
            )  # fmt: skip
    return project
