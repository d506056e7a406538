"""What each context puts into the prompt, on a real index and with the starter's tokenizer."""

from __future__ import annotations

from dataclasses import fields
from itertools import islice
from typing import Any

import pytest

from core.approaches import CONTEXTS, Demonstration, Gathered, ProjectSources, ensure_presets, load_parts
from core.approaches.contexts.few_examples import spread
from core.errors import KurabeError
from core.i18n import LANGUAGES
from core.i18n.catalogue import catalogue
from core.store import tables as tb
from tests.approaches.world import PRODUCTS, make_project, rows

QUESTION = "How long is the warranty of the Amber Kettle?"
GOLD = [{"document": "Amber Kettle.md", "quote": "The warranty period of the Amber Kettle is 24 months."}]


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> tb.Project:
    monkeypatch.setenv("KURABE_MODEL_URL", "http://127.0.0.1:9/v1")  # no test here calls a model
    from core.settings import reset_settings

    reset_settings()
    return make_project()


def gather(project: tb.Project, preset: str, gold: list[dict[str, Any]] | None = None, **changes: Any) -> Gathered:
    approach = next(a for a in ensure_presets(project.id) if a.preset == preset)
    parts = load_parts(approach, ProjectSources(project.id))
    context = CONTEXTS.build({**parts.spec.context, **changes})
    return context.gather(parts.gather_input(QUESTION, None if gold is None else lambda: gold))


def test_few_examples_are_the_same_for_every_question_and_never_the_asked_one() -> None:
    pool = [Demonstration(f"q{n}", f"a{n}", "xyz"[n % 3]) for n in range(9)]
    first = [d.question for d in spread(pool, "another", 0)]
    assert sorted(first) == sorted(d.question for d in pool)
    assert {d.slice for d in islice(spread(pool, "another", 0), 3)} == {"x", "y", "z"}
    assert [q for q in first if q != "q4"] == [d.question for d in spread(pool, " Q4 ", 0)]
    assert first != [d.question for d in spread(pool, "another", 1)]


def test_few_examples_come_from_the_training_split(project: tb.Project) -> None:
    training = {str(r["question"]) for r in rows() if r["split"] == "train"}
    gathered = gather(project, "few_shot")
    assert len(gathered.examples) == 4 and {q for q, _ in gathered.examples} <= training
    assert gathered.notes == {"examples": 4, "examples_available": 12}


def test_many_examples_fill_the_budget_and_say_how_many(project: tb.Project) -> None:
    assert gather(project, "many_shot").notes["examples"] == 12
    assert gather(project, "many_shot", most=5).notes["examples"] == 5


def test_retrieved_passages_come_with_their_ranks(project: tb.Project) -> None:
    gathered = gather(project, "rag")
    assert gathered.passages[0].title.startswith("Amber Kettle")
    assert gathered.hits[0].text_rank == 1 and gathered.hits[0].chunk_id == gathered.passages[0].chunk_id
    assert gathered.search is not None and gathered.search.spans["search"] > 0


def test_whole_documents_are_complete_or_refused_with_the_excess(project: tb.Project) -> None:
    assert len(gather(project, "whole_context").passages) == len(PRODUCTS)
    approach = next(a for a in ensure_presets(project.id) if a.preset == "whole_context")
    parts = load_parts(approach, ProjectSources(project.id))
    given = parts.gather_input(QUESTION, None)
    from dataclasses import replace

    with pytest.raises(KurabeError) as caught:
        parts.context.gather(replace(given, budget=100))
    params = caught.value.params
    assert caught.value.code == "approaches.too_long" and params["over"] == params["needed"] - 100 > 0


def test_passages_that_do_not_fit_are_left_out_and_counted(project: tb.Project) -> None:
    from dataclasses import replace

    approach = next(a for a in ensure_presets(project.id) if a.preset == "rag")
    parts = load_parts(approach, ProjectSources(project.id))
    given = parts.gather_input(QUESTION, None)
    one = given.cost((), (parts.context.gather(given).passages[0],))
    gathered = parts.context.gather(replace(given, budget=one))
    assert len(gathered.passages) == 1 and gathered.notes["passages_left_out"] == 3


def test_perfect_search_shows_the_gold_passage_and_ordinary_hits_where_there_is_none(project: tb.Project) -> None:
    found = gather(project, "oracle_context", GOLD)
    assert [hit.document_name for hit in found.hits] == ["Amber Kettle.md"] and found.search is None
    absent = gather(project, "oracle_context", [])
    assert absent.search is not None and absent.notes["gold"] == 0 and absent.passages
    with pytest.raises(KurabeError, match="gold_unknown"):
        gather(project, "oracle_context", None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_context_and_every_field_is_explained(language: Any) -> None:
    known = catalogue(language)
    for name, context in CONTEXTS.all().items():
        assert {f"approaches.context.{name}", f"approaches.context.{name}.help"} <= known.keys()
        for spec in fields(context):
            assert spec.metadata["help"] in known
            assert spec.metadata["help"].removesuffix(".help") in known
