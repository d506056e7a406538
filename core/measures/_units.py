"""Tables for `values`: units with exact factors, currencies, months, Japanese numerals and eras."""

from __future__ import annotations

from decimal import Decimal


def _table(*rows: tuple[str, str, str]) -> dict[str, tuple[str, Decimal]]:
    """Rows (dimension, factor to its base unit, spellings separated by `|`)."""
    return {word: (dimension, Decimal(factor)) for dimension, factor, words in rows for word in words.split("|")}


# Written alike in both languages. Factors within a dimension are exact by definition; months are
# never turned into days. Kilobyte and the like follow the SI.
_SYMBOLS = _table(
    ("percent", "1", "%"),
    ("length", "1000", "km"),
    ("length", "1", "m"),
    ("length", "0.01", "cm"),
    ("length", "0.001", "mm"),
    ("mass", "1000", "kg"),
    ("mass", "1", "g"),
    ("mass", "0.001", "mg"),
    ("mass", "1000000", "t"),
    ("volume", "1", "l"),
    ("volume", "0.001", "ml"),
    ("volume", "0.1", "dl"),
    ("bytes", "1000", "kb"),
    ("bytes", "1000000", "mb"),
    ("bytes", "1000000000", "gb"),
    ("bytes", "1000000000000", "tb"),
    ("power", "1", "w"),
    ("power", "1000", "kw"),
    ("energy", "1", "wh"),
    ("energy", "1000", "kwh"),
    ("charge", "1", "mah"),
    ("charge", "1000", "ah"),
    ("voltage", "1", "v"),
    ("frequency", "1", "hz"),
    ("frequency", "1000", "khz"),
    ("frequency", "1000000", "mhz"),
    ("frequency", "1000000000", "ghz"),
    ("loudness", "1", "db"),
    ("celsius", "1", "°c|℃"),
    ("fahrenheit", "1", "°f|℉"),
    ("pressure", "1", "pa"),
    ("pressure", "1000", "kpa"),
    ("pressure", "1000000", "mpa"),
)

UNITS: dict[str, tuple[str, Decimal]] = {
    **_SYMBOLS,
    **_table(
        ("percent", "1", "percent|per cent|pct"),
        ("time", "0.001", "ms|millisecond|milliseconds"),
        ("time", "1", "s|sec|secs|second|seconds"),
        ("time", "60", "min|mins|minute|minutes"),
        ("time", "3600", "h|hr|hrs|hour|hours"),
        ("time", "86400", "day|days|calendar day|calendar days"),
        ("time", "604800", "week|weeks"),
        ("business days", "1", "business day|business days|working day|working days"),
        ("months", "1", "month|months"),
        ("months", "12", "year|years|yr|yrs"),
        ("length", "1000", "kilometre|kilometres|kilometer|kilometers"),
        ("length", "1", "metre|metres|meter|meters"),
        ("length", "0.01", "centimetre|centimetres|centimeter|centimeters"),
        ("length", "0.001", "millimetre|millimetres|millimeter|millimeters"),
        ("length", "0.0254", "inch|inches"),
        ("length", "0.3048", "foot|feet|ft"),
        ("length", "1609.344", "mile|miles"),
        ("mass", "1000", "kilogram|kilograms|kilo|kilos"),
        ("mass", "1", "gram|grams"),
        ("mass", "453.59237", "pound|pounds|lb|lbs"),
        ("mass", "28.349523125", "ounce|ounces|oz"),
        ("mass", "1000000", "tonne|tonnes"),
        ("volume", "1", "litre|litres|liter|liters"),
        ("volume", "0.001", "millilitre|millilitres|milliliter|milliliters"),
        ("bytes", "1000000", "megabyte|megabytes"),
        ("bytes", "1000000000", "gigabyte|gigabytes"),
        ("bytes", "1000000000000", "terabyte|terabytes"),
        ("power", "1", "watt|watts"),
        ("voltage", "1", "volt|volts"),
        ("celsius", "1", "degrees celsius|degree celsius|degrees c"),
        ("fahrenheit", "1", "degrees fahrenheit|degrees f"),
        ("money:USD", "1", "dollar|dollars|usd|us dollars"),
        ("money:USD", "0.01", "cent|cents"),
        ("money:EUR", "1", "euro|euros|eur"),
        ("money:GBP", "1", "pounds sterling|gbp"),
        ("money:JPY", "1", "yen|jpy"),
    ),
}
"""English unit → (dimension, base units per unit)."""

UNITS_JA: dict[str, tuple[str, Decimal]] = {
    **_SYMBOLS,
    **_table(
        ("percent", "1", "パーセント"),
        ("percent", "10", "割"),
        ("time", "0.001", "ミリ秒"),
        ("time", "1", "秒|秒間"),
        ("time", "60", "分|分間"),
        ("time", "3600", "時間"),
        ("time", "86400", "日|日間"),
        ("time", "604800", "週|週間"),
        ("business days", "1", "営業日|営業日間|稼働日"),
        ("months", "1", "か月|ヶ月|カ月|ヵ月|ケ月|箇月|か月間|ヶ月間|カ月間|ヵ月間"),
        ("months", "12", "年|年間|か年|ヵ年"),
        ("length", "1000", "キロメートル"),
        ("length", "1", "メートル"),
        ("length", "0.01", "センチ|センチメートル"),
        ("length", "0.001", "ミリ|ミリメートル"),
        ("mass", "1000", "キログラム"),
        ("mass", "1", "グラム"),
        ("mass", "1000000", "トン"),
        ("volume", "1", "リットル"),
        ("volume", "0.001", "ミリリットル"),
        ("bytes", "1000000", "メガバイト"),
        ("bytes", "1000000000", "ギガバイト"),
        ("bytes", "1000000000000", "テラバイト"),
        ("power", "1", "ワット"),
        ("voltage", "1", "ボルト"),
        ("celsius", "1", "度"),
        ("loudness", "1", "デシベル"),
        ("money:JPY", "1", "円|jpy"),
        ("money:USD", "1", "ドル|usd"),
        ("money:EUR", "1", "ユーロ|eur"),
    ),
}
"""Japanese unit → (dimension, base units per unit)."""

COUNTERS_JA: dict[str, tuple[str, Decimal]] = {
    **{c: (f"count:{c}", Decimal(1)) for c in "台個本枚件冊社室席歳階点箱袋組行桁位番回"},
    **{c: ("count:人", Decimal(1)) for c in ("人", "名")},
    **{c: ("count:ページ", Decimal(1)) for c in ("ページ", "頁")},
    "文字": ("count:文字", Decimal(1)),
}
"""Japanese counters, each its own dimension: five machines are not five people."""

CURRENCY: dict[str, str] = {
    "$": "USD",
    "us$": "USD",
    "usd": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "¥": "JPY",
    "jpy": "JPY",
}
"""Signs and codes written before an amount (case folded, NFKC)."""

MONTHS: dict[str, int] = {
    name[:cut] if cut else name: number
    for number, name in enumerate(
        "january february march april may june july august september october november december".split(), 1
    )
    for cut in (0, 3)
} | {"sept": 9}
"""English month names and their three-letter forms."""

ERAS: dict[str, int] = {"令和": 2019, "平成": 1989, "昭和": 1926}
"""Japanese eras and their first year in the Western calendar."""

NUMBER_WORDS: dict[str, int] = {
    **{w: i for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split())},
    **{w: 20 + 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())},
    "hundred": 100, "thousand": 1000,
}  # fmt: skip
"""English number words."""

DIGITS_JA: dict[str, str] = {c: str(i) for i, c in enumerate("〇一二三四五六七八九")}
"""Kanji digits."""

POWERS_JA: dict[str, int] = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "億": 100_000_000}
"""Kanji powers of ten."""
