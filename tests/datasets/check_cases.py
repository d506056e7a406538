"""Rows that every check must find and rows that it must leave alone, in both languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.datasets import Passage, Row

__all__ = ["ALL", "CASES", "Case"]


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
    template: str = "starter"
    """``starter``; ``none`` where the base model is not here; ``strict`` for one that refuses system prompts."""
    documents: tuple[Passage, ...] = ()
    """Passages of the documents beside the rows."""


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


SHOP_EN = (
    Passage("koridel.md", "Koridel 205 manual", "The Koridel 205 weighs 3 kg. Its hose is 1,200 mm long."),
    Passage("koridel.md", "Koridel 205 manual > Warranty", "The warranty lasts two years. The maker sits in Oslo."),
    Passage("marodel.md", "Marodel 7 manual", "The Marodel 7 weighs 9 kg and costs $120."),
    Passage(
        "returns.md", "Returns", "Goods may be returned unopened within thirty days, with the receipt, at any shop."
    ),
)
SHOP_JA = (
    Passage(
        "kuriin.md",
        "アオバクリーン30 取扱説明書",
        "アオバクリーン30の重さは3kgです。ホースの長さは１，２００ｍｍです。",
    ),
    Passage(
        "kuriin.md", "アオバクリーン30 取扱説明書 > 保証", "保証期間はご購入から二年間です。製造元は大阪にあります。"
    ),
    Passage("waamu.md", "アオバウォーム7 取扱説明書", "アオバウォーム7の重さは9kg、価格は12000円です。"),
    Passage("henpin.md", "返品について", "未開封の商品は、三十日以内に領収書を添えて各店舗へ返品できます。"),
)

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
            rows(
                ("How heavy is it?", "3 kg"),
                ("How do I reset it?", "Hold the button."),
                ("Can I return it?", "Yes."),
                ("How much does it cost?", "5 dollars."),
            ),
            {"pointing": [0, 1, 2, 3]},
            rows(
                ("How heavy is the Koridel, and does it float?", "3 kg"),
                ("Is it safe to use the X100 outdoors?", "Yes."),
                ("How much is it to have the Koridel repaired?", "5 dollars."),
                ("Can I return the mixer if it is open?", "No."),
                ("What are this year's holidays?", "There are nine."),
            ),
        ),
        "ja": Case(
            rows(("それはいくらですか。", "500円"), ("いつまでにこれを返せばいいですか。", "月末です。")),
            {"pointing": [0, 1]},
            rows(
                ("その他の送料はいくらですか。", "500円"),
                ("それぞれの送料はいくらですか。", "500円"),
                ("この度の改定はいつからですか。", "4月からです。"),
                ("ここ数年の売上を教えてください。", "横ばいです。"),
                ("それでは送料はいくらですか。", "500円"),
                ("返品の送料は、それぞれいくらですか。", "500円"),
                ("この部屋でアオバクリーン30は使えますか。", "はい。"),
            ),
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
            rows(
                ("Who?", "Write to ann.lee@contoso.com"),
                ("Call?", "Call (212) 555-0147"),
                ("Call?", "Call 555.123.4567 or +819012345678"),
                ("Where?", "Albany, NY 12207"),
                ("Which card?", "4111 1111 1111 1111"),
                ("Who?", "Write to taro@myexample.com"),
                ("Which number?", "The number is 1234-5678-9018"),
                ("Who signs?", "Ask 田中太郎 in Tokyo."),
            ),
            {"email": [0, 5], "phone": [1, 2], "postcode": [3], "card": [4], "my_number": [6], "name": [7]},
            rows(
                ("Who?", "Write to help@example.com or a@mail.example.com"),
                ("Code?", "Error E-1234, 12-34 pieces, 2026-11-21"),
                ("Which book?", "ISBN 0306406152, card 4111 1111 1111 1112, number 1234-5678-9012"),
                ("Which version?", "192.168.100.100 since 01-02-2026, order IN 12345"),
            ),
        ),
        "ja": Case(
            rows(
                ("電話は?", "０９０－１２３４－５６７８です"),
                ("住所は?", "〒100-0001 東京都"),
                ("電話は?", "03−1234−5678か03ー1234ー5678です"),
                ("電話は?", "(03)1234-5678です"),
                ("電話は?", "0312345678です"),
                ("電話は?", "090 1234 5678です"),
                ("住所は?", "〒１００ー０００１"),
                ("住所は?", "郵便番号は100−0001"),
                ("宛先は?", "taro@corp.co.jpまで"),
                ("番号は?", "123456789018です"),
                ("カードは?", "4111－1111－1111－1111です"),
                ("担当は?", "担当の佐藤花子が伺います。"),
                ("誰に聞く?", "山田様と鈴木部長に伝えます。"),
                ("署名は?", "氏名:高橋 一郎"),
                ("加藤と申します。返品できますか?", "はい。"),
                ("電話は?", "マイケル・ジョンソンからです。"),
                ("宛名は?", "ﾀﾅｶ様"),
                ("住まいは?", "千葉太郎は千葉県に住んでいます。"),
            ),
            {
                "phone": [0, 2, 3, 4, 5],
                "postcode": [1, 6, 7],
                "email": [8],
                "my_number": [9],
                "card": [10],
                "name": [11, 12, 13, 14, 15, 16, 17],
            },
            rows(
                ("価格は?", "1,234,567円です。"),
                ("品番は?", "品番は4111 1111 1111 1112です。"),
                ("型は?", "A0312345678、123456789012、2026ー11ー21"),
                ("宛先は?", "窓口@example.co.jpかinfo@example.co.jpまで"),
                ("青葉家電の窓口は?", "青葉家電サポート、東京支店、福島支店長まで。"),
                ("会社は?", "小林製薬、ヤマダ電機、松下電器、伊藤忠商事、マツモトキヨシです。"),
                ("場所は?", "石川県の松本城、宮崎空港、坂本龍馬記念館、鈴木一郎法律事務所。"),
                ("お客様とは?", "皆様、お子さん、医師、先生のことです。スマート・ホームもご利用になれます。"),
                ("製品は?", "ひまわり冷蔵庫、さくら洗濯機、みどり掃除機の担当:東京"),
            ),
        ),
    },
}

FURTHER: dict[str, dict[str, list[Case]]] = {
    "answerability": {
        "en": [
            Case(
                rows(
                    ("How heavy is the Koridel 205?", "It weighs 4 kg."),
                    ("How heavy is the Marodel 7?", "The Marodel 7 weighs 3 kg."),
                    ("Who makes the Koridel 205?", "It is made by Ada Lovelace."),
                    ("May goods be returned?", "Only our warehouse manager decides, and usually refuses politely."),
                ),
                {"nowhere": [0, 2], "elsewhere": [1], "thin": [3]},
                [
                    *rows(
                        ("How heavy is the Koridel 205?", "It weighs 3 kg."),
                        ("How long is the hose of the Koridel 205?", "The hose is 1200 mm long [1]."),
                        ("How long is the warranty of the Koridel 205?", "24 months."),
                        (
                            "Within how many days may goods be returned?",
                            "Within 30 days, unopened and with the receipt.",
                        ),
                        (
                            "How are goods returned?",
                            "1. Take the receipt.\n2. Bring the goods to a shop.\n3. Return them.",
                        ),
                        ("Hello!", "Hello, how may I help you today, and which product is it about?"),
                        ("Write a haiku about the sea of 1899.", "Grey waves of Nantucket / 7 gulls / none remain"),
                        ("What is 12 times 12?", "144"),
                    ),
                    row("May goods be returned?", "I do not know about 77 days.", expects={"abstain": True}),
                    row("Which queue: goods to be returned?", "Q17", expects={"category": "Q17"}),
                    row("Goods returned as JSON, please.", '{"queue": 17}', expects={"json_keys": ["queue"]}),
                ],
                documents=SHOP_EN,
            ),
            Case(
                [*many("Which shop returns goods {}?", "Ask for number {0}{0}.", 12)],
                {"unrelated": list(range(12))},
                [*many("May goods be returned, case {}?", "Within 30 days. Call us on 0120-55 then.", 12)],
                documents=SHOP_EN,
            ),
            Case(
                rows(("a", "1"), ("b", "2"), ("c", "3")),
                {"not_examined": []},
                rows(("a", "1")),
                {"limit": 2},
                documents=SHOP_EN,
            ),
        ],
        "ja": [
            Case(
                rows(
                    ("アオバクリーン30の重さは?", "4kgです。"),
                    ("アオバウォーム7の重さは?", "アオバウォーム7の重さは3kgです。"),
                    ("アオバクリーン30の製造元はどこですか。", "札幌にあります。"),
                    ("商品は返品できますか。", "倉庫責任者が審査会議で可否を判定します。"),
                ),
                {"nowhere": [0, 2], "elsewhere": [1], "thin": [3]},
                [
                    *rows(
                        ("アオバクリーン30の重さは?", "３ｋｇです。"),
                        ("アオバクリーン30のホースの長さは?", "長さは1200mmです。"),
                        ("アオバクリーン30の保証期間は?", "2年間です。"),
                        ("アオバウォーム7の価格は?", "12,000円です。"),
                        ("商品の返品は何日以内ですか。", "30日以内に、領収書を添えてお持ちください。"),
                        (
                            "商品の返品の手順は?",
                            "1. 領収書を用意します。\n2. 店舗へ商品を持参します。\n3. 返品します。",
                        ),
                        ("こんにちは。", "こんにちは。本日はどのようなご用件でしょうか。"),
                        ("1899年の海を俳句にして。", "札幌の波七つ鴎七羽"),
                        ("12かける12は?", "144です。"),
                    ),
                    row("商品は返品できますか。", "77日については分かりません。", expects={"abstain": True}),
                    row("商品の返品はどの窓口?", "Q17", expects={"category": "Q17"}),
                ],
                documents=SHOP_JA,
            ),
            Case(
                [*many("商品の返品の番号{}は?", "番号は{0}{0}です。", 12)],
                {"unrelated": list(range(12))},
                [*many("商品の返品、例{}は?", "30日以内です。お電話は0120-55まで。", 12)],
                documents=SHOP_JA,
            ),
            Case(
                rows(("あ", "1"), ("い", "2"), ("う", "3")),
                {"not_examined": []},
                rows(("あ", "1")),
                {"limit": 2},
                documents=SHOP_JA,
            ),
        ],
    },
    "empty_answers": {
        "en": [Case([row("a", " ", "test")], {"test": [0]}, [row("a", "", "test", expects={"abstain": True})])],
        "ja": [Case([row("質問", "　", "test")], {"test": [0]}, [row("質問", "", "test", expects={"abstain": True})])],
    },
    "duplicates": {
        "en": [
            Case(
                rows(("Please tell me how to return a package.", "A"), ("Tell me how to return a package.", "A")),
                {"near": [0, 1]},
                rows(
                    ("What is 1.5% of it?", "A"),
                    ("What is 15% of it?", "A"),
                    ("What is C#?", "A"),
                    ("What is C++?", "A"),
                    ("How do I set the internal clock of the oven?", "A"),
                    ("How do I set the external clock of the oven?", "A"),
                ),
            ),
            Case(rows(("a", "1"), ("b", "2"), ("c", "3")), {"not_examined": []}, rows(("a", "1")), {"limit": 2}),
            Case(rows(("So?", "1.5%"), ("So?", "1.5 %")), {"exact": [1]}, rows(("So?", "1.5%"), ("So?", "15%"))),
        ],
        "ja": [
            Case(
                rows(("送料は1,000円ですか。", "はい。"), ("送料は1000円ですか？", "はい。")),
                {"exact": [1]},
                rows(("？？？", "はい。"), ("😀", "はい。"), ("税は1.5%ですか", "はい。"), ("税は15%ですか", "はい。")),
            ),
            Case(rows(("あ", "1"), ("い", "2"), ("う", "3")), {"not_examined": []}, rows(("あ", "1")), {"limit": 2}),
            Case(
                rows(("サーバーの再起動の手順は?", "押します。"), ("サーバの再起動の手順は?", "押します。")),
                {"near": [0, 1]},
                rows(("東京支店の営業時間を教えてください。", "9時"), ("大阪支店の営業時間を教えてください。", "9時")),
            ),
        ],
    },
    "contradictions": {
        "en": [
            Case(
                rows(
                    ("Can I return it?", "Yes, you can return it."),
                    ("Can I return it?", "No, you cannot return it."),
                    ("What is the fee?", "1.5%"),
                    ("What is the fee?", "15%"),
                    ("Who made the Dovi?", "Koridel made it."),
                    ("Who made the Dovi?", "Marodel made it."),
                ),
                {"answers": [0, 1, 2, 3, 4, 5]},
                rows(("How long?", "It takes 1,000 days."), ("How long?", "It takes 1000 days.")),
            ),
            Case(
                rows(("When are you open?", "From 9 to 17."), ("When are you open?", "Please ask the support desk.")),
                {"different": [0, 1]},
                rows(("When are you open?", "From 9 to 17."), ("When are you open?", "We are open from 9 to 17.")),
            ),
        ],
        "ja": [
            Case(
                rows(
                    ("料率は?", "1.5%です。"),
                    ("料率は?", "15%です。"),
                    ("返品は?", "できます。"),
                    ("返品は?", "できません。"),
                ),
                {"answers": [0, 1, 2, 3]},
                rows(("送料は?", "1,000円です。"), ("送料は?", "1000円です。")),
            ),
            Case(
                rows(("営業時間は?", "9時から17時です。"), ("営業時間は?", "サポートセンターまでどうぞ。")),
                {"different": [0, 1]},
                rows(("営業時間は?", "9時から17時です。"), ("営業時間は?", "9時から17時までです。")),
            ),
        ],
    },
    "leakage": {
        "en": [
            Case(
                [row("How heavy is the Koridel 205?"), row("How heavy is the Koridel 205 ?", split="validation")],
                {"exact_validation": [1]},
                [
                    row("What is C#?"),
                    row("What is C++?", split="validation"),
                    row("???"),
                    row("😀", split="validation"),
                ],
            ),
            Case(
                [
                    row("How do I change the Password of an old account?"),
                    row("How do I change the password of an old account, please?", split="test"),
                ],
                {"near": [1]},
                [
                    row("how do i reset the kitchen timer of the oven?"),
                    row("how do i reset the outdoor timer of the oven?", split="test"),
                ],
            ),
            Case([row("a"), row("b"), row("c", split="test")], {"not_examined": []}, [row("a")], {"limit": 2}),
        ],
        "ja": [
            Case(
                [row("送料はいくらですか。"), row("送料はいくらですか？", split="validation")],
                {"exact_validation": [1]},
                [row("C#とは何ですか"), row("C++とは何ですか", split="validation")],
            ),
            Case(
                [row("バージョン1.1の変更点は?"), row("バージョン1.1の変更点は？", split="test")],
                {"exact_test": [1]},
                [row("バージョン1.1の変更点は?"), row("バージョン11の変更点は?", split="test")],
            ),
            Case(
                [row("サーバーの再起動の手順は?"), row("サーバの再起動の手順は?", split="test")],
                {"near": [1]},
                [
                    row("東京支店の営業時間を教えてください。"),
                    row("大阪支店の営業時間を教えてください。", split="test"),
                ],
            ),
            Case([row("あ"), row("い"), row("う", split="test")], {"not_examined": []}, [row("あ")], {"limit": 2}),
        ],
    },
    "token_length": {
        "en": [
            Case([row("q", "Yes.")], {"no_tokenizer": []}, [row("q", "Yes.", "test")], template="none"),
            Case(
                [*many("q{}", "Yes, for {} days.", 25), row("q", WORDS_EN)],
                {"outliers": [25]},
                many("q{}", "Yes, for {} days.", 26),
            ),
            Case(
                [row("q", "Yes."), chat("q", "Yes.", "Be brief.")],
                {"refused": [1]},
                [chat("q", "Yes.")],
                template="strict",
            ),
        ],
        "ja": [
            Case([row("質問", "はい。")], {"no_tokenizer": []}, [row("質問", "はい。", "test")], template="none"),
            Case(
                [*many("質問{}", "はい、{}日です。", 25), row("質問", WORDS_JA[:400])],
                {"outliers": [25]},
                many("質問{}", "はい、{}日です。", 26),
            ),
            Case(
                [row("質問", "はい。"), chat("質問", "はい。", "短く。")],
                {"refused": [1]},
                [chat("質問", "はい。")],
                template="strict",
            ),
        ],
    },
    "language_mix": {
        "en": [
            Case(
                rows(("この製品の重さは?", "三キログラムです。")),
                {"other": [0]},
                rows(("How heavy is this machine?", "It weighs three kilograms.")),
            )
        ],
        "ja": [
            Case(
                rows(("How heavy is this machine?", "It weighs three kilograms.")),
                {"other": [0]},
                rows(("この製品の重さは?", "三キログラムです。")),
            )
        ],
    },
    "system_prompts": {
        "en": [
            Case(
                [*(chat(f"q{n}", "a") for n in range(12)), chat("q", "a", "Be brief.")],
                {"few": [12]},
                [chat(f"q{n}", "a") for n in range(12)],
            ),
            Case(
                [*(chat(f"q{n}", "a", "Be brief.") for n in range(12)), chat("q", "a")],
                {"missing": [12]},
                [chat(f"q{n}", "a", "😀" if n else "！！！") for n in range(12)],
            ),
        ],
        "ja": [
            Case(
                [*(chat(f"質問{n}", "答え") for n in range(12)), chat("質問", "答え", "一文で答えてください。")],
                {"few": [12]},
                [chat(f"質問{n}", "答え") for n in range(12)],
            ),
            Case(
                [
                    *(chat(f"質問{n}", "答え", "お客様の質問に一文で答えてください。") for n in range(12)),
                    chat("質問", "答え", "お客様の質問に一文で答えてください"),
                ],
                {"variant": [12]},
                [chat(f"質問{n}", "答え", "一文で。" if n % 2 else "JSONで。") for n in range(12)],
            ),
        ],
    },
    "mojibake": {
        "en": [
            Case(
                rows(
                    ("I don‚Äôt know?", "Yes."),
                    ("CafÃ©?", "Yes."),
                    ("a", "\u8cea\u554f".encode("euc_jp").decode("latin-1") + "¤Î¤³¤È"),
                ),
                {"garbled": [0, 1, 2]},
                rows(("It costs ¥500, or ¤5?", "Yes.")),
            ),
            Case(
                rows(("a\u200bb", "c"), ("a", "b\u202ec"), ("a\u2028b", "c"), ("a\x07", "b")),
                {"control": [0, 1, 2, 3]},
                rows(("a\tb\nc", "👩‍💻 is fine")),
            ),
        ],
        "ja": [
            Case(
                rows(
                    ("このこと".encode("euc_jp").decode("cp932"), "a"),
                    ("これは".encode("euc_jp").decode("latin-1"), "a"),
                ),
                {"garbled": [0, 1]},
                rows(("ﾃｽﾄ､ﾊﾞﾅﾅ･ﾘﾝｺﾞは?", "はい。")),
            ),
            Case(
                rows(("送\u200b料は?", "a"), ("料金は?", "五百\u202e円"), ("品名は\ue000?", "a")),
                {"control": [0, 1, 2]},
                rows(("送料は?\n料金は?", "五百円です。")),
            ),
        ],
    },
    "spelling_variants": {
        "en": [
            Case(
                rows(
                    ("Analyse it.", "a"),
                    ("My favourite?", "a"),
                    ("Analyzed?", "a"),
                    ("Analyzing a favorite", "a"),
                    ("Favorites", "a"),
                ),
                {"mixed": [0, 1]},
                rows(
                    ("Four filled the analyses.", "a"), ("For what it analyzes, it filed.", "a"), ("Your hour", "yore")
                ),
            )
        ],
        "ja": [
            Case(
                rows(
                    ("emailを送る", "a"),
                    ("e-mailを送る", "a"),
                    ("emailを読む", "colorを選ぶ"),
                    ("colourを選ぶ", "colorは赤"),
                ),
                {"mixed": [1, 3]},
                rows(("emailを送る", "a"), ("電子メールを送る", "colorを選ぶ")),
            )
        ],
    },
    "label_balance": {
        "en": [
            Case(
                [*many("q{}", "refund", 20), *many("r{}", "repair", 6)],
                {"dominant": []},
                [*many("q{}", "refund", 14), *many("r{}", "repair", 8)],
            ),
            Case(
                [
                    *many("q{}", "refund", 14),
                    *many("r{}", "repair", 8),
                    row("t", "", "test", expects={"category": "lost"}),
                ],
                {"untaught": []},
                [
                    *many("q{}", "refund", 14),
                    *many("r{}", "repair", 8),
                    row("t", "", "test", expects={"category": "repair"}),
                ],
            ),
        ],
        "ja": [
            Case(
                [*many("質問{}", "返金", 20), *many("相談{}", "修理", 6)],
                {"dominant": []},
                [*many("質問{}", "返金", 14), *many("相談{}", "修理", 8)],
            ),
            Case(
                [
                    *many("質問{}", "返金", 14),
                    *many("相談{}", "修理", 8),
                    row("t", "", "test", expects={"category": "紛失"}),
                ],
                {"untaught": []},
                [
                    *many("質問{}", "返金", 14),
                    *many("相談{}", "修理", 8),
                    row("t", "", "test", expects={"category": "修理"}),
                ],
            ),
        ],
    },
    "answer_format": {
        "en": [
            Case(
                [*many("q{}", '{{"price": {}}}'), row("q", '{"cost": 5}')],
                {"json_keys": [9]},
                many("q{}", '{{"price": {}}}'),
            ),
            Case(
                [*many("q{}", '{{"price": {}}}'), row("q", '{"price": 5,}'), row("q", "[" * 100_000)],
                {"broken_json": [9, 10]},
                [*many("q{}", "[1] says {} days."), row("q", "{name} is [1, 2, 3].")],
            ),
            Case(
                [row("q", '{"a": 1}', "test", expects={"json_keys": ["b"]})],
                {"expected_keys": [0]},
                [row("q", '{"b": 1}', "test", expects={"json_keys": ["b"]})],
            ),
            Case(
                [*many("q{}", "{}円です。"), row("q", "It is free である。")],
                {"politeness": [9]},
                many("q{}", "It costs {} dollars."),
            ),
        ],
        "ja": [
            Case(
                [*many("質問{}", '{{"価格": {}}}'), row("質問", '{"値段": 5}')],
                {"json_keys": [9]},
                many("質問{}", '{{"価格": {}}}'),
            ),
            Case(
                [*many("質問{}", '{{"価格": {}}}'), row("質問", '{"価格": 5')],
                {"broken_json": [9]},
                [*many("質問{}", "[1]によれば{}日です。"), row("質問", "{品名}は[1]です。")],
            ),
            Case(
                [*many("質問{}", '{{"価格": {}}}'), row("質問", "無料です。")],
                {"kind": [9]},
                many("質問{}", '{{"価格": {}}}'),
            ),
            Case(
                [row("質問", '{"回答": 1}', "test", expects={"json_keys": ["状態"]})],
                {"expected_keys": [0]},
                [row("質問", '{"状態": 1}', "test", expects={"json_keys": ["状態"]})],
            ),
        ],
    },
    "sql_answers": {
        "en": [
            Case(
                rows(("q", "select count(* from orders where"), ("q", "UPDATE orders SET = 3")),
                {"broken": [0, 1]},
                rows(
                    ("q", "UPDATE statements change rows."),
                    ("q", "select name from staff where id = 3"),
                    ("q", "select the file (or files) from the list"),
                    ("q", "DELETE FROM removes rows, and WITH begins a table."),
                ),
            )
        ],
        "ja": [
            Case(
                rows(("何件?", "select count(* from 注文")),
                {"broken": [0]},
                rows(("何件?", "select count(*) from 注文"), ("UPDATEとは?", "UPDATE文は行を変えます。")),
            )
        ],
    },
}
"""Rows for the codes of a check that its first rows do not reach, and for what was once told wrongly."""

ALL = {
    name: {code: [case, *FURTHER.get(name, {}).get(code, [])] for code, case in cases.items()}
    for name, cases in CASES.items()
}
