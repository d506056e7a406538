"""Characters that a wrong decoding left behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened

__all__ = ["Mojibake", "is_garbled"]

_REPLACEMENT = re.compile(r"\ufffd|ï¿½")
_UTF8_AS_LATIN = re.compile(
    r"Ã[\x80-\xbf©¨¢¤¶¼±³º§®«»´¸]|â€[\x80-\xbf™œ\u009d“”˜]|(?:[ãäåæçèé][\x80-\xbf€-™]{1,2}){2,}"
)
_UTF8_AS_CP932 = re.compile(r"(?:縺|繧|繝|蜿|荳|譁|鬘|菴|逕|縲)[\u0000-\uffff]?(?:縺|繧|繝|縲|蜿|荳|譁|菴|逕|[ｦ-ﾟ])")
_CP932_AS_LATIN = re.compile(r"(?:[\x82\x83‚ƒ][\x80-\xff\u0152-\u2122]){3,}")
_KINDS = (_REPLACEMENT, _UTF8_AS_LATIN, _UTF8_AS_CP932, _CP932_AS_LATIN)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff]")


@dataclass(frozen=True)
class Mojibake(Check):
    """Finds garbled text, and control characters that nobody sees but the model reads."""

    name: ClassVar[str] = "mojibake"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        garbled: list[int] = []
        control: list[int] = []
        sample = ""
        for position, row in data.rows():
            text = f"{row.question}\n{row.answer}"
            if is_garbled(text):
                garbled.append(position)
                sample = sample or shortened(text)
            elif _CONTROL.search(text):
                control.append(position)
        findings = []
        if garbled:
            findings.append(self.finding("garbled", "error", garbled, sample=sample))
        if control:
            findings.append(self.finding("control", "warning", control))
        return findings


def is_garbled(text: str) -> bool:
    """Tell whether text shows the traces of UTF-8 read as Latin-1 or CP932, of CP932 read as Latin-1, or of a loss."""
    return any(pattern.search(text) for pattern in _KINDS)
