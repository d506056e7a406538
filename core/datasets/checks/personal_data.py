"""Personal data: what is trained into weights cannot be taken out again."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding
from core.datasets.rows import Row

__all__ = ["PersonalData", "masked"]

_EXAMPLE_DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "example.jp",
    "example.co.jp",
    ".example",
    ".test",
    ".invalid",
)


def _my_number(digits: str) -> bool:
    """Check the check digit of an individual number (Ministry Ordinance 85 of 2014, article 5)."""
    numbers = [int(digit) for digit in reversed(digits)]
    total = sum(digit * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(numbers[1:], 1))
    rest = total % 11
    return numbers[0] == (0 if rest <= 1 else 11 - rest)


def _card(digits: str) -> bool:
    """Check a payment card's number by Luhn's formula (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _plain(found: str) -> str:
    return re.sub(r"\D", "", found)


def _real_mail(found: str) -> bool:
    return not found.lower().rsplit("@", 1)[-1].endswith(_EXAMPLE_DOMAINS)


_NOT_DIGIT = r"(?<![\d\-])"
_END = r"(?![\d\-])"
_ALONE = r"(?<![\d\-])(?<!\d )"
_ENDS_ALONE = r"(?![ \-]?\d)"
_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"), _real_mail),
    "my_number": (re.compile(_ALONE + r"\d{4}[ \-]?\d{4}[ \-]?\d{4}" + _ENDS_ALONE), lambda f: _my_number(_plain(f))),
    "card": (re.compile(_ALONE + r"(?:\d[ \-]?){13,15}\d" + _ENDS_ALONE), lambda f: _card(_plain(f))),
    "phone": (
        re.compile(
            _NOT_DIGIT
            + r"(?:0\d{1,4}[\-(（]\d{1,4}[\-)）]\d{3,4}|0[5789]0\d{8}|\+\d{1,3}[ \-]\d{1,4}[ \-]\d{2,4}[ \-]\d{3,4}"
            r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})" + _END
        ),
        lambda found: 9 <= len(_plain(found)) <= 14,
    ),
    "postcode": (re.compile(r"〒 ?\d{3}-?\d{4}" + _END), lambda found: True),
}


@dataclass(frozen=True)
class PersonalData(Check):
    """Finds e-mail addresses, telephone numbers, postcodes, My Numbers and cards (the last two by check digit)."""

    name: ClassVar[str] = "personal_data"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        rows: dict[str, list[int]] = defaultdict(list)
        changes: dict[str, dict[int, dict[str, str]]] = defaultdict(dict)
        for position, row in data.rows():
            for kind in kinds_in(_words(row)):
                rows[kind].append(position)
                if len(changes[kind]) < 10_000:
                    changes[kind][position] = {"question": masked(row.question), "answer": masked(row.answer)}
        strong = ("my_number", "card", "email")
        return [
            self.finding(kind, "warning" if kind in strong else "info", found, {"changes": changes[kind]})
            for kind, found in rows.items()
        ]


def _words(row: Row) -> str:
    others: list[Any] = [message.get("content", "") for message in row.messages]
    return "\n".join([row.question, row.answer, *others])


def kinds_in(text: str) -> list[str]:
    """Return the kinds of personal data in a text."""
    plain = unicodedata.normalize("NFKC", text)
    return [
        kind
        for kind, (pattern, real) in _KINDS.items()
        if any(real(found.group()) for found in pattern.finditer(plain))
    ]


def masked(text: str) -> str:
    """Return `text` with personal data replaced by its kind in brackets; other text stays as it is written."""
    if len(unicodedata.normalize("NFKC", text)) != len(text):
        text = unicodedata.normalize("NFKC", text) if kinds_in(text) else text
    plain = unicodedata.normalize("NFKC", text)
    spans: list[tuple[int, int, str]] = []
    for kind, (pattern, real) in _KINDS.items():
        for found in pattern.finditer(plain):
            if real(found.group()) and not any(start < found.end() and found.start() < end for start, end, _ in spans):
                spans.append((found.start(), found.end(), kind))
    for start, end, kind in sorted(spans, reverse=True):
        text = f"{text[:start]}[{kind.upper()}]{text[end:]}"
    return text
