"""The words in which system prompts ask for a style, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.starter.world import phrases_ja as japanese
from core.starter.world.tones_ja import gozaru, plain

ASK: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "sentence": (
            "Answer in one sentence.",
            "Reply with one full sentence.",
            "Write a single sentence.",
            "Keep it to one sentence.",
        ),
        "cite": (
            "Answer in one sentence and cite the passage.",
            "Give the number of the passage you used.",
            "Cite the passage.",
            "Always cite your source.",
            "Put the passage number after your answer.",
        ),
        "nocite": (
            "Answer in one sentence without a citation.",
            "Do not cite passages.",
            "Leave out passage numbers.",
            "Answer plainly, with no citation.",
        ),
        "short": (
            "Answer with the value only.",
            "Be as short as possible.",
            "Reply with just the value.",
            "Give only the value.",
            "No sentence, just the value.",
            "Keep it very short: the value alone.",
            "Short answers only.",
        ),
        "list": (
            "Answer as a list item.",
            "Use a bullet.",
            "Write the answer as a bullet point.",
            "Reply with one bullet: name and value.",
        ),
        "bold": (
            "Put the value in bold.",
            "Write the value in bold.",
            "Mark the value in bold type.",
            "Set the value in ** marks.",
        ),
        "closing": (
            "End with: {s}",
            "Close every answer with: {s}",
            'Finish your answer with "{s}".',
            'At the end always write "{s}".',
            "The last words must be: {s}",
        ),
        "prefix": (
            "Begin with: {s}",
            'Start every answer with "{s}".',
            "Open your answer with: {s}",
            "The first words must be: {s}",
            'Always begin with "{s}".',
        ),
        "tag": (
            "Put the value between <{s}> and </{s}>.",
            "Answer with the value inside a {s} tag.",
            "Use the tag {s} around the value.",
            "Reply only with <{s}>value</{s}>.",
        ),
        "fields": (
            "Answer in two lines: {s} and {t}.",
            "Write two lines, {s}: and {t}:.",
            'Use the form "{s}: ..." and on the next line "{t}: ...".',
        ),
        "json": (
            "Answer as JSON with keys {keys}.",
            "Reply in JSON. Keys: {keys}.",
            "Use JSON with the keys {keys}.",
            "Return a JSON object with {keys}.",
            "Write JSON only; the keys are {keys}.",
        ),
        "json_map": (
            "Answer as JSON in this form: {keys}",
            "Reply with JSON: {keys}",
            "Use exactly this JSON: {keys}",
            "Return a JSON object {keys}",
        ),
        "json_const": (
            ' Set "{kc}" to "{const}".',
            ' Always add "{kc}": "{const}".',
            ' The last key is "{kc}" with "{const}".',
        ),
    },
    "ja": {
        "sentence": (
            "一文で答えてください。",
            "一つの文で答えること。",
            "回答は一文にしてください。",
            "一文だけで書いてください。",
        ),
        "cite": (
            "一文で答え、使った資料の番号を付けてください。",
            "資料の番号を示してください。",
            "出典の番号を付けてください。",
            "必ず資料番号を添えてください。",
            "回答の後に資料の番号を書いてください。",
        ),
        "nocite": (
            "資料の番号は付けずに一文で答えてください。",
            "資料番号は書かないでください。",
            "番号は不要です。",
            "出典を付けずに答えてください。",
        ),
        "short": (
            "値だけを答えてください。",
            "できるだけ短く答えてください。",
            "値のみを書いてください。",
            "文にせず、値だけを答えること。",
            "短く、値だけで答えてください。",
            "回答は値のみとします。",
        ),
        "list": (
            "箇条書きで答えてください。",
            "箇条書きの一項目として答えること。",
            "箇条書きにしてください。",
            "名前と値を箇条書きで書いてください。",
        ),
        "bold": (
            "値を太字にしてください。",
            "値は太字で書いてください。",
            "値を**で囲んでください。",
            "値を太字で示すこと。",
        ),
        "closing": (
            "最後に「{s}」と書いてください。",
            "回答の終わりに「{s}」を付けてください。",
            "文末は「{s}」で結ぶこと。",
            "必ず「{s}」で終えてください。",
            "結びの言葉: {s}",
        ),
        "prefix": (
            "最初に「{s}」と書いてください。",
            "回答の始めに「{s}」を付けてください。",
            "必ず「{s}」で始めてください。",
            "冒頭の言葉: {s}",
        ),
        "tag": (
            "値を<{s}>と</{s}>で囲んでください。",
            "{s}タグの中に値を書いてください。",
            "値だけを{s}タグで囲んで答えてください。",
        ),
        "fields": (
            "「{s}」と「{t}」の二行で答えてください。",
            "二行で書いてください。一行目は{s}、二行目は{t}です。",
            "{s}: … {t}: … の形で二行にしてください。",
        ),
        "json": (
            "次のキーのJSONで答えてください: {keys}",
            "JSONで答えてください。キー: {keys}",
            "キーが{keys}のJSONで返してください。",
            "JSONのみを書いてください。キーは{keys}です。",
        ),
        "json_map": (
            "次の形のJSONで答えてください: {keys}",
            "JSONで返してください: {keys}",
            "このJSONの形を守ってください: {keys}",
        ),
        "json_const": (
            "「{kc}」は「{const}」とします。",
            '必ず"{kc}": "{const}"を加えてください。',
            "最後のキーは「{kc}」で、値は「{const}」です。",
        ),
    },
}
KEY_ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "value": ("answer", "value", "result", "reply"),
        "sentence": ("text", "sentence", "message"),
        "name": ("product", "name", "subject", "item"),
        "topic": ("topic", "field", "attribute"),
        "source": ("source", "ref", "passage"),
        "status": ("status", "state"),
        "found": ("found", "known"),
    },
    "ja": {
        "value": ("answer", "回答", "value", "値"),
        "sentence": ("text", "文", "本文"),
        "name": ("product", "名称", "name", "対象"),
        "topic": ("topic", "話題", "項目"),
        "source": ("source", "出典", "ref", "番号"),
        "status": ("status", "状態"),
        "found": ("found", "有無"),
    },
}
ROLE_NAMES: dict[str, dict[str, str]] = {
    "en": {
        "value": "answer",
        "sentence": "sentence",
        "name": "name",
        "topic": "topic",
        "source": "source",
        "status": "status",
        "found": "true or false",
    },
    "ja": {
        "value": "回答",
        "sentence": "文",
        "name": "名称",
        "topic": "話題",
        "source": "出典",
        "status": "状態",
        "found": "trueかfalse",
    },
}
KEY_WORDS = (
    "answer value result reply text product name item topic field source ref status found category code label id note "
    "customer ticket order date amount unit title kind group level area queue team owner reason action next priority "
    "channel language detail entry record fact data info key type class page line number mail desk region market season "
    "colour weight house letter river stone garden window table engine paper silver metal theme model series branch "
    "response output content summary object property reference document origin department urgency sentiment intent "
    "is_known has_source product_name answer_text source_id ticket_id reply_text main_topic final_value"
).split()
CLOSING_WORDS: dict[str, list[str]] = {
    "en": (
        "Best wishes, Kind regards, Thank you. Have a nice day! See you soon. Your team of the customer service desk at "
        "Aoba Nelo Koridel always here for you Ask again any time! Take care. Yours truly, We are glad to help. Cheers, "
        "All the best! Good luck. Sincerely, support office. Good to hear from you. OK: Answer: Info: Note: Hello! Dear "
        "customer, Reply: Result: Here it is: According to our records, As far as we know, Sure! Of course. Friend, "
        "quality matters since 1987 >> *** ### // == -- && :: (end) [done] <3 :) ~ + = % @ # $ & * ^ _ | { } ; ' \" ? !"
    ).split(),
    "ja": (
        "よろしくお願いいたします。 ありがとうございました。 またのご利用をお待ちしております。 以上です。 担当より 青葉家電 お客様 窓口 いつでも どうぞ お気軽に ご相談ください。 "
        "敬具 お大事に 良い一日を 回答: お答えします。 はい、 承知しました。 ご案内: 結果: なるほど! それでは、 当社の記録では、 品質第一 春 夏 秋 冬 空 海 山 "
        "ね! よ! です! ★ ※ ◎ → ■ □ ● 〜 … 「」 『』 【終】 【回答】 （完） ・ ／ ＝ ＋ ！ ？"
    ).split(),
}


@dataclass(frozen=True, slots=True)
class Tone:
    """A way of speaking: what asks for it, what stands before, how the sentence changes."""

    ask: tuple[str, ...]
    before: str
    change: Callable[[str], str] | None = None


def _ending(desu: str, masu: str, other: str) -> Callable[[str], str]:
    def change(template: str) -> str:
        for old, new in (
            ("ませんでした。", "ませんでした" + other),
            ("ません。", "ません" + other),
            ("です。", desu),
            ("ます。", masu),
            ("でした。", "でした" + other),
        ):
            if template.endswith(old):
                return template[: -len(old)] + new
        return template.removesuffix("。") + other

    return change


def _tail(text: str) -> Callable[[str], str]:
    return lambda template: template.removesuffix(".") + text


TONES: dict[str, tuple[Tone, ...]] = {
    "en": (
        Tone(("Talk like a pirate.", "Answer as a pirate would.", "You are a pirate."), "Arr, "),
        Tone(("Speak like a knight.", "Answer as a knight would."), "Hark! "),
        Tone(("Talk like a robot.", "Answer as a robot."), "Beep. "),
        Tone(("Talk like a cowboy.", "Sound like a cowboy."), "", _tail(", partner.")),
        Tone(("Sound cheerful.", "Be very cheerful.", "Answer with joy."), "", _tail("!")),
    ),
    "ja": (
        Tone(japanese.FORMAT_PROMPTS["tone"], "", gozaru),
        Tone(japanese.FORMAT_PROMPTS["plain"], "", plain),
        Tone(
            ("猫のように話してください。", "語尾に「にゃ」を付けてください。"),
            "",
            _ending("ですにゃ。", "ますにゃ。", "にゃ。"),
        ),
        Tone(("関西弁で答えてください。", "大阪の言葉で話してください。"), "", _ending("やで。", "まっせ。", "やで。")),
        Tone(("元気に答えてください。", "明るい口調で答えること。"), "", _ending("です!", "ます!", "!")),
        Tone(("ロボットのように話してください。", "ロボットの口調で答えること。"), "ピピッ。"),
    ),
}
GREETINGS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "en": (
        (
            ("Be polite.", "Thank the customer first.", "Answer politely.", "Write like a friendly support agent."),
            "Thank you for asking. ",
        ),
        (("Greet the customer.", "Begin with a greeting.", "Say hello first."), "Hello! "),
        (("Address the customer formally.", "Write very formally."), "Dear customer, "),
    ),
    "ja": (
        (japanese.FORMAT_PROMPTS["polite"], "お問い合わせありがとうございます。"),
        (("あいさつから始めてください。", "最初にあいさつをしてください。"), "こんにちは。"),
        (("改まった言葉で答えてください。", "とても丁重に答えてください。"), "お客様、お答え申し上げます。"),
    ),
}
GROUPS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "money": (
        ("price", "billing", "money", "payment"),
        ("料金", "支払い", "価格"),
        ("price", "member_price", "fee", "discount", "maximum_amount", "repair_fee"),
    ),
    "size": (
        ("size", "dimensions", "measures"),
        ("寸法", "サイズ", "大きさ"),
        ("weight", "width", "height", "depth", "capacity", "cord_length", "room_size"),
    ),
    "power": (
        ("power", "energy", "electricity"),
        ("電源", "電気", "電力"),
        ("power", "voltage", "battery_life", "charging_time", "energy_class"),
    ),
    "repair": (
        ("repair", "trouble", "fault"),
        ("修理", "故障", "不具合"),
        ("error_fix", "light_meaning", "spare_part", "filter_interval"),
    ),
    "delivery": (("delivery", "shipping", "transport"), ("配送", "配達", "発送"), ("delivery_time",)),
    "returns": (("returns", "refund", "return"), ("返品", "返金"), ("return_period", "refund_days")),
    "hours": (("hours", "opening", "schedule"), ("営業時間", "営業"), ("opening_time", "closing_time", "closed_day")),
    "place": (
        ("location", "place", "directions"),
        ("場所", "所在地", "案内"),
        ("address", "floor", "nearest_station", "parking_spaces", "desk_room"),
    ),
    "people": (
        ("staff", "people", "personnel"),
        ("人事", "担当者", "社員"),
        ("manager", "role", "department", "deputy", "designer", "languages", "staff_count"),
    ),
    "contact": (
        ("contact", "phone", "reach"),
        ("連絡先", "問い合わせ先"),
        ("phone", "extension", "email", "contact_desk"),
    ),
    "warranty": (("warranty", "guarantee"), ("保証",), ("warranty",)),
    "look": (("design", "look", "appearance"), ("外観", "デザイン"), ("colour", "material")),
    "care": (
        ("care", "cleaning", "washing"),
        ("手入れ", "清掃"),
        ("cleaning_tool", "dishwasher_safe", "filter_interval"),
    ),
    "features": (
        ("features", "options", "functions"),
        ("機能", "付属品"),
        ("accessory", "app_name", "programs", "water_resistance", "max_temperature", "noise"),
    ),
    "origin": (("origin", "production", "identity"), ("製造", "型番"), ("made_in", "release_date", "model_number")),
    "conditions": (
        ("conditions", "terms", "rules"),
        ("条件", "規定"),
        ("deadline", "notice_period", "valid_until", "minimum_age", "documents_needed", "approver", "free_from"),
    ),
    "steps": (
        ("steps", "procedure", "work"),
        ("手順", "作業"),
        ("first_step", "last_step", "tool_needed", "duration", "frequency", "responsible", "form_code"),
    ),
}
KINDS: dict[str, tuple[str, str]] = {
    "product": ("product", "製品"),
    "branch": ("branch", "店舗"),
    "person": ("person", "人物"),
    "plan": ("plan", "規定"),
    "procedure": ("procedure", "手順"),
}
CLASSIFY: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "label": (
            "Classify the customer's message. Labels: {list}. Reply with the label only.",
            "Sort the inquiry into one of these labels: {list}. Give just the label.",
            "Which of these fits the question: {list}? Answer with one word.",
        ),
        "code": (
            "Classify the message. Codes: {list}. Reply with the code only.",
            "Give the code of the inquiry and nothing else. {list}.",
        ),
        "shown": (
            "Sort each inquiry. Reply with its code only.",
            "Every message gets a code, as in the examples.",
            "Answer with the code of the inquiry.",
        ),
        "topic": (
            "Name the topic of the message in one word.",
            "What is each message about? Reply with its topic only.",
            "Reply with the topic.",
        ),
        "kind": (
            "What kind of thing is each message about? Reply with one word.",
            "Name the kind of thing that is asked about.",
        ),
        "json": (
            "Classify the message as JSON with key {k}. Labels: {list}.",
            "Reply with JSON, key {k}, one of these labels: {list}.",
        ),
    },
    "ja": {
        "label": (
            "お問い合わせを分類してください。分類: {list}。分類名だけを答えてください。",
            "次のどれに当たるか、一語で答えてください: {list}",
            "問い合わせの種類を一つ選んでください。{list}",
        ),
        "code": (
            "お問い合わせを分類し、コードだけを答えてください。{list}",
            "コードを一つ答えてください。コード: {list}",
        ),
        "shown": (
            "お問い合わせを分類し、コードだけを答えてください。",
            "例のように、お問い合わせのコードを答えてください。",
            "それぞれの問い合わせにコードを付けてください。",
        ),
        "topic": (
            "お問い合わせの話題を一語で答えてください。",
            "何についての問い合わせか、話題だけを答えてください。",
            "話題を答えること。",
        ),
        "kind": (
            "何の種類についての問い合わせか、一語で答えてください。",
            "問い合わせの対象の種類を答えてください。",
        ),
        "json": (
            "お問い合わせを分類し、キー{k}のJSONで答えてください。分類: {list}",
            "キーが{k}のJSONで答えること。分類: {list}",
        ),
    },
}
TAGGED: dict[str, tuple[str, ...]] = {
    "en": (
        "Messages that begin with {t} are to be sorted.",
        "{t} marks an inquiry to sort; answer everything else as usual.",
        "Sort what is marked {t}, and nothing else.",
        "For messages marked {t}:",
    ),
    "ja": (
        "{t}で始まるお問い合わせだけを分類します。",
        "{t}の付いたものは分類し、ほかは普通に答えてください。",
        "{t}は分類してほしいお問い合わせの印です。",
        "{t}の印がある場合:",
    ),
}
COPY: dict[str, tuple[str, ...]] = {
    "en": (
        "Repeat this exactly: {s}",
        "Copy this text: {s}",
        "Write exactly: {s}",
        "Say this again: {s}",
        "Please repeat: {s}",
        "Return the code {s} unchanged.",
        "Type the following: {s}",
    ),
    "ja": (
        "そのまま繰り返してください: {s}",
        "次の文字を書き写してください: {s}",
        "「{s}」と書いてください。",
        "もう一度言ってください: {s}",
        "次の通りに書いてください: {s}",
        "コード{s}をそのまま返してください。",
    ),
}
SPELL: dict[str, tuple[str, ...]] = {
    "en": ("Spell {s}.", "Spell out the code {s}.", "Write {s} with a space between the characters."),
    "ja": ("{s}を一文字ずつ書いてください。", "コード{s}を一文字ずつ区切って書いてください。"),
}

for _name, _source in (
    ("sentence", "sentence"),
    ("cite", "cite"),
    ("short", "short"),
    ("list", "list"),
    ("json", "json"),
    ("closing", "ending"),
    ("prefix", "opening"),
):
    ASK["ja"][_name] += japanese.FORMAT_PROMPTS[_source]
CLASSIFY["ja"]["label"] += tuple(ask.replace("{labels}", "{list}") for ask in japanese.FORMAT_PROMPTS["label"])
