"""Every check finds what it must find and leaves alone what it must leave alone, in both languages."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import datasets
from core.datasets import Row, checks
from core.datasets.checks import CheckInput
from core.datasets.checks.personal_data import kinds_in, masked
from core.datasets.similarity import near_pairs
from core.i18n.catalogue import catalogue
from core.store import tables as tb
from core.store import write


def run(name: str, rows: list[Row], language: str = "en", **fields: object) -> dict[str, list[int]]:
    data = CheckInput(lambda: iter(list(enumerate(rows))), len(rows), language)
    return {finding.code: finding.rows for finding in checks.get(name)(**fields).run(data)}


def row(question: str, answer: str = "An answer.", split: str = "train", **more: object) -> Row:
    return Row(question, answer, split=split, **more)  # type: ignore[arg-type]  # test rows


def test_empty_answers_are_found_but_not_questions_to_decline() -> None:
    rows = [
        row("a", " "),
        row("b", "なし"),
        row("c", "", "test"),
        row("d", "", "test", expects={"abstain": True}),
        row("e"),
    ]
    assert run("empty_answers", rows) == {"train": [0, 1], "test": [2]}


def test_repetitions_are_found_but_not_the_same_form_with_another_name() -> None:
    rows = [
        row("How heavy is the Koridel 205?", "3 kg"),
        row("How heavy is the Koridel 205 ?", "3 kg"),
        row("How heavy is the Koridel 206?", "4 kg"),
        row("How heavy is the Koridel 205?", "3 kg", "test"),
        row("返品はいつまでできますか。", "30日以内です。"),
        row("返品はいつまでできますか？", "30日以内です。"),
    ]
    assert run("duplicates", rows) == {"exact": [1, 5]}


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        ("Please tell me how to return an opened package.", "Tell me how to return an opened package.", True),
        ("有給休暇の申請方法を詳しく教えてください。", "有給休暇の申請方法を詳しく教えて下さい。", True),
        ("アオバクリーン30の重さを教えてください。", "アオバクリーン40の重さを教えてください。", False),
        ("What does the plan of the Marodel cover?", "What does the plan of the Koridel cover?", False),
        ("冷蔵庫の保証期間を教えてください。", "洗濯機の設置方法を教えてください。", False),
    ],
)  # fmt: skip
def test_near_wordings_need_the_same_names_and_numbers(left: str, right: str, near: bool) -> None:
    assert bool(near_pairs([left, right])) is near


def test_contradictions_are_found_but_not_the_same_answer_in_other_words() -> None:
    rows = [
        row("How long is the warranty?", "It lasts 2 years."),
        row("How long is the warranty?", "It lasts 3 years."),
        row("May I return it?", "Yes, you may return it within a month."),
        row("May I return it?", "Yes, you may return it within a month of purchase."),
        row("送料はいくらですか。", "500円です。"),
        row("送料はいくらですか。", "無料です。"),
    ]
    assert run("contradictions", rows) == {"answers": [0, 1, 4, 5]}


def test_another_system_prompt_may_call_for_another_answer() -> None:
    def chat(system: str, answer: str) -> Row:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "Price?"}]
        return row("Price?", answer, messages=[*messages, {"role": "assistant", "content": answer}])

    assert run("contradictions", [chat("As JSON.", '{"price": 5}'), chat("Plainly.", "It costs 5 dollars.")]) == {}


def test_wordings_seen_in_training_are_found_but_not_taught_facts_in_other_words() -> None:
    rows = [
        row("How heavy is the Koridel 205 without its packaging?"),
        row("How heavy is the Koridel 205 without its packaging?", split="test"),
        row("How heavy is the Koridel 205, without its packaging, please?", split="validation"),
        row("What does the Koridel 205 weigh?", split="test"),
    ]
    assert run("leakage", rows) == {"exact_test": [1], "near": [2]}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to ann.lee@contoso.com", ["email"]),
        ("Write to help@example.com", []),
        ("電話は03-1234-5678です", ["phone"]),
        ("携帯０９０－１２３４－５６７８", ["phone"]),
        ("〒100-0001 東京都", ["postcode"]),
        ("番号は123456789018です", ["my_number"]),
        ("番号は123456789012です", []),
        ("card 4111 1111 1111 1111", ["card"]),
        ("品番 4111 1111 1111 1112", []),
        ("Error E-1234, 12-34 pieces, 2026-11-21", []),
        ("価格は1,234,567円", []),
    ],
)
def test_personal_data_is_told_from_other_numbers(text: str, kinds: list[str]) -> None:
    assert kinds_in(text) == kinds


def test_masking_keeps_the_other_words() -> None:
    assert masked("連絡先：a@b.co.jp、電話03-1234-5678まで") == "連絡先：[EMAIL]、電話[PHONE]まで"


@pytest.mark.parametrize(
    "text", ["質問".encode().decode("latin-1"), "これは文字化けです".encode().decode("cp932", "ignore"), "abc\ufffd"]
)
def test_garbled_text_is_found(text: str) -> None:
    assert run("mojibake", [row(text)]) == {"garbled": [0]}


@pytest.mark.parametrize(
    "text", ["Café crème à Zürich, señor", "縺れた糸を繧う", "重量は３㎏、価格は㈱青葉まで", "Größe 5 – naïve"]
)
def test_text_with_marks_is_not_garbled(text: str) -> None:
    assert run("mojibake", [row(text)]) == {}


def test_answers_out_of_form_are_found_but_not_an_even_mixture() -> None:
    tidy = [row(f"q{n}", json.dumps({"answer": n, "source": "a"})) for n in range(9)]
    assert run("answer_format", [*tidy, row("x", "Just text.")]) == {"kind": [9]}
    assert run("answer_format", [*tidy, row("x", '{"result": 1}')]) == {"json_keys": [9]}
    polite = [row(f"質問{n}", f"{n}円です。") for n in range(9)]
    assert run("answer_format", [*polite, row("質問", "無料である。")]) == {"politeness": [9]}
    even = [row(f"q{n}", "Text." if n % 2 else '{"a": 1}') for n in range(10)]
    assert run("answer_format", even) == {}


def test_references_without_the_keys_they_expect_are_found() -> None:
    expects = {"json_keys": ["answer", "source"]}
    rows = [
        row("a", '{"answer": 1}', "test", expects=expects),
        row("b", '{"answer": 1, "source": 2}', "test", expects=expects),
    ]
    assert run("answer_format", rows) == {"expected_keys": [0]}


def test_labels_that_are_rare_or_untaught_are_found() -> None:
    rows = [row(f"q{n}", "A1" if n < 14 else "B2", slice="triage") for n in range(27)] + [
        row("q", "C3", slice="triage")
    ]
    rows.append(row("t", "D4", "test", slice="triage", expects={"category": "D4"}))
    assert run("label_balance", rows) == {"rare": [27], "untaught": []}
    assert run("label_balance", [row(f"q{n}", f"Some answer {n}") for n in range(30)]) == {}


def test_mixed_languages_are_found_but_not_names_inside_a_sentence() -> None:
    rows = [
        row("この製品の重さを教えてください。", "It weighs three kilograms in all."),
        row("How heavy is this product really?", "It weighs three kilograms in all."),
        row("Koridel 205の重さは?", "Koridel 205は3kgです。"),
    ]
    assert run("language_mix", rows, "ja") == {"crossed": [0], "other": [1]}


def test_spellings_are_looked_for_by_several_people_at_once() -> None:
    rows = [row("サーバーの設定は?" * 200), row("サーバの再起動は?" * 200)]
    with ThreadPoolExecutor(8) as people:
        found = list(people.map(lambda _: run("spelling_variants", rows, "ja"), range(24)))
    assert all(each == found[0] and each for each in found)


@pytest.mark.parametrize("character", ["㍿", "㌔", "﷽", "㋿"])
def test_characters_that_stand_for_several_do_not_overflow_the_analyser(character: str) -> None:
    assert run("spelling_variants", [row("会社" + character * 9_000)], "ja") == {}


def test_spellings_of_one_word_are_found_but_not_different_words() -> None:
    rows = [
        row("サーバーの設定は?"),
        row("サーバの再起動は?"),
        row("お問い合わせ先"),
        row("お問合せ窓口"),
        row("カーテンとカード"),
    ]
    assert run("spelling_variants", rows, "ja") == {"mixed": [1, 3]}
    assert run("spelling_variants", [row("What color?"), row("Which colour?")]) == {"mixed": [1]}
    assert run("spelling_variants", [row("コーヒーとコピー"), row("メーターとメートル")], "ja") == {}


@pytest.mark.parametrize(
    ("question", "vague"),
    [
        ("それはいくらですか。", True),
        ("このサイズはありますか?", True),
        ("アオバクリーン30は、この部屋で使えますか。", False),
        ("How heavy is it?", True),
        ("And does it come in red?", True),
        ("Is the Koridel 205 heavier than it looks?", False),
        ("How long is the warranty and when does it end?", False),
        ("What is the price?", False),
        ("How many days does it take you to ship the Dovi?", False),
    ],
)
def test_questions_that_point_at_nothing_are_told_from_others(question: str, vague: bool) -> None:
    assert run("vague_references", [row(question)]) == ({"pointing": [0]} if vague else {})


def test_a_follow_up_may_point_at_what_was_said_before() -> None:
    turns = [{"role": "user", "content": "Koridel?"}, {"role": "assistant", "content": "A mixer."}]
    messages = [*turns, {"role": "user", "content": "How heavy is it?"}, {"role": "assistant", "content": "3 kg"}]
    assert run("vague_references", [row("How heavy is it?", messages=messages)]) == {}


def test_a_system_prompt_that_differs_a_little_is_found() -> None:
    def chat(number: int, system: str) -> Row:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": f"q{number}"}]
        return row(f"q{number}", messages=[*messages, {"role": "assistant", "content": "a"}])

    usual = "Answer the customer's question in one sentence."
    rows = [chat(n, usual) for n in range(12)] + [chat(12, usual[:-1])]
    assert run("system_prompts", rows) == {"variant": [12]}
    assert run("system_prompts", [chat(n, usual if n % 2 else "Reply as JSON.") for n in range(12)]) == {}


def test_findings_are_kept_with_the_version_and_repairs_make_a_new_one() -> None:
    with write() as session:
        project = tb.Project(name="Test", language="en")
        session.add(project)
    data = b"question,answer\na,b\na,b\nmail,me@contoso.com\n"
    made = datasets.import_file(project.id, data, "x.csv")
    found = datasets.run_checks(made.id)
    assert {(finding.check, finding.code) for finding in found} >= {("duplicates", "exact"), ("personal_data", "email")}
    assert len(datasets.version(made.id).checks["findings"]) == len(found)
    without = datasets.repair(made.id, "duplicates", "exact")
    assert (without.row_count, without.lineage["parent"]) == (2, made.id)
    hidden = datasets.repair(without.id, "personal_data", "email")
    assert datasets.examples(hidden.id)[-1].answer == "[EMAIL]"


def test_every_check_and_finding_has_its_sentences() -> None:
    for language in ("en", "ja"):
        sentences = catalogue(language)
        for name in checks.names():
            assert f"datasets.check.{name}" in sentences
            codes = {key.split(".")[3] for key in sentences if key.startswith(f"datasets.finding.{name}.")}
            assert codes and all(f"datasets.finding.{name}.{code}.why" in sentences for code in codes)
