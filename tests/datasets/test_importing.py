"""Files become versions: every row is taken over or named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def test_japanese_headers_below_a_title_row_in_cp932_are_recognised(project: str, tmp_path: Path) -> None:
    text = "社内FAQ一覧,,,\r\n質問,回答,カテゴリ,参照文書\r\n返品はできますか。,30日以内です。,返品,返品規定.md\r\n"
    file = tmp_path / "faq.csv"
    file.write_bytes(text.encode("cp932"))
    seen = datasets.preview(file)
    assert (seen.encoding, seen.shape, seen.row_count, seen.problem_count) == ("cp932", "question_answer", 1, 0)
    assert seen.notes[0]["code"] == "title_rows"
    made = datasets.import_file(project, file, "faq.csv", split="test")
    [row] = datasets.examples(made.id)
    assert (row.question, row.answer, row.slice, row.split) == ("返品はできますか。", "30日以内です。", "返品", "test")
    assert row.gold == [{"document": "返品規定.md", "quote": ""}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "utf-16", "iso2022_jp"])
def test_the_encoding_is_judged_on_the_whole_file(project: str, tmp_path: Path, encoding: str) -> None:
    body = "question,answer\n" + "a,b\n" * 5000 + "有給休暇の申請方法は,サーバーで申請します\n"
    file = tmp_path / "late.csv"
    file.write_bytes(body.encode(encoding))
    made = datasets.import_file(project, file, "late.csv")
    assert datasets.examples(made.id)[-1].question == "有給休暇の申請方法は"
    assert made.lineage["files"][0]["encoding"] == encoding


def test_chat_rows_keep_their_messages_and_metadata(project: str) -> None:
    chat = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    made = datasets.import_file(
        project, lines({"messages": chat, "metadata": {"slice": "taught", "fact": "f1"}}), "a.jsonl"
    )
    [row] = datasets.examples(made.id)
    assert (row.question, row.answer, row.slice, row.tags) == ("Q", "A", "taught", {"fact": "f1"})
    assert row.messages == chat


def test_kurabes_own_rows_keep_gold_value_and_expectations(project: str) -> None:
    gold = [{"document": "a.md", "quote": "It weighs 3 kg."}]
    own = {"id": "q1", "question": "Weight?", "answer": "3 kg", "slice": "taught", "gold": gold, "value": "3 kg",
           "expects": {"abstain": False}}  # fmt: skip
    [row] = datasets.examples(datasets.import_file(project, lines(own), "t.jsonl", split="test").id)
    assert (row.key, row.gold, row.value, row.expects) == ("q1", gold, "3 kg", {"abstain": False})


@pytest.mark.parametrize(
    ("row", "question", "answer"),
    [
        ({"instruction": "Translate", "input": "猫", "output": "cat"}, "Translate\n\n猫", "cat"),
        ({"prompt": "P", "completion": "C"}, "P", "C"),
        ({"prompt": "P", "chosen": "good", "rejected": "bad"}, "P", "good"),
        ({"conversations": [{"from": "human", "value": "H"}, {"from": "gpt", "value": "G"}]}, "H", "G"),
        (
            {"question": "Who?", "context": "Ann came.", "answers": {"text": ["Ann"], "answer_start": [0]}},
            "Who?",
            "Ann",
        ),
    ],
)
def test_usual_shapes_are_recognised(project: str, row: dict[str, object], question: str, answer: str) -> None:
    [found] = datasets.examples(datasets.import_file(project, lines(row), "x.jsonl").id)
    assert (found.question, found.answer) == (question, answer)


TURNS = [{"role": "user", "content": "P"}, {"role": "assistant", "content": '{"a": 1}'}]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "P", "chosen": '{"a": 1}', "rejected": '{"b": 2}'},
        {"question": "P", "chosen": '{"a": 1}', "rejected": '{"b": 2}'},
        {"question": "P", "answer": '{"a": 1}', "rejected": '{"b": 2}'},
        {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": [{"role": "assistant", "content": '{"b": 2}'}]},
        {"prompt": "P", "chosen": TURNS, "rejected": [TURNS[0], {"role": "assistant", "content": '{"b": 2}'}]},
        {"chosen": json.dumps(TURNS), "rejected": [TURNS[0], {"role": "assistant", "content": '{"b": 2}'}]},
        {"messages": TURNS, "rejected": '{"b": 2}'},
        {"質問": "P", "回答": '{"a": 1}', "不採用の回答": '{"b": 2}'},
    ],
    ids=lambda row: "-".join(row),
)
def test_a_preference_pair_keeps_both_answers_in_whatever_shape_it_comes(project: str, row: dict[str, object]) -> None:
    version = datasets.import_file(project, lines(row), "pairs.jsonl")
    [found] = datasets.examples(version.id)
    assert (found.question, found.answer, found.tags) == ("P", '{"a": 1}', {"rejected": '{"b": 2}'})
    assert datasets.count_pairs(version.id) == 1
    [again] = datasets.rows_of(
        datasets.import_file(project, datasets.export_text(version.id, "preference"), "again.jsonl").id
    )
    assert (again.question, again.answer, again.tags) == (found.question, found.answer, found.tags)


def test_rows_without_a_rejected_answer_are_no_pairs(project: str) -> None:
    data = lines(
        {"prompt": "P", "chosen": "good", "rejected": " "}, {"prompt": "Q", "chosen": "good", "rejected": "bad"}
    )
    with pytest.raises(KurabeError, match="rows_refused") as refused:
        datasets.import_file(project, data, "pairs.jsonl")
    assert [(p["row"], p["column"], p["code"]) for p in refused.value.params["problems"]] == [(1, "rejected", "empty")]
    beside = lines(
        {"question": "P", "answer": "good", "rejected": " "}, {"question": "Q", "answer": "good", "rejected": "bad"}
    )
    version = datasets.import_file(project, beside, "pairs.jsonl")
    assert (version.row_count, datasets.count_pairs(version.id), datasets.count_pairs(version.id, "test")) == (2, 1, 0)
    assert len(datasets.export_text(version.id, "preference").splitlines()) == 1
    with pytest.raises(KurabeError, match="rows_refused") as refused:
        datasets.import_file(project, lines({"prompt": "P", "chosen": "g", "rejected": [TURNS[0]]}), "bad.jsonl")
    assert refused.value.params["problems"][0]["column"] == "rejected"


def test_bad_rows_stop_the_import_and_name_their_place(project: str) -> None:
    data = lines({"question": "a", "answer": "b"}) + b'\n{"question": \n' + lines({"question": ["x"], "answer": "y"})
    with pytest.raises(KurabeError) as refused:
        datasets.import_file(project, data, "bad.jsonl")
    assert refused.value.code == "datasets.rows_refused"
    assert [(p["row"], p["code"]) for p in refused.value.params["problems"]] == [(2, "not_json"), (3, "not_text")]
    assert datasets.datasets(project) == []


def test_rows_left_out_are_recorded_and_fixed_rows_come_in(project: str) -> None:
    data = lines(
        {"question": "a", "answer": "b"}, {"question": "", "answer": "c"}, {"question": 5, "answer": True}, [1]
    )
    made = datasets.import_file(project, data, "x.jsonl", on_problem="leave_out", fixes={2: {"question": "filled"}})
    assert [row.question for row in datasets.examples(made.id)] == ["a", "filled", "5"]
    assert [problem["row"] for problem in made.lineage["files"][0]["left_out"]] == [4]


def test_a_mended_cell_keeps_the_other_cells_of_its_row(project: str) -> None:
    table = "質問,回答,カテゴリ\nq1,#N/A,料金\nq2,a2,送料\n".encode()
    made = datasets.import_file(project, table, "t.csv", fixes={2: {"回答": "a1"}})
    assert [(row.question, row.answer, row.slice) for row in datasets.examples(made.id)] == [
        ("q1", "a1", "料金"),
        ("q2", "a2", "送料"),
    ]
    with pytest.raises(KurabeError, match="rows_refused"):
        datasets.import_file(project, table, "u.csv", fixes={2: {"カテゴリ": "その他"}})


def test_lists_of_tags_and_gold_documents_are_kept(project: str) -> None:
    own = {"question": "q", "answer": "a", "gold": [], "tags": ["x", "y"]}
    [row] = datasets.examples(datasets.import_file(project, lines(own), "own.jsonl").id)
    assert row.tags == {"tags": ["x", "y"]}
    asked = {"question": "q", "answer": "a", "gold_document_ids": ["a.md", "b.md"]}
    [row] = datasets.examples(datasets.import_file(project, lines(asked), "asked.jsonl").id)
    assert [place["document"] for place in row.gold] == ["a.md", "b.md"]
    table = 'question,answer,gold,expects\nq,a,"[{""document"": ""d"", ""quote"": ""x""}]","{""abstain"": true}"\n'
    [row] = datasets.examples(datasets.import_file(project, table.encode(), "t.csv").id)
    assert row.gold == [{"document": "d", "quote": "x"}] and row.expects == {"abstain": True}


def test_rows_that_call_a_column_otherwise_are_read_as_the_others(project: str) -> None:
    rows = [{"question": "a", "answer": "b"}, {"質問": "c", "回答": "d"}, {"question": "e", "回答": "f"}]
    made = datasets.import_file(project, lines(*rows), "mixed.jsonl")
    assert [(row.question, row.answer) for row in datasets.examples(made.id)] == [("a", "b"), ("c", "d"), ("e", "f")]
    late = [*({"question": f"q{n}"} for n in range(300)), {"question": "last", "answer": "known"}]
    made = datasets.import_file(project, lines(*late), "late.jsonl")
    assert datasets.examples(made.id, offset=300)[0].answer == "known"


def test_what_a_message_says_beside_its_text_is_kept(project: str) -> None:
    said = {"role": "assistant", "content": "a", "weight": 0, "reasoning_content": "r"}
    said["function_call"] = {"name": "f", "arguments": "{}"}
    [row] = datasets.examples(
        datasets.import_file(project, lines({"messages": [{"role": "user", "content": "q"}, said]}), "c.jsonl").id
    )
    assert row.messages[1] == said


def test_the_same_content_is_the_same_version(project: str) -> None:
    first = datasets.import_file(project, lines({"question": "a", "answer": "b"}), "x.jsonl")
    again = datasets.import_file(project, lines({"question": "a", "answer": "b"}), "x.jsonl")
    other = datasets.import_file(project, lines({"question": "a", "answer": "c"}), "x.jsonl")
    assert first.id == again.id != other.id
    assert [v.id for v in datasets.dataset_versions(first.dataset_id)] == [other.id, first.id]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"PK\x03\x04\x00\x00rest", "datasets.binary_file"),
        ("a.csv", "質問,質問\nx,y\n".encode(), "datasets.duplicate_header"),
        ("a.csv", b'question,answer\na,"b\nc,d\n', "datasets.broken_csv"),
        ("a.csv", b"alpha,beta\nx,y\n", "datasets.unrecognised"),
        ("a.csv", b"", "datasets.empty_file"),
        ("a.csv", b"question,answer\n", "datasets.no_rows"),
        ("a.exe", b"x", "datasets.unknown_format"),
        ("a.json", b"5", "datasets.not_json"),
        ("a.xlsx", b"not a zip", "datasets.broken_file"),
        ("a.parquet", b"not parquet", "datasets.broken_file"),
    ],
)
def test_files_that_cannot_be_read_say_why(project: str, name: str, data: bytes, code: str) -> None:
    with pytest.raises(KurabeError) as refused:
        datasets.import_file(project, data, name)
    assert refused.value.code == code
    assert refused.value.params.get("name", name) == name
