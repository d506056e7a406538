"""Rows in another language than the project's: the model answers as it was taught."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding

__all__ = ["LanguageMix", "script_language"]

_CODE = re.compile(r"```.*?```|`[^`]*`|https?://\S+|\{.*\}", re.DOTALL)


@dataclass(frozen=True)
class LanguageMix(Check):
    """Tells Japanese from other languages by script; names and code inside a sentence do not count."""

    name: ClassVar[str] = "language_mix"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        other: list[int] = []
        crossed: list[int] = []
        for position, row in data.rows():
            asked, answered = script_language(row.question), script_language(row.answer)
            if asked and answered and asked != answered:
                crossed.append(position)
            elif (answered or asked) and (answered or asked) != data.language:
                other.append(position)
        findings = []
        if crossed:
            findings.append(self.finding("crossed", "warning", crossed))
        if other:
            findings.append(self.finding("other", "info", other, language=data.language))
        return findings


def script_language(text: str) -> str | None:
    """Return ``ja`` where kana or kanji make up a good part, ``en`` for longer Latin text without them, else None."""
    plain = _CODE.sub("", text)
    japanese = sum(1 for c in plain if 0x3041 <= ord(c) <= 0x30FF or 0x4E00 <= ord(c) <= 0x9FFF)
    latin = sum(1 for c in plain if c.isascii() and c.isalpha())
    if japanese > 0.2 * (japanese + latin):
        return "ja"
    return "en" if latin >= 20 and japanese <= 0.02 * latin else None
