"""What an experiment rests on stays as it was when it began, whatever happens to documents and choices since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import knowledge
from core.decision import decide_experiment
from core.errors import KurabeError
from core.evaluation import ExperimentConfig, removed_sources, rescore, results, running, start_experiment
from core.evaluation.kept import is_kept
from core.evaluation.scoring import sources_of
from core.jobs import JobContext
from core.store import read, write
from core.store import tables as tb
from tests.evaluation.test_results import Written


def chunks_of(experiment: tb.Experiment) -> list[dict[str, Any]]:
    """What an answer notes down of the whole documents in its prompt."""
    shown = sources_of(experiment).documents
    return [
        {"number": n, "chunk_id": "", "document_id": p.document_id, "title": p.title} for n, p in enumerate(shown, 1)
    ]


def retrieval_of(experiment: tb.Experiment) -> tb.Score:
    with read() as session:
        wanted = select(tb.Score).join(tb.Answer).where(tb.Answer.experiment_id == experiment.id)
        return session.scalars(wanted.where(tb.Score.metric == "retrieval")).one()


def test_a_resumed_run_and_a_later_scoring_read_the_documents_as_they_were() -> None:
    written = Written("whole_context", "base")
    experiment = written.experiment
    kb = knowledge.default_kb(experiment.project_id)
    before = [passage.text for passage in sources_of(experiment).documents]
    with read() as session:
        asked = session.get_one(tb.Example, written.questions[0])
    [gold] = asked.gold
    written.put("whole_context", 0, 1.0, chunks=chunks_of(experiment))
    knowledge.add_document(kb.id, "Aardvark.md", b"# Aardvark\n\nStands before all others.\n")
    edited = knowledge.current_document(kb.id, gold["document"])
    assert edited is not None
    knowledge.edit_document(edited.id, "# Nothing\n\nIs left of it.\n")
    assert [passage.text for passage in sources_of(experiment).documents] == before
    rescore(experiment.id, ["retrieval"])
    assert retrieval_of(experiment).value == 1.0, "the passage stood in the prompt, whatever stands there now"

    knowledge.delete_document(edited.id)
    rescore(experiment.id, ["retrieval"])
    lost = retrieval_of(experiment)
    assert lost.value is None and lost.failed and lost.reason["params"]["code"] == "approaches.source_removed"
    with pytest.raises(KurabeError, match=r"approaches\.source_removed"):
        _ = sources_of(experiment).documents


def test_causes_and_headroom_do_not_depend_on_which_metrics_were_chosen() -> None:
    written = Written("base", "rag", "oracle_context")
    config = ExperimentConfig(**{**written.config(), "metrics": ("chrf",)})
    frozen = start_experiment(written.experiment.project_id, config, launch=False).config["metrics"]
    assert frozen[0] == "chrf" and {"retrieval", "abstention", "category"} <= set(frozen)


def test_no_headroom_is_told_where_nobody_looked_whether_passages_were_there() -> None:
    written = Written("base", "rag", "oracle_context")
    for place in range(len(written.questions)):
        for preset in written.approaches:
            written.put(preset, place, float(place % 2))
    assert results(written.experiment.id).headroom is not None
    with write() as session:
        stored = session.get_one(tb.Experiment, written.experiment.id)
        stored.config = {**stored.config, "metrics": ["correct"]}
        stored.hash = "as an earlier version froze it"
    assert results(written.experiment.id).headroom is None


def test_a_rough_measure_never_decides() -> None:
    written = Written("base", "rag")
    config = ExperimentConfig(**written.config(), primary_metric="semantic_similarity")
    with pytest.raises(KurabeError, match=r"evaluation\.not_primary"):
        start_experiment(written.experiment.project_id, config, launch=False)


def test_scoring_again_keeps_the_results_that_it_changed() -> None:
    written = Written("base")
    written.put("base", 0, 0.0)
    rescore(written.experiment.id, ["correct"])
    assert is_kept(written.experiment.id), "whoever opens the page next reads them, and computes nothing"


@pytest.mark.parametrize("timed", [3, 12])
def test_the_warm_up_asks_no_question_whose_time_is_taken_next(
    timed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Written("base")
    config = ExperimentConfig(**{**written.config(), "latency_questions": timed})
    experiment = start_experiment(written.experiment.project_id, config, launch=False)
    payload = {"experiment_id": experiment.id}
    run = running.ExperimentRun(JobContext("job", payload, tmp_path, project_id=experiment.project_id), experiment.id)
    asked: list[Any] = []
    monkeypatch.setattr(running, "perform", lambda row, request, parts, **how: asked.append(request))
    ids = experiment.config["latency_example_ids"]
    approach_id = experiment.config["approach_ids"][0]
    run.parts = {approach_id: None}  # type: ignore[dict-item]  # nothing is asked of it
    run._warm_up(tb.Answer(approach_id=approach_id, example_id=ids[0]), ids)
    [request] = asked
    assert request.question == run.examples[request.example_id].question
    assert request.example_id not in (ids if timed == 3 else ids[:1]), "a server may have kept that prompt"


@pytest.mark.parametrize("preset", ["rag", "whole_context", "base"])
def test_an_experiment_says_that_documents_it_read_were_deleted_since(preset: str) -> None:
    experiment = Written(preset).experiment
    found = knowledge.documents(knowledge.default_kb(experiment.project_id).id)
    knowledge.edit_document(found[0].id, "# Nothing\n\nIs left of it.\n")
    knowledge.refresh_index(found[0].knowledge_base_id)
    assert removed_sources(experiment.id) is None, "the earlier text is kept"
    knowledge.delete_document(found[1].id)
    with read() as session:
        project = session.get_one(tb.Project, experiment.project_id)
    said = [
        note["params"] for note in decide_experiment(project, experiment.id).notes if note["code"] == "source_removed"
    ]
    assert said == ([] if preset == "base" else [{"removed": 1, "total": len(found)}])
