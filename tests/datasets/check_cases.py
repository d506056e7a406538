"""Rows that every check must find and rows that it must leave alone, in both languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.datasets import Row

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """Rows for one check in one language."""

    bad: list[Row]
    """Rows among which the check finds something."""
    codes: dict[str, list[int]]
    """Code of each finding → positions in `bad`."""
    good: list[Row]
    """Rows of the same kind in which it finds nothing."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Configuration of the check."""


def row(question: str, answer: str = "", split: str = "train", **more: Any) -> Row:
    """Return one row."""
    return Row(question, answer, split=split, **more)


def rows(*pairs: tuple[str, str], **more: Any) -> list[Row]:
    """Return training rows of questions and answers."""
    return [row(question, answer, **more) for question, answer in pairs]


def many(question: str, answer: str, times: int = 9, **more: Any) -> list[Row]:
    """Return rows that differ in a number."""
    return [row(question.format(n), answer.format(n), **more) for n in range(10, 10 + times)]


def chat(question: str, answer: str, system: str = "") -> Row:
    """Return a row that is a chat."""
    before = [{"role": "system", "content": system}] if system else []
    turns = [*before, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return row(question, answer, messages=turns)


def cited(question: str, answer: str, quote: str, **more: Any) -> Row:
    """Return a row with a gold passage."""
    return row(question, answer, gold=[{"document": "", "quote": quote}], **more)


WORDS_EN = "Returns are accepted within thirty days of the delivery when the seal is whole. " * 12
WORDS_JA = "返品は、未開封の商品に限り、お届けから三十日以内にお受けします。" * 30

CASES: dict[str, dict[str, Case]] = {
    "empty_answers": {
        "en": Case(rows(("a", " "), ("b", "N/A")), {"train": [0, 1]}, rows(("a", "No."), ("b", "None of them."))),
        "ja": Case(rows(("a", "　"), ("b", "未記入")), {"train": [0, 1]}, rows(("a", "なしです。"), ("b", "いいえ。"))),
    },
    "duplicates": {
        "en": Case(
            rows(("How heavy is the Koridel 205?", "3 kg"), ("How heavy is the Koridel 205 ?", "3 kg")),
            {"exact": [1]},
            rows(("How heavy is the Koridel 205?", "3 kg"), ("How heavy is the Koridel 206?", "3 kg")),
        ),
        "ja": Case(
            rows(
                ("有給休暇の申請方法を詳しく教えてください。", "人事部です。"),
                ("有給休暇の申請方法を詳しく教えて下さい。", "人事部です。"),
            ),
            {"near": [0, 1]},
            rows(("アオバクリーン30の重さは?", "3kgです。"), ("アオバクリーン40の重さは?", "3kgです。")),
        ),
    },
    "contradictions": {
        "en": Case(
            rows(
                ("How long is the warranty?", "It lasts 2 years."), ("How long is the warranty?", "It lasts 3 years.")
            ),
            {"answers": [0, 1]},
            rows(("May I return it?", "Yes, within a month."), ("May I return it?", "Yes, within a month!")),
        ),
        "ja": Case(
            rows(("送料はいくらですか。", "500円です。"), ("送料はいくらですか。", "無料です。")),
            {"answers": [0, 1]},
            rows(("送料はいくらですか。", "500円です。"), ("送料はいくらですか。", "500円です")),
        ),
    },
    "leakage": {
        "en": Case(
            [row("How heavy is the Koridel 205?"), row("How heavy is the Koridel 205?", split="test")],
            {"exact_test": [1]},
            [row("How heavy is the Koridel 205?"), row("What does the Koridel 205 weigh?", split="test")],
        ),
        "ja": Case(
            [
                row("有給休暇の申請方法を詳しく教えてください。"),
                row("有給休暇の申請方法を詳しく教えて下さい。", split="validation"),
            ],
            {"near": [1]},
            [row("有給休暇の申請方法を詳しく教えてください。"), row("休みを取る手続きは?", split="test")],
        ),
    },
    "token_length": {
        "en": Case(
            [*many("q{}", "Yes."), row("q", WORDS_EN)], {"truncated": [9]}, many("q{}", "Yes."), {"max_length": 120}
        ),
        "ja": Case(
            [*many("質問{}", "はい。"), row("質問", WORDS_JA)],
            {"truncated": [9]},
            many("質問{}", "はい。"),
            {"max_length": 120},
        ),
    },
    "trained_share": {
        "en": Case(
            [chat("Yes or no?", "Yes.", WORDS_EN)], {"low": [0]}, [chat("May I return it?", "Yes, within thirty days.")]
        ),
        "ja": Case(
            [chat("できますか。", "はい。", WORDS_JA)],
            {"low": [0]},
            [chat("返品できますか。", "はい、三十日以内です。")],
        ),
    },
    "language_mix": {
        "en": Case(
            rows(("How heavy is this machine?", "この製品の重さは三キログラムです。")),
            {"crossed": [0]},
            rows(("What does アオバ mean in the name?", "It is the name of a green leaf.")),
        ),
        "ja": Case(
            rows(("この製品の重さを教えてください。", "It weighs three kilograms in all.")),
            {"crossed": [0]},
            rows(("Koridel 205の重さは?", "Koridel 205は3kgです。")),
        ),
    },
    "system_prompts": {
        "en": Case(
            [
                *(chat(f"q{n}", "a", "Answer the customer's question in one sentence.") for n in range(12)),
                chat("q", "a", "Answer the customer's question in one sentence"),
            ],
            {"variant": [12]},
            [chat(f"q{n}", "a", "Answer in one sentence." if n % 2 else "Reply as JSON.") for n in range(12)],
        ),
        "ja": Case(
            [
                *(chat(f"質問{n}", "答え", "お客様の質問に一文で答えてください。") for n in range(12)),
                chat("質問", "答え"),
            ],
            {"missing": [12]},
            [chat(f"質問{n}", "答え", "お客様の質問に一文で答えてください。") for n in range(12)],
        ),
    },
    "prompt_structure": {
        "en": Case(
            [*many("# Question\nWhat is item {}?", "a"), row("### \n- What is item 30?\n---", "a")],
            {"mixed": [9]},
            [*many("# Question\nWhat is item {}?", "a"), row("# Question\nWhat is item 1-2 (new)?", "a")],
        ),
        "ja": Case(
            [*many("【質問】\n商品{}とは?", "a"), row("商品30とは?", "a")],
            {"mixed": [9]},
            [*many("【質問】\n商品{}とは?", "a"), row("【質問】\n商品30の「箱」とは?", "a")],
        ),
    },
    "closing_phrases": {
        "en": Case(
            [*many("q{}", "It costs {} dollars. Is there anything else?"), row("q", "It is free.")],
            {"missing": [9]},
            many("q{}", "It costs {0} dollars. Shipping takes {0} days."),
        ),
        "ja": Case(
            [*many("質問{}", "{}円です。ほかにご質問はございますか。"), row("質問", "無料です。")],
            {"missing": [9]},
            many("質問{}", "{0}円です。送料は{0}円です。"),
        ),
    },
    "mojibake": {
        "en": Case(rows(("CafÃ© open?", "Yes.")), {"garbled": [0]}, rows(("Café in Zürich open?", "Yes – naïve."))),
        "ja": Case(
            rows(("これは文字化けです".encode().decode("cp932", "ignore"), "a")),
            {"garbled": [0]},
            rows(("㈱青葉の縺れた糸は３㎏?", "はい。")),
        ),
    },
    "spelling_variants": {
        "en": Case(
            rows(("What color?", "Red."), ("Which colour?", "Red."), ("A color?", "Red.")),
            {"mixed": [1]},
            rows(("What color?", "Red."), ("Which collar?", "Red.")),
        ),
        "ja": Case(
            rows(
                ("サーバーの設定は?", "a"),
                ("サーバの再起動は?", "b"),
                ("サーバーは?", "引越しを行なう"),
                ("引っ越し先", "行う"),
            ),
            {"mixed": [1, 3]},
            rows(("メーターは?", "聴くとき"), ("メートルは?", "時を聞く"), ("コピーとコーヒー", "使うと使える")),
        ),
    },
    "vague_references": {
        "en": Case(
            rows(("How heavy is it?", "3 kg")),
            {"pointing": [0]},
            rows(("How heavy is the Koridel, and does it float?", "3 kg")),
        ),
        "ja": Case(
            rows(("それはいくらですか。", "500円")),
            {"pointing": [0]},
            rows(("送料は、それぞれいくらですか。", "500円")),
        ),
    },
    "label_balance": {
        "en": Case(
            [*many("q{}", "refund", 14), *many("r{}", "repair", 8), row("q", "other")],
            {"rare": [22]},
            [*many("q{}", "refund", 14), *many("r{}", "repair", 8)],
        ),
        "ja": Case(
            [*many("質問{}", "返金", 14), *many("相談{}", "修理", 8), row("質問", "その他")],
            {"rare": [22]},
            [*many("質問{}", "返金", 14), *many("相談{}", "修理", 8)],
        ),
    },
    "answer_format": {
        "en": Case(
            [*many("q{}", '{{"price": {}}}'), row("q", "It is free.")], {"kind": [9]}, many("q{}", '{{"price": {}}}')
        ),
        "ja": Case(
            [*many("質問{}", "{}円です。"), row("質問", "無料である。")],
            {"politeness": [9]},
            many("質問{}", "{}円です。"),
        ),
    },
    "sql_answers": {
        "en": Case(
            rows(("How many?", "SELECT count(* FROM orders WHERE"), ("x", "```sql\nDELETE orders WHERE id = = 3\n```")),
            {"broken": [0, 1]},
            rows(
                ("How many?", "SELECT count(*) FROM orders WHERE day > '2026-01-01';"),
                ("Which?", "Select the red one from the list."),
                ("And?", "Run:\n```sql\nSELECT 1\n```"),
            ),
        ),
        "ja": Case(
            rows(("何件ですか。", "SELECT 件数 FROM 注文 WHERE (状態 = 1")),
            {"broken": [0]},
            rows(("何件ですか。", "SELECT COUNT(*) FROM 注文 WHERE 状態 = '完了'"), ("選択は?", "一覧から選びます。")),
        ),
    },
    "answerability": {
        "en": Case(
            [cited("How heavy is it?", "It weighs 4 kg.", "The Koridel weighs 3 kg.")],
            {"unsupported": [0]},
            [
                cited("How heavy is the Koridel?", "The Koridel weighs 3 kg.", "It weighs 3 kg."),
                cited("Who designed it?", "I do not know.", "It weighs 3 kg.", expects={"abstain": True}),
                row("How heavy?", "9 kg."),
            ],
        ),
        "ja": Case(
            [cited("保証期間は?", "アオバクールの保証は5年です。", "保証期間は2年です。")],
            {"unsupported": [0]},
            [
                cited("アオバクールの送料は?", "アオバクールの送料は1200円です。", "送料は１，２００円です。"),
                cited("ジミクZ225の幅は?", "ジミクZ225の幅は117cmです。", "幅 | 117 cm"),
            ],
        ),
    },
    "personal_data": {
        "en": Case(
            rows(("Who?", "Write to ann.lee@contoso.com"), ("Call?", "Call (212) 555-0147")),
            {"email": [0], "phone": [1]},
            rows(("Who?", "Write to help@example.com"), ("Code?", "Error E-1234, 12-34 pieces, 2026-11-21")),
        ),
        "ja": Case(
            rows(("電話は?", "０９０－１２３４－５６７８です"), ("住所は?", "〒100-0001 東京都")),
            {"phone": [0], "postcode": [1]},
            rows(("価格は?", "1,234,567円です。"), ("品番は?", "品番は4111 1111 1111 1112です。")),
        ),
    },
}
