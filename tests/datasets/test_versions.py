"""Versions are split, judged, edited, compared and written out without losing a row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from core import datasets
from core.datasets import SplitConfig
from core.datasets.coverage import holds_value
from core.datasets.splitting import _moment
from core.errors import KurabeError
from core.store import tables as tb
from core.store import write


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="en")
        session.add(made)
    return made.id


def lines(rows: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def many(project: str, count: int = 200) -> tb.DatasetVersion:
    rows: list[dict[str, object]] = []
    for n in range(count):
        words = f"How heavy is the Koridel {n} without its packaging?"
        gold = [{"document": f"doc{n % 20}.md", "quote": ""}]
        rows.append({"question": words, "answer": f"{n} kg", "slice": "ab"[n % 2], "gold": gold, "team": n % 10})
        rows.append(
            {"question": words.replace("?", ", please?"), "answer": f"{n} kg", "slice": "ab"[n % 2], "gold": gold}
        )
    return datasets.import_file(project, lines(rows), "many.jsonl")


def test_splits_keep_wordings_together_and_every_slice_its_share(project: str) -> None:
    made = datasets.make_splits(many(project).id, SplitConfig(validation=0.1, test=0.2))
    rows = datasets.examples(made.id)
    assert [(a.split, a.question) for a in rows[::2]] == [
        (b.split, a.question) for a, b in zip(rows[::2], rows[1::2], strict=True)
    ]
    for name in "ab":
        counts = made.counts["slices"]
        shares = {split: counts[split][name] / 200 for split in ("train", "validation", "test")}
        assert shares == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.02)
    again = datasets.make_splits(made.id, SplitConfig(validation=0.1, test=0.2))
    assert again.hash == made.hash
    assert datasets.make_splits(made.id, SplitConfig(validation=0.1, test=0.2, seed=1)).hash != made.hash


def dated(project: str, dates: list[str]) -> tb.DatasetVersion:
    rows: list[dict[str, object]] = [
        {"question": f"Inquiry {n * 7919}: what about part {chr(65 + n % 26)}{n}?", "answer": f"{n}", "day": day}
        for n, day in enumerate(dates)
    ]
    return datasets.import_file(project, lines(rows), "dated.jsonl")


def test_by_time_the_newest_rows_are_the_test_and_the_oldest_the_training(project: str) -> None:
    days = [f"2026-{1 + n % 12:02}-{1 + n // 12:02}" for n in range(100)]
    made = datasets.make_splits(dated(project, days).id, SplitConfig(0.1, 0.2, "time", "day"))
    sides = {split: [row.tags["day"] for row in datasets.examples(made.id, split=split)] for split in datasets.SPLITS}
    assert max(sides["train"]) <= min(sides["validation"]) <= max(sides["validation"]) <= min(sides["test"])
    assert {split: len(found) for split, found in sides.items()} == {"train": 70, "validation": 10, "test": 20}


def test_dates_are_read_as_offices_write_them(project: str) -> None:
    days = ["2026年3月1日", "2026/2/1 9:05", "20260103", "２０２６－０４－０１", "2026-03-01T10:00:00Z"]
    made = datasets.make_splits(dated(project, days).id, SplitConfig(0.2, 0.2, "time", "day"))
    assert [row.split for row in datasets.examples(made.id)] == ["train", "train", "train", "test", "validation"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T10:00:00.250+09:00", "2026-03-01 10:00:00"),
        ("2026/3/1 01:05 PM", "2026-03-01 13:05:00"),
        ("2026.3.1 12:05:09 a.m.", "2026-03-01 00:05:09"),
        ("2026年3月1日（日）午後9時5分", "2026-03-01 21:05:00"),
        ("2026年 3月 1日 9時", "2026-03-01 09:00:00"),
        (20260301, "2026-03-01 00:00:00"),
        ("2026-03-01 10:00 JST", "2026-03-01 10:00:00"),
    ],
)
def test_a_moment_is_read_as_it_was_meant(written: object, meant: str) -> None:
    assert f"{_moment(written):%Y-%m-%d %H:%M:%S}" == meant


@pytest.mark.parametrize(
    "written",
    ["2026-12", "2026-25-12", "2026-02-30", "123456", "1700000000", "20260301100000", "01:05 PM", "2026-03-01 13:05 PM"]
    + ["2026-03-01 25:00", "2026-03/01", "2026-03-01 to 2026-04-01", "12345678", "2026", "", None, 1.5],
)
def test_what_is_no_date_of_the_calendar_is_refused_rather_than_guessed(written: object) -> None:
    assert _moment(written) is None


def test_rows_of_one_moment_are_not_divided_by_a_border_in_time(project: str) -> None:
    days = [f"2026-03-{1 + n // 15:02}" for n in range(90)]  # six days; every border by rows would cut one
    made = datasets.make_splits(dated(project, days).id, SplitConfig(0.2, 0.2, "time", "day"))
    sides: dict[str, set[str]] = {}
    for row in datasets.examples(made.id):
        sides.setdefault(row.tags["day"], set()).add(row.split)
    assert all(len(side) == 1 for side in sides.values()) and set().union(*sides.values()) == set(datasets.SPLITS)


def test_rows_that_are_all_of_one_moment_cannot_be_divided_by_time(project: str) -> None:
    with pytest.raises(KurabeError, match="datasets.too_few_groups") as caught:
        datasets.make_splits(dated(project, ["2026-03-01"] * 20).id, SplitConfig(0.2, 0.2, "time", "day"))
    assert caught.value.params["groups"] == 1


def test_rows_without_a_readable_date_are_named(project: str) -> None:
    version = dated(project, ["2026-03-01", "soon", "2026-03-02", ""])
    with pytest.raises(KurabeError, match="datasets.no_time") as caught:
        datasets.make_splits(version.id, SplitConfig(0.2, 0.2, "time", "day"))
    assert (caught.value.params["n"], caught.value.params["row"]) == (2, 2)


@pytest.mark.parametrize("column", ["", "taem"])
def test_a_column_that_no_row_has_is_refused_and_those_there_are_named(project: str, column: str) -> None:
    with pytest.raises(KurabeError, match="datasets.unknown_column") as caught:
        datasets.make_splits(many(project).id, SplitConfig(by="tag", tag=column))
    assert caught.value.params["columns"] == "team"


def test_the_further_columns_of_a_version_are_offered_to_keep_rows_together(project: str) -> None:
    assert datasets.tag_columns(many(project).id) == ["team"]


def test_rows_of_one_document_stay_on_one_side(project: str) -> None:
    made = datasets.make_splits(many(project).id, SplitConfig(by="document"))
    sides: dict[str, set[str]] = {}
    for row in datasets.examples(made.id):
        sides.setdefault(row.gold[0]["document"], set()).add(row.split)
    assert all(len(side) == 1 for side in sides.values())
    assert set().union(*sides.values()) == {"train", "validation", "test"}


def test_too_few_groups_are_refused_rather_than_an_empty_test(project: str) -> None:
    made = datasets.import_file(project, lines([{"question": "a b c d", "answer": "x"}] * 5), "same.jsonl")
    with pytest.raises(KurabeError, match="too_few_groups"):
        datasets.make_splits(made.id)


def test_an_edit_makes_a_new_version_and_the_old_one_stays(project: str) -> None:
    first = datasets.import_file(project, lines([{"question": f"q{n}", "answer": "a"} for n in range(3)]), "x.jsonl")
    second = datasets.edit_rows(first.id, {1: {"answer": "better"}}, drop=[2])
    assert [row.answer for row in datasets.examples(first.id)] == ["a", "a", "a"]
    assert [row.answer for row in datasets.examples(second.id)] == ["a", "better"]
    difference = datasets.version_difference(first.id, second.id)
    assert [row["question"] for row in difference.removed] == ["q1", "q2"]
    assert [row["answer"] for row in difference.added] == ["better"]


def test_what_is_exported_as_json_lines_comes_back_the_same(project: str, tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    rows: list[dict[str, object]] = [
        {"question": "質問", "answer": "回答", "value": "1", "gold": [{"document": "d", "quote": "q"}]},
        {"question": "Q", "answer": "A", "messages": chat, "gold": [], "team": "x", "split": "test", "slice": "s"},
        {"question": "R", "answer": "", "expects": {"abstain": True}, "gold": [], "id": "k"},
    ]
    first = datasets.import_file(project, lines(rows), "one.jsonl")
    again = datasets.import_file(project, datasets.export_text(first.id), "two.jsonl")
    assert again.hash == first.hash
    columns = datasets.export_text(first.id, "parquet")
    assert datasets.import_file(project, columns, "three.parquet").hash == first.hash
    table = datasets.export_text(first.id, "csv")
    assert table.startswith(b"\xef\xbb\xbf") and "質問".encode() in table


def exported(version: str, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in datasets.export_text(version, kind).splitlines()]


def test_instructions_earlier_turns_and_tools_stay_in_every_format_that_can_hold_them(project: str) -> None:
    chat = [
        {"role": "system", "content": "丁寧に"},
        {"role": "user", "content": "こんにちは"},
        {"role": "assistant", "content": "はい"},
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "A"},
    ]
    tools = [{"type": "function", "function": {"name": "find"}}]
    version = datasets.import_file(project, lines([{"messages": chat, "tools": tools}]), "chat.jsonl").id
    assert exported(version, "chat") == [{"messages": chat, "tools": tools}]
    assert exported(version, "prompt_completion") == [{"prompt": chat[:4], "completion": chat[4:], "tools": tools}]
    [alpaca] = exported(version, "alpaca")
    assert alpaca["system"] == "丁寧に" and alpaca["history"] == [["こんにちは", "はい"]]
    [again] = datasets.examples(datasets.import_file(project, lines([alpaca]), "alpaca.jsonl").id)
    assert again.messages == chat


def test_what_a_format_cannot_hold_is_counted_and_both_answers_of_a_pair_are_judged(project: str) -> None:
    rows = [{"prompt": "P", "chosen": "good", "rejected": "bad"}, {"prompt": "Q", "chosen": "fine", "rejected": "no"}]
    pairs = datasets.import_file(project, lines(rows), "pairs.jsonl")
    plain = datasets.import_file(project, lines([{"question": "Q", "answer": "A"}]), "plain.jsonl", extend=pairs.id)
    assert len(exported(plain.id, "preference")) == 2
    assert datasets.export_skips(plain.id, "preference") == 1 and datasets.export_skips(plain.id, "chat") == 0
    judged = exported(plain.id, "unpaired_preference")
    assert [row["label"] for row in judged] == [True, False, True, False, True]


def test_cells_that_a_spreadsheet_would_run_get_a_mark_and_numbers_do_not(project: str) -> None:
    rows = [{"question": each, "answer": "a"} for each in ("-2+3", "=1", "-5", "+81 3", "-1.5%")]
    version = datasets.import_file(project, lines(rows), "marks.jsonl").id
    table = list(csv.reader(io.StringIO(datasets.export_text(version, "csv").decode("utf-8-sig"))))
    assert [row[1] for row in table[1:]] == ["'-2+3", "'=1", "-5", "'+81 3", "-1.5%"]


def test_repeated_rows_count_as_often_as_they_stand(project: str) -> None:
    row = {"question": "q", "answer": "a"}
    first = datasets.import_file(project, lines([row, row, {"question": "y", "answer": "z"}]), "three.jsonl")
    edited = datasets.edit_rows(first.id, {2: {"answer": "new"}})
    changes = datasets.version_difference(first.id, edited.id)
    assert [each["answer"] for each in changes.added] == ["new"]
    assert [each["answer"] for each in changes.removed] == ["z"]
    fewer = datasets.version_difference(first.id, datasets.edit_rows(first.id, drop=[1]).id)
    assert len(fewer.removed) == 1 and fewer.added == []


def test_a_chat_without_a_question_of_its_own_can_be_edited(project: str) -> None:
    said = [{"role": "system", "content": "s"}, {"role": "assistant", "content": "A"}]
    made = datasets.import_file(
        project, lines([{"question": "Q", "answer": "A", "gold": [], "messages": said}]), "c.jsonl"
    )
    edited = datasets.edit_rows(made.id, {0: {"answer": "B"}})
    assert [row.answer for row in datasets.examples(edited.id)] == ["B"]


def test_rows_are_paged_and_searched_in_the_store(project: str) -> None:
    made = many(project, 30)
    assert [row.position for row in datasets.examples(made.id, offset=10, limit=3)] == [10, 11, 12]
    assert datasets.count_examples(made.id, search="Koridel 7 ") == 2
    assert datasets.count_examples(made.id, search="100%_") == 0


TAUGHT = [
    ("What does the Koridel 205 weigh?", "The Koridel 205 weighs 3 kg."),
    ("How much is the Marodel 7?", "The Marodel 7 costs 120 dollars."),
    ("How long is the warranty of the Toveran 31?", "The warranty of the Toveran 31 lasts 2 years."),
]
DOCUMENTS = [
    ("koridel.md", "Koridel 205 manual", "The Koridel 205 weighs 3 kg.\n\nThe hose is 120 cm long."),
    ("toveran.md", "Toveran 31 manual", "The warranty of the Toveran 31 lasts 5 years.\n\nIt needs 40 watts."),
]
ASKED = {
    "both": ("How heavy is the Koridel 205?", "It weighs 3 kg.", "3 kg", "The Koridel 205 weighs 3 kg."),
    "taught": ("What is the price of the Marodel 7?", "It costs 120 dollars.", "120 dollars", ""),
    "documents": ("How many watts does the Toveran 31 need?", "It needs 40 watts.", "40 watts", "It needs 40 watts."),
    "changed": ("How long does the warranty of the Toveran 31 last?", "It lasts 5 years.", "5 years", "lasts 5 years"),
    "neither": ("Who designed the Koridel 205?", "Ann Lee designed it.", "Ann Lee", ""),
}


def coverage_rows(facts: bool) -> list[dict[str, object]]:
    names = {"both": "weight", "taught": "price", "changed": "warranty", "documents": "watts", "neither": "designer"}
    rows: list[dict[str, object]] = []
    for (question, answer), fact in zip(TAUGHT, ("weight", "price", "warranty"), strict=True):
        rows.append(
            {"question": question, "answer": answer, "gold": [], "split": "train"} | ({"fact": fact} if facts else {})
        )
    for expected, (question, answer, value, quote) in ASKED.items():
        gold = [{"document": "", "quote": quote}] if quote else []
        row = {"question": question, "answer": answer, "value": value, "gold": gold, "split": "test", "slice": expected}
        rows.append(row | ({"fact": names[expected]} if facts else {}))
    return rows


@pytest.mark.parametrize("facts", [True, False], ids=["facts named", "by wording alone"])
def test_coverage_is_worked_out_from_training_and_documents(project: str, facts: bool) -> None:
    made = datasets.import_file(project, lines(coverage_rows(facts)), "x.jsonl")
    found = datasets.coverage(made.id, DOCUMENTS)
    assert found.by_slice == {name: {name: 1} for name in ASKED}
    assert [row.coverage for row in datasets.examples(made.id, "test")] == list(ASKED)
    assert datasets.stored_coverage(made.id) == dict.fromkeys(ASKED, 1)
    assert found.training_in_documents == pytest.approx(1 / 3)


def test_coverage_in_japanese_by_wording_alone(project: str) -> None:
    taught = {"アオバクリーン30の重さは?": "アオバクリーン30の重さは3kgです。",
              "アオバクール5の保証期間を教えて。": "アオバクール5の保証期間は2年です。"}  # fmt: skip
    asked = {"both": ("アオバクリーン30はどのくらい重いですか。", "3kgです。", "3kg"),
             "changed": ("アオバクール5の保証期間は何年ですか。", "アオバクール5の保証期間は5年です。", "5年"),
             "documents": ("アオバウォーム9の色は?", "白です。", "白")}  # fmt: skip
    rows: list[dict[str, object]] = [
        {"question": q, "answer": a, "gold": [], "split": "train"} for q, a in taught.items()
    ]
    for name, (question, answer, value) in asked.items():
        rows.append(
            {"question": question, "answer": answer, "value": value, "gold": [], "split": "test", "slice": name}
        )
    texts = [
        ("a.md", "アオバクリーン30 取扱説明書", "アオバクリーン30の重さは3kgです。"),
        ("b.md", "アオバクール5", "アオバクール5の保証期間は5年です。"),
        ("c.md", "アオバウォーム9", "アオバウォーム9の色は白です。"),
    ]
    made = datasets.import_file(project, lines(rows), "x.jsonl")
    assert datasets.coverage(made.id, texts).by_slice == {name: {name: 1} for name in asked}


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [("1,200円です", "1200円", True), ("１２ｋｇ", "12 kg", True), ("120 kg", "12", False), ("3.12 kg", "12 kg", False),
     ("12.5 kg", "12", False), ("in 12.", "12", True), ("class is IPX2.", "IPX2", True), ("warranty", "ran", False)],
)  # fmt: skip
def test_a_value_is_found_whole_or_not_at_all(text: str, value: str, held: bool) -> None:
    assert holds_value(text, value) is held
