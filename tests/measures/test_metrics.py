"""Every metric on answers whose score a person would agree with, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import LANGUAGES, t
from core.i18n.catalogue import catalogue
from core.measures import METRICS, Case, Measured, Metric, ShownPassage, abstains, measure
from core.measures.metrics.correct import sentences
from core.measures.metrics.rouge_l import longest_common
from core.measures.metrics.style import house_phrases
from core.measures.text import tokens
from core.measures.values import quantities


def case(answer: str, language: str = "en", **fields: Any) -> Case:
    return Case(question=fields.pop("question", "?"), answer_text=answer, language=language, **fields)


def score(name: str, subject: Case) -> Measured:
    return measure(METRICS.get(name)(), subject)


@pytest.mark.parametrize(
    ("language", "value", "answer", "right"),
    [
        ("en", "24 months", "The warranty is 24 months. [1]", True),
        ("en", "24 months", "The warranty lasts 2 years.", True),
        ("en", "24 months", "It is twenty-four months.", True),
        ("en", "24 months", "It is 12 months.", False),
        ("en", "24 months", "It is 12, 24 or 36 months.", False),
        ("en", "24 months", "保証は24か月です。", False),
        ("ja", "24か月", "保証期間は２４ヶ月です。[2]", True),
        ("ja", "24か月", "保証は二年間です。", True),
        ("ja", "6か月", "保証は半年です。", True),
        ("ja", "半年", "保証は６か月間です。", True),
        ("ja", "12か月", "保証は半年間です。", False),
        ("ja", "24か月", "The warranty is 24 months.", False),
        ("ja", "1万2,000円", "料金は¥12,000です。", True),
        ("ja", "12000円", "1万2000円かかります。", True),
        ("ja", "2024年3月5日", "令和6年3月5日に始まります。", True),
        ("ja", "午後5時30分", "17:30までです。", True),
        ("ja", "5台", "5名まで使えます。", False),
        ("en", "$1,200", "It costs 1200 dollars.", True),
        ("en", "$1,200", "It costs €1,200.", False),
        ("en", "5 devices", "You can use it on five devices.", True),
        ("en", "5 devices", "You can invite five people.", False),
        ("en", "3-5 business days", "It takes 3 to 5 business days.", True),
        ("en", "5 March 2024", "It starts on March 5, 2024.", True),
        ("en", "Gold", "The Gold plan has it.", True),
        ("en", "Gold", "The Golden plan has it.", False),
        ("en", "2", "Version 2.5 is needed.", False),
        ("en", "200", "Use model X200.", False),
        ("ja", "サクラ", "サクラ棟にあります。", True),
    ],
)
def test_a_value_counts_in_any_usual_spelling_of_its_language(
    language: str, value: str, answer: str, right: bool
) -> None:
    assert score("value_match", case(answer, language, value=value)).value == float(right)


def test_a_value_named_in_the_question_is_no_rival() -> None:
    subject = case("Not 12 months but 24 months.", question="Is it 12 months?", value="24 months")
    assert score("value_match", subject).value == 1


def test_alternative_spellings_count() -> None:
    assert (
        score("value_match", case("Call Ms Mori.", value="Aya Mori", expects={"alternatives": ["Ms Mori"]})).value == 1
    )


@given(st.integers(1, 9_999), st.sampled_from(["か月", "円", "時間", "台", "kg"]))
def test_kanji_and_figures_are_the_same_number(number: int, unit: str) -> None:
    digits, powers = "〇一二三四五六七八九", ["", "十", "百", "千"]
    kanji = "".join(
        (digits[d] if d > 1 or place == 0 else "") + powers[place]
        for place, d in reversed(list(enumerate(int(c) for c in reversed(str(number)))))
        if d
    )
    assert quantities(kanji + unit, "ja")[0].key == quantities(f"{number:,}{unit}", "ja")[0].key


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_no_text_breaks_a_metric(text: str, language: str) -> None:
    subject = case(text, language, reference=text, value=text, gold=({"document": "d", "quote": text},))
    for name in METRICS.names():
        result = score(name, subject)
        assert result.value is None or 0 <= result.value <= 1
        assert result.reason != "metric_failed"


@pytest.mark.parametrize(
    "text",
    [
        "I do not know that.",
        "I could not find that in the documents.",
        "The documents do not mention it.",
        "This is not stated in the documents.",
        "その情報は持っていません。",
        "資料には見つかりませんでした。",
        "申し訳ありませんが、分かりかねます。",
        "資料に記載がありません。",
    ],
)
def test_abstention_is_recognised(text: str) -> None:
    assert abstains(text)
    assert score("correct", case(text, expects={"abstain": True})).value == 1
    assert score("correct", case(text, value="24 months")).reason == "declined_needlessly"


@pytest.mark.parametrize(
    "text",
    [
        "It is 24 months.",
        "You do not need a receipt.",
        "料金はかかりません。",
        "返品はできません。",
        "追加料金はありません。",
        "The warranty does not cover water damage.",
        "No, the kettle does not include a cable.",
        "領収書が見つからない場合は、30日以内にご連絡ください。",
        "追加の資料は必要ありません。",
        "記載されていない部品は対象外です。",
    ],
)
def test_a_negative_answer_is_no_abstention(text: str) -> None:
    assert not abstains(text)
    assert score("abstention", case(text, expects={"abstain": True})).value == 0


def test_a_reference_that_itself_sounds_like_a_refusal_makes_the_same_answer_right() -> None:
    text = "The information in the price list does not include tax."
    assert score("abstention", case(text, reference=text)).value == 1
    assert score("abstention", case(text, reference="It costs $5.")).value == 0


def test_japanese_after_latin_letters_is_still_read_character_by_character() -> None:
    assert tokens("PDF形式で提出") == ["pdf", "形", "式", "で", "提", "出"]


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("15分で十分です。", "15分", 1),
        ("代金の3分の1、2,000円です。", "2,000円", 1),
        ("もう一度、20℃にしてください。", "20℃", 1),
        ("十分で着きます。", "10分", 1),
        ("不可能です。", "可能", 0),
        ("返品不可です。", "可", 0),
        ("本社は東京都です。", "京都", 0),
        ("本社は京都です。", "京都", 1),
        ("毎週月曜に休みます。", "月曜", 1),
    ],
)
def test_a_japanese_value_is_read_as_people_read_it(text: str, value: str, right: int) -> None:
    assert score("correct", case(text, "ja", value=value)).value == right


def test_exact_match_ignores_spelling_conventions_only() -> None:
    assert score("exact_match", case("２４か月 です。[1]", "ja", reference="24か月 です")).value == 1
    assert score("exact_match", case("24か月", "ja", reference="25か月")).value == 0
    assert not score("exact_match", case("x")).failed


def test_token_f1_counts_characters_in_japanese_and_words_in_english() -> None:
    assert score("token_f1", case("the blue car", reference="the red car")).value == pytest.approx(2 / 3)
    assert score("token_f1", case("青い車", "ja", reference="赤い車")).value == pytest.approx(2 / 3)


def test_chrf_is_sacrebleus_and_does_not_vanish_in_japanese() -> None:
    from sacrebleu import sentence_chrf

    answer, reference = "保証期間は二年です。", "保証期間は三年です。"
    value = score("chrf", case(answer, "ja", reference=reference)).value
    assert value == pytest.approx(sentence_chrf(answer, [reference]).score / 100)
    assert value is not None and value > 0.3


def test_rouge_l_keeps_the_order_of_words_and_of_japanese_characters() -> None:
    assert score("rouge_l", case("the blue car", reference="the red car")).value == pytest.approx(2 / 3)
    assert score("rouge_l", case("car blue the", reference="the blue car")).value == pytest.approx(1 / 3)
    assert score("rouge_l", case("青い車。", "ja", reference="赤い車")).value == pytest.approx(2 / 3)
    assert score("rouge_l", case("", reference="the red car")).value == 0
    assert not score("rouge_l", case("x")).failed


@given(st.lists(st.sampled_from("ab"), max_size=7), st.lists(st.sampled_from("ab"), max_size=7))
def test_the_longest_common_sequence_is_found(first: list[str], second: list[str]) -> None:
    from itertools import combinations

    def inside(words: tuple[str, ...], text: list[str]) -> bool:
        rest = iter(text)
        return all(word in rest for word in words)

    longest = max(n for n in range(len(first) + 1) if any(inside(w, second) for w in combinations(first, n)))
    assert longest_common(first, second) == longest


def test_bleu_is_sacrebleus_and_does_not_take_japanese_for_one_word() -> None:
    from sacrebleu import sentence_bleu

    english = score("bleu", case("the blue car is here now", reference="the red car is here now")).value
    assert english == pytest.approx(sentence_bleu("the blue car is here now", ["the red car is here now"]).score / 100)
    japanese = score("bleu", case("保証期間は二年です。", "ja", reference="保証期間は三年です。")).value
    assert japanese is not None and 0.3 < japanese < 1
    assert score("bleu", case("１２か月です", "ja", reference="12か月です。")).value == pytest.approx(1)


@pytest.mark.parametrize(
    ("answer", "reference", "value"),
    [
        ("保証は2年です。", "保証は3年です。", 1),
        ("The warranty lasts 2 years.", "保証は3年です。", 0),
        ("型番は Koridel X-205 Pro です。", "型番は Koridel X-206 Pro です。", 1),
        ("保証は2年です。", "The warranty lasts 2 years.", 0),
        ("24", "保証は2年です。", None),
        ("機種はBibone Duoです。", "Bibone Duo", None),
        ("ABCD-12", "保証は2年です。", None),
        ("The warranty lasts 2 years.", "B4", None),
    ],
)
def test_the_language_of_an_answer_is_that_of_its_reference(answer: str, reference: str, value: int | None) -> None:
    measured = score("answer_language", case(answer, reference=reference))
    assert measured.value == value and not measured.failed


@pytest.mark.parametrize("kept", ["local file", "web"])
def test_a_schema_of_the_data_makes_nobody_fetch_anything(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*arguments: object, **named: object) -> object:
        raise AssertionError(f"opened {arguments}")

    monkeypatch.setattr("urllib.request.urlopen", fetched)
    (tmp_path / "schema.json").write_text('{"type": "string"}')
    address = (tmp_path / "schema.json").as_uri() if kept == "local file" else "http://127.0.0.1:9/schema.json"
    for schema in ({"$ref": address}, {"properties": {"n": {"$ref": address}}}):
        found = score("json_valid", case('{"n": 1}', expects={"schema": schema}))
        assert (found.value, found.reason, found.failed) == (None, "schema_broken", True)


@pytest.mark.parametrize("schema", [{"type": 7}, {"$ref": "#"}, {"$ref": "#/$defs/none"}, {"pattern": "("}])
def test_a_schema_that_is_wrong_itself_is_a_visible_failure(schema: dict[str, object]) -> None:
    assert score("json_valid", case('"x"', expects={"schema": schema})).reason == "schema_broken"


def test_json_is_judged_by_keys_schema_and_fields() -> None:
    expects = {"json": {"months": 24, "plan": "Gold", "tags": ["a"]}}
    right = '```json\n{"months": "24", "plan": "gold", "tags": ["a"]}\n```'
    assert score("json_valid", case(right, expects=expects)).value == 1
    assert score("field_accuracy", case(right, expects=expects)).value == 1
    assert score("correct", case(right, expects=expects)).value == 1
    half = case('{"months": 12, "plan": "Gold", "tags": []}', expects=expects)
    assert score("field_accuracy", half).value == pytest.approx(1 / 3)
    assert score("correct", half).value == 0
    assert score("json_valid", case('{"months": NaN}', expects=expects)).reason == "json_broken"
    assert score("json_valid", case("{}", expects=expects)).reason == "json_keys_missing"
    schema = {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    assert score("json_valid", case('{"n": "x"}', expects=schema)).reason == "json_against_schema"
    assert score("json_valid", case('{"n": 1}', expects=schema)).value == 1
    assert score("json_valid", case("{}", expects={"schema": {"type": 7}})).failed
    keys = {"expects": {"json_keys": ["answer", "source"]}, "value": "24 months"}
    assert score("correct", case('{"answer": "24 months", "source": "Terms"}', **keys)).value == 1
    assert score("correct", case('{"answer": "24 months"}', **keys)).reason == "json_keys_missing"
    assert score("correct", case('{"answer": "12 months", "source": "Terms"}', **keys)).value == 0


def test_a_citation_is_right_when_its_passage_holds_the_answer() -> None:
    passages = (ShownPassage("c1", "Fees are 5 dollars."), ShownPassage("c2", "The warranty is\n24 months."))
    gold = ({"document": "d", "quote": "The warranty is 24 months."},)
    shown = {"passages": passages, "gold": gold, "value": "24 months"}
    assert score("citation", case("24 months. [2]", **shown)).value == 1
    assert score("citation", case("24 months. [1][2]", **shown)).value == 0.5
    assert score("citation", case("24 months. [9]", **shown)).value == 0
    assert score("citation", case("24 months.", **shown)).reason == "nothing_cited"
    by_id = case("24 months. [1]", passages=passages, gold_chunks=frozenset({"c1"}), value="24 months")
    assert score("citation", by_id).value == 1
    assert score("citation", case("24 months. [1]", value="24 months")).reason == "not_applicable_passages"


def test_a_category_is_the_one_code_named() -> None:
    expects = {"category": "billing", "categories": ["billing", "billing-refund", "login"]}
    assert score("correct", case("Billing", expects=expects)).value == 1
    assert score("category", case("Category: billing.", expects=expects)).value == 1
    assert score("category", case("billing-refund", expects=expects)).reason == "category_wrong"
    assert score("category", case("billing or login", expects=expects)).reason == "category_none"


def test_similarity_without_an_embedder_is_a_visible_failure() -> None:
    assert score("semantic_similarity", case("a", reference="b")).failed
    same = case("a", reference="b", embed=lambda texts: [[1.0, 0.0] for _ in texts])
    assert score("semantic_similarity", same).value == pytest.approx(1)


def test_house_rules_are_part_of_correct() -> None:
    rules = {"contains": ["Best regards"], "contains_not": ["sorry"], "max_sentences": 2}
    assert score("correct", case("24 months. Best regards", value="24 months", expects=rules)).value == 1
    assert score("correct", case("24 months.", value="24 months", expects=rules)).reason == "phrase_missing"
    assert (
        score("correct", case("Sorry, 24 months. Best regards", value="24 months", expects=rules)).reason
        == "phrase_forbidden"
    )
    long = case("24 months. Yes. Really. Best regards", value="24 months", expects=rules)
    assert score("correct", long).reason == "too_long"


def test_free_text_needs_enough_overlap_with_the_reference() -> None:
    reference = "Send the form to the desk before Friday."
    assert score("correct", case("Send the form to the desk before Friday", reference=reference)).reason == "same_text"
    assert score("correct", case("Send the form to the desk until Friday", reference=reference)).value == 1
    assert score("correct", case("Call the manager.", reference=reference)).value == 0
    assert score("correct", case("", reference=reference)).reason == "empty_answer"


def test_sentences_are_counted_in_both_languages() -> None:
    assert sentences("It is 2.5 kg. Yes!") == 2
    assert sentences("24か月です。[2]") == 1
    assert sentences("はい。そうです。") == 2


@dataclass(frozen=True)
class Broken(Metric):
    name: ClassVar[str] = "broken"

    def score(self, case: Case) -> Measured:
        raise RuntimeError("boom")


def test_a_metric_that_breaks_is_data() -> None:
    result = measure(Broken(), case("x"))
    assert result.failed and result.reason == "metric_failed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_and_every_field_is_explained(language: Any) -> None:
    from dataclasses import fields

    for name, metric in METRICS.all().items():
        for key in (f"measures.metric.{name}", f"measures.metric.{name}.help"):
            assert not t(key, language).startswith("⟦"), key
        for spec in fields(metric):
            assert spec.metadata["help"] in catalogue(language), (name, spec.name)
            assert spec.metadata["help"].removesuffix(".help") in catalogue(language)


@pytest.mark.parametrize(
    ("answer", "dialect", "value", "reason"),
    [
        ("SELECT a FROM t WHERE b = 1;", True, 1, "sql_ok"),
        ("```sql\nselect `a` from t\n```", "mysql", 1, "sql_ok"),
        ("SELECT `a` FROM t", "postgres", 0, "sql_broken"),
        ("SELECT a FROM t; SELECT (", True, 0, "sql_broken"),
        ("hello world", True, 0, "sql_no_statement"),
        ("Here is the query: SELECT 1", True, 0, "sql_broken"),
        ("", True, 0, "empty_answer"),
        ("SELECT 1", "no such dialect", None, "sql_dialect"),
        ("SELECT 1", None, None, "not_applicable_sql"),
    ],
)
def test_sql_must_parse_in_its_dialect(answer: str, dialect: object, value: float | None, reason: str) -> None:
    found = score("sql_valid", case(answer, expects={"sql": dialect} if dialect else {}))
    assert (found.value, found.reason) == (value, reason)


def test_a_metric_that_takes_a_judge_says_so_until_one_replied() -> None:
    asked = case("It is red.", passages=(ShownPassage("c", "It is red."),))
    for name in ("groundedness", "relevance", "rubric"):
        kind = METRICS.get(name)
        assert kind.judged and score(name, asked).reason == "not_applicable_judge"
        replied = case(
            "It is red.", passages=asked.passages, replies={name: ["VERDICT: YES" if name == "groundedness" else "5"]}
        )
        assert score(name, replied).value == 1
        assert score(name, case("It is red.", passages=asked.passages, replies={name: [None]})).reason == "judge_failed"
        assert score(name, case("", passages=asked.passages)).reason == "not_applicable_judged"


@pytest.mark.parametrize(
    ("language", "answer", "reference", "value", "reason"),
    [
        ("en", "It lasts twelve whole months.", "The warranty is 24 months.", 1, "length_right"),
        ("en", "24 months.", "The warranty of the kettle lasts for 24 months.", 2 * 1.25 / 9, "length_under"),
        ("en", "one two three four five six seven eight", "one two", 0.25 * 1.25, "length_over"),
        ("ja", "保証は24か月です。", "保証は36か月です。[1]", 1, "length_right"),
        (
            "ja",
            "24か月",
            "ケトルの保証期間はお買い上げの日から24か月間となっております。",
            3 * 1.25 / 30,
            "length_under",
        ),
        ("ja", "保証期間はお買い上げの日から数えます。", "保証です。", 4 * 1.25 / 18, "length_over"),
    ],
)
def test_length_falls_with_how_much_longer_or_shorter_an_answer_is(
    language: str, answer: str, reference: str, value: float, reason: str
) -> None:
    found = score("length", case(answer, language, reference=reference))
    assert found.value == pytest.approx(value) and found.reason == reason
    assert score("length", case("anything")).reason == "not_applicable_reference"


LETTER = "Dear customer, thank you for your question. The warranty is 24 months. Kind regards, the desk"
BRIEF = "お問い合わせありがとうございます。保証は12か月です。よろしくお願いいたします。"


@pytest.mark.parametrize(
    ("language", "answer", "reference", "low", "high"),
    [
        ("en", "Hello, thanks for asking. It is 12 months. Best regards, the desk", LETTER, 0.99, 1),
        ("en", "24 months.", LETTER, 0, 0.3),
        ("en", "Yeah!!! It's gonna be 24 months, guys! \U0001f389", "The warranty is 24 months.", 0, 0.3),
        ("en", "The fee is 5 dollars.", "The warranty is 24 months.", 0.99, 1),
        ("en", "1. Open it.\n2. Clean it.", "- Unplug it.\n- Wipe it.", 0.99, 1),
        ("en", "Open it and clean it.", "- Unplug it.\n- Wipe it.", 0, 0.1),
        ("en", '{"months": 12}', '{"months": 24}', 0.99, 1),
        ("en", "It is 24 months.", '{"months": 24}', 0, 0.1),
        ("en", "The code is P6, I think.", "P6", 0, 0.1),
        ("en", "B4", "P6", 0.99, 1),
        ("ja", "お問い合わせありがとうございます。二年です。どうぞよろしくお願いいたします。", BRIEF, 0.99, 1),
        ("ja", "保証は12か月。", BRIEF, 0, 0.3),
        ("ja", "保証は二年間でござる。", "送料は500円でござる。", 0.99, 1),
        ("ja", "保証は二年間です。", "保証は二年間でござる。", 0, 0.4),
        ("ja", "保証は二年間である。", "送料は500円だ。", 0.99, 1),
        ("ja", "保証は二年間である。", "保証は二年間です。", 0, 0.4),
        ("ja", "保証は二年間です。送料は無料だ。", "保証は二年間です。送料は無料です。", 0.5, 0.7),
        ("ja", "・電源を抜く\n・ふく", "1. 電源を抜く\n2. ふく", 0.99, 1),
        ("ja", "電源を抜いて、ふきます。", "・電源を抜きます。\n・ふきます。", 0.3, 0.4),
        ("ja", "保証は二年間だよ!", "保証は二年間です。", 0, 0.3),
    ],
)
def test_style_is_high_where_form_tone_and_phrases_are_kept(
    language: str, answer: str, reference: str, low: float, high: float
) -> None:
    found = score("style", case(answer, language, reference=reference))
    assert found.value is not None and low <= found.value <= high, (found, answer)


def test_style_learns_the_phrases_of_the_house_from_its_references() -> None:
    letters = [f"Ahoy from the pier. The fee is {n} dollars. Fair winds and following seas." for n in range(5)]
    letters += ["P6", "P6", "P6", "P6", "It is 5 dollars."]
    phrases = house_phrases(letters)
    assert phrases == ("ahoy from the pier", "fair winds and following seas"), "a frequent answer is no phrase"
    kept = case("Ahoy from the pier. It is 9 dollars. Fair winds and following seas!", reference=letters[0])
    lost = case("It is 9 dollars.", reference=letters[0])
    assert score("style", lost).value == 1, "without the other references nobody knows that these are set phrases"
    learned = {"reference": letters[0], "phrases": phrases}
    assert score("style", case(lost.answer_text, **learned)).value == pytest.approx(1 / 3)
    assert score("style", case(kept.answer_text.replace("!", "."), **learned)).value == 1
    japanese = [f"海猫堂でござる。料金は{n}円でござる。またのお越しを待つでござる。" for n in range(5)]
    assert house_phrases(japanese) == ("またのお越しを待つでござる", "海猫堂でござる")
    told = score("style", case("料金は5円でござる。", "ja", reference=japanese[0], phrases=house_phrases(japanese)))
    assert told.value == pytest.approx(1 / 2)
    assert told.params["lost"] == ["phrase:またのお越しを待つでござる", "phrase:海猫堂でござる"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mark_of_style_has_its_words(language: Any) -> None:
    from core.measures.metrics.style import _ENDINGS, _MARKS

    marks = [*_MARKS, "emoji", "none", "ending", "phrase", "ending.noun"]
    marks += [f"ending.{name}" for name in _ENDINGS if name != "custom"]
    marks += [f"form.{name}" for name in ("prose", "list", "json", "code", "label")]
    assert not [mark for mark in marks if f"measures.mark.{mark}" not in catalogue(language)]
