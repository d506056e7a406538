"""Odd and hostile files: a correct import or the exact reason, and never a row lost in silence."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import datasets
from core.errors import KurabeError
from core.store import tables as tb
from core.store import write


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="ja")
        session.add(made)
    return made.id


def place(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def questions(project: str, data: bytes, name: str, **more: object) -> list[str]:
    made = datasets.import_file(project, data, name, **more)  # type: ignore[arg-type]  # test options
    return [row.question for row in datasets.examples(made.id)]


def test_excel_below_title_rows_on_the_second_sheet(project: str, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["社内FAQ"],
        [None],
        ["No.", "質問", "回答"],
        [1, "送料は?", 500],
        [None],
        [2.0, "返品は?", "30日"],
    ]
    data = workbook(("表紙", []), ("FAQ", rows), ("メモ", [["x"]]))
    seen = datasets.preview(place(tmp_path, "a.xlsx", data))
    assert [note["code"] for note in seen.notes] == ["title_rows", "other_sheets"]
    made = datasets.import_file(project, data, "a.xlsx")
    assert [(r.key, r.question, r.answer) for r in datasets.examples(made.id)] == [
        ("1", "送料は?", "500"),
        ("2", "返品は?", "30日"),
    ]


def test_formula_errors_are_named_with_their_spreadsheet_row(tmp_path: Path) -> None:
    data = workbook(("s", [["question", "answer"], ["a", "b"], ["c", "#REF!"]]))
    [problem] = datasets.preview(place(tmp_path, "a.xlsx", data)).problems
    assert (problem.row, problem.column, problem.code, problem.found) == (3, "answer", "formula_error", "#REF!")


def test_rows_with_more_cells_than_the_header_are_named_and_shorter_ones_are_filled(tmp_path: Path) -> None:
    seen = datasets.preview(place(tmp_path, "a.csv", b"question,answer\na,b,c\nd\ne,f,,\n"))
    assert [(p.row, p.code) for p in seen.problems] == [(2, "extra_cells")]
    assert [(row.question, row.answer) for row in seen.rows] == [("d", ""), ("e", "f")]


def test_cells_may_hold_line_breaks_quotes_and_ten_megabytes(project: str) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["question", "answer"], ["two\nlines", 'say "yes"'], ["long", "あ" * 3_500_000]])
    made = datasets.import_file(project, buffer.getvalue().encode(), "a.csv")
    first, second = datasets.examples(made.id)
    assert (first.question, first.answer, len(second.answer)) == ("two\nlines", 'say "yes"', 3_500_000)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_are_found(project: str, mark: str) -> None:
    text = f"question{mark}answer\nWhat, where?{mark}Here, there\nWho?{mark}You\n"
    assert questions(project, text.encode(), "a.csv") == ["What, where?", "Who?"]


def test_parquet_keeps_types_and_turns_nan_to_nothing(project: str, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"question": ["a", "b"], "answer": [1.5, float("nan")], "slice": ["x", None]}), path)
    made = datasets.import_file(project, path, "a.parquet")
    assert [(row.answer, row.slice) for row in datasets.examples(made.id)] == [("1.5", "x"), ("", "")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"question": "a", "question": "b"}', "duplicate_key"),
        ('{"question": "a", "answer": NaN}', "not_a_number"),
        ('{"question": "a", "answer": {"x": 1}}', "not_text"),
        ('{"question": "\\ud800", "answer": "b"}', "bad_character"),
        ('{"question": null, "answer": "b"}', "empty"),
        ('["a", "b"]', "not_object"),
        ('{"question": "a", "answer": "b", "split": "maybe"}', "unknown_split"),
        ("[" * 100_000, "too_deep"),
        ('{"messages": [{"role": "robot", "content": "x"}]}', "empty"),
    ],
)  # fmt: skip
def test_broken_lines_are_named(tmp_path: Path, text: str, code: str) -> None:
    good = '{"question": "good", "answer": "row"}\n'
    seen = datasets.preview(place(tmp_path, "a.jsonl", (good * 2 + text + "\n" + good).encode()))
    assert (seen.row_count, len(seen.rows)) == (4, 3)
    [problem] = seen.problems
    assert (problem.row, problem.code) == (3, code)


@pytest.mark.parametrize(
    ("messages", "column", "code"),
    [
        ([{"role": "robot", "content": "x"}], "messages[0].role", "unknown_role"),
        ([{"role": "system", "content": "x"}], "messages", "no_user"),
        ([{"role": "user", "content": "x"}], "messages", "no_answer"),
        ("hello", "messages", "not_messages"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], "messages[0].content", "not_text"),
    ],
)
def test_broken_chats_name_the_message(tmp_path: Path, messages: object, column: str, code: str) -> None:
    [problem] = datasets.preview(place(tmp_path, "a.jsonl", json.dumps({"messages": messages}).encode())).problems
    assert (problem.row, problem.column, problem.code) == (1, column, code)


def test_json_arrays_are_streamed_and_json_lines_under_the_wrong_name_are_seen(project: str) -> None:
    rows = [{"question": f"質問{n} {'x' * 5000}", "answer": "a"} for n in range(200)]
    assert len(questions(project, json.dumps(rows, indent=1).encode("utf-16"), "a.json")) == 200
    assert len(questions(project, "\n".join(map(json.dumps, rows)).encode(), "b.json")) == 200
    assert len(questions(project, json.dumps({"meta": 1, "data": rows}).encode(), "c.json")) == 200


def test_an_array_that_is_cut_off_names_the_place(tmp_path: Path) -> None:
    data = json.dumps([{"question": f"q{n}", "answer": "a"} for n in range(5)])[:-30].encode()
    seen = datasets.preview(place(tmp_path, "a.json", data))
    assert len(seen.rows) == 4 and [(p.row, p.code) for p in seen.problems] == [(5, "rest_unread")]


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(project: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (100 << 20))
    with pytest.raises(KurabeError, match="archive_bomb"):
        datasets.import_file(project, path, "bomb.xlsx")


def test_a_wrong_encoding_chosen_by_hand_is_refused(project: str) -> None:
    with pytest.raises(KurabeError, match="wrong_encoding"):
        datasets.import_file(project, "question,answer\n質問,回答\n".encode(), "a.csv", encoding="euc_jp")


def test_a_mapping_by_hand_reads_unknown_columns(project: str) -> None:
    data = "件名,本文,返事\nA,送料は?,500円\n".encode("cp932")
    made = datasets.import_file(project, data, "a.csv", mapping={"question": "本文", "answer": "返事", "slice": "件名"})
    [row] = datasets.examples(made.id)
    assert (row.question, row.answer, row.slice) == ("送料は?", "500円", "A")
    with pytest.raises(KurabeError, match="unknown_column"):
        datasets.import_file(project, data, "a.csv", mapping={"question": "nothing"})


_RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_CELLS = st.text(max_size=30)


@_RELAXED
@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=8))
def test_any_csv_rows_are_kept_or_listed(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("question", "answer"), *rows])
    try:
        data = buffer.getvalue().encode()
    except UnicodeEncodeError:
        return
    filled = sum(1 for row in rows if any(cell.strip() for cell in row))
    try:
        seen = datasets.preview(place(tmp_path, "fuzz.csv", data))
    except KurabeError as error:
        # A NUL makes it no text file; everything else must be read.
        assert error.code == "datasets.binary_file" and b"\0" in data
        return
    assert len(seen.rows) + seen.problem_count == seen.row_count == filled


@_RELAXED
@given(
    lines=st.lists(
        st.one_of(st.text(max_size=40), st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8))),
        max_size=8,
    )
)
def test_any_json_lines_are_kept_or_listed(tmp_path: Path, lines: list[object]) -> None:
    good = '{"question": "q", "answer": "a"}'
    texts = [line.replace("\n", " ") if isinstance(line, str) else json.dumps(line) for line in lines]
    try:
        data = "\n".join([good, *texts]).encode()
    except UnicodeEncodeError:
        return
    filled = 1 + sum(1 for text in texts if text.strip("\r\n \t\ufeff"))
    try:
        seen = datasets.preview(place(tmp_path, "fuzz.jsonl", data))
    except KurabeError as error:
        assert error.code == "datasets.binary_file" and b"\0" in data
        return
    if seen.shape is not None:
        assert len(seen.rows) + seen.problem_count == seen.row_count == filled
