"""Licences of datasets: asked at import or said later, handed on to every version that is made of one."""

from __future__ import annotations

import json

import pytest

from core import datasets
from core.datasets import kept_licence, licence_of, set_licence
from core.datasets.licences import joined_licence
from core.errors import KurabeError
from core.projects import SAMPLES, load_sample
from core.store import tables as tb
from core.store import write


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="en")
        session.add(made)
    return made.id


def lines(*numbers: int) -> bytes:
    return "\n".join(json.dumps({"question": f"Question {n}?", "answer": f"Answer {n}."}) for n in numbers).encode()


def take(project: str, *numbers: int, licence: str = "", extend: str | None = None) -> tb.DatasetVersion:
    return datasets.import_file(project, lines(*numbers), "rows.jsonl", licence=licence, extend=extend)


def test_the_licence_that_an_import_names_is_that_of_every_version_made_of_it(project: str) -> None:
    made = take(project, *range(12), licence=" CC-BY-4.0 ")
    assert licence_of(datasets.version(made.id)) == "CC-BY-4.0"
    edited = datasets.edit_rows(made.id, {0: {"answer": "Another answer."}})
    split = datasets.make_splits(edited.id)
    assert [licence_of(datasets.version(row.id)) for row in (edited, split)] == ["CC-BY-4.0"] * 2


def test_rows_from_two_sources_are_under_both_licences_and_unknown_if_one_is(project: str) -> None:
    first = take(project, 1, licence="CC-BY-4.0")
    second = take(project, 2, licence="MIT", extend=first.id)
    assert licence_of(second) == "CC-BY-4.0 + MIT"
    assert licence_of(take(project, 3, licence="MIT", extend=second.id)) == "CC-BY-4.0 + MIT"
    assert licence_of(take(project, 4, extend=second.id)) == ""
    assert licence_of(datasets.version(second.id)) == "CC-BY-4.0 + MIT", "what was known of the old rows stays"
    assert joined_licence("", "") == ""


def test_a_licence_is_said_later_and_the_version_stays_the_same(project: str) -> None:
    made = take(project, 1, 2)
    assert licence_of(made) == ""
    known = set_licence(made.id, "House data, internal use")
    assert (known.id, known.hash, licence_of(known)) == (made.id, made.hash, "House data, internal use")
    assert known.lineage["files"][0]["name"] == "rows.jsonl"
    assert licence_of(set_licence(made.id, "")) == ""
    again = take(project, 1, 2, licence="MIT")
    assert again.id == made.id and licence_of(datasets.version(made.id)) == "MIT", "the same rows, now with a licence"


def test_a_whole_text_is_no_name_and_nothing_is_imported_with_it(project: str) -> None:
    with pytest.raises(KurabeError, match=r"datasets\.licence_long"):
        take(project, 1, licence="word " * 50)
    assert datasets.latest_version(project) is None
    with pytest.raises(KurabeError, match=r"store\.missing"):
        set_licence("nowhere", "MIT")


def test_the_samples_are_under_the_licence_of_kurabe(home: object) -> None:
    newest = datasets.latest_version(load_sample(next(iter(SAMPLES))).id)
    assert newest is not None and licence_of(newest) == "Apache-2.0"


def test_a_known_licence_stays_when_the_same_rows_come_again_under_another_one(project: str) -> None:
    made = take(project, 1, 2, licence="CC-BY-4.0")
    again = take(project, 1, 2, licence="MIT")
    assert again.id == made.id and licence_of(datasets.version(made.id)) == "CC-BY-4.0"
    assert kept_licence(again, "MIT") == "CC-BY-4.0" and kept_licence(again, "CC-BY-4.0") == ""
    bad = b'{"question": "", "answer": "A"}'
    none = datasets.import_file(project, bad, "bad.jsonl", extend=made.id, on_problem="leave_out", licence="MIT")
    assert none.id == made.id and licence_of(datasets.version(made.id)) == "CC-BY-4.0", "none of its rows is here"
