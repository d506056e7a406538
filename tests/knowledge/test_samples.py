"""The shipped samples: every document is read, retrieval finds the passages, coverage is what the slices say."""

from __future__ import annotations

import pytest

from core import datasets, knowledge
from core.knowledge import IndexConfig
from core.projects.samples import load_sample


@pytest.mark.parametrize("language", ["en", "ja"])
def test_retrieval_on_a_sample_finds_the_gold_passages(language: str) -> None:
    project = load_sample(language)
    kb = knowledge.default_kb(project.id)
    found = knowledge.documents(kb.id)
    assert len(found) >= 60 and not [document.notes for document in found if document.notes]
    index = knowledge.build_index(kb.id, IndexConfig(embedder="none", tokenizer="estimate"))
    questions = datasets.latest_version(project.id)
    assert questions is not None
    report = knowledge.judge_search(index.id, knowledge.questions_with_gold(questions.id), k=4)
    assert report.not_indexed == ()
    assert report.best.recall.estimate > 0.95
    covered = knowledge.dataset_coverage(kb.id, questions.id).by_slice
    usual = {name: max(counts, key=lambda where: counts[where]) for name, counts in covered.items()}
    assert {name: usual[name] for name in ("taught", "documents_only", "changed", "absent", "triage")} == {
        "taught": "both",
        "documents_only": "documents",
        "changed": "changed",
        "absent": "neither",
        "triage": "taught",
    }
