"""What a check suggests makes a new version, and masks or mends all that the row says."""

from __future__ import annotations

import json
import time

import pytest

from core import datasets
from core.datasets import Row
from core.datasets.checks import CheckInput, checks
from core.datasets.checks.personal_data import kinds_in, masked
from core.datasets.coverage import Documents
from core.datasets.similarity import asks_the_same, exact_key, near_pairs, plain_key, wording_groups
from core.store import tables as tb
from core.store import write


def imported(rows: list[dict[str, object]], language: str = "en") -> str:
    with write() as session:
        project = tb.Project(name="Test", language=language)
        session.add(project)
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    return datasets.import_file(project.id, data, "x.jsonl").id


def pairs(*texts: tuple[str, str]) -> list[dict[str, object]]:
    return [{"question": question, "answer": answer} for question, answer in texts]


def texts(version_id: str) -> list[tuple[str, str]]:
    return [(row.question, row.answer) for row in datasets.rows_of(version_id)]


def test_masking_leaves_no_address_anywhere_in_the_row() -> None:
    mail = "ann@contoso.com"
    said = [
        {"role": "system", "content": f"Forward to {mail}."},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": f"Write to {mail}."},
    ]
    made = imported(
        [
            {
                "messages": said,
                "metadata": {"value": mail, "owner": mail, "gold": [{"document": "a.md", "quote": f"Mail {mail}"}]},
            }
        ]
    )
    datasets.run_checks(made)
    hidden = datasets.repair(made, "personal_data", "email")
    row = next(iter(datasets.rows_of(hidden.id)))
    assert mail not in json.dumps(row.columns(), ensure_ascii=False)
    assert row.messages[0]["content"] == "Forward to [EMAIL]." and row.messages[-1]["content"] == "Write to [EMAIL]."


def test_names_are_masked_in_training_rows_and_stay_the_answer_of_those_that_measure() -> None:
    asked = {"question": "担当は誰ですか。", "answer": "山田太郎さんです。連絡先は taro@corp.co.jp です。"}
    made = imported([{**asked, "split": split} for split in ("train", "test")], "ja")
    for kind in ("name", "email"):
        taught, measured = datasets.rows_of(datasets.repair(made, "personal_data", kind).id)
        assert "山田" not in taught.answer and "山田太郎" in measured.answer
    only = imported([{**asked, "split": "test"}], "ja")
    repairs = {each.code: each.repair for each in datasets.run_checks(only) if each.check == "personal_data"}
    assert repairs["email"] is not None and repairs["name"] is None


def test_masking_is_not_cut_short_at_ten_thousand_rows() -> None:
    rows = [Row(f"q{n}", f"mail{n}@contoso.com", split="train") for n in range(10_001)]
    check = checks.get("personal_data")()
    (finding,) = check.run(CheckInput(lambda: iter(list(enumerate(rows))), len(rows)))
    assert finding.count == 10_001 and finding.repair is not None
    assert finding.repair["rewrite"](rows[-1]) == {"answer": "[EMAIL]"}


def test_masking_puts_the_mark_where_the_address_stands() -> None:
    assert masked("№5 taro@corp.co.jp ﾊﾞﾅﾅ") == "№5 [EMAIL] ﾊﾞﾅﾅ"
    assert masked("ﾊﾞﾅﾅ㈱の郵便番号は１００ー０００１") == "ﾊﾞﾅﾅ㈱の郵便番号は[POSTCODE]"


def test_garbled_text_is_read_again_and_invisible_characters_go() -> None:
    garbled = "CafÃ© and naÃ¯ve", "これはテスト".encode().decode("latin-1")
    made = imported(pairs((garbled[0], "Yes."), (garbled[1], "はい。"), ("a\u200bb\u2028c", "d\u202e")))
    read = datasets.repair(made, "mojibake", "garbled")
    assert texts(read.id)[:2] == [("Café and naïve", "Yes."), ("これはテスト", "はい。")]
    assert texts(datasets.repair(made, "mojibake", "control").id)[2] == ("ab\nc", "d")


def test_words_are_spelled_as_most_rows_spell_them() -> None:
    made = imported(
        pairs(
            ("サーバーの設定は?", "引っ越しを行う"),
            ("サーバの再起動は?", "引越しを行なった"),
            ("サーバー", "引っ越しを行う"),
        ),
        "ja",
    )
    assert texts(datasets.repair(made, "spelling_variants", "mixed").id)[1] == (
        "サーバーの再起動は?",
        "引っ越しを行った",
    )
    made = imported(pairs(("Color?", "It was cancelled."), ("Colours?", "canceled"), ("color", "canceling")))
    assert texts(datasets.repair(made, "spelling_variants", "mixed").id)[:2] == [
        ("Color?", "It was canceled."), ("Colors?", "canceled"),
    ]  # fmt: skip


def test_system_prompts_become_one() -> None:
    def chat(number: int, system: str) -> dict[str, object]:
        said = [("system", system), ("user", f"q{number}"), ("assistant", "a")]
        return {"messages": [{"role": role, "content": text} for role, text in said if text]}

    usual = "Answer the customer's question in one sentence."
    made = imported([*(chat(n, usual) for n in range(22)), chat(22, usual[:-1]), chat(23, "")])
    one = datasets.repair(datasets.repair(made, "system_prompts", "variant").id, "system_prompts", "missing")
    assert {row.messages[0]["content"] for row in datasets.rows_of(one.id)} == {usual}


def test_of_nearly_equal_questions_the_first_stays() -> None:
    made = imported(pairs(("Please tell me how to return a package.", "A"), ("Tell me how to return a package.", "A")))
    assert texts(datasets.repair(made, "duplicates", "near").id) == [("Please tell me how to return a package.", "A")]


def test_a_finding_shows_its_first_rows_and_keeps_the_chosen_length() -> None:
    made = imported(pairs(*((f"q{n}", "Yes.") for n in range(5)), ("mail", "me@contoso.com")))
    (finding,) = (each for each in datasets.run_checks(made, max_length=64) if each.check == "personal_data")
    assert finding.examples == [{"position": 5, "question": "mail", "answer": "me@contoso.com"}]
    kept = datasets.version(made).checks
    assert kept["max_length"] == 64 and finding.as_dict() in kept["findings"]


@pytest.mark.parametrize(
    ("left", "right"),
    [("1.5%", "15%"), ("C#とは", "C++とは"), ("バージョン1.1", "バージョン11"), ("-5度", "5度"), ("？？？", "😀")],
)
def test_marks_that_say_something_make_another_wording(left: str, right: str) -> None:
    assert exact_key(left) != exact_key(right)
    assert wording_groups([left, right]) == [0, 1]


def test_marks_that_say_nothing_do_not() -> None:
    assert plain_key("How heavy, Koridel 1,000 ?") == plain_key("how heavy: Koridel 1000")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("サーバーの再起動は?", "サーバの再起動は?", True),
        ("送料は1,000円?", "送料は1000円?", True),
        ("Where is my Password?", "Where is my password?", True),
        ("東京支店はどこ?", "大阪支店はどこ?", False),
        ("where is the kitchen timer", "where is the oven timer", False),
    ],
)
def test_questions_about_other_things_are_told_apart(left: str, right: str, same: bool) -> None:
    assert asks_the_same(left, right) is same


def test_a_document_with_another_date_is_nearly_the_same_document() -> None:
    text = "Returns are accepted within thirty days of the delivery when the seal of the package is whole. "
    text += "We are open from nine to five on every day of the week but Sunday. Call us if the box is broken. "
    assert near_pairs([text, text + "As of 2026-01-05."], whole_documents=True)


def test_long_runs_of_one_letter_and_forms_with_numbers_take_no_time_by_their_square() -> None:
    began = time.process_time()
    plain_key("a-" * 50_000)
    asks_the_same("A" * 100_000, "a" * 100_000)
    kinds_in("a" * 100_000 + "a@" * 10_000)
    assert near_pairs([f"How heavy is the Koridel {n} without its packaging?" for n in range(1200)]) == []
    assert time.process_time() - began < 4


def test_paragraphs_are_prepared_once_for_all_questions() -> None:
    held = Documents([("a.md", "Koridel", "\n\n".join(f"The Koridel weighs {n} kg." for n in range(2000)))])
    began = time.process_time()
    assert all(held.hold(Row("How heavy is the Koridel?", "x", value=f"{n} kg")) for n in range(1900, 2000))
    assert not held.hold(Row("How heavy is the Koridel?", "x", value="2000 kg"))
    assert time.process_time() - began < 4


CHAT = "Open the app, please. It is under Orders."
LAST = "Thank you for asking."
HEAVY = "How heavy is this machine?"


def repaired(rows: list[dict[str, object]], check: str, code: str, language: str = "en") -> list[Row]:
    made = imported(rows, language)
    kept = [each for each in datasets.run_checks(made) if (each.check, each.code) == (check, code)]
    assert kept and kept[0].repair is not None
    return list(datasets.rows_of(datasets.repair(made, check, code).id))


def test_answers_are_closed_as_the_others_are_and_their_chats_with_them() -> None:
    closed = [{"question": f"How is {n} ordered?", "answer": f"Order {n} in the app.\n\n{LAST}"} for n in range(9)]
    said = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": CHAT}]
    asked = {"question": "Where is it?", "answer": CHAT}
    rows = [*closed, {**asked, "messages": said, "gold": []}, {**asked, "split": "test"}]
    *others, chat, test = repaired(rows, "closing_phrases", "missing")
    assert chat.answer == chat.messages[-1]["content"] == f"{CHAT}\n\n{LAST}"
    assert test.answer == CHAT and {row.answer for row in others} == {row["answer"] for row in closed}


@pytest.mark.parametrize(
    ("check", "code", "good", "bad"),
    [
        (
            "language_mix",
            "crossed",
            (HEAVY, "It is light."),
            (HEAVY, "とても軽いので、片手で持てます。"),
        ),
        ("language_mix", "other", ("How heavy is it?", "It weighs 3 kg."), ("重さは?", "重さは3kgです。")),
        ("sql_answers", "broken", ("List all.", "SELECT * FROM items;"), ("List all.", "SELECT FROM WHERE (;")),
        ("vague_references", "pointing", ("How heavy is the Koridel?", "3 kg."), ("How heavy is it?", "3 kg.")),
        ("answer_format", "broken_json", ("As JSON?", '{"a": 1}'), ("As JSON?", '{"a": 1,')),
        ("answer_format", "json_keys", ("As JSON?", '{"a": 1}'), ("As JSON?", '{"b": 1}')),
    ],
)
def test_training_rows_that_would_teach_a_mistake_are_left_out_and_those_that_measure_stay(
    check: str, code: str, good: tuple[str, str], bad: tuple[str, str]
) -> None:
    rows: list[dict[str, object]] = [
        {
            "question": f"{number}. {question}" if check == "answer_format" else question,
            "answer": answer,
            "split": split,
        }
        for number, ((question, answer), split) in enumerate([(good, "train")] * 9 + [(bad, "train"), (bad, "test")])
    ]
    kept = repaired(rows, check, code)
    assert [row.split for row in kept] == ["train"] * 9 + ["test"] and kept[-1].answer == bad[1]


def test_a_finding_says_how_many_rows_its_repair_would_leave_out() -> None:
    made = imported(pairs(("a?", ""), ("b?", "b@corp.co.jp"), ("c?", "yes, it is.")))
    datasets.run_checks(made)
    kept = {(each["check"], each["code"]): each["drops"] for each in (datasets.version(made).checks or {})["findings"]}
    assert (kept["empty_answers", "train"], kept["personal_data", "email"]) == (1, 0)
