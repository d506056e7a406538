"""Entities of a fictional company: their names, and families of names that are easily confused."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from core.starter.world.names import (
    GIVEN,
    KANA,
    KANJI,
    SUFFIXES,
    SUFFIXES_JA,
    SURNAMES,
    person_name,
    syllable_word,
)

_POOL = random.Random(20261)
POOL_EN = tuple(sorted({syllable_word(_POOL, 2, 3).capitalize() for _ in range(420)}))
POOL_KANA = tuple(sorted({"".join(_POOL.choice(KANA) for _ in range(_POOL.randint(3, 4))) for _ in range(220)}))
POOL_KANJI = tuple(sorted({_POOL.choice(KANJI) + _POOL.choice(KANJI) for _ in range(160)}))

_GOODS = (
    ("kettle", "ケトル"),
    ("fan", "扇風機"),
    ("rice cooker", "炊飯器"),
    ("toaster", "トースター"),
    ("heater", "ヒーター"),
    ("blender", "ミキサー"),
    ("lamp", "照明"),
    ("washer", "洗濯機"),
    ("fridge", "冷蔵庫"),
    ("oven", "オーブン"),
    ("speaker", "スピーカー"),
    ("iron", "アイロン"),
    ("air purifier", "空気清浄機"),
    ("humidifier", "加湿器"),
    ("coffee maker", "コーヒーメーカー"),
    ("vacuum", "掃除機"),
    ("dryer", "ドライヤー"),
    ("camera", "カメラ"),
)
_BRANCH = (("branch", "店"), ("shop", "店"), ("store", "支店"), ("showroom", "ショールーム"), ("centre", "センター"))
_PLACES = (
    "West Gate",
    "East Gate",
    "Harbour",
    "Old Town",
    "River Side",
    "Mill Lane",
    "North Park",
    "South Park",
    "Castle Hill",
    "Lake View",
    "Market",
    "Station",
    "Central",
    "Airport",
    "Garden",
    "Bridge",
)
_PLAN_HEADS = (
    ("Silver", "シルバー"),
    ("Gold", "ゴールド"),
    ("Basic", "ベーシック"),
    ("Family", "ファミリー"),
    ("Comfort", "あんしん"),
    ("Express", "お急ぎ"),
    ("Student", "学生"),
    ("Green", "グリーン"),
    ("Senior", "シニア"),
    ("Business", "法人"),
)
_PLAN_TOPICS = (
    ("Care", "保証"),
    ("Delivery", "配送"),
    ("Repair", "修理"),
    ("Travel", "出張"),
    ("Training", "研修"),
    ("Rental", "レンタル"),
    ("Installation", "設置"),
    ("Club", "会員"),
    ("Recycling", "回収"),
    ("Housing", "住宅"),
)
_PLAN_KINDS = (
    ("plan", "プラン"),
    ("service", "サービス"),
    ("policy", "規程"),
    ("scheme", "制度"),
    ("programme", "コース"),
)
_TASK_OBJECTS = (
    ("filter", "フィルター"),
    ("stock", "在庫"),
    ("annual", "年次"),
    ("pump", "ポンプ"),
    ("server", "サーバー"),
    ("kitchen", "厨房"),
    ("cash desk", "レジ"),
    ("window", "窓"),
    ("firmware", "ファームウェア"),
    ("safety", "安全"),
    ("warehouse", "倉庫"),
    ("burner", "バーナー"),
    ("battery", "電池"),
    ("belt", "ベルト"),
)
_TASK_KINDS = (
    ("replacement", "交換"),
    ("inspection", "点検"),
    ("cleaning", "清掃"),
    ("check", "確認"),
    ("update", "更新"),
    ("start-up", "始動"),
    ("test", "試験"),
    ("count", "集計"),
    ("setup", "設定"),
    ("calibration", "調整"),
)

Key = tuple[str, str]


@dataclass(slots=True)
class Entity:
    """One entity and what is stated about it.

    Attributes:
        kind: "product", "branch", "person", "plan" or "procedure".
        name: Its name in the language of the conversation.
        facts: (attribute key, extra or "") to value.
    """

    kind: str
    name: str
    facts: dict[Key, str] = field(default_factory=dict)


def _word(rng: random.Random, language: str, pool: bool) -> str:
    if language == "ja" and rng.random() < 0.55:
        return rng.choice(POOL_KANA) if pool else "".join(rng.choice(KANA) for _ in range(rng.randint(3, 5)))
    return rng.choice(POOL_EN) if pool else syllable_word(rng, 2, 3).capitalize()


def _tail(rng: random.Random, language: str) -> str:
    """What tells the members of a family of products apart: a number or a suffix."""
    if rng.random() < 0.65:
        form = rng.random()
        number = str(rng.randint(1, 99) * 10 + rng.choice((0, 0, 5, rng.randint(0, 9))))
        if form < 0.6:
            return number
        letter = rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
        return letter + number if form < 0.8 else number + letter
    if language == "ja" and rng.random() < 0.6:
        return rng.choice(SUFFIXES_JA)
    return rng.choice(SUFFIXES)


def _product(rng: random.Random, language: str, pool: bool, base: str | None) -> str:
    word = base or _word(rng, language, pool)
    form = rng.random()
    joint = "" if language == "ja" and rng.random() < 0.4 else " "
    if base or form < 0.5:
        return word + joint + _tail(rng, language)
    if form < 0.65:
        good = rng.choice(_GOODS)[language == "ja"]
        return word + ("" if language == "ja" else " ") + good
    if form < 0.72 and not pool:
        return f"{word} {rng.choice(SUFFIXES)} {rng.randint(2, 900)}"
    return word


def _branch(rng: random.Random, language: str, pool: bool, base: str | None) -> str:
    english, japanese = rng.choice(_BRANCH)
    if language == "ja":
        place = base or (rng.choice(POOL_KANJI) if pool else rng.choice(KANJI) + rng.choice(KANJI))
        if base:
            place += rng.choice(("東口", "西口", "駅前", "本町", "南", "北"))
        elif rng.random() < 0.2:
            place = _word(rng, "ja", pool)
        return place + japanese
    place = base or (rng.choice(_PLACES) if pool and rng.random() < 0.3 else _word(rng, "en", pool))
    if base:
        place += " " + rng.choice(("East", "West", "North", "South", "Station", "Park"))
    return f"{place} {english}"


def _person(rng: random.Random, language: str, pool: bool, base: str | None) -> str:
    if base is not None:
        given, given_ja = rng.choice(GIVEN)
        return f"{given} {base}" if language == "en" else f"{base}{given_ja}"
    if pool:
        (given, given_ja), (last, last_ja) = rng.choice(GIVEN), rng.choice(SURNAMES)
        if language == "en":
            return f"{given} {last}"
        return f"{given_ja}・{last_ja}" if "ァ" <= last_ja[0] <= "ヿ" else last_ja + given_ja
    if language == "en":
        return f"{syllable_word(rng, 1, 2).capitalize()} {syllable_word(rng, 2, 3).capitalize()}"
    return (
        person_name(rng)[1] if rng.random() < 0.3 else f"{rng.choice(KANJI)}{rng.choice(KANJI)}{rng.choice(GIVEN)[1]}"
    )


def _plan(rng: random.Random, language: str, pool: bool, base: str | None) -> str:
    ja = language == "ja"
    kind = rng.choice(_PLAN_KINDS)[ja]
    head = base or (rng.choice(_PLAN_HEADS)[ja] if pool else _word(rng, language, False))
    topic = rng.choice(_PLAN_TOPICS)[ja]
    if rng.random() < 0.2 and not base:
        return f"{topic}{kind}" if ja else f"{topic} {kind}"
    return f"{head}{topic}{kind}" if ja else f"{head} {topic} {kind}"


def _procedure(rng: random.Random, language: str, pool: bool, base: str | None) -> str:
    ja = language == "ja"
    kind = rng.choice(_TASK_KINDS)[ja]
    head = base or (rng.choice(_TASK_OBJECTS)[ja] if pool else _word(rng, language, False))
    return f"{head}{kind}" if ja else f"{head} {kind}"


_MAKERS = {"product": _product, "branch": _branch, "person": _person, "plan": _plan, "procedure": _procedure}


def make_name(rng: random.Random, kind: str, language: str, names: str, base: str | None = None) -> str:
    """A name of this kind; with ``base`` one that is easily confused with others of the same base."""
    pool = names == "pool" or (names == "mixed" and rng.random() < 0.5)
    return _MAKERS[kind](rng, language, pool, base)


def family_base(rng: random.Random, kind: str, language: str, names: str) -> str:
    """The common part of a family of similar names."""
    pool = names == "pool" or (names == "mixed" and rng.random() < 0.5)
    if kind == "person":
        if language == "ja":
            return rng.choice([ja for _, ja in SURNAMES if not "ァ" <= ja[0] <= "ヿ"])
        return rng.choice(SURNAMES)[0] if pool else syllable_word(rng, 2, 3).capitalize()
    if kind == "branch" and language == "ja":
        return rng.choice(POOL_KANJI) if pool else rng.choice(KANJI) + rng.choice(KANJI)
    return _word(rng, language, pool)
