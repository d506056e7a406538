"""A workbook with several sheets: one is chosen, the others are named, and no other format pretends to have any."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datasets import examples, import_file, preview, sheets_of
from core.errors import KurabeError
from core.projects import create_project
from tests.cli.running import done, run
from tests.datasets.corpus import workbook

ROWS: list[list[object]] = [["質問", "回答"], ["赤い灯は?", "一番です。"]]
OTHER: list[list[object]] = [["質問", "回答"], ["青い灯は?", "二番です。"], ["緑の灯は?", "三番です。"]]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook(("一般", ROWS), ("空", []), ("法人", OTHER)))
    return path


def test_sheets_with_cells_are_named_and_the_first_is_taken(book: Path) -> None:
    assert sheets_of(book, "book.xlsx") == ("一般", "法人")
    seen = preview(book)
    assert (seen.sheet, seen.sheets, seen.row_count) == ("一般", ("一般", "法人"), 1)
    assert [(note["code"], note["params"]["others"]) for note in seen.notes] == [("other_sheets", "法人")]


def test_another_sheet_is_read_when_it_is_named(book: Path) -> None:
    seen = preview(book, sheet="法人")
    assert seen.row_count == 2 and seen.notes[0]["params"] == {"sheet": "法人", "others": "一般"}
    made = import_file(create_project("P", "ja").id, book, "book.xlsx", sheet="法人")
    assert [row.answer for row in examples(made.id)] == ["二番です。", "三番です。"]
    [file] = made.lineage["files"]
    assert file["sheet"] == "法人" and file["notes"][0]["code"] == "other_sheets"


@pytest.mark.parametrize("name", ["法", "空"])
def test_a_sheet_that_is_not_there_or_empty_is_refused_with_those_there_are(book: Path, name: str) -> None:
    with pytest.raises(KurabeError) as raised:
        preview(book, sheet=name)
    assert raised.value.code == "datasets.unknown_sheet" and raised.value.params["known"] == "一般, 法人"


def test_a_sheet_of_a_format_without_sheets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("question,answer\nq,a\n")
    assert sheets_of(path, "a.csv") == ()
    with pytest.raises(KurabeError, match=r"datasets\.no_sheets"):
        preview(path, sheet="FAQ")


def test_the_command_takes_a_sheet_names_the_others_and_shows_tokens(book: Path) -> None:
    create_project("Shop", "ja")
    made = done("dataset", "import", "--project", "Shop", book, "--sheet", "法人")
    assert "一般" in made.stderr and "2" in made.stdout
    refused = run("dataset", "import", "--project", "Shop", book, "--sheet", "無い")
    assert refused.exit_code != 0 and "一般, 法人" in refused.stderr
    shown = done("dataset", "preview", book, "--sheet", "法人", "--tokens", "starter", "--language", "ja").stdout
    assert '"learned": true' in shown and "token_views" in shown
