"""Every document of the corpus gives exactly the text or the error that stands beside it."""

from __future__ import annotations

import pytest

from core.errors import KurabeError
from core.i18n import describe, use_language
from core.knowledge import add_documents, default_kb, documents
from core.store import tables as tb
from core.store import write
from tests.knowledge.corpus import CASES, Case, Read, Refused

IDS = [f"{number}: {case.name}: {case.title}" for number, case in enumerate(CASES, 1)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_document_gives_its_text_or_its_error(case: Case) -> None:
    with write() as session:
        project = tb.Project(name="Test", language="ja")
        session.add(project)
    check(case, default_kb(project.id).id)


def check(case: Case, base_id: str) -> None:
    failures: list[KurabeError] = []
    add_documents(base_id, [(case.name, case.bytes())], failures=failures)
    kept = {document.name: document.text for document in documents(base_id)}
    if isinstance(case.expected, Read):
        assert failures == []
        assert kept == case.expected.texts
        assert [note["code"] for document in documents(base_id) for note in document.notes] == list(case.expected.notes)
    else:
        refused(case.expected, failures, case.name)
        assert kept == case.expected.others


def refused(expected: Refused, failures: list[KurabeError], name: str) -> None:
    [error] = failures
    assert error.code == expected.code
    assert {key: error.params[key] for key in expected.params} == expected.params
    assert error.params["name"] == expected.params.get("name", name)
    for language in ("en", "ja"):
        use_language(language)
        assert describe(error)
