"""Numbers with units, money, dates and times of day, as English and Japanese write them.

`quantities(text, language)` reads them out of a sentence in exact arithmetic, so that
"24 months" equals "2 years" and "1万2,000円" equals "¥12,000". Units are read in the language
of the question only: an English answer to a Japanese question is not silently accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from ._units import COUNTERS_JA, CURRENCY, DIGITS_JA, ERAS, MONTHS, NUMBER_WORDS, POWERS_JA, UNITS, UNITS_JA
from .case import Language


@dataclass(frozen=True, slots=True)
class Quantity:
    """One amount in the base unit of its dimension, and where it stands in the text."""

    amount: Decimal
    """Amount in base units (seconds, months, grams, minutes after midnight, yyyymmdd …)."""
    dimension: str
    """What is measured; the empty string for a bare number."""
    start: int
    """First character in the NFKC form of the text."""
    end: int
    """One past its last character there."""
    factor: Decimal = Decimal(1)
    """Base units per written unit; tells hours from minutes when they are joined."""

    @property
    def key(self) -> tuple[str, Decimal]:
        """What makes two quantities equal."""
        return self.dimension, self.amount


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER_JA = rf"(?:(?:{_NUMBER})[億万千百])+(?:{_NUMBER})?|[〇一二三四五六七八九十百千万億]+|{_NUMBER}"
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMBER_EN = rf"(?:{_NUMBER})(?:\s?(?:thousand|million|billion)\b)?|\b(?:{_WORDS})(?:[- ](?:{_WORDS}))*\b"
# a figure inside a model number (X200, AB-200) is no quantity
_SIGN = r"(?<![a-z\d])(?<![a-z]-)(?:(?<![\w.,)])[-−]|マイナス\s?|\bminus )?"


def _alternatives(words: dict[str, tuple[str, Decimal]] | dict[str, str]) -> str:
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(re.escape(w) + (r"(?![a-z])" if w[-1].isascii() and w[-1].isalpha() else "") for w in ordered)


_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_ERA = "|".join(ERAS)
_MONEY_SIGN = "|".join(re.escape(c) for c in sorted(CURRENCY, key=len, reverse=True))

_DATES: dict[Language, tuple[re.Pattern[str], ...]] = {
    "en": (
        re.compile(rf"\b(?P<m>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>\d{{4}}))?\b"),
        re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>{_MONTH})\.?(?:,?\s+(?P<y>\d{{4}}))?\b"),
        re.compile(rf"\b(?P<m>{_MONTH})\.?\s+(?P<y>\d{{4}})\b"),
        re.compile(r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})\b"),
    ),
    "ja": (
        re.compile(
            rf"(?:(?P<era>{_ERA})\s?(?P<ey>\d{{1,2}}|元)年\s?|(?P<y>\d{{4}})年\s?)?(?P<m>\d{{1,2}})月\s?(?P<d>\d{{1,2}})日"
        ),
        re.compile(rf"(?:(?P<era>{_ERA})\s?(?P<ey>\d{{1,2}}|元)年\s?|(?P<y>\d{{4}})年\s?)(?P<m>\d{{1,2}})月"),
        re.compile(r"(?<!\d)(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"),
        re.compile(rf"(?P<era>{_ERA})\s?(?P<ey>\d{{1,2}}|元)年(?!間)|(?P<y>(?:19|20)\d{{2}})年(?!間)"),
    ),
}
_CLOCKS: dict[Language, tuple[re.Pattern[str], ...]] = {
    "en": (
        re.compile(r"\b(?P<h>\d{1,2}):(?P<min>\d{2})\s?(?P<half>[ap]\.?m\b\.?)?"),
        re.compile(r"\b(?P<h>\d{1,2})\s?(?P<half>[ap]\.?m\b\.?)"),
        re.compile(r"\b(?P<word>noon|midnight)\b"),
    ),
    "ja": (
        re.compile(r"(?P<half>午前|午後)?\s?(?<!\d)(?P<h>\d{1,2}):(?P<min>\d{2})"),
        re.compile(r"(?P<half>午前|午後)?\s?(?<!\d)(?P<h>\d{1,2})時(?!間)(?:(?P<min>\d{1,2})分|(?P<mid>半))?"),
        re.compile(r"(?P<word>正午)"),
    ),
}
_AMOUNTS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        rf"(?P<cur>{_MONEY_SIGN})\s?(?P<cn>{_NUMBER_EN})"
        rf"|(?P<n>{_SIGN}(?:{_NUMBER_EN}))(?:[\s-]?(?P<u>{_alternatives(UNITS)}))?"
    ),
    "ja": re.compile(
        rf"(?P<cur>{_MONEY_SIGN})\s?(?P<cn>{_NUMBER_JA})"
        rf"|(?P<n>{_SIGN}(?:{_NUMBER_JA}))\s?(?P<u>{_alternatives({**UNITS_JA, **COUNTERS_JA})})"
        rf"|(?P<half>(?<![上下前後])半年間?)"
        rf"|(?P<bare>{_SIGN}(?:{_NUMBER}))"
    ),
}
_IDIOMS_JA = re.compile(
    r"(?<![\d一二三四五六七八九〇百])十分(?=です|でし|だ|に|な|間に合)|(?:もう|今)一度|一度(?=だけ|に|も|限り)|一番"
    r"|(?:\d+|[一二三四五六七八九十]+)分の(?:\d+|[一二三四五六七八九十]+)"
)
"""Words in which a numeral counts nothing: enough, once more, most of all, a third."""
_RANGE = re.compile(r"\s*(?:-|–|—|~|〜|~|to|から)\s*")
_JOIN = re.compile(r"\s*(?:,|and|と)?\s*")


def quantities(text: str, language: Language) -> list[Quantity]:
    """Every quantity in `text`, in reading order; ranges share their unit, parts are joined.

    "3 to 5 days" gives 3 days and 5 days; "1 year 6 months" gives 18 months.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    if language == "ja":
        plain = _IDIOMS_JA.sub(lambda match: "＊" * len(match.group()), plain)
    found: list[Quantity] = []
    for reader in (_dates, _clocks, _amounts):
        for quantity in reader(plain, language):
            if all(quantity.end <= f.start or quantity.start >= f.end for f in found):
                found.append(quantity)
    return _joined(plain, sorted(found, key=lambda q: q.start))


def _dates(text: str, language: Language) -> Iterator[Quantity]:
    for pattern in _DATES[language]:
        for match in pattern.finditer(text):
            part = match.groupdict()
            year = _year(part)
            month = MONTHS.get(part.get("m") or "") or int(part.get("m") or 0)
            day = int(part.get("d") or 0)
            if month > 12 or day > 31:
                continue
            names = [n for n, v in (("year", year), ("month", month), ("day", day)) if v]
            yield Quantity(Decimal(year * 10000 + month * 100 + day), "date:" + "-".join(names), *match.span())


def _year(part: dict[str, str | None]) -> int:
    if part.get("era"):
        ordinal = part["ey"] or "1"
        return ERAS[part["era"] or ""] + (1 if ordinal == "元" else int(ordinal)) - 1
    return int(part.get("y") or 0)


def _clocks(text: str, language: Language) -> Iterator[Quantity]:
    for pattern in _CLOCKS[language]:
        for match in pattern.finditer(text):
            part = match.groupdict()
            if part.get("word"):
                yield Quantity(Decimal(0 if part["word"] == "midnight" else 720), "clock", *match.span())
                continue
            hour, minute = int(part["h"] or 0), 30 if part.get("mid") else int(part.get("min") or 0)
            if hour > 24 or minute > 59:
                continue
            half = part.get("half") or ""
            if half.startswith(("p", "午後")) and hour < 12:
                hour += 12
            elif half.startswith(("a", "午前")) and hour == 12:
                hour = 0
            yield Quantity(Decimal(hour * 60 + minute), "clock", *match.span())


def _amounts(text: str, language: Language) -> Iterator[Quantity]:
    units = UNITS if language == "en" else {**UNITS_JA, **COUNTERS_JA}
    for match in _AMOUNTS[language].finditer(text):
        part = match.groupdict()
        if part.get("cur"):
            amount = _number(part["cn"] or "", language)
            yield Quantity(amount, "money:" + CURRENCY[part["cur"] or ""], *match.span())
            continue
        if part.get("half"):
            yield Quantity(Decimal(6), "months", *match.span())
            continue
        amount = _number(part.get("n") or part.get("bare") or "", language)
        dimension, factor = units[part["u"] or ""] if part.get("u") else ("", Decimal(1))
        yield Quantity(amount * factor, dimension, *match.span(), factor=factor)


def _number(written: str, language: Language) -> Decimal:
    """Exact value of a written number; words and kanji numerals included."""
    text = written.strip().replace(",", "")
    negative = re.match(r"[-−]|マイナス\s?|minus ", text)
    text = text[negative.end() :] if negative else text
    value = _number_ja(text) if language == "ja" else _number_en(text)
    return -value if negative else value


def _number_en(text: str) -> Decimal:
    scales = {"hundred": 100, "thousand": 1000, "million": 1000000, "billion": 1000000000}
    total = Decimal(0)
    for word in re.split(r"[\s-]+", text):
        if word in scales:
            total = (total or Decimal(1)) * scales[word]
        else:
            total += Decimal(NUMBER_WORDS[word]) if word in NUMBER_WORDS else Decimal(word)
    return total


def _number_ja(text: str) -> Decimal:
    total, section, digit = Decimal(0), Decimal(0), ""
    for char in text:
        if char in POWERS_JA:
            power = POWERS_JA[char]
            if power >= 10000:
                total += (section + Decimal(digit or ("0" if section else "1"))) * power
                section = Decimal(0)
            else:
                section += Decimal(digit or "1") * power
            digit = ""
        else:
            digit += DIGITS_JA.get(char, char)
    return total + section + Decimal(digit or "0")


def _joined(text: str, found: list[Quantity]) -> list[Quantity]:
    """Give the first figure of a range its unit; add up parts such as hours and minutes."""
    result: list[Quantity] = []
    for quantity in found:
        last = result[-1] if result else None
        gap = text[last.end : quantity.start] if last else ""
        if last and not last.dimension and quantity.dimension and gap and _RANGE.fullmatch(gap):
            factor = quantity.factor
            result[-1] = replace(last, amount=last.amount * factor, dimension=quantity.dimension, factor=factor)
        elif last and last.dimension == quantity.dimension and last.factor > quantity.factor and _JOIN.fullmatch(gap):
            result[-1] = replace(last, amount=last.amount + quantity.amount, end=quantity.end, factor=quantity.factor)
            continue
        result.append(quantity)
    return result
