"""Numbers, shares, money, sizes, durations and times as a Japanese or an English reader expects them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as babel_datetime
from babel.numbers import format_currency, format_decimal

from core.i18n.catalogue import Language, language, t

__all__ = [
    "format_bytes",
    "format_datetime",
    "format_duration",
    "format_money",
    "format_number",
    "format_percent",
]

_LOCALES = {"en": "en_US", "ja": "ja_JP"}


def _locale(code: Language | None) -> str:
    return _LOCALES[code or language()]


def format_number(value: float | Decimal, code: Language | None = None, digits: int = 0) -> str:
    """Return a number with thousands separators and exactly `digits` decimals."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(value, format=pattern, locale=_locale(code)))


def format_percent(share: float, code: Language | None = None, digits: int = 0) -> str:
    """Return a share of 0…1 as a percentage."""
    return f"{format_number(share * 100, code, digits)}%"


def format_money(amount: Decimal | float, currency: str, code: Language | None = None) -> str:
    """Return an amount with its currency; small amounts keep two significant digits rather than becoming 0."""
    value = Decimal(str(amount))
    digits = 0 if currency == "JPY" else 2
    if value and abs(value) < Decimal(1).scaleb(-digits):
        digits = min(12, 1 - value.adjusted())
    pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
    return str(format_currency(value, currency, pattern, locale=_locale(code), currency_digits=False))


def format_bytes(size: float, code: Language | None = None) -> str:
    """Return a size in bytes with a binary unit."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{format_number(size, code, 0 if unit == 'B' else 1)} {unit}"


def format_duration(seconds: float, code: Language | None = None) -> str:
    """Return a duration in the two largest units that matter: 340 ms, 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 0.9995:  # more would be rounded to 1,000 ms
        return t("format.milliseconds", code, n=format_number(seconds * 1000, code))
    if seconds < 59.95:
        return t("format.seconds", code, n=format_number(seconds, code, 1))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return t("format.minutes", code, minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    return t("format.hours", code, hours=format_number(hours, code), minutes=minutes)


def format_datetime(value: datetime, code: Language | None = None, zone: str | None = None) -> str:
    """Return a UTC time in the viewer's zone (UTC if it is not known, and said so)."""
    zone_info = ZoneInfo(zone) if zone else ZoneInfo("UTC")
    text = babel_datetime(value, "medium", tzinfo=zone_info, locale=_locale(code))
    return str(text) if zone else f"{text} UTC"
