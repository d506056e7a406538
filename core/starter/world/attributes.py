"""The attributes that the fictional companies' documents state, and the form of their wordings.

A wording never puts the value before the name: a causal reader learns nothing from that.
``{p}`` is the entity's name, ``{v}`` the value, ``{e}`` the code or colour of an attribute with ``extra``.
English sentences write "the {p}" for products, branches, plans and procedures; for persons "{p}".
Japanese sentences write "{p}さん" for persons and "{p}" for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

ENTITIES: tuple[str, ...] = ("product", "branch", "person", "plan", "procedure")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that can be stated about an entity.

    Attributes:
        key: Its name in the code.
        entity: Kind of entity, one of ENTITIES.
        value: Kind of value, a key of ``values.KINDS``.
        extra: Kind of the extra condition ``{e}`` ("error_code", "lamp"), or "".
    """

    key: str
    entity: str
    value: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language speaks of one attribute.

    Attributes:
        label: 2 to 4 short names for tables and "Label: value" lines (may use {e}).
        documents: At least 7 sentences with {p} before {v} (and {e} if the attribute has an extra).
        questions: At least 9 questions with {p} (and {e}).
        answer: The full answer sentence with {p} and {v} (and {e}), {p} before {v}.
        held_documents: At least 2 sentences that training never uses: known words, new constructions.
        held_questions: At least 3 questions that training never uses: known words, new constructions.
    """

    label: tuple[str, ...]
    documents: tuple[str, ...]
    questions: tuple[str, ...]
    answer: str
    held_documents: tuple[str, ...]
    held_questions: tuple[str, ...]


# key, kind of value ("kind/extra"), meaning and examples of values in both languages
_TABLE: dict[str, str] = {
    "product": """
price amount                 # normal price: $1,240 / 1,240円
member_price amount          # price for members of the customer club
weight weight                # 840 grams / 840グラム, 3.4 kg / 3.4kg
width length                 # 42 cm / 42cm
height length                # 42 cm / 42cm
depth length                 # 42 cm / 42cm
colour colour                # dark blue / 紺色
material material            # stainless steel / ステンレス
made_in city                 # city where it is made: Lyon / リヨン
warranty months              # 24 months / 24か月
battery_life hours           # 14 hours / 14時間
charging_time minutes        # 90 minutes / 90分
power watts                  # 1,200 watts / 1,200ワット
noise decibels               # 48 decibels / 48デシベル
capacity litres              # 2.5 litres / 2.5リットル
cord_length metres           # 1.8 metres / 1.8メートル
release_date date            # 14 March 2024 / 2024年3月14日
return_period days           # may be returned within: 30 days / 30日
delivery_time days           # arrives within: 3 days / 3日
spare_part part_code         # code of the spare part to order: KX-204
filter_interval months       # replace the filter every: 6 months / 6か月
cleaning_tool tool           # what to clean it with: a soft brush / 柔らかいブラシ
max_temperature temperature  # highest temperature it reaches: 220 degrees / 220度
voltage volts                # 100 volts / 100ボルト
water_resistance ip_code     # protection rating: IPX4
app_name app                 # app that controls it: Nelo Link
accessory item               # supplied in the box: a carrying case / 持ち運びケース
model_number model_code      # model number: VD3081
energy_class grade           # energy class: A+, B
room_size square_metres      # for rooms up to: 24 square metres / 24平方メートル
dishwasher_safe yesno        # may it go into the dishwasher: yes / はい, no / いいえ ("Dishwasher safe: yes")
error_fix instruction/error_code  # when error {e}=E42 shows: clean the filter / フィルターを掃除する
light_meaning state/lamp     # what the {e}=red / 赤 lamp means: the tank is empty / タンクが空である
repair_fee amount            # cost of a repair
programs count               # number of programmes (modes): 12
designer person              # name of its designer: Mika Tanaka / 田中美香
""",
    "branch": """
opening_time time            # 9:30 am / 午前9時30分
closing_time time            # 7:00 pm / 午後7時
closed_day weekday           # Tuesday / 火曜日
address address              # 14 Cedar Street / 桜町3-14
phone phone                  # 042-555-0173
parking_spaces count         # number of parking spaces: 24
manager person               # Mika Tanaka / 田中美香
floor floor                  # floor in its building: floor 3 / 3階
nearest_station station      # Elm Park / 緑町駅
opened_on date               # day on which it opened
services list                # offered there: repairs, gift wrapping and key cutting / 修理、包装、合鍵
wifi_password password       # password of the guest Wi-Fi: kor58ta
staff_count count            # number of people who work there: 24
""",
    "person": """
role role                    # store manager / 店長
department department        # logistics / 物流部
extension extension          # internal phone number: 4471
email email                  # m.tanaka@aoba.example
joined_on date               # joined the company on
languages list_languages     # German and Thai / ドイツ語とタイ語
deputy person                # who stands in when away
desk_room room               # room of the desk: B-214
""",
    "plan": """
fee amount                   # what it costs (plan, service, policy, membership)
deadline date                # apply / register by
contact_desk desk            # desk to contact: the service desk / サービス窓口
approver role                # who approves requests: the finance manager / 経理課長
maximum_amount amount        # at most this is paid / covered
notice_period days           # cancel with notice of: 30 days / 30日
free_from amount             # free of charge for orders from
refund_days days             # money is refunded within
documents_needed list_papers # receipt and order form / 領収書と注文書
valid_until date             # valid until
minimum_age age              # 18 years / 18歳
number_of_visits times       # visits included: 4 times / 4回 (per year)
discount percent             # 15 % / 15％ off
""",
    "procedure": """
first_step instruction       # what to do first: unplug the cord / コードを抜く
last_step instruction        # what to do at the end
duration minutes             # how long it takes: 45 minutes / 45分
tool_needed tool             # a flat screwdriver / マイナスドライバー
responsible department       # team in charge: logistics / 物流部
form_code form_code          # form to fill in: F-38
frequency weeks              # done every: 6 weeks / 6週間
""",
}


def _read_table() -> tuple[Attribute, ...]:
    found = []
    for entity, lines in _TABLE.items():
        for line in lines.strip().splitlines():
            key, kind = line.split("#")[0].split()
            value, _, extra = kind.partition("/")
            found.append(Attribute(key, entity, value, extra))
    return tuple(found)


ATTRIBUTES: tuple[Attribute, ...] = _read_table()
BY_KEY: dict[str, Attribute] = {attribute.key: attribute for attribute in ATTRIBUTES}
BY_ENTITY: dict[str, tuple[Attribute, ...]] = {
    entity: tuple(a for a in ATTRIBUTES if a.entity == entity) for entity in ENTITIES
}
