"""The import form reads an upload once for each way of reading it, not once for each click."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
import streamlit as st

from core.datasets import examples, import_file, latest_version
from core.ui import importing


class Upload(BytesIO):
    """What Streamlit hands over for an uploaded file."""

    def __init__(self, data: bytes, name: str, file_id: str) -> None:
        super().__init__(data)
        self.name = name
        self.file_id = file_id


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every time that a whole file is read, with the options."""
    found: list[dict[str, Any]] = []
    real = importing.preview

    def counted(path: Any, name: str, **options: Any) -> Any:
        found.append(options)
        return real(path, name, **options)

    importing._read_once.clear()
    monkeypatch.setattr(importing, "preview", counted)
    monkeypatch.setattr(st, "session_state", {})
    return found


def test_a_file_is_read_once_however_often_the_page_is_drawn(reads: list[dict[str, Any]]) -> None:
    upload: Any = Upload("質問,回答\nq,a\n".encode(), "a.csv", "1")
    first = [importing._look(upload, {}).rows[0].question for _ in range(5)]
    assert (first, len(reads)) == (["q"] * 5, 1)
    importing._look(upload, {"mapping": {"question": "回答"}})
    importing._look(upload, {"mapping": {"question": "回答"}})
    assert len(reads) == 2, "another way of reading is another reading"


def test_the_same_bytes_uploaded_again_are_known_and_other_bytes_are_not(reads: list[dict[str, Any]]) -> None:
    for number, data in enumerate((b"question,answer\na,b\n", b"question,answer\na,b\n", b"question,answer\nc,d\n")):
        upload: Any = Upload(data, "a.csv", str(number))
        importing._look(upload, {})
    assert len(reads) == 2


def test_mended_cells_are_another_reading_and_the_list_of_bad_cells_stays(
    reads: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload: Any = Upload("質問,回答,カテゴリ\nq,#N/A,x\n".encode(), "a.csv", "1")
    seen = importing._look(upload, {})
    assert [(problem.row, problem.column) for problem in seen.problems] == [(2, "回答")]
    mended = importing._look(upload, {"fixes": {"2": {"回答": "a"}}})
    assert not mended.problems and mended.rows[0].answer == "a" and mended.rows[0].slice == "x"
    monkeypatch.setattr(st, "data_editor", lambda rows, **_: [{**rows[0], list(rows[0])[-1]: " a "}])
    for look in (seen, mended):
        assert importing._draw_fixes(upload, look) == {"2": {"回答": "a"}}


def test_the_first_rows_are_shown_as_each_encoding_reads_them() -> None:
    upload: Any = Upload("質問,回答\n電話番号は?,0120です。\n".encode("euc_jp"), "a.csv", "7")
    for name, right in (("euc_jp", True), ("latin-1", False)):
        [row] = importing._begins("digest", "a.csv", name, upload)
        assert ("電話番号は?" in row.values()) is right


def test_a_row_that_is_saved_becomes_a_new_version(empty: Any) -> None:
    from streamlit.testing.v1 import AppTest

    def page(version: str) -> None:
        from core.datasets import examples
        from core.ui.questions import _draw_edit

        _draw_edit(examples(version)[0])

    made = import_file(empty.id, b'{"question": "q", "answer": "a"}', "rows.jsonl")
    app = AppTest.from_function(page, args=(made.id,)).run()
    app.text_area[1].input("better")
    app.button[0].click().run()
    assert not app.exception
    newest = latest_version(empty.id)
    assert newest is not None and [row.answer for row in examples(newest.id)] == ["better"]
    assert [row.answer for row in examples(made.id)] == ["a"]


def test_a_wrong_gold_passage_is_corrected_where_its_row_stands(empty: Any) -> None:
    from streamlit.testing.v1 import AppTest

    def page(version: str) -> None:
        from core.datasets import examples
        from core.ui.questions import _draw_edit

        _draw_edit(examples(version)[0])

    gold = [{"document": "old.md", "quote": "It cost 3."}, {"document": "b.md", "quote": "Also."}]
    row = json.dumps({"question": "q", "answer": "a", "gold": gold}).encode()
    made = import_file(empty.id, row, "rows.jsonl")
    app = AppTest.from_function(page, args=(made.id,)).run()
    app.text_input[0].input("4 kg")
    app.text_input[1].input("new.md")
    app.text_area[2].input("It costs 4.")
    app.button[0].click().run()
    assert not app.exception
    newest = latest_version(empty.id)
    assert newest is not None
    [edited] = examples(newest.id)
    assert edited.gold == [{"document": "new.md", "quote": "It costs 4."}, gold[1]] and edited.value == "4 kg"
    app = AppTest.from_function(page, args=(newest.id,)).run()
    app.button[0].click().run()
    assert latest_version(empty.id).id == newest.id  # type: ignore[union-attr]  # there is one: nothing was changed
