"""Values of the facts: each kind draws one value and writes it in English and in Japanese.

Grammar that wordings rely on: ``instruction`` is a bare verb phrase ("clean the filter",
「フィルターを掃除する」), ``state`` a clause in English ("the tank is empty") and a noun in Japanese
(「水切れ」); ``list`` kinds are "A, B and C" and 「A、B、C」.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence

from core.starter.world.names import person_name, syllable_word

Pair = tuple[str, str]
Draw = Callable[[random.Random], Pair]

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

CHOICES: dict[str, str] = {
    "city": "Osaka/大阪 Nagoya/名古屋 Kyoto/京都 Sendai/仙台 Kobe/神戸 Sapporo/札幌 Fukuoka/福岡 Niigata/新潟 "
    "Okayama/岡山 Matsuyama/松山 Berlin/ベルリン Lyon/リヨン Porto/ポルト Austin/オースティン Turin/トリノ "
    "Leeds/リーズ Hanoi/ハノイ Seoul/ソウル Vienna/ウィーン Oslo/オスロ Riga/リガ Ghent/ヘント Basel/バーゼル "
    "Kazan/カザン Lima/リマ Quito/キト Dublin/ダブリン Malmo/マルメ Krakow/クラクフ Izmir/イズミル",
    "colour": "black/黒 white/白 silver/銀色 blue/青 red/赤 green/緑 gold/金色 grey/灰色 dark_blue/紺色 brown/茶色 "
    "cream/クリーム色 pink/桃色 light_green/黄緑 orange/オレンジ yellow/黄色 purple/紫 turquoise/水色 copper/銅色",
    "lamp": "red/赤 green/緑 blue/青 orange/オレンジ white/白 yellow/黄色 purple/紫",
    "material": "stainless_steel/ステンレス aluminium/アルミニウム glass/ガラス bamboo/竹 cotton/綿 oak/オーク材 "
    "ceramic/陶器 leather/革 recycled_plastic/再生プラスチック silicone/シリコーン cast_iron/鋳鉄 beech/ブナ材 "
    "wool/羊毛 carbon_fibre/炭素繊維 copper/銅 rubber/ゴム steel/鋼 titanium/チタン linen/麻 cork/コルク",
    "grade": "A+++/A+++ A++/A++ A+/A+ A/A B/B C/C D/D E/E F/F",
    "yesno": "yes/はい no/いいえ",
    "ip_code": "IPX2/IPX2 IPX4/IPX4 IPX5/IPX5 IPX6/IPX6 IPX7/IPX7 IPX8/IPX8 IP44/IP44 IP54/IP54 IP55/IP55 "
    "IP65/IP65 IP67/IP67 IP68/IP68",
    "weekday": "Monday/月曜日 Tuesday/火曜日 Wednesday/水曜日 Thursday/木曜日 Friday/金曜日 Saturday/土曜日 "
    "Sunday/日曜日",
    "item": "a_carrying_case/持ち運びケース a_spare_filter/予備フィルター a_charging_stand/充電台 "
    "a_measuring_cup/計量カップ a_wall_mount/壁掛け金具 a_travel_bag/旅行用袋 a_cleaning_brush/掃除用ブラシ "
    "a_remote_control/リモコン a_recipe_book/レシピ集 a_spare_battery/予備の電池 a_steel_lid/金属のふた "
    "a_dust_cover/ほこりよけカバー two_nozzles/ノズル2本 a_USB_cable/USBケーブル a_silicone_mat/シリコーンマット "
    "a_drip_tray/水受け皿 a_shoulder_strap/肩ひも three_trays/トレー3枚 a_glass_jar/ガラス容器 a_floor_stand/床置き台",
    "tool": "a_soft_brush/柔らかいブラシ a_damp_cloth/湿った布 a_dry_cloth/乾いた布 a_flat_screwdriver/マイナスドライバー "
    "a_cross_screwdriver/プラスドライバー a_hex_key/六角レンチ warm_water/ぬるま湯 a_cotton_swab/綿棒 "
    "mild_soap/中性洗剤 a_wooden_spoon/木のへら a_vacuum_cleaner/掃除機 citric_acid/クエン酸 a_torch/懐中電灯 "
    "a_plastic_scraper/樹脂のへら baking_soda/重曹 a_small_spanner/小型スパナ a_tape_measure/巻き尺 "
    "rubber_gloves/ゴム手袋 a_label_printer/ラベル印刷機 an_air_duster/エアダスター",
    "department": "logistics/物流部 accounting/経理部 customer_care/お客様相談室 human_resources/人事部 "
    "purchasing/購買部 quality_control/品質管理部 marketing/宣伝部 product_design/商品企画部 legal_affairs/法務部 "
    "IT_support/情報システム部 facility_management/施設管理部 repair_service/修理部 online_sales/通販部 "
    "export_sales/輸出部 training/研修部 research/研究部 store_planning/店舗開発部 public_relations/広報部",
    "role": "store_manager/店長 finance_manager/経理課長 team_leader/班長 repair_technician/修理技師 "
    "sales_adviser/販売員 buyer/仕入担当 data_analyst/データ分析担当 warehouse_manager/倉庫長 "
    "managing_director/専務 personnel_manager/人事課長 designer/デザイナー translator/翻訳担当 trainer/研修講師 "
    "quality_inspector/検査員 software_engineer/ソフト開発者 head_of_sales/営業部長 office_assistant/事務員 "
    "safety_officer/安全管理者 regional_manager/地域統括 product_manager/商品企画課長",
    "desk": "the_service_desk/サービス窓口 the_travel_desk/出張窓口 the_repair_desk/修理窓口 "
    "the_members'_desk/会員窓口 the_help_desk/ヘルプデスク the_payroll_desk/給与窓口 the_delivery_desk/配送窓口 "
    "the_returns_desk/返品窓口 the_security_desk/警備窓口 the_front_office/受付 the_contract_desk/契約窓口 "
    "the_parts_desk/部品窓口 the_welfare_desk/福利窓口 the_order_desk/注文窓口 the_online_desk/通販窓口",
    "language": "German/ドイツ語 Thai/タイ語 English/英語 Japanese/日本語 French/フランス語 Spanish/スペイン語 "
    "Korean/韓国語 Chinese/中国語 Italian/イタリア語 Hindi/ヒンディー語 Polish/ポーランド語 Dutch/オランダ語 "
    "Turkish/トルコ語 Vietnamese/ベトナム語 Finnish/フィンランド語 Greek/ギリシャ語",
    "service": "repairs/修理 gift_wrapping/包装 key_cutting/合鍵 home_delivery/宅配 recycling/リサイクル "
    "engraving/刻印 trade-in/下取り rental/貸し出し workshops/体験教室 knife_sharpening/包丁研ぎ battery_checks/電池点検 "
    "click_and_collect/店頭受け取り child_care/託児 tax_refunds/免税 photo_printing/写真印刷 assembly/組み立て",
    "paper": "receipt/領収書 order_form/注文書 passport_copy/旅券の写し warranty_card/保証書 invoice/請求書 "
    "application_form/申請書 member_card/会員証 photo/写真 travel_report/出張報告書 bank_details/口座情報 "
    "delivery_note/納品書 contract/契約書 doctor's_note/診断書 residence_card/在留カード estimate/見積書 "
    "signed_letter/署名入りの書面",
    "state": "the_tank_is_empty/水切れ the_battery_is_low/電池残量不足 the_lid_is_open/ふたの開き "
    "the_filter_is_blocked/フィルター詰まり the_unit_is_charging/充電中 the_motor_is_too_hot/モーター過熱 "
    "the_update_is_running/更新中 the_unit_is_ready/準備完了 the_child_lock_is_on/チャイルドロック中 "
    "the_bin_is_full/ごみ満杯 the_connection_is_lost/接続切れ the_timer_is_running/タイマー作動中 "
    "the_unit_is_on_standby/待機中 the_pump_is_stuck/ポンプ停止 the_sensor_is_dirty/センサー汚れ "
    "the_water_is_hot/お湯の用意完了",
}

_INSTRUCTIONS = (
    "clean|掃除する:the filter|フィルター the sensor|センサー the nozzle|ノズル the air inlet|吸気口 the lens|レンズ;"
    "replace|交換する:the battery|電池 the filter|フィルター the fuse|ヒューズ the seal|パッキン the belt|ベルト;"
    "check|確認する:the cable|ケーブル the water level|水量 the plug|差し込み口 the order number|注文番号 "
    "the serial number|製造番号;"
    "close|閉める:the lid|ふた the valve|弁 the side door|側面の扉 the drawer|引き出し;"
    "open|開ける:the lid|ふた the valve|弁 the rear cover|背面カバー the settings menu|設定画面;"
    "empty|空にする:the bin|ごみ容器 the tank|タンク the drip tray|水受け皿;"
    "restart|再起動する:the unit|本体 the router|ルーター the app|アプリ the server|サーバー;"
    "update|更新する:the firmware|ファームウェア the app|アプリ the price list|価格表 the log book|記録簿;"
    "remove|取り外す:the cover|カバー the battery|電池 the dust box|ダストボックス the screws|ねじ;"
    "unplug|抜く:the cord|コード the charger|充電器 the cable|ケーブル;"
    "tighten|締める:the screws|ねじ the belt|ベルト the hose|ホース;"
    "rinse|すすぐ:the filter|フィルター the tank|タンク the nozzle|ノズル;"
    "print|印刷する:the label|ラベル the report|報告書 the form|用紙;"
    "sign|署名する:the form|用紙 the report|報告書 the delivery note|納品書;"
    "call|呼ぶ:the repair team|修理班 the safety officer|安全管理者 the team leader|班長;"
    "lock|施錠する:the cabinet|保管庫 the back door|裏口 the safe|金庫;"
    "press|押す:the reset button|リセットボタン the power button|電源ボタン the green key|緑のキー"
)


def _pairs(text: str) -> list[Pair]:
    found = []
    for word in text.split():
        english, japanese = word.split("/", 1)
        found.append((english.replace("_", " "), japanese))
    return found


POOLS: dict[str, list[Pair]] = {kind: _pairs(text) for kind, text in CHOICES.items()}


def _instruction_pool() -> list[Pair]:
    found = []
    for group in _INSTRUCTIONS.split(";"):
        verb, objects = group.split(":")
        english, japanese = verb.split("|")
        for obj_en, obj_ja in _objects(objects):
            particle = "に" if japanese == "署名する" else "を"
            found.append((f"{english} {obj_en}", f"{obj_ja}{particle}{japanese}"))
    return found


def _objects(text: str) -> list[Pair]:
    """Reads "the filter|フィルター the sensor|センサー" into pairs; the Japanese part holds no space."""
    found, rest = [], text
    while rest:
        english, _, tail = rest.partition("|")
        japanese, _, rest = tail.partition(" ")
        found.append((english.strip(), japanese))
    return found


INSTRUCTIONS: list[Pair] = _instruction_pool()


def _choice(kind: str) -> Draw:
    return lambda rng: rng.choice(POOLS[kind])


def _unit(low: int, high: int, unit: str, unit_ja: str, step: int = 1) -> Draw:
    def draw(rng: random.Random) -> Pair:
        number = rng.randrange(low, high + 1, step)
        return f"{number:,} {unit}", f"{number:,}{unit_ja}"

    return draw


def _decimal(low: int, high: int, unit: str, unit_ja: str) -> Draw:
    def draw(rng: random.Random) -> Pair:
        number = (
            f"{rng.randint(low, high)}.{rng.randint(1, 9)}"
            if rng.random() < 0.7
            else str(rng.randint(max(low, 2), high))
        )
        return f"{number} {unit}", f"{number}{unit_ja}"

    return draw


def amount(rng: random.Random) -> Pair:
    """$38.50, $1,240 and 3,850円, 124,000円."""
    kind = rng.random()
    if kind < 0.2:
        number = f"${rng.randint(2, 99)}.{rng.choice(('50', '90', '95', '20', '75'))}"
    elif kind < 0.75:
        number = f"${rng.randint(5, 999)}"
    else:
        number = f"${rng.randint(1000, 9999):,}"
    yen = rng.randint(30, 999) * 10 if kind < 0.6 else rng.randint(100, 9999) * 100
    return number, f"{yen:,}円"


def weight(rng: random.Random) -> Pair:
    """840 grams or 3.4 kg."""
    if rng.random() < 0.5:
        return _unit(80, 980, "grams", "グラム", 5)(rng)
    return _decimal(1, 38, "kg", "kg")(rng)


def date(rng: random.Random) -> Pair:
    """A day with its year, or without it."""
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2008, 2029)
    english, japanese = f"{day} {MONTHS[month - 1]}", f"{month}月{day}日"
    return f"{english} {year}", f"{year}年{japanese}"


def time_of_day(rng: random.Random) -> Pair:
    """9:30 am and 午前9時30分."""
    hour, minute = rng.randint(1, 11), rng.choice((0, 0, 15, 30, 30, 45, 10, 20, 40, 50))
    noon = rng.random() < 0.5
    tail = "" if minute == 0 else f"{minute}分"
    return f"{hour}:{minute:02d} {'pm' if noon else 'am'}", f"{'午後' if noon else '午前'}{hour}時{tail}"


_STREETS = _pairs(
    "Cedar/杉町 Elm/緑町 Harbour/港町 Mill/水車町 Station/駅前 Park/公園通り River/川端 Castle/城下 "
    "Church/寺町 Market/市場町 Lake/湖畔 Hill/坂上 Forest/森野 Garden/花園 Bridge/橋本 Tower/塔の里 "
    "Cherry/桜町 Maple/楓町 Temple/門前 Spring/泉町"
)


def address(rng: random.Random) -> Pair:
    """14 Cedar Street and 杉町3-14."""
    english, japanese = rng.choice(_STREETS)
    kind = rng.choice(("Street", "Road", "Lane", "Avenue", "Square"))
    number = rng.randint(2, 248)
    return f"{number} {english} {kind}", f"{japanese}{rng.randint(1, 9)}-{rng.randint(1, 48)}"


def station(rng: random.Random) -> Pair:
    """Elm Park and 緑町駅."""
    english, japanese = rng.choice(_STREETS)
    kind, kind_ja = rng.choice(
        (
            ("Park", "公園駅"),
            ("Central", "中央駅"),
            ("North", "北駅"),
            ("Gate", "口駅"),
            ("East", "東駅"),
            ("Cross", "交差点前駅"),
        )
    )
    return f"{english} {kind}", f"{japanese}{kind_ja}"


def person(rng: random.Random) -> Pair:
    """A person's name in both scripts."""
    return person_name(rng)


def code(letters: int, digits: int, joint: str) -> Draw:
    """Random capital letters and digits, such as KX-204."""

    def draw(rng: random.Random) -> Pair:
        first = "".join(rng.choice(string.ascii_uppercase) for _ in range(letters))
        second = "".join(rng.choice(string.digits) for _ in range(digits + rng.randint(0, 1)))
        return (first + joint + second,) * 2

    return draw


def phone(rng: random.Random) -> Pair:
    """042-555-0173."""
    text = f"0{rng.randint(10, 99)}-{rng.randint(200, 999)}-{rng.randint(0, 9999):04d}"
    return text, text


def email(rng: random.Random) -> Pair:
    """desk.kor@lumo.example."""
    host = syllable_word(rng, 2, 3)
    user = rng.choice((syllable_word(rng, 2, 3), f"{rng.choice(string.ascii_lowercase)}.{syllable_word(rng, 2, 3)}"))
    text = f"{user}@{host}.example"
    return text, text


def password(rng: random.Random) -> Pair:
    """A random string of letters and digits, such as kor58ta."""
    alphabet = string.ascii_lowercase + string.digits
    if rng.random() < 0.5:
        text = "".join(rng.choice(alphabet) for _ in range(rng.randint(5, 9)))
    else:
        text = f"{syllable_word(rng, 1, 2)}{rng.randint(10, 99)}{syllable_word(rng, 1, 1)}"
    return text, text


def app(rng: random.Random) -> Pair:
    """Nelo Link."""
    tail, tail_ja = rng.choice(
        (("Link", "リンク"), ("Home", "ホーム"), ("Connect", "コネクト"), ("Control", "コントロール"))
    )
    name = syllable_word(rng, 2, 3).capitalize()
    return f"{name} {tail}", f"{name}{tail_ja}"


def join_list(words: Sequence[Pair]) -> Pair:
    """Join words as a list: "A, B and C", 「A、B、C」."""
    english = [w[0] for w in words]
    return ", ".join(english[:-1]) + " and " + english[-1], "、".join(w[1] for w in words)


def _list(kind: str) -> Draw:
    return lambda rng: join_list(rng.sample(POOLS[kind], rng.choice((2, 2, 3))))


def count(rng: random.Random) -> Pair:
    """A bare number."""
    text = str(rng.randint(2, 99) if rng.random() < 0.8 else rng.randint(100, 480))
    return text, text


def extension(rng: random.Random) -> Pair:
    """Four digits."""
    text = str(rng.randint(1000, 9999))
    return text, text


def floor(rng: random.Random) -> Pair:
    """Floor 3 and 3階."""
    number = rng.randint(1, 24)
    return f"floor {number}", f"{number}階"


KINDS: dict[str, Draw] = {
    "amount": amount,
    "weight": weight,
    "length": _unit(8, 198, "cm", "cm"),
    "date": date,
    "time": time_of_day,
    "months": _unit(2, 96, "months", "か月"),
    "hours": _unit(2, 90, "hours", "時間"),
    "minutes": _unit(5, 240, "minutes", "分", 5),
    "watts": _unit(20, 2400, "watts", "ワット", 10),
    "decibels": _unit(21, 88, "decibels", "デシベル"),
    "litres": _decimal(0, 48, "litres", "リットル"),
    "metres": _decimal(1, 12, "metres", "メートル"),
    "days": _unit(2, 120, "days", "日"),
    "weeks": _unit(2, 52, "weeks", "週間"),
    "temperature": _unit(30, 480, "degrees", "度", 5),
    "volts": _unit(12, 400, "volts", "ボルト", 2),
    "square_metres": _unit(6, 180, "square metres", "平方メートル"),
    "age": _unit(12, 75, "years", "歳"),
    "times": _unit(2, 48, "times", "回"),
    "percent": _unit(2, 60, "%", "％"),
    "part_code": code(2, 3, "-"),
    "model_code": code(2, 3, ""),
    "form_code": code(1, 2, "-"),
    "error_code": code(1, 2, ""),
    "room": code(1, 3, "-"),
    "phone": phone,
    "email": email,
    "password": password,
    "app": app,
    "person": person,
    "address": address,
    "station": station,
    "count": count,
    "extension": extension,
    "floor": floor,
    "instruction": lambda rng: rng.choice(INSTRUCTIONS),
    "list": _list("service"),
    "list_languages": _list("language"),
    "list_papers": _list("paper"),
    **{
        kind: _choice(kind)
        for kind in (
            "city",
            "colour",
            "lamp",
            "material",
            "grade",
            "yesno",
            "ip_code",
            "weekday",
            "item",
            "tool",
            "department",
            "role",
            "desk",
            "state",
        )
    },
}


def draw_value(rng: random.Random, kind: str) -> Pair:
    """One value of this kind: (English, Japanese)."""
    return KINDS[kind](rng)
