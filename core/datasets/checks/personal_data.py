"""Personal data: what is trained into weights cannot be taken out again."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, rewritten, texts_of
from core.datasets.names import person_names
from core.datasets.rows import Row

__all__ = ["PersonalData", "kinds_in", "masked"]

_EXAMPLE_DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "example.jp",
    "example.co.jp",
    "example",
    "test",
    "invalid",
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
    """Tell a real domain from those reserved for examples (RFC 2606); myexample.com is somebody's."""
    domain = found.lower().rsplit("@", 1)[-1]
    return not any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _EXAMPLE_DOMAINS)


def _phone(found: str) -> bool:
    """Tell whether the digits are as many as a number has: 10 or 11 in Japan and North America, 8 to 15 with +."""
    digits = _plain(found)
    return 8 <= len(digits) <= 15 if found.startswith("+") else 10 <= len(digits) <= 11


_LOCAL = r"[A-Za-z0-9._%+\-]"
_NOT_DIGIT = r"(?<![\dA-Za-z\-_./])"
_END = r"(?![\d\-]|[./]\d)"
_ALONE = r"(?<![\d\-])(?<!\d )"
_ENDS_ALONE = r"(?![ \-]?\d)"
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_PREFECTURE = r"(?:北海道|東京都|京都府|大阪府|[一-鿿]{2,3}県)"
_POSTCODES = (
    r"〒 ?(\d{3}[\- ]?\d{4})" + _END,
    r"郵便番号[はが:= ]{0,3}(\d{3}[\- ]?\d{4})" + _END,
    rf"(?<![\d\-])(\d{{3}}-\d{{4}})(?= ?{_PREFECTURE})",
    r"(?i:\b(?:zip(?: ?code)?|post(?:al)? ?code)(?: is|:)? )"
    r"((?:\d{5}(?:-\d{4})?|(?i:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}))\b)",
    rf"(?:, ?|\b[A-Z][a-z]{{1,30}} )(?:{_STATES}) (\d{{5}}(?:-\d{{4}})?)(?![\d\-])",
)
_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    # The local part begins where its letters begin: tried from each of them, a long word would take minutes.
    "email": (
        re.compile(
            rf"(?<!{_LOCAL}){_LOCAL}++@[A-Za-z0-9\-]{{1,63}}(?:\.[A-Za-z0-9\-]{{1,63}}){{0,8}}\.[A-Za-z]{{2,24}}"
        ),
        _real_mail,
    ),
    "my_number": (re.compile(_ALONE + r"\d{4}[ \-]?\d{4}[ \-]?\d{4}" + _ENDS_ALONE), lambda f: _my_number(_plain(f))),
    "card": (re.compile(_ALONE + r"(?:\d[ \-]?){13,15}\d" + _ENDS_ALONE), lambda f: _card(_plain(f))),
    "phone": (
        re.compile(
            _NOT_DIGIT
            + r"(?:0\d{1,4}[\- ]\d{1,4}[\- ]\d{3,4}|0\d{1,4}\(\d{1,4}\)\d{3,4}|\(0\d{1,4}\) ?\d{1,4}[\- ]\d{3,4}"
            r"|0[5789]0\d{8}|(?<!ISBN )(?<!ISBN:)0[1-9]\d{8}"
            r"|\+\d{1,3}[\- ]?(?:\(\d{1,4}\)[\- ]?)?\d{1,4}(?:[\- ]?\d{2,4}){1,3}"
            r"|(?:1[\-. ])?(?:\(\d{3}\) ?\d{3}[\-.]\d{4}|\d{3}-\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4}))" + _END
        ),
        _phone,
    ),
    "postcode": (re.compile("|".join(_POSTCODES)), lambda found: True),
}


@dataclass(frozen=True)
class PersonalData(Check):
    """Finds e-mail addresses, telephone numbers, postcodes, My Numbers and cards (the last two by check digit), names.

    Names of persons are found in Japanese text, where the Sudachi dictionary knows them. In English they are not looked
    for: what tells them from other words there is a model of the language, and none comes with Kurabe.

    Names are masked in training rows alone: a name may be the very answer that a question of a test measures.
    """

    name: ClassVar[str] = "personal_data"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        rows: dict[str, list[int]] = defaultdict(list)
        taught: set[str] = set()
        for position, row in data.rows():
            # a chat repeats its question and answer
            for kind in kinds_in("\n".join(dict.fromkeys(texts_of(row)))):
                rows[kind].append(position)
                taught |= {kind} if row.split == "train" else set()
        strong = ("my_number", "card", "email")
        hidden = {kind: {"rewrite": _hidden} for kind in rows if kind != "name" or kind in taught}
        return [
            self.finding(kind, "warning" if kind in strong else "info", found, hidden.get(kind))
            for kind, found in rows.items()
        ]


def _hidden(row: Row) -> dict[str, Any]:
    return rewritten(row, partial(masked, names=row.split == "train"), everywhere=True)


def kinds_in(text: str) -> list[str]:
    """Return the kinds of personal data in a text."""
    plain = _folded(unicodedata.normalize("NFKC", text))
    return [kind for kind in (*_KINDS, "name") if any(_found(kind, plain))]


def masked(text: str, *, names: bool = True) -> str:
    """Return `text` with personal data replaced by its kind in brackets; other text stays as it is written.

    Args:
        text: The text.
        names: Also names of persons.
    """
    if not kinds_in(text):
        return text
    plain, places = _with_places(text)
    spans: list[tuple[int, int, str]] = []
    for kind in (*_KINDS, *(["name"] if names else [])):
        for begin, end in _found(kind, plain):
            if not any(start < end and begin < stop for start, stop, _ in spans):
                spans.append((begin, end, kind))
    for begin, end, kind in sorted(spans, reverse=True):
        text = f"{text[: places[begin][0]]}[{kind.upper()}]{text[places[end - 1][1] :]}"
    return text


def _found(kind: str, plain: str) -> Iterator[tuple[int, int]]:
    """Yield where personal data of a kind stands; of a postcode the digits alone, without the words before them."""
    if kind == "name":
        yield from person_names(plain)
        return
    pattern, real = _KINDS[kind]
    for found in pattern.finditer(plain):
        if real(found.group()):
            yield found.span(found.lastindex or 0)


_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－", "-"))
_LETTER = re.compile(r"[\s\S][\u0300-\u036f\u3099\u309a\uff9e\uff9f]*")
"""A letter with the marks that belong to it: half-width ｶﾞ is one letter when it is read."""


def _folded(plain: str) -> str:
    """Write every dash as "-", the long vowel mark between digits too; each letter keeps its place."""
    return re.sub(r"(?<=\d)ー(?=\d)", "-", plain.translate(_DASHES))


def _with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text as it is searched, and for each of its letters where the text itself has it."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    for letter in _LETTER.finditer(text):
        part = unicodedata.normalize("NFKC", letter.group())
        parts.append(part)
        places += [letter.span()] * len(part)
    return _folded("".join(parts)), places
